"""A training process of its own, there to be killed: `python -m` runs it and it waits.

What it trains, and what it saves, is `practice.Run`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from course_lib.experiments.training_runs.practice import Run
from course_lib.session import processes

_DATA = "clips.npz"


class Doomed:
    """Hold a training process that waits, at one step, to be killed."""

    def __init__(self, process: subprocess.Popen, hold_at: int) -> None:
        """Take over a process that `start` started."""
        self.process, self.hold_at = process, hold_at

    def kill(self) -> dict[int, float]:
        """Wait until the step is reached, kill the process (SIGKILL) and return its losses.

        `exit_code` tells afterwards how it ended. Raises RuntimeError with what it printed
        where it stopped by itself.
        """
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The training stopped by itself: {self.process.communicate()[1]}")
        self.process.kill()
        self.process.communicate()
        return {int(step): loss for step, loss in json.loads(line).items()}

    @property
    def exit_code(self) -> int | None:
        """How the process ended: -9 says by SIGKILL; None that it still runs."""
        return self.process.poll()


def start(folder: str | Path, features: np.ndarray, labels: np.ndarray, hold_at: int) -> Doomed:
    """Start to train in a process of its own, which stops at step `hold_at` and waits there.

    It ends by itself when this process does.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / _DATA, features=features, labels=labels)
    process = processes.start(
        *("-m", __name__, str(folder), "--hold-at", str(hold_at)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Doomed(process, hold_at)


def main(arguments: list[str] | None = None) -> None:
    """Train in this process, report every step as a line, and wait at one step to be killed."""
    parser = argparse.ArgumentParser(description="Train a small model and wait to be killed.")
    parser.add_argument("folder", help="where the clips are read and the checkpoints are written")
    parser.add_argument("--hold-at", type=int, required=True, help="the step to wait at")
    given = parser.parse_args(arguments)
    with np.load(Path(given.folder, _DATA)) as data:
        features, labels = data["features"], data["labels"]
    losses = Run(given.folder, features, labels).train(given.hold_at)
    print(json.dumps(losses), flush=True)
    sys.stdin.read()  # until it is killed, or until whoever started it is gone


if __name__ == "__main__":
    main()

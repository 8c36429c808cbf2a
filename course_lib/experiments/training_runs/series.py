"""What a training run leaves behind: a series of checkpoints, and what each of them cost."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_lib import session

if TYPE_CHECKING:
    from course_lib.experiments.training_runs.practice import Run

HISTORY = "history.json"  # beside the checkpoints; the time slider reads it


@dataclass(frozen=True)
class Moment:
    """Hold what was measured at one checkpoint.

    `seconds` of training and saving since the start, `loss` the mean of the batches since the
    checkpoint before, `accuracy` on clips that are not trained on, 0 to 1; `kept` is False
    where the manager has deleted the checkpoint since.
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    kept: bool = True


@dataclass(frozen=True)
class Series:
    """Hold the moments of a run, and the files, by name with their bytes, that are left of it.

    `saving_seconds` is the part of the run's time that went into writing checkpoints.
    """

    moments: tuple[Moment, ...]
    files: dict[str, int]
    saving_seconds: float

    def __iter__(self) -> Iterator[Moment]:
        """Yield the moments in order."""
        return iter(self.moments)

    def __len__(self) -> int:
        """Return the number of moments."""
        return len(self.moments)

    def __repr__(self) -> str:
        """Say what is the same in every run."""
        return f"<{len(self)} checkpoints written, {sum(m.kept for m in self)} kept>"

    @property
    def history(self) -> list[tuple[int, float, float]]:
        """The moments as rows (step, loss, accuracy)."""
        return [(each.step, each.loss, each.accuracy) for each in self]

    @property
    def saving_share(self) -> float:
        """The share of the run's time that went into writing checkpoints, 0 to 1."""
        return self.saving_seconds / self.moments[-1].seconds

    @property
    def total_bytes(self) -> int:
        """The bytes of all files that are left."""
        return sum(self.files.values())

    def _repr_html_(self) -> str:
        heads = ("step", "seconds", "loss", "accuracy on new voices", "still there")
        rows = "".join(
            f"<tr><td>{each.step}</td><td>{each.seconds:.1f}</td><td>{each.loss:.2f}</td>"
            f"<td>{each.accuracy:.0%}</td><td>{'yes' if each.kept else 'deleted'}</td></tr>"
            for each in self
        )
        files = (f"{html.escape(name)} {size:,}" for name, size in self.files.items())
        return (
            f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
            f"<tbody>{rows}</tbody></table><div>{len(self.files)} files, "
            f"{self.total_bytes:,} bytes, {self.saving_share:.0%} of the time: "
            f"{'; '.join(files)}</div>"
        )


def record(run: Run, until: int, held: tuple[np.ndarray, np.ndarray]) -> Series:
    """Train to step `until`, and at every checkpoint ask the model about clips held back.

    `held` are features (n, 49, 40) and labels (n,). What was measured is also written to the
    run's folder as `history.json`. Asking does not count as time of the run.
    """
    from course_lib import spotter
    from course_lib.experiments.training_runs.practice import SAVE_EVERY

    moments, spent, folder = [], 0.0, Path(run.manager.directory)
    for step in range(int(run.step) + SAVE_EVERY, until + 1, SAVE_EVERY):
        started = time.perf_counter()
        losses = run.train(step)
        spent += time.perf_counter() - started
        right = spotter.predict(run.model, held[0]).argmax(axis=1) == held[1]
        moments.append(Moment(step, spent, float(np.mean([*losses.values()])), float(right.mean())))
    kept = {Path(prefix).name for prefix in run.manager.checkpoints}
    made = tuple(replace(each, kept=f"ckpt-{each.step}" in kept) for each in moments)
    text = json.dumps([asdict(each) for each in made])
    files = {path.name: path.stat().st_size for path in sorted(folder.iterdir(), key=_by_step)}
    session.write_atomically(folder / HISTORY, text.encode())
    return Series(made, files, run.saving_seconds)


def _by_step(path: Path) -> tuple[int, str]:
    """Return what sorts a folder by step, and not by the letters of its names."""
    digits = path.name.split(".")[0].rpartition("-")[2]
    return (int(digits) if digits.isdigit() else -1), path.name

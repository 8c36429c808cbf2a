"""Environments of their own for the autograders that this project is compared and tried with.

python -m benchmarks.peers        makes .venv-nbgrader and .venv-otter in the clone
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["PINS", "ROOT", "Unavailable", "command", "prepare", "surroundings"]

ROOT = Path(__file__).resolve().parents[1]
PINS = {
    "nbgrader": ["nbgrader==0.9.6", "numpy"],
    "otter": ["otter-grader==7.0.0", "ipykernel", "numpy"],
}


class Unavailable(RuntimeError):
    """Say in one sentence why the environment of a tool could not be made."""


def command(name: str) -> list[str] | None:
    """Return how the tool is started, None where its environment was not made."""
    folder = ROOT / f".venv-{name}"
    return [str(folder / "bin" / "python"), "-m", name] if _stamp(folder) == _mark(name) else None


def surroundings(name: str, library: Path) -> dict[str, str]:
    """Return the environment variables that a tool needs: its own programs, and course_lib."""
    programs = ROOT / f".venv-{name}" / "bin"
    return {
        **os.environ,
        "PYTHONPATH": str(library),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }


def prepare(name: str, seconds: float = 600.0) -> None:
    """Make the environment of a tool unless it is there; it takes some half a minute, once.

    Raises Unavailable where pip fails, above all where there is no network.
    """
    if command(name):
        return
    folder = ROOT / f".venv-{name}"
    own = [sys.executable, "-m"]
    pip = [*own, "pip", "--python", str(folder / "bin" / "python"), "install", "-q"]
    how = {"check": True, "capture_output": True, "text": True, "timeout": seconds}
    try:
        subprocess.run([*own, "venv", "--clear", "--without-pip", str(folder)], **how)
        _share_packages(folder)
        subprocess.run([*pip, "--retries", "1", *PINS[name]], **how)
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        why = said[-1] if said else f"{error.cmd[0]} failed"
        raise Unavailable(f"No environment for {name} could be made: {why}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"No environment for {name} was made in {seconds:.0f} s.") from error
    (folder / "stamp.txt").write_text(_mark(name), encoding="utf-8")


def _mark(name: str) -> str:
    """Return what the stamp of a finished environment says: change a pin, and it is made anew."""
    return " ".join([*PINS[name], sys.version.split()[0]])


def _stamp(folder: Path) -> str:
    """Return what stamp there is."""
    path = folder / "stamp.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _share_packages(folder: Path) -> None:
    """Let an environment find, after its own, this one's packages: only what lacks is installed."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    place = folder / "lib" / version / "site-packages" / "workbook.pth"
    place.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in PINS:
        prepare(each)

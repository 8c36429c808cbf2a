"""Environments of their own for the autograders that this project is compared and tried with.

python -m benchmarks.peers        makes .venv-nbgrader and .venv-otter in the clone
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["PINS", "ROOT", "command", "prepare", "share_packages", "surroundings"]

ROOT = Path(__file__).resolve().parents[1]
PINS = {
    "nbgrader": ["nbgrader==0.9.6", "numpy"],
    "otter": ["otter-grader==7.0.0", "ipykernel", "numpy"],
}


def command(name: str) -> list[str] | None:
    """Return how the tool is started, None where its environment was not made."""
    python = ROOT / f".venv-{name}" / "bin" / "python"
    return [str(python), "-m", name] if python.is_file() else None


def surroundings(name: str, library: Path) -> dict[str, str]:
    """Return the environment variables that a tool needs: its own programs, and course_lib."""
    programs = ROOT / f".venv-{name}" / "bin"
    return {
        **os.environ,
        "PYTHONPATH": str(library),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }


def prepare(name: str) -> None:
    """Make the environment of a tool; raises CalledProcessError where pip fails."""
    folder = ROOT / f".venv-{name}"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *PINS[name]], check=True
    )


def share_packages(name: str) -> None:
    """Let a tool's environment find, after its own, this one's packages: TensorFlow above all."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    place = ROOT / f".venv-{name}" / "lib" / version / "site-packages" / "workbook.pth"
    place.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in PINS:
        prepare(each)

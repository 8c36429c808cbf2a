"""Copy what a student has, and nothing of ours that helps tests, into another folder."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["clone", "link", "notebooks", "source_tree"]

ROOT = Path(__file__).resolve().parents[1]
_CLUTTER = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "work", "*.egg-info")


def notebooks(destination: Path, root: Path = ROOT) -> list[Path]:
    """Copy both editions to `destination`/notebooks and return their paths, students' first."""
    copied = []
    for folder in ("notebooks", "notebooks/reference"):
        target = destination / folder
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted((root / folder).glob("*.ipynb")):
            copied.append(Path(shutil.copy2(path, target)))
    return copied


def clone(destination: Path, root: Path = ROOT) -> list[Path]:
    """Make `destination` what the notebooks find in a clone; return the notebooks' paths.

    The data is linked where it can be. No conftest.py and no configuration of pytest is in reach.
    """
    shutil.copytree(root / "course_lib", destination / "course_lib", ignore=_CLUTTER)
    link(destination / "data", root / "data")
    return notebooks(destination, root)


def link(place: Path, to: Path) -> None:
    """Make `place` a link to a file or folder, or a copy where links are refused, as on Windows."""
    try:
        place.symlink_to(to)
    except OSError:
        shutil.copytree(to, place, ignore=_CLUTTER) if to.is_dir() else shutil.copy2(to, place)


def source_tree(destination: Path, root: Path = ROOT) -> Path:
    """Copy what is needed to build the package, so that building leaves nothing behind here."""
    destination.mkdir(parents=True, exist_ok=True)
    for folder in ("course_lib", "data"):
        shutil.copytree(root / folder, destination / folder, ignore=_CLUTTER)
    for pattern in ("*.md", "*.toml", "*.txt", "setup.py", "LICENSE", "MANIFEST.in"):
        for path in root.glob(pattern):
            shutil.copy2(path, destination)
    return destination

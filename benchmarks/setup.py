"""Set-up from nothing: what `make lab` and Colab's first cell wait for.

Colab has most of what is needed; its cell adds the package itself and a few others to that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import Measured, Options, number
from tests.browser.lab import served
from tools import clean_copy, environment

TITLE = "Set-up"
_BASE = getattr(sys, "_base_executable", sys.executable)
_PREPARE = "from tools import environment; raise SystemExit(environment.main('lab'))"


def run(options: Options) -> Measured:
    """Install from the index and from wheels; time JupyterLab. `quick` installs nothing."""
    rows = [("step", "seconds", "MB")]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if not options.quick:
            rows += _installations(folder)
        start = time.perf_counter()
        with served(clean_copy.ROOT, folder / "lab.log"):
            seconds = number(time.perf_counter() - start)
            rows.append(("from the command to JupyterLab's answer", seconds, ""))
    return Measured(
        "What `make lab` does in a copy of the tree: a virtual environment and pip, from the "
        "index, where the network decides, and anew from wheels on this disk without a network. "
        "Then what the set-up cell has pip add to Colab, from this copy instead of the repository, "
        "into an empty folder, in the same two ways; and JupyterLab until it answers.",
        tables={"Steps": rows},
    )


def _installations(folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of both installations, each from the index and from wheels."""
    rows, tree, wheels = [], folder / "tree", folder / "wheels"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    for told, environ in (("from the index", {}), ("from wheels", offline)):
        fresh_tree(tree)
        seconds = _timed([_BASE, "-c", _PREPARE], tree, environ)
        rows.append((f"set up `.venv`, {told}", number(seconds), _megabytes(tree / ".venv")))
        if not environ:
            python = str(tree / ".venv" / "bin" / "python")
            frozen = subprocess.check_output([python, "-m", "pip", "freeze"], text=True)
            lines = [line for line in frozen.splitlines() if not line.startswith("-e ")]
            get = [python, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
            _timed([*get, *lines, "pip", "setuptools", "wheel"], tree, {})
            rows.append(("all that is downloaded for it", "", _megabytes(wheels)))
    added = [str(tree), *environment.colab_adds()]
    for told, environ in (("from the index", {}), ("from wheels", offline)):
        place = folder / f"added {told}"
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        seconds = _timed([*install, str(place), *added], tree, environ)
        rows.append((f"Colab's set-up cell, {told}", number(seconds), _megabytes(place)))
    return rows


def fresh_tree(folder: Path) -> Path:
    """Return a fresh copy of what is tracked."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    call = ["git", "clone", "-q", str(clean_copy.ROOT), str(folder)]
    subprocess.run(call, check=True, capture_output=True)
    return folder


def _timed(call: list[str], folder: Path, environ: dict[str, str]) -> float:
    """Return the seconds that a command takes. Raises CalledProcessError where it fails."""
    start = time.perf_counter()
    known = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", **environ}
    subprocess.run(call, cwd=folder, env=known, check=True, stdout=sys.stderr)
    return time.perf_counter() - start


def _megabytes(folder: Path) -> str:
    files = (path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{sum(files) / 1e6:,.0f}"

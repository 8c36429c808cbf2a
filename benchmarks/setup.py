"""Set-up from nothing: what `make lab` waits for, with an empty and with a filled cache of pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import Measured, Options, number
from tests.browser.lab import served
from tools import clean_copy

TITLE = "Set-up"
_PREPARE = "from tools import environment; raise SystemExit(environment.main('lab'))"


def run(options: Options) -> Measured:
    """Install twice into a copy of the tree; time JupyterLab's start. `quick` installs nothing."""
    rows = [("step", "seconds", "MB")]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, cache = Path(name, "tree"), Path(name, "cache")
        if not options.quick:
            for step in ("with an empty cache", "with a filled cache"):
                tree = fresh_tree(folder)
                seconds = _installed(tree, cache)
                installed = _megabytes(tree / ".venv")
                rows.append((f"set up `.venv`, {step}: installed", number(seconds), installed))
            rows.insert(2, ("downloaded into pip's cache", "", _megabytes(cache)))
        start = time.perf_counter()
        with served(clean_copy.ROOT, Path(name, "lab.log")):
            rows.append(
                ("from the command to JupyterLab's answer", number(time.perf_counter() - start), "")
            )
    return Measured(
        "What `make lab` does in a copy of the tree: a virtual environment and pip, first with an "
        "empty cache, then anew with what that left; the network decides the first. Then "
        "JupyterLab until it answers.",
        tables={"Steps": rows},
    )


def fresh_tree(folder: Path) -> Path:
    """Return a fresh copy of what is tracked."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    call = ["git", "clone", "-q", str(clean_copy.ROOT), str(folder)]
    subprocess.run(call, check=True, capture_output=True)
    return folder


def _installed(tree: Path, cache: Path) -> float:
    """Return the seconds that setting up takes."""
    start = time.perf_counter()
    environ = {**os.environ, "PIP_CACHE_DIR": str(cache)}
    subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-c", _PREPARE],
        cwd=tree,
        env=environ,
        check=True,
        stdout=sys.stderr,
    )
    return time.perf_counter() - start


def _megabytes(folder: Path) -> str:
    files = (path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{sum(files) / 1e6:,.0f}"

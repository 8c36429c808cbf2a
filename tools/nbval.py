"""Run notebooks as an autograder does: pytest's nbval, strictly, and nothing of ours set."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["AT_A_TIME", "run"]

#: Options that run so many notebooks at a time; the number comes next.
AT_A_TIME = ("--dist", "loadfile", "-n")
_HIDDEN = ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")


def run(
    folder: Path,
    notebooks: Iterable[Path],
    *options: str,
    environ: Mapping[str, str] | None = None,
    **how: Any,
) -> subprocess.CompletedProcess:
    """Run `notebooks` from `folder` with further `options` of pytest, and wait for the end.

    `environ` adds to the environment; `how` goes to `subprocess.run`. What this run of pytest, if
    it is one, has set is kept from the new one.
    """
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    command += ["--nbval-cell-timeout=1500", "-p", "no:cacheprovider"]
    command += ["-p", "no:hypothesispytest"]  # no student has it, and it takes a second to import
    kept = {name: value for name, value in os.environ.items() if name not in _HIDDEN}
    return subprocess.run(
        [*command, *options, *map(str, notebooks)],
        cwd=folder,
        env={**kept, **(environ or {})},
        **how,
    )

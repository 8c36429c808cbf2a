"""Processes of our own: the one place that starts a Python beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from course_lib.session.beginning import ENVIRONMENT
from course_lib.session.files import PACKAGE


def start(
    *arguments: str,
    more: dict[str, str] | None = None,
    alone: bool = False,
    piped: bool = False,
    **options: Any,
) -> subprocess.Popen:
    """Start this Python with `arguments`, such as "-m", "course_lib.measure"; return its handle.

    It finds course_lib wherever this one did, or, `alone`, nothing but what is installed; it sees
    no GPU, and logs nothing from C++. `more` are further variables of its environment. `piped`
    makes its three streams pipes of text; `options` go to `subprocess.Popen`.
    """
    isolated = ["-I"] if alone else []  # neither the current folder nor PYTHONPATH is looked at
    if piped:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        options = {**pipes, "text": True, **options}
    command = [sys.executable, *isolated, *arguments]
    return subprocess.Popen(command, env=environment(more), **options)


def run(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Start this Python with `arguments`, wait for its end, and return what it printed as text.

    Raises subprocess.TimeoutExpired where it takes more than `seconds`; it is ended then.
    """
    command = [sys.executable, *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        env=environment(),
    )


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment, quiet, with course_lib on its path, and with `more`."""
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": path, **(more or {})}

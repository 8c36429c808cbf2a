"""Processes of our own: the one place that starts a Python beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from course_lib.session.beginning import ENVIRONMENT
from course_lib.session.files import PACKAGE


def start(
    *arguments: str,
    more: dict[str, str] | None = None,
    around: Sequence[str] = (),
    **options: Any,
) -> subprocess.Popen:
    """Start this Python with `arguments`, such as "-m", "course_lib.measure"; return its handle.

    It finds course_lib wherever this one did, sees no GPU, and logs nothing from C++. `more` are
    further variables of its environment; `around` is a command that runs it, such as a sandbox;
    `options` go to `subprocess.Popen`, where `env` is an environment that takes nothing from here.
    """
    options.setdefault("env", environment(more))
    return subprocess.Popen([*around, sys.executable, *arguments], **options)


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

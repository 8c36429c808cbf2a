"""What there is to do with the workbook: each command's set-up, then its programs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import environment

__all__ = ["COMMANDS", "Command", "hand_over", "main", "run", "wait"]

ROOT = Path(__file__).resolve().parents[1]
_MORE = "..."  # where the caller's own arguments go


@dataclass(frozen=True)
class Command:
    """What a command is for, the environment that it needs, and what Python runs there, in turn.

    The first program that fails ends it.
    """

    does: str
    needs: str
    programs: tuple[tuple[str, ...], ...]


_TESTS = ("-m", "pytest", "-n", "3", "--dist", "loadscope", "--no-loadscope-reorder", _MORE)
_AUTHORING = "course_lib.instructor.authoring"
COMMANDS = {
    "lab": Command("open the first lesson in JupyterLab", "lab", (("-m", "tools.lab", _MORE),)),
    "test": Command(
        "run every test and every notebook", "test", (("-m", "tools.programs"), _TESTS)
    ),
    "test-colab": Command(
        "run every notebook with the versions of Google Colab",
        "colab",
        (("tools/colab.py", _MORE),),
    ),
    "notebooks": Command(
        "build both editions of every lesson from notebooks/source",
        "test",
        (("-m", _AUTHORING, "build", _MORE),),
    ),
    "site": Command(
        "write the executed lessons as a web site to _site, for any server or disk",
        "test",
        (("-m", "tools.site", _MORE),),
    ),
    "slides": Command(
        "write the executed lessons as slides to _slides, a file each, for any browser",
        "test",
        (("-m", "tools.slides", _MORE),),
    ),
    "model": Command(
        "train a model by the shipped one's recipe, from the bundled clips",
        "lab",
        (("-m", "course_lib", "train", "--out", "data/models", _MORE),),
    ),
    "bench": Command(
        "measure it beside its peers, into benchmarks/RESULTS.md",
        "test",
        (("-m", "benchmarks", _MORE),),
    ),
    "lock": Command(
        "write the versions that are installed here to requirements.lock",
        "test",
        (("-m", "tools.lock"),),
    ),
    "lint": Command(
        "look for mistakes of style",
        "test",
        (("-m", "ruff", "check", "."), ("-m", "ruff", "format", "--check", ".")),
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Set up what a command needs, and run it with what follows; return its exit code."""
    parser = argparse.ArgumentParser(prog="workbook.py", description="The workbook's commands.")
    choice = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        choice.add_parser(name, help=command.does, add_help=False)
    chosen = parser.parse_args(arguments[:1] or ["-h"])  # the rest is the program's, -h as well
    return run(COMMANDS[chosen.command], arguments[1:])


def run(command: Command, more: Sequence[str]) -> int:
    """Set up, then run the command's programs with `more` arguments; return the exit code.

    Where the system can, the last one takes this process's place, with its signals.
    """
    if code := environment.main(command.needs):
        return code
    python = str(environment.environment(command.needs).python)
    programs = [
        [python, *program[:-1], *more] if program[-1] == _MORE else [python, *program]
        for program in command.programs
    ]
    for program in programs[:-1]:
        if code := wait(program):
            return code
    return hand_over(programs[-1])


def hand_over(program: Sequence[str]) -> int:
    """Let a program take this process's place; on Windows wait for it, and return its exit code."""
    sys.stdout.flush()
    if os.name == "nt":
        return wait(program)
    os.chdir(ROOT)
    os.execv(program[0], program)


def wait(program: Sequence[str]) -> int:
    """Run a program in the workbook's folder; Ctrl-C is its own to answer. Return its exit code."""
    sys.stdout.flush()
    utf8 = {"PYTHONUTF8": "1"} if os.name == "nt" else {}  # elsewhere it is so already
    with subprocess.Popen(program, cwd=ROOT, env={**os.environ, **utf8}) as running:
        while True:
            try:
                return running.wait()
            except KeyboardInterrupt:  # the program has got it too
                continue

"""Lessons and commands on the poorest machine: whatever may be missing is missing at once.

The clone lies under a path with spaces and umlauts, and nothing can be written to it; the user is
not root, the locale is C or Turkish, there is no network, and no program is found, `dot` least of
all.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.instructor.grading import sandbox
from tools import clean_copy, nbval

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"),
]
LESSONS = {"00": "C", "06": "tr_TR.UTF-8", "18": "C"}  # cheap: hear, open files, listen all day
WHERE = """\
import os, shutil, socket
print(os.geteuid(), shutil.which("dot"))
for touch in (lambda: open("x", "w"), lambda: socket.create_connection(("192.0.2.1", 80), 9)):
    try:
        touch()
    except OSError:
        print("refused")
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the folder of a clone there, and one to work in; beside it is the machine's Python."""
    place = tmp_path_factory.mktemp("any") / "Übung für Zoë"
    clone, desk = place / "work book", place / "Tür & Öl"
    desk.mkdir(parents=True)
    if program := shutil.which("localedef"):  # with the sources of locales, which not all have
        command = [program, "-i", "tr_TR", "-f", "UTF-8", place / "tr_TR.UTF-8"]
        subprocess.run(command, capture_output=True)
    clean_copy.clone(clone)
    poor = {"HOME": desk, "TMPDIR": desk, "PATH": clone, "LOCPATH": place}
    wall = ["env", "-u", "PYTHONPATH", *(f"{name}={value}" for name, value in poor.items())]
    wall += [shutil.which("bwrap"), "--dev-bind", "/", "/", "--ro-bind", clone, clone]
    wall += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-net", sys.executable]
    python = place / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, wall))} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return clone, desk


@pytest.fixture(autouse=True)
def its_python(machine, monkeypatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(sys, "executable", str(machine[0].parent / "python"))


def run(folder: Path, *arguments: str, expect: int = 0) -> str:
    """Run that machine's Python in `folder`; return what it says."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == expect, said
    return said


def test_the_machine_is_as_poor_as_it_says(machine) -> None:
    clone, desk = machine
    poor = "1000 None"
    assert run(clone, "-c", WHERE).splitlines() == [poor, "refused", "refused"]
    assert run(desk, "-c", WHERE).splitlines() == [poor, "refused"]  # here one can write


def test_its_locale_writes_a_comma(machine, monkeypatch) -> None:
    half = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.str(0.5))"
    assert run(machine[1], "-c", half) == "0.5\n"
    if not (machine[0].parent / "tr_TR.UTF-8").is_dir():
        pytest.skip("no Turkish here")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    assert run(machine[1], "-c", half) == "0,5\n"


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_runs_and_shows_the_same(machine, number: str, monkeypatch) -> None:
    monkeypatch.setenv("LC_ALL", LESSONS[number])
    (notebook,) = (machine[0] / "notebooks" / "reference").glob(f"{number}_*.ipynb")
    done = nbval.run(notebook.parent, [notebook], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_model_is_saved_converted_and_measured(machine, monkeypatch) -> None:
    clone, desk = machine
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    for word in ("yes", "no"):
        (desk / "Stimmen é" / word).mkdir(parents=True)
        for path in sorted((clone / "data" / "speech").rglob(f"{word}/*.flac"))[:2]:
            (desk / "Stimmen é" / word / path.name).write_bytes(path.read_bytes())
    course = "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    save = "from course_lib import spotter; spotter.load().save('für mich.keras')"
    call = "from course_lib import cli; sys.exit(cli.main(sys.argv[1:]))"
    run(desk, "-c", course + save, str(clone))
    run(desk, "-c", course + call, str(clone), "convert", "für mich.keras", "--variant", "int8")
    (model,) = desk.glob("*.tflite")
    said = run(desk, "-c", course + call, str(clone), "evaluate", model.name, "Stimmen é")
    assert "4 clips" in said
    said = run(clone, "-m", "course_lib", "page", str(model), expect=4)
    assert "Traceback" not in said and len(said.splitlines()) <= 2, said

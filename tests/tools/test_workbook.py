"""The one entry: any Python finds a suitable one, or says which is missing; then the commands."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import workbook
from tools import commands, environment, lab

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_entry_can_be_read_by_old_pythons() -> None:
    """It is the file that tells them that they are too old."""
    text = (ROOT / "workbook.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 4))
    assert 'f"' not in text and "annotations" not in text


def test_an_unsuitable_python_hands_on_or_refuses_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workbook.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(workbook, "find_python", lambda oldest: None)
    assert workbook.main(["lab"]) == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11, 3.12, 3.13" in said and "3.9" in said and said.count("\n") == 1
    monkeypatch.setattr(workbook, "find_python", lambda oldest: "python3.12")
    monkeypatch.setattr(workbook.subprocess, "call", lambda command: command)
    assert workbook.main(["lab"])[0] == "python3.12"


@pytest.mark.posix
def test_pythons_are_found_and_asked_for_their_version(tmp_path: Path) -> None:
    assert workbook.version(sys.executable) == sys.version_info[:2]
    assert workbook.version(str(tmp_path / "none")) is None
    broken = tmp_path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert workbook.version(str(broken)) is None


def test_the_same_pythons_are_named_everywhere() -> None:
    assert FACTS["project"]["requires-python"] == ">=3.11,<3.14"
    assert (workbook.OLDEST, workbook.NEWEST) == ((3, 11), (3, 13))


@pytest.mark.posix
def test_the_launcher_of_windows_is_asked_as_well(tmp_path: Path, monkeypatch) -> None:
    launcher = tmp_path / "py"
    launcher.write_text(f"#!/bin/sh\n[ $1 = -3.{sys.version_info[1]} ] && echo {sys.executable}\n")
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    found = workbook.find_python()
    assert found == sys.executable
    monkeypatch.setenv("PATH", "")
    assert workbook.find_python() is None


def test_make_and_the_entry_know_the_same_commands() -> None:
    rules = re.findall(r"^([a-z-]+):  ## (.+)\n\t\$\(RUN\) (\S+) ", _text("Makefile"), re.M)
    assert {name: does for name, does, _ in rules} == {
        name: command.does for name, command in commands.COMMANDS.items()
    }
    assert all(name == called for name, _, called in rules)
    run = subprocess.run(
        [sys.executable, ROOT / "workbook.py", "-h"], capture_output=True, text=True, cwd="/"
    )
    assert all(re.search(rf"^ +{name}\s", run.stdout, re.M) for name in commands.COMMANDS)


def test_a_command_that_nobody_knows_is_refused() -> None:
    entry = [sys.executable, str(ROOT / "workbook.py")]
    wrong = subprocess.run([*entry, "labs"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "'labs' (choose from" in wrong.stderr.splitlines()[-1]
    none = subprocess.run(entry, capture_output=True, text=True)
    assert "test-colab" in none.stdout


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be run, in turn, in place of running it; the set-up is done already."""
    done: list[list[str]] = []
    monkeypatch.setattr(environment, "prepare", lambda wanted: None)
    monkeypatch.setattr(commands, "wait", lambda program: done.append([*program]) or 0)
    monkeypatch.setattr(commands, "hand_over", lambda program: done.append([*program]) or 0)
    return done


def test_what_follows_a_command_is_its_programs_own(ran) -> None:
    assert commands.main(["test", "-x", "-k", "audio or wav", "-h", "--", "one"]) == 0
    programs, tests = ran
    assert programs[1:] == ["-m", "tools.programs"]
    assert tests[1:3] == ["-m", "pytest"]
    assert tests[-6:] == ["-x", "-k", "audio or wav", "-h", "--", "one"]


def test_what_fails_ends_the_command(ran, monkeypatch) -> None:
    monkeypatch.setattr(commands, "wait", lambda program: 3)
    assert commands.main(["lint"]) == 3 and not ran
    monkeypatch.setattr(environment, "main", lambda name: 1)
    assert commands.main(["lab"]) == 1 and not ran


def test_every_module_that_a_command_runs_is_there() -> None:
    for command in commands.COMMANDS.values():
        for program in command.programs:
            if program[0] != "-m":
                assert (ROOT / program[0]).is_file()
            elif program[1].startswith(("tools", "course_lib")):
                path = ROOT.joinpath(*program[1].split("."))
                assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_windows_has_its_python_elsewhere_and_waits(monkeypatch) -> None:
    """Not tried on Windows itself: what differs there is asked of `os.name` alone."""
    wanted = environment.environment("lab")
    assert wanted.python == ROOT / ".venv" / "bin" / "python"
    seen = []
    monkeypatch.setattr(commands, "wait", lambda program: seen.append(program) or 5)
    monkeypatch.setattr(os, "name", "nt")
    try:
        there = str(wanted.folder) + "/" + "Scripts/python.exe"
        assert os.fspath(wanted.python) == there
        assert commands.hand_over(["python", "-c", ""]) == 5
    finally:
        monkeypatch.undo()
    assert seen == [["python", "-c", ""]]


@pytest.mark.posix
def test_an_interrupted_program_says_itself_how_it_ends(tmp_path: Path) -> None:
    """JupyterLab asks before it stops: whoever waits for it must not end it meanwhile."""
    answers = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('asked', flush=True), sys.exit(7)))\n"
        "print('there', flush=True)\n"
        "while True: time.sleep(.1)\n"
    )
    waits = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tools import commands; sys.exit(commands.wait(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waits, sys.executable, "-c", answers],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout.readline() == "there\n"
        os.killpg(running.pid, signal.SIGINT)
        assert running.stdout.read() == "asked\n"
        assert running.wait(60) == 7


def test_lab_takes_the_place_of_the_entry(monkeypatch, capsys) -> None:
    """So that whoever stops the entry, as a container does, stops the server."""
    started = []
    monkeypatch.setattr(lab, "hand_over", lambda program: started.append(program) or 0)
    monkeypatch.setattr(lab, "trust", lambda folder: None)
    monkeypatch.setattr(lab, "settings", lambda environ: {})
    assert lab.main(["--one"]) == 0
    assert "jupyterlab" in started[0] and "--one" in started[0]
    assert "http://127.0.0.1:" in capsys.readouterr().out


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")

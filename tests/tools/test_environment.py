"""The virtual environment: made once, with pip in it, and every failure one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tools import environment
from tools.environment import Environment, Failure

Usage = namedtuple("Usage", "total used free")


def test_a_stamped_environment_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Set-up happens once, and again when what is needed has changed."""
    wanted = Environment(tmp_path / "venv", ("one>=1",))
    done: list[str] = []
    monkeypatch.setattr(environment, "_works", lambda python: bool(done))
    monkeypatch.setattr(environment, "_create", lambda wanted: wanted.folder.mkdir())
    monkeypatch.setattr(environment, "_check_disk", lambda folder: None)
    monkeypatch.setattr(environment, "_install", lambda wanted: done.append("installed"))
    environment.prepare(wanted)
    environment.prepare(wanted)
    assert done == ["installed"]
    environment.prepare(Environment(wanted.folder, ("one>=2",)))
    assert done == ["installed"] * 2


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: Usage(10, 9, 10**9))
    with pytest.raises(Failure, match="has 1.0 GB free .* make room"):
        environment._check_disk(tmp_path / "venv")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after NewConnectionError(...)", "cannot be reached"),
        ("ERROR: No matching distribution found for x", "No matching distribution"),
        ("", "it gave no reason"),
    ],
)
def test_failures_of_pip_become_one_sentence(output: str, said: str) -> None:
    failure = str(environment._failure(output, "install the packages"))
    assert said in failure and "\n" not in failure


def test_a_failing_set_up_ends_with_its_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(wanted: Environment) -> None:
        raise Failure("Make room.")

    monkeypatch.setattr(environment, "prepare", fail)
    assert environment.main("lab") == 1
    assert capsys.readouterr().err == "Make room.\n"


def test_pip_comes_from_the_pip_of_this_python(tmp_path: Path) -> None:
    """A bare environment, as Debian's Python without python3-venv leaves it, gets pip."""
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    assert not environment._works(bare / "bin" / "python")
    environment._add_pip(bare / "bin" / "python")
    assert environment._works(bare / "bin" / "python")


def test_pip_comes_from_its_own_installer_where_there_is_no_pip_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "get-pip.py"
    script.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write(__import__('sys').executable)")
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(environment, "_GET_PIP", script.as_uri())
    environment._add_pip(Path(sys.executable))
    assert (tmp_path / "ran").read_text() == sys.executable
    script.write_text("raise SystemExit('ERROR: no space')")
    with pytest.raises(Failure, match="put pip into the virtual environment: ERROR: no space"):
        environment._add_pip(Path(sys.executable))
    monkeypatch.setattr(environment, "_GET_PIP", (tmp_path / "none").as_uri())
    with pytest.raises(Failure, match="apt-get install python3-venv"):
        environment._add_pip(Path(sys.executable))


def test_what_tests_need_holds_what_lessons_need() -> None:
    lab, test, colab = (environment.environment(name) for name in ("lab", "test", "colab"))
    assert environment._contained(test) == {environment._mark(lab)}
    assert environment._contained(colab) == set()

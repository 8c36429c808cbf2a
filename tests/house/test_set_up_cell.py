"""The set-up cell of every lesson, in a clone and installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

from tools import clean_copy

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
Usage = namedtuple("Usage", "total used free")


def _setup_cell() -> str:
    """Return the set-up cell of the first lesson."""
    from course_lib.instructor import authoring
    from course_lib.instructor.authoring.editions import read_project, setup_code

    return setup_code(authoring.lessons()[0], read_project(ROOT))


def test_set_up_cell_finds_a_clone_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "clone" / "notebooks" / "reference"
    folder.mkdir(parents=True)
    clean_copy.link(tmp_path / "clone" / "course_lib", ROOT / "course_lib")
    run = subprocess.run(
        [sys.executable, "-I", "-c", _setup_cell()], cwd=folder, capture_output=True, text=True
    )
    assert run.stdout == "Lesson 00 is ready.\n", run.stderr


def test_set_up_cell_installs_where_there_is_no_clone(tmp_path: Path) -> None:
    """It asks pip for the repository and the additions, all without dependencies."""
    spy = "import subprocess, sys\nsubprocess.run = lambda *a, **k: sys.exit(' '.join(a[0]))\n"
    run = subprocess.run(
        [sys.executable, "-I", "-c", spy + _setup_cell()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "pip install -q --no-deps course_lib@git+https://" in run.stderr
    assert FACTS["project"]["urls"]["Repository"] in run.stderr
    assert all(add.split(">")[0] in run.stderr for add in FACTS["tool"]["workbook"]["colab_adds"])

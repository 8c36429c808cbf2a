"""What each file can do by itself: tried in fresh processes, and the same table every time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course_lib import session, spotter
from course_lib.experiments import alone
from course_lib.experiments.alone import trials, viewer
from course_lib.experiments.alone.forms import VIEWED, bytes_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    session.import_tensorflow()
    rng = np.random.default_rng(1)
    features = rng.normal(size=(3, 49, 40)).astype("float32")
    folder = tmp_path_factory.mktemp("alone")
    return alone.write(spotter.build(), folder, features, rng.integers(0, 4, 3))


def script(folder: Path, *arguments: str, name: str = "with_python.py") -> dict:
    """Run one of the scripts as `measure` does, and return what it found."""
    path = Path(trials.__file__).with_name(name)
    done = subprocess.run([sys.executable, "-I", str(path), str(folder), *arguments],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
def test_the_table_is_filled_by_trials(folder):
    found = alone.measure(folder)
    assert {row.name for row in found if row.complete} == {
        "Keras file", "SavedModel", "frozen graph", "TFLite"}  # fmt: skip
    assert {row.name for row in found if row.learns} == {"checkpoint", "Keras file", "SavedModel"}
    assert {row.name for row in found if not row.tensorflow} == {"TFLite"}
    assert {row.name for row in found if row.litert} == {"TFLite"}
    if found["frozen graph"].cpp is not None:  # None: no C++ library on this machine
        assert {row.name for row in found if row.cpp} == {"SavedModel", "frozen graph"}
    assert {row.name for row in found if not row.netron} == {"checkpoint"}
    assert found["frozen graph"].bytes == (folder / "frozen.pb").stat().st_size
    assert "frozen graph: answers without its code" in repr(found)
    assert found._repr_html_().count("<tr>") == 6


@pytest.mark.slow
def test_programs_without_our_code_say_no_to_wrong_answers(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    answers = np.load(copy / "answers.npy")
    np.save(copy / "answers.npy", answers + 2e-5)  # the bound is 1e-5
    (copy / "model.keras").write_bytes(b"\xff")
    found = script(copy)
    assert found["course_lib"] is False
    assert not any(each["answers"] or each["LiteRT"] for each in found["found"].values())
    assert found["found"]["Keras file"]["said"]["open_frozen"].startswith("DecodeError")
    ends = trials._ends(folder / "saved_model")
    found = script(copy, *ends, name="with_c.py")
    assert found["tensorflow"] is False
    assert not any(found["found"].values())


def test_the_bytes_are_those_of_the_files(folder):
    sizes = bytes_of(folder)
    saved = folder / "saved_model"
    assert sizes["SavedModel"] == sum(p.stat().st_size for p in saved.rglob("*") if p.is_file())
    assert sizes["checkpoint"] == sum(p.stat().st_size for p in (folder / "checkpoint").iterdir())


@pytest.mark.skipif(viewer.node() is None, reason="no Node to run Netron's readers in")
def test_netron_draws_what_has_a_graph(folder, tmp_path):
    found = viewer.drawn(folder, VIEWED)
    assert "in Node" in repr(found)
    kept = json.loads(session.data_path("netron", "drawn.json").read_text())
    assert found.forms == kept["drawn"]
    assert [name for name, yes in found.forms.items() if not yes] == ["checkpoint"]
    (tmp_path / "damaged.pb").write_bytes((folder / "frozen.pb").read_bytes()[:50_000])
    assert viewer.drawn(tmp_path, {"frozen graph": "damaged.pb"}).forms == {"frozen graph": False}


@pytest.mark.parametrize("program", [None, "/no/such/node", sys.executable])
def test_without_node_the_kept_outcome_is_read_and_said(folder, monkeypatch, program):
    monkeypatch.setattr(viewer, "node", lambda: program)
    found = viewer.drawn(folder, VIEWED)
    assert "no Node here" in repr(found)
    assert not found.forms["checkpoint"] and found.forms["TFLite"]


def test_what_could_not_be_tried_is_said():
    row = alone.Ability("x", 2000, True, False, False, None, False, None)
    assert "not tried here" in alone.Abilities((row,))._repr_html_()
    assert repr(alone.Abilities((row,))) == "x: answers without its code"

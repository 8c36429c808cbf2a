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
from course_lib.experiments import alone, outside
from course_lib.experiments.alone import VIEWED
from course_lib.experiments.same_weights import bytes_of
from course_lib.session import processes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    session.import_tensorflow()
    rng = np.random.default_rng(1)
    features = rng.normal(size=(3, 49, 40)).astype("float32")
    folder = tmp_path_factory.mktemp("alone")
    return alone.write(spotter.build(), folder, features, rng.integers(0, 4, 3))


def script(way: str, folder: Path, *arguments: str) -> dict:
    """Run the script as `measure` does, and return what it printed."""
    done = subprocess.run([sys.executable, "-I", outside.__file__, way, str(folder), *arguments],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
def test_the_table_is_filled_by_trials(folder):
    found = alone.measure(folder)
    rows = {row.name: row for row in found}
    assert {row.name for row in found if row.complete} == {
        "Keras file", "SavedModel", "frozen graph", "TFLite"}  # fmt: skip
    assert {row.name for row in found if row.learns} == {"checkpoint", "Keras file", "SavedModel"}
    assert {row.name for row in found if not row.tensorflow} == {"TFLite"}
    assert {row.name for row in found if row.litert} == {"TFLite"}
    if rows["frozen graph"].cpp is not None:  # None: no C++ library on this machine
        assert {row.name for row in found if row.cpp} == {"SavedModel", "frozen graph"}
    assert {row.name for row in found if not row.netron} == {"checkpoint"}
    assert rows["frozen graph"].bytes == (folder / "frozen.pb").stat().st_size
    assert "frozen graph: answers without its code" in repr(found)
    assert found._repr_html_().count("<tr>") == 6


@pytest.mark.slow
def test_programs_without_our_code_say_no_to_wrong_answers(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    answers = np.load(copy / "answers.npy")
    np.save(copy / "answers.npy", answers + 2e-5)  # the bound is 1e-5
    (copy / "model.keras").write_bytes(b"\xff")
    found = script("python", copy)
    assert found["imported"] == ["tensorflow"], "nothing of ours"
    assert not any(each["answers"] or each["LiteRT"] for each in found["tried"].values())
    assert found["tried"]["Keras file"]["said"]["open_frozen"].startswith("DecodeError")
    found = script("c", copy, *alone._ends(folder / "saved_model"))
    assert found["imported"] == []
    assert not any(found["tried"].values())


def test_the_bytes_are_those_of_the_files(folder):
    sizes = bytes_of(folder)
    saved = folder / "saved_model"
    assert sizes["SavedModel"] == sum(p.stat().st_size for p in saved.rglob("*") if p.is_file())
    assert sizes["checkpoint"] == sum(p.stat().st_size for p in (folder / "checkpoint").iterdir())


@pytest.mark.skipif(processes.node() is None, reason="no Node to run Netron's readers in")
def test_netron_draws_what_has_a_graph(folder, tmp_path):
    forms, how = alone.drawn(folder, VIEWED)
    assert "in Node" in how
    kept = json.loads(session.data_path("netron", "drawn.json").read_text())
    assert forms == kept["drawn"]
    assert [name for name, yes in forms.items() if not yes] == ["checkpoint"]
    (tmp_path / "damaged.pb").write_bytes((folder / "frozen.pb").read_bytes()[:50_000])
    damaged, _ = alone.drawn(tmp_path, {"frozen graph": "damaged.pb"})
    assert damaged == {"frozen graph": False}


@pytest.mark.parametrize(
    ("program", "said"),
    [(None, "There is no Node here"), ("/no/such/node", "cannot run"), (sys.executable, "cannot")],
)
def test_without_node_the_kept_outcome_is_read_and_said(folder, monkeypatch, program, said):
    monkeypatch.setattr(processes, "node", lambda: program)
    forms, how = alone.drawn(folder, VIEWED)
    assert said in how
    assert not forms["checkpoint"] and forms["TFLite"]


def test_what_could_not_be_tried_is_said():
    row = alone.Ability("x", 2000, True, False, False, None, False, None)
    assert "not tried here" in alone.Abilities((row,))._repr_html_()
    assert repr(alone.Abilities((row,))) == "x: answers without its code"

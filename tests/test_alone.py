"""What each file can do by itself: tried in fresh processes, and the same table every time."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import alone, session, spotter
from course_lib.alone import table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    session.import_tensorflow()
    rng = np.random.default_rng(1)
    features = rng.normal(size=(3, 49, 40)).astype("float32")
    folder = tmp_path_factory.mktemp("alone")
    return alone.write(spotter.build(), folder, features, rng.integers(0, 4, 3))


@pytest.mark.slow
def test_the_table_is_filled_by_trials(folder):
    found = alone.measure(folder)
    assert {row.name for row in found if row.complete} == {
        "Keras file", "SavedModel", "frozen graph", "TFLite"}  # fmt: skip
    assert {row.name for row in found if row.learns} == {"checkpoint", "Keras file", "SavedModel"}
    assert {row.name for row in found if row.litert} == {"TFLite"}
    if found["frozen graph"].without_python is not None:  # None: no C library on this machine
        assert {row.name for row in found if row.without_python} == {"SavedModel", "frozen graph"}
    assert found["frozen graph"].bytes == (folder / "frozen.pb").stat().st_size
    assert "frozen graph: answers without its code" in repr(found)
    assert found._repr_html_().count("<tr>") == 6


def test_the_program_without_our_code_says_no_to_wrong_answers(folder, tmp_path):
    import json
    import shutil
    import subprocess
    import sys
    from pathlib import Path

    shutil.copytree(folder, tmp_path / "copy")
    np.save(tmp_path / "copy" / "answers.npy", np.full((3, 4), 0.25))
    (tmp_path / "copy" / "frozen.pb").write_bytes(b"\xff")
    script = Path(table.__file__).with_name("with_python.py")
    done = subprocess.run([sys.executable, "-I", str(script), str(tmp_path / "copy")],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["course_lib"] is False
    assert not any(each["answers"] for each in found["found"].values())
    assert found["found"]["frozen graph"]["said"].startswith("DecodeError")


def test_what_could_not_be_tried_is_said():
    row = alone.Ability("x", 2000, True, None, False, False)
    assert "not tried here" in alone.Abilities((row,))._repr_html_()
    assert repr(alone.Abilities((row,))) == "x: answers without its code"

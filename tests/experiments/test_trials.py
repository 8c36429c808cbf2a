"""Checkpoints copied and spoilt: what still loads is what was left whole."""

from __future__ import annotations

import pytest
from small_trainings import two_checkpoints

from course_lib import spotter
from course_lib.experiments import timeline, trials


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    return two_checkpoints(tmp_path_factory.mktemp("trail"))


def test_bytes_can_be_replaced(tmp_path):
    (tmp_path / "x").write_bytes(b"one Mul two Mul")
    assert trials.replace_bytes(tmp_path / "x", b"Mul", b"Sub") == 2
    assert (tmp_path / "x").read_bytes() == b"one Sub two Sub"
    for old, new in ((b"Mul", b"Sub"), (b"Sub", b"Minus")):
        with pytest.raises(ValueError, match="not in x|not as long"):
            trials.replace_bytes(tmp_path / "x", old, new)


def test_copies_can_be_spoilt_and_tried(trail, tmp_path):
    prefix = timeline.prefixes(trail)[0]
    whole = trials.copy(prefix, tmp_path / "whole")
    assert sorted(p.name for p in (tmp_path / "whole").iterdir()) == [
        "checkpoint", "ckpt-5.data-00000-of-00001", "ckpt-5.index"]  # fmt: skip
    bare = trials.copy(prefix, tmp_path / "bare", leave_out=".index")
    assert not bare.with_name("ckpt-5.index").exists()
    trials.flip_bit(whole.with_name("ckpt-5.index"), 0, 3)
    original = prefix.with_name("ckpt-5.index").read_bytes()
    spoilt = whole.with_name("ckpt-5.index").read_bytes()
    assert spoilt[0] == original[0] ^ 8 and spoilt[1:] == original[1:]
    found = trials.attempt("bare", lambda: timeline.restored(bare, spotter.build()))
    assert not found.works and str(found) == "bare: fails" and found.message
    assert trials.attempt("fine", lambda: None).works

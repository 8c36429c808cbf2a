"""What tools say, cut down: messages as they were printed, and models that fail in a known way."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from course_lib import micro, session, tflite
from course_lib.experiments import clinic
from course_lib.formats.tflite_file import ModelError, pack, unpack
from course_lib.micro.interpreter import MicroError

needs_micro = pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture(scope="module")
def front() -> bytes:
    """A model with an operation that TensorFlow Lite Micro lacks."""
    tf = session.import_tensorflow()
    rows = tf.function(tf.signal.rfft).get_concrete_function(tf.TensorSpec((1, 16), tf.float32))
    return tflite.convert(tf.function(lambda x: abs(rows(x))).get_concrete_function(
        tf.TensorSpec((1, 16), tf.float32)
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("", "no reason given"),
        ("plain", "plain"),
        ("\n  first line.\nsecond", "first line"),
        ("No.C:/a/b/x.py:1:1: error: 'tf.Cosh' op is bad\n ^\n", "'tf.Cosh' op is bad"),
        ("{'a': 1}.\n\nException encountered: Unrecognized: {'b': 1}", "Unrecognized: {'b': 1}"),
        ("files for /tmp/a/b/variables/variables\nYou may", "files for variables"),
        ("name listen_norm/moving_mean:0.", "name listen_norm/moving_mean:0"),
        ("No op 'A' version '9'. An older version of this might", "No op 'A' version '9'"),
        ("not supported by this interpreter. Make sure you", "not supported by this interpreter"),
        ("32 objects that were not bound, likely due to", "32 objects that were not bound"),
        ("Got 4 but expected 1. Requested: 10", "Got 4 but expected 1. Requested: 10"),
    ],
)  # fmt: skip
def test_the_telling_sentence_is_found(message, line):
    assert clinic.telling(message) == line


def test_a_temporary_folder_may_have_spaces(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/home/Zoë M/some where")
    said = "no matching files for /home/Zoë M/some where/workbook-26-x_1/variables"
    assert clinic.telling(said) == "no matching files for variables"
    assert "Zoë" in clinic.telling(said.replace("some where", "else where"))


def test_a_symptom_is_what_the_library_said(shipped):
    def fail(error: Exception) -> None:
        raise error

    assert clinic.symptom(lambda: None) == clinic.QUIET
    assert clinic.symptom(lambda: fail(KeyError("x"))) == "'x'"
    tree = unpack(shipped)
    tree.version = 4
    with pytest.raises(ModelError, match="cannot load this model"):
        tflite.Interpreter(pack(tree))
    said = clinic.symptom(lambda: tflite.Interpreter(pack(tree)))
    assert said == "Model provided is schema version 4 not equal to supported version 3"
    raw = tflite.Interpreter(shipped).raw
    said = clinic.symptom(lambda: raw.set_tensor(0, np.zeros((1, 49, 40, 1), np.float32)))
    assert said.startswith("Cannot set tensor: Got value of type FLOAT32 but expected type INT8")


@needs_micro
@pytest.mark.parametrize("arena", [9_000, 14_000, 20_000])
def test_what_is_worked_out_is_what_the_interpreter_says(shipped, front, arena):
    """Up to the first comma: what is left of an arena differs a little."""
    real, derived = clinic.on_micro(shipped, arena), clinic.worked_out(shipped, arena)
    assert real.partition(",")[0] == derived.partition(",")[0]
    assert clinic.on_micro(front) == clinic.worked_out(front, arena)
    assert "RFFT2D" in clinic.worked_out(front, arena)


def test_without_the_package_it_is_worked_out(monkeypatch, shipped):
    monkeypatch.setattr(clinic, "available", lambda: False)
    smallest = clinic.record.load()["arena"]["smallest_bytes"]
    assert clinic.on_micro(shipped) == clinic.on_micro(shipped, smallest) == clinic.QUIET
    assert "missing: 16" in clinic.on_micro(shipped, smallest - 16)
    tried = clinic.grown(shipped, 9_000, lambda arena, missing: arena + missing)
    assert [arena for arena, _ in tried] == [9_000, smallest]


@needs_micro
def test_an_arena_grows_until_it_is_enough(shipped):
    tried = clinic.grown(shipped, 9_000, lambda arena, missing: -(-(arena + missing) // 16) * 16)
    assert tried[-1] == (micro.smallest_arena(shipped), clinic.QUIET)
    assert all("missing: " in words for _, words in tried[:-1]) and len(tried) > 2


def test_a_cure_that_leads_nowhere_is_named(monkeypatch, shipped, front):
    monkeypatch.setattr(clinic, "available", lambda: False)
    with pytest.raises(MicroError, match="No arena was found.*missing"):
        clinic.grown(shipped, 9_000, lambda arena, missing: arena)
    with pytest.raises(MicroError, match="RFFT2D"):
        clinic.grown(front, 9_000, lambda arena, missing: arena + missing)

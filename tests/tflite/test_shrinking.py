"""Stripped and compacted files are smaller, aligned, and answer the same bytes."""

import numpy as np
import pytest
import random_tflite
from seeds import seeds

from course_lib import measure, tflite
from course_lib.formats import flatbuffer, tflite_file
from course_lib.formats.tflite_file import ALIGNMENT, schema
from course_lib.sound import dataset
from course_lib.sound import features as recorded_features
from course_lib.tflite import shrinking, verification

CASES = seeds(40, 1500)
DROPPED = {"description", "metadata", "metadataBuffer", "buffers", "min", "max"}


@pytest.mark.parametrize("variant", tflite.VARIANTS)
@pytest.mark.parametrize("options", [{}, {"keep_names": True}, {"alignment": 4}])
def test_stripping_changes_no_bit_of_an_output(made, variant, options, features):
    stripped = tflite.strip(made[variant], **options)
    assert len(stripped) < len(made[variant])
    before, after = (tflite.run(data, features) for data in (made[variant], stripped))
    np.testing.assert_array_equal(before, after)


def test_stripping_twice_changes_nothing(made):
    once = tflite.strip(made["int8"])
    assert tflite.strip(once) == once


def test_stripped_weights_stay_aligned(made):
    stripped = tflite.strip(made["float32"])
    root = schema.Model.GetRootAs(stripped)
    for index in range(root.BuffersLength()):
        buffer = root.Buffers(index)
        if not buffer.DataIsNone():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % ALIGNMENT == 0


def test_the_compact_file_gives_the_same_answers():
    shipped = tflite.load("spotter_int8")
    rows = recorded_features.of(dataset.bundled("train")[::50])[:100]
    small = tflite.compact(shipped)
    assert len(small) < len(tflite.strip(shipped, alignment=4)) < len(shipped)
    answers = [tflite.Interpreter(model, reference=True).run(rows) for model in (shipped, small)]
    assert np.array_equal(*answers)
    assert measure.bytes_by_kind(small)["names"] == 0


def meaning(value, buffers=None):
    """Return what a tree of a file says, with types and bytes, but without what `strip` drops."""
    if hasattr(value, "InitFromObj"):
        buffers, named = getattr(value, "buffers", buffers), type(value).__name__
        fields = {key: each for key, each in vars(value).items() if key not in DROPPED}
        if named in ("TensorT", "SubGraphT"):
            del fields["name"]
        if named == "ModelT" and len(value.signatureDefs or ()) < 2:
            del fields["signatureDefs"]
        if named == "TensorT":
            data = buffers[value.buffer].data if value.buffer else None
            fields["buffer"] = None if data is None else bytes(data)
        return named, {key: meaning(each, buffers) for key, each in fields.items()}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, list):
        return [meaning(each, buffers) for each in value]
    return type(value).__name__, repr(value)


def answers(data, seed):
    """Return all outputs of two runs in a row on random numbers, straight from LiteRT."""
    raw, rng = tflite.Interpreter(data).raw, np.random.default_rng(seed)
    found = []
    for _ in range(2):
        for detail in raw.get_input_details():
            raw.set_tensor(detail["index"], rng.normal(0, 3, detail["shape"]).astype(np.float32))
        raw.invoke()
        found += [raw.get_tensor(detail["index"]).tobytes() for detail in raw.get_output_details()]
    return found


@pytest.mark.parametrize("shrink", [tflite.strip, tflite.compact])
def test_a_random_model_says_and_answers_the_same_when_it_is_smaller(shrink):
    for seed in CASES:
        data = random_tflite.model(np.random.default_rng(seed))
        small = shrink(data)
        assert not isinstance(small, verification.Unchanged), (seed, small.why)
        trees = (tflite_file.unpack(each) for each in (data, small))
        before, after = map(meaning, trees)
        assert before == after, seed
        assert answers(data, seed) == answers(small, seed), seed
        assert flatbuffer.byte_map(small).complete and len(small) < len(data)


def test_a_number_and_its_float_are_two_parts():
    """What equality of values alone would share is seen, and then nothing is handed out."""
    tree = random_tflite.tree(np.random.default_rng(3))
    for one, other in ((np.float32(1), np.int32(1)), (np.float32(0), np.int32(0))):
        assert meaning(one) != meaning(other)
    assert meaning(tree) == meaning(random_tflite.tree(np.random.default_rng(3)))
    assert meaning(tree) != meaning(random_tflite.tree(np.random.default_rng(4)))


class Careless(shrinking._SharingBuilder):
    """Share fields whose values are equal in Python: 1, 1.0 and True."""

    def PrependSlot(self, flags, o, x, d):
        super().PrependSlot(flags, o, x, d)
        if x != d:
            self._fields[o] = x


@pytest.mark.filterwarnings("ignore:The file stays")
def test_a_careless_rewriting_is_never_handed_out(monkeypatch):
    """Types are then mixed up: a comparison of maps, trees and answers keeps the input."""
    monkeypatch.setattr(shrinking, "_SharingBuilder", Careless)
    kept = 0
    for seed in range(20):
        data = random_tflite.model(np.random.default_rng(seed))
        small = tflite.compact(data)
        kept += isinstance(small, verification.Unchanged)
        assert answers(data, seed) == answers(small, seed)
    assert 0 < kept < 20

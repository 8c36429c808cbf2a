"""The one check of a .tflite file, and the way to objects and back; what the bytes are for."""

import numpy as np
import pytest
from one_operation import Input
from one_operation import model as one

from course_lib import session, tflite
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import ModelError


@pytest.fixture(scope="module")
def model():
    return session.data_path("models", "spotter_int8.tflite").read_bytes()


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: b"", "empty"),
        (lambda data: data[4:], "TFL3"),
        (lambda data: data[:7], "not a .tflite"),
        (lambda data: b"\xff\xff\xff\x7f" + data[4:], "cut short"),
    ],
)
def test_what_is_no_file_is_told_in_one_sentence(model, damage, words):
    tflite_file.check(model)
    for reader in (tflite_file.check, tflite_file.unpack):
        with pytest.raises(ModelError, match=words) as caught:
            reader(damage(model))
        assert "\n" not in str(caught.value) and isinstance(caught.value, ValueError)


def test_offsets_that_lead_nowhere_are_damage(model):
    with pytest.raises(ModelError, match="damaged"):
        tflite_file.unpack(model[: len(model) // 2])


def test_a_file_survives_the_way_to_objects_and_back(model):
    tree = tflite_file.unpack(model)
    again = tflite_file.unpack(tflite_file.pack(tree))
    weights = [None if buffer.data is None else bytes(buffer.data) for buffer in tree.buffers]
    assert [None if buffer.data is None else bytes(buffer.data) for buffer in again.buffers] == (
        weights
    )


@pytest.mark.parametrize("alignment", [4, 16, 64])
def test_weights_lie_where_they_are_asked_to(model, alignment):
    packed = tflite_file.pack(tflite_file.unpack(model), alignment)
    root = tflite_file.schema.Model.GetRootAs(packed)
    for index in range(root.BuffersLength()):
        buffer = root.Buffers(index)
        if not buffer.DataIsNone():
            assert buffer._tab.Vector(buffer._tab.Offset(4)) % alignment == 0


def test_bytes_by_kind_refuses_other_files():
    with pytest.raises(ValueError, match="TFL3"):
        tflite_file.bytes_by_kind(b"\0" * 100)
    with pytest.raises(ValueError, match="damaged"):
        tflite_file.bytes_by_kind(b"\xff\xff\xff\x7fTFL3" + b"\xff" * 50)


def test_bytes_by_kind_adds_up_to_the_file():
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    made = one("ADD", [Input((3, 4), 0.5, 1), Input((3, 4), 0.5, 1, values)], Input((3, 4), 1.0, 0))
    kinds = tflite_file.bytes_by_kind(made)
    assert sum(kinds.values()) == len(made)
    assert kinds["weights"] == 12
    assert kinds["scales"] == 3 * (4 + 4 + 4 + 8)
    assert kinds["names"] == 3 * (len("t0") + 5)


def test_shared_tables_count_once():
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    same = {"scale": 0.5, "zero_point": 1}
    made = one(
        "ADD", [Input((3, 4), **same), Input((3, 4), data=values, **same)], Input((3, 4), **same)
    )
    small = tflite_file.bytes_by_kind(tflite.compact(made))
    assert small["scales"] == 4 + 4 + 4 + 8
    assert sum(small.values()) == len(tflite.compact(made))

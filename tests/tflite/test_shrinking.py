"""Stripped and compacted files are smaller, aligned, and answer the same bytes."""

import numpy as np
import pytest

from course_lib import measure, tflite
from course_lib.formats.tflite_file import ALIGNMENT, schema
from course_lib.sound import dataset
from course_lib.sound import features as recorded_features


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

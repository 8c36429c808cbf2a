"""Stripped and compacted files are smaller, aligned, and answer the same bytes."""

import numpy as np
import pytest

from course_lib import tflite
from course_lib.formats.tflite_file import ALIGNMENT, schema


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

"""A file as a plan: its labels, its four-bit values, and what is no file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import quantize, spotter
from course_lib.quantize.model import pack_nibbles, unpack_nibbles


@pytest.mark.parametrize("data", [b"", b"no model at all", b"\xff\xff\xff\x7fTFL3" + b"\xff" * 9])
def test_other_files_are_refused(data):
    with pytest.raises(ValueError, match="tflite"):
        quantize.read(data)


@given(st.lists(st.integers(-8, 7), min_size=1, max_size=40))
def test_two_integers_in_a_byte_come_back(values):
    packed = pack_nibbles(np.array(values))
    assert len(packed) == (len(values) + 1) // 2
    assert unpack_nibbles(packed.tobytes(), len(values)).tolist() == values


def test_labels_name_the_layers(shipped):
    plan = quantize.read(shipped[0])
    layers = [layer.name for layer in spotter.load().layers if len(layer.get_weights()) in (1, 2)]
    assert list(plan.kernels) == layers
    assert plan.named(layers[-1]).kind == "FULLY_CONNECTED"

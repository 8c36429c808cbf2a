"""What two runtimes cost, which operations each has, and what the converter refuses."""

import pytest

from course_lib import session, tflite
from course_lib.tflite import runtimes


def test_footprint_of_a_small_module_and_of_none():
    ballast = bytearray(300_000_000)  # a parent's memory is not the child's
    ballast[::4096] = bytes([1]) * len(ballast[::4096])
    small = runtimes.footprint("json")
    assert 0 < small.seconds < 5 and small.disk_bytes > 10_000
    assert 1_000_000 < small.memory_bytes < 100_000_000
    with pytest.raises(ImportError, match="no_such_module"):
        runtimes.footprint("no_such_module")


def test_operations_of_both_runtimes():
    assert {"Conv2D", "DecodeWav"} <= runtimes.operations_of_tensorflow()
    few = runtimes.operations_of_tflite()
    assert "CONV_2D" in few and "CUSTOM" not in few and 150 < len(few) < 400


@pytest.mark.parametrize(
    "operation, whose",
    [
        ("Conv2D", "both"),
        ("CONV_2D", "both"),
        ("DecodeWav", "TensorFlow"),
        ("FULLY_CONNECTED", "TensorFlow Lite"),
        ("Conv5D", "neither"),
    ],
)
def test_an_operation_is_at_home_in_one_runtime_or_in_both(operation, whose):
    assert runtimes.home(operation) == whose


def test_what_cannot_be_converted_is_named():
    tf = session.import_tensorflow()
    with session.quiet():
        function = tf.function(tf.linalg.solve).get_concrete_function(
            tf.TensorSpec((2, 2), tf.float32), tf.TensorSpec((2, 1), tf.float32)
        )
    with pytest.raises(Exception) as caught:
        tflite.convert(function)
    assert (
        runtimes.excerpt(caught.value)
        == "error: 'tf.MatrixSolve' op is neither a custom op nor a flex op"
    )

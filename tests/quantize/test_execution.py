"""Whole models in integers, against the interpreter of TensorFlow Lite Micro."""

import numpy as np
import pytest
from one_operation import Input, model

from course_lib import quantize


def test_an_operation_without_integer_layer_is_named():
    x = Input((1, 4), 0.1, 0)
    with pytest.raises(ValueError, match="no integer LOGISTIC"):
        quantize.run_integer(model("LOGISTIC", [x], Input((1, 4), 1 / 256, -128)), np.zeros((1, 4)))


def equals_the_micro_interpreter(model_bytes, rows):
    runtime = pytest.importorskip("tflite_micro").runtime
    runner = runtime.Interpreter.from_bytes(model_bytes)
    run = quantize.run_integer(model_bytes, rows, "micro")
    for values, mine in zip(run.tensors[run.plan.inputs[0]], run.output, strict=True):
        runner.set_input(values[np.newaxis], 0)
        runner.invoke()
        assert np.array_equal(runner.get_output(0)[0], mine)


def test_the_shipped_model_equals_the_micro_interpreter(shipped, clips):
    equals_the_micro_interpreter(shipped[0], clips)


def test_four_bit_layers_equal_the_micro_interpreter_too(shipped, clips, convolutions):
    packed = quantize.four_bits(*shipped, convolutions)
    equals_the_micro_interpreter(packed, clips[:100])

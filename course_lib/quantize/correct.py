"""Give an int8 file its averages back: rounding shifts every channel's mean a little.

A bias is a 32-bit integer in the file, and one step of it is far finer than eight bits. Adding the
average error with the opposite sign costs not one byte. Source: M. Nagel and others, "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019.
"""

from __future__ import annotations

import numpy as np

from course_lib.formats.tflite_file import schema
from course_lib.quantize.compare import aligned, float_outputs
from course_lib.quantize.model import read
from course_lib.quantize.run import run_integer


def correct_biases(int8_model: bytes, float_model: bytes, features: np.ndarray) -> bytes:
    """Return `int8_model` with biases that undo each channel's average error on `features`.

    Layer by layer, from the input on, while the layers before are already corrected. Only bytes of
    biases change; the size does not. Raises ValueError where the files hold different layers.
    """
    data, plan, exact = bytearray(int8_model), read(int8_model), read(float_model)
    truths = float_outputs(float_model, features)
    for original, operation in aligned(exact, plan):
        if len(operation.inputs) < 3 or operation.inputs[2] < 0:
            continue
        run = run_integer(bytes(data), features)
        stored = run.tensors[operation.outputs[0]]
        error = truths[original.outputs[0]] - run.real(operation.outputs[0])
        grid = plan.values[operation.outputs[0]].grid
        bias = plan.values[operation.inputs[2]]
        step = np.asarray(bias.grid.scale, np.float64)
        _add_in_place(data, bias.index, np.rint(_shift(error, stored > grid.lowest) / step))
    return bytes(data)


def _shift(error: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Return what has to be added before the activation so that each channel's mean is right.

    Where a ReLU holds an output at its lowest level, a small shift does nothing: the others have to
    make up for it.
    """
    axes = tuple(range(error.ndim - 1))
    return error.mean(axis=axes) / np.maximum(alive.mean(axis=axes), 0.05)


def _add_in_place(data: bytearray, tensor: int, steps: np.ndarray) -> None:
    """Add whole `steps` to an int32 tensor of the file, in the bytes where it lies."""
    model = schema.Model.GetRootAs(data, 0)
    octets = model.Buffers(model.Subgraphs(0).Tensors(tensor).Buffer()).DataAsNumpy()
    octets.view("<i4")[:] += steps.astype("<i4")

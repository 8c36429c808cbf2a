"""Store the weights of chosen layers in four bits, two to a byte, inside a finished int8 file.

LiteRT and TensorFlow Lite Micro read such weights: they unpack them and compute as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.formats.tflite_file import pack, schema, unpack
from course_lib.quantize.affine import Affine
from course_lib.quantize.model import Plan, read
from course_lib.quantize.nibbles import pack as halved

HIGHEST = 7  # -7 to 7: symmetric, like the weights of eight bits
_SHRINKING = np.linspace(1.0, 0.6, 21)


def four_bits(int8_model: bytes, float_model: bytes, layers: Sequence[str]) -> bytes:
    """Return `int8_model` with the weights of `layers` (labels of convolutions) in four bits.

    The weights are rounded anew from `float_model`, each filter on a grid of its own, and the
    biases move to the new grids. Raises ValueError for an unknown layer, or one without weights.
    """
    plan, exact = read(int8_model), read(float_model)
    tree = unpack(int8_model)
    for label in layers:
        _replace(tree, plan, exact, label)
    return pack(tree)


def cheapest_first(
    whole: tuple[int, float], layers: Mapping[str, tuple[int, float]]
) -> tuple[str, ...]:
    """Return the layers worth packing, the one that costs the least noise for each byte first.

    `whole` is (bytes, signal over noise in dB) of the file in eight bits, `layers` the same with
    one layer packed. A layer so small that its scales eat up what it saves is left out.
    """
    size, sqnr_db = whole
    prices = {
        label: (sqnr_db - noisier_db) / (size - smaller)
        for label, (smaller, noisier_db) in layers.items()
        if smaller < size
    }
    return tuple(sorted(prices, key=lambda label: prices[label]))


def four_bit_grid(weights: np.ndarray) -> Affine:
    """Return a grid with 15 levels for each filter of (out, ...) weights.

    With so few levels it pays to let the largest weights saturate: of 21 scales, each filter takes
    the one with the smallest squared error.
    """
    rows = weights.reshape(len(weights), -1)
    scales = _SHRINKING[:, np.newaxis] * np.maximum(np.abs(rows).max(axis=1), 1e-9) / HIGHEST
    errors = [np.square(_grid(each).round_trip(rows) - rows).sum(axis=1) for each in scales]
    best = np.argmin(errors, axis=0)
    return _grid(scales[best, np.arange(len(rows))])


def _grid(scales: np.ndarray) -> Affine:
    return Affine(scales.astype(np.float32), 0, -HIGHEST, HIGHEST, axis=0)


def _replace(tree, plan: Plan, exact: Plan, label: str) -> None:
    """Put four-bit weights and fitting biases of one layer into the object tree of a file."""
    operation, original = plan.named(label), exact.named(label)
    if operation.kind != "CONV_2D":
        raise ValueError(f"{label} is a {operation.kind}: only convolutions are packed here.")
    weights, bias = (exact.values[index].stored for index in original.inputs[1:3])
    grid = four_bit_grid(weights)
    tensors = tree.subgraphs[0].tensors
    target = tensors[operation.inputs[1]]
    target.type = schema.TensorType.INT4
    _store(tree, target, halved(grid.quantize(weights)), grid.scale)
    step = np.float64(plan.values[operation.inputs[0]].grid.scale) * grid.scale.astype(np.float64)
    whole = np.rint(bias / step).astype("<i4")
    _store(tree, tensors[operation.inputs[2]], np.frombuffer(whole.tobytes(), np.uint8), step)


def _store(tree, tensor, data: np.ndarray, scales: np.ndarray) -> None:
    tree.buffers[tensor.buffer].data = data
    tensor.quantization.scale = np.asarray(scales, np.float32)
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
    tensor.quantization.min = tensor.quantization.max = None

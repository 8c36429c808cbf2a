"""Give single layers other numbers than eight bits: four bits for weights, or floats for all.

Four bits are stored two to a byte inside a finished int8 file. LiteRT and TensorFlow Lite Micro
read such weights: they unpack them and compute as before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import pack, schema, unpack
from course_lib.quantize.grids import Affine
from course_lib.quantize.model import Operation, Plan, pack_nibbles, read
from course_lib.session import internals
from course_lib.tflite import verification
from course_lib.tflite.conversion import converter

_HIGHEST = 7  # -7 to 7: symmetric, like the weights of eight bits
_SHRINKING = np.linspace(1.0, 0.6, 21)  # of the scale that reaches the largest weight


def four_bits(int8_model: bytes, float_model: bytes, layers: Sequence[str]) -> bytes:
    """Return `int8_model` with the weights of `layers` (labels of convolutions) in four bits.

    The weights are rounded anew from `float_model`, each filter on a grid of its own, and the
    biases move to the new grids. The result has to give the bits of a twin that keeps the same
    weights in eight bits, else the input comes back as `verification.Unchanged`. Raises ValueError
    for an unknown layer, one that is no int8 convolution, and models of different networks.
    """
    return _rewritten(int8_model, float_model, dict.fromkeys(layers), True)


def on_grids(
    int8_model: bytes, float_model: bytes, grids: Mapping[str, Affine], packed: bool = True
) -> bytes:
    """Return `int8_model` with the weights of convolutions on grids that were chosen before.

    `grids` maps labels to symmetric grids of at most 15 levels, as a training knew them, with one
    scale or one for each filter; the rest is as with `four_bits`. Without `packed`, the same
    integers take a byte each. Raises ValueError where `four_bits` does, and for finer grids.
    """
    for label, grid in grids.items():
        if grid.highest > _HIGHEST or grid.lowest < -_HIGHEST or np.any(grid.zero_point):
            raise ValueError(f"The grid of {label} needs more than -7 to 7 around zero.")
    return _rewritten(int8_model, float_model, grids, packed)


def _rewritten(
    int8_model: bytes, float_model: bytes, grids: Mapping[str, Affine | None], packed: bool
) -> bytes:
    """Return a model with weights anew, two to a byte or one; a grid of None is sought."""
    if why := verification.obstacle(int8_model):
        return verification.unchanged(int8_model, why)
    plan, exact = read(int8_model), read(float_model)
    made = []
    for in_four_bits in (packed, False):
        tree = unpack(int8_model)
        for label, grid in grids.items():
            _replace(tree, plan, exact, label, grid, in_four_bits)
        made.append(pack(tree))
    return verification.verified(int8_model, *made)


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
    scales = _SHRINKING[:, np.newaxis] * np.maximum(np.abs(rows).max(axis=1), 1e-9) / _HIGHEST
    errors = [np.square(_grid(each).round_trip(rows) - rows).sum(axis=1) for each in scales]
    best = np.argmin(errors, axis=0)
    return _grid(scales[best, np.arange(len(rows))])


@dataclass(frozen=True)
class Calibrated:
    """A float .tflite that knows the range of each of its tensors: one run of the clips' worth."""

    model_bytes: bytes

    def quantized(self, keep: Sequence[str] = ()) -> bytes:
        """Return an int8 .tflite in which the layers labelled `keep` still compute in floats.

        Around each of them the converter puts a DEQUANTIZE and a QUANTIZE. Calibrating again is
        not needed.
        """
        plan = read(self.model_bytes)
        names = {plan.values[plan.named(label).outputs[0]].name for label in keep}
        return internals.quantized(self.model_bytes, names)


def calibrate(model: Any, representative: np.ndarray) -> Calibrated:
    """Run `representative` features (n, ...) through a Keras or a frozen model, noting ranges."""
    maker = converter(model, "int8", representative)
    maker._experimental_calibrate_only = True  # no public switch stops after calibrating
    with session.quiet():
        return Calibrated(bytes(maker.convert()))


def _grid(scales: np.ndarray) -> Affine:
    return Affine(scales.astype(np.float32), 0, -_HIGHEST, _HIGHEST, axis=0)


def _replace(tree, plan: Plan, exact: Plan, label: str, grid: Affine | None, packed: bool) -> None:
    """Put four-bit weights, two to a byte or one, and fitting biases of one layer into a tree."""
    operation, original = plan.named(label), exact.named(label)
    if operation.kind != "CONV_2D":
        raise ValueError(f"{label} is a {operation.kind}: only convolutions are packed here.")
    weights, bias = _weights_and_bias(plan, exact, operation, original, label)
    grid = grid or four_bit_grid(weights)
    tensors = tree.subgraphs[0].tensors
    target = tensors[operation.inputs[1]]
    whole = grid.quantize(weights).astype(np.int8)
    if packed:
        target.type = schema.TensorType.INT4
    _store(tree, target, pack_nibbles(whole) if packed else whole.view(np.uint8), grid.scale)
    step = np.float64(plan.values[operation.inputs[0]].grid.scale) * np.float64(grid.scale)
    whole = np.rint(bias / step).astype("<i4")
    _store(tree, tensors[operation.inputs[2]], np.frombuffer(whole.tobytes(), np.uint8), step)


def _weights_and_bias(
    plan: Plan, exact: Plan, operation: Operation, original: Operation, label: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's float weights and bias; raises ValueError where they cannot be replaced."""
    ends = [
        [model.values[index] for index in step.inputs[:3] if index >= 0]
        for model, step in ((plan, operation), (exact, original))
    ]
    kinds = ", ".join(str(value.dtype) for value in ends[0])
    if kinds != "int8, int8, int32":
        raise ValueError(f"{label} has {kinds}: only int8 with a bias of int32 is packed here.")
    shapes = [[value.shape for value in three] for three in ends]
    if shapes[0] != shapes[1] or any(value.stored is None for value in ends[1][1:]):
        raise ValueError(f"{label} is another layer in the float model: give the same network.")
    used = [index for step in plan.operations for index in step.inputs]
    if any(used.count(index) > 1 for index in operation.inputs[1:3]):
        raise ValueError(f"Another layer uses the weights of {label}, too: leave it in 8 bits.")
    return ends[1][1].stored, ends[1][2].stored


def _store(tree, tensor, data: np.ndarray, scales: np.ndarray) -> None:
    """Give a tensor other numbers, in a buffer of its own, and other scales."""
    graphs = [graph.tensors or () for graph in tree.subgraphs]
    if sum(each.buffer == tensor.buffer for each in chain(*graphs)) > 1:
        tensor.buffer = len(tree.buffers)
        tree.buffers.append(schema.BufferT())
    tree.buffers[tensor.buffer].data = data.ravel()
    tensor.quantization.scale = np.atleast_1d(np.asarray(scales, np.float32))
    tensor.quantization.zeroPoint = np.zeros(np.size(scales), np.int64)
    tensor.quantization.min = tensor.quantization.max = None

"""What rounding did to a model, layer by layer: the float model beside the integer one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.quantize.affine import sqnr_db
from course_lib.quantize.model import Operation, Plan, read
from course_lib.quantize.run import run_integer

_BRIDGES = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class LayerError:
    """How well one layer's output survives: signal over noise in decibels, and the worst clip."""

    label: str
    kind: str
    sqnr_db: float
    worst_clip: int
    worst_db: float


def layer_errors(
    float_model: bytes,
    int8_model: bytes,
    features: np.ndarray,
) -> tuple[LayerError, ...]:
    """Run both models on `features` (n, ...) and compare the output of every layer.

    Errors add up on the way: each layer gets what the layer before really gave. Raises ValueError
    where the two files do not hold the same layers in the same order.
    """
    exact, run = read(float_model), run_integer(int8_model, features)
    truths = float_outputs(float_model, features)
    return tuple(
        _error(
            exact.label(original),
            original.kind,
            truths[original.outputs[0]],
            run.real(operation.outputs[0]),
        )
        for original, operation in aligned(exact, run.plan)
    )


def float_outputs(float_model: bytes, features: np.ndarray) -> dict[int, np.ndarray]:
    """Run a float model on `features` (n, ...); return every operation's output by its index."""
    from course_lib import tflite

    outputs = [operation.outputs[0] for operation in read(float_model).operations]
    runner = tflite.Interpreter(float_model, keep_all=True, reference=True)
    found = {index: [] for index in outputs}
    for row in np.asarray(features, np.float32):
        runner.step(row.reshape(runner.inputs[0].shape))
        for index in outputs:
            found[index].append(runner.raw.get_tensor(index)[0])
    return {index: np.array(values) for index, values in found.items()}


def activation_ranges(int8_model: bytes) -> dict[str, tuple[float, float]]:
    """Return the range that calibration gave each layer's output: label to (lowest, highest)."""
    plan = read(int8_model)
    return {
        plan.label(operation): plan.values[operation.outputs[0]].grid.range
        for operation in plan.operations
        if plan.values[operation.outputs[0]].grid is not None
    }


def against_kernels(int8_model: bytes, features: np.ndarray) -> dict[str, tuple[int, int]]:
    """Compare every layer's bytes with LiteRT's reference kernels: label to (compared, different).

    The integers come from `run_integer`, the kernels' from the interpreter, for each of `features`.
    """
    from course_lib import tflite

    run = run_integer(int8_model, features)
    runner = tflite.Interpreter(int8_model, keep_all=True, reference=True)
    counts = {run.plan.label(operation): [0, 0] for operation in run.plan.operations}
    for place, first in enumerate(run.tensors[run.plan.inputs[0]]):
        runner.step(first[np.newaxis])
        for operation in run.plan.operations:
            theirs = runner.raw.get_tensor(operation.outputs[0])
            mine = run.tensors[operation.outputs[0]][place : place + 1]
            count = counts[run.plan.label(operation)]
            count[0] += theirs.nbytes
            count[1] += int(np.count_nonzero(theirs != mine)) * theirs.itemsize
    return {label: (compared, different) for label, (compared, different) in counts.items()}


def aligned(first: Plan, second: Plan) -> list[tuple[Operation, Operation]]:
    """Pair the layers of two plans in order. Raises ValueError where their kinds differ."""
    kept = [
        [operation for operation in plan.operations if operation.kind not in _BRIDGES]
        for plan in (first, second)
    ]
    if [one.kind for one in kept[0]] != [other.kind for other in kept[1]]:
        raise ValueError(
            "The two models hold different layers: convert both from the same frozen model."
        )
    return list(zip(*kept, strict=True))


def _error(label: str, kind: str, exact: np.ndarray, rounded: np.ndarray) -> LayerError:
    each = np.array([sqnr_db(one, other) for one, other in zip(exact, rounded, strict=True)])
    worst = int(each.argmin())
    return LayerError(label, kind, sqnr_db(exact, rounded), worst, float(each[worst]))

"""What rounding did to a model, layer by layer, and how to give an int8 file its averages back.

Rounding shifts every channel's mean a little. A bias is a 32-bit integer in the file, and one step
of it is far finer than eight bits: adding the average error with the opposite sign costs not one
byte. Source: M. Nagel and others, "Data-Free Quantization Through Weight Equalization and Bias
Correction", ICCV 2019.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from course_lib.formats.tflite_file import schema
from course_lib.quantize.execution import fed_to, run_integer
from course_lib.quantize.grids import sqnr_db
from course_lib.quantize.model import Operation, Plan, read
from course_lib.tflite.interpreter import Interpreter

_BRIDGES = ("QUANTIZE", "DEQUANTIZE")  # only one of two files may have these at its ends


@dataclass(frozen=True)
class LayerError:
    """How well one layer's output survives: signal over noise in decibels, and the worst clip."""

    label: str
    kind: str
    sqnr_db: float
    worst_clip: int
    worst_db: float


def layer_errors(
    float_model: bytes, int8_model: bytes, features: np.ndarray
) -> tuple[LayerError, ...]:
    """Run both models on `features` (n, ...) and compare the output of every layer.

    Errors add up on the way: each layer gets what the layer before really gave. Raises ValueError
    where the two files do not hold the same layers in the same order.
    """
    exact, run = read(float_model), run_integer(int8_model, features)
    truths = _float_outputs(float_model, features)
    return tuple(
        _error(exact.label(one), one.kind, truths[one.outputs[0]], run.real(other.outputs[0]))
        for one, other in _aligned(exact, run.plan)
    )


def _float_outputs(float_model: bytes, features: np.ndarray) -> dict[int, np.ndarray]:
    """Run a float model on `features` (n, ...); return every operation's output by its index."""
    plan = read(float_model)
    indices = [operation.outputs[0] for operation in plan.operations]
    collected = {index: [] for index in indices}
    for runner in _invoked(float_model, plan, fed_to(plan, features)):
        for index in indices:
            collected[index].append(np.atleast_1d(runner.raw.get_tensor(index)))
    return {index: np.concatenate(values) for index, values in collected.items()}


def _invoked(
    model_bytes: bytes, plan: Plan, fed: Mapping[int, np.ndarray]
) -> Iterator[Interpreter]:
    """Give LiteRT's reference kernels each step of what is fed, and hand on what they left.

    `fed` has an array (n, ...) for every input; a step takes as many rows as the file's shape says.
    """
    runner = Interpreter(model_bytes, keep_all=True, reference=True)
    steps = [fed[index].reshape(-1, *plan.values[index].shape) for index in plan.inputs]
    for first, *others in zip(*steps, strict=True):
        for index, value in zip(plan.inputs[1:], others, strict=True):
            runner.raw.set_tensor(index, value)
        runner.step(first)
        yield runner


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
    run = run_integer(int8_model, features)
    counts = {run.plan.label(operation): [0, 0] for operation in run.plan.operations}
    for place, runner in enumerate(_invoked(int8_model, run.plan, run.tensors)):
        for operation in run.plan.operations:
            theirs = np.atleast_1d(runner.raw.get_tensor(operation.outputs[0]))
            rows = len(theirs)
            mine = run.tensors[operation.outputs[0]][place * rows : (place + 1) * rows]
            count = counts[run.plan.label(operation)]
            count[0] += theirs.nbytes
            count[1] += int(np.count_nonzero(theirs != mine)) * theirs.itemsize
    return {label: (compared, different) for label, (compared, different) in counts.items()}


def correct_biases(int8_model: bytes, float_model: bytes, features: np.ndarray) -> bytes:
    """Return `int8_model` with biases that undo each channel's average error on `features`.

    Layer by layer, from the input on, while the layers before are already corrected. Only bytes of
    biases change; the size does not. Raises ValueError where the files hold different layers.
    """
    data, plan, exact = bytearray(int8_model), read(int8_model), read(float_model)
    truths = _float_outputs(float_model, features)
    for original, operation in _aligned(exact, plan):
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
    return error.mean(axis=axes) / np.maximum(alive.mean(axis=axes), 0.05)  # no leaps


def _add_in_place(data: bytearray, tensor: int, steps: np.ndarray) -> None:
    """Add whole `steps` to an int32 tensor of the file, in the bytes where it lies."""
    model = schema.Model.GetRootAs(data, 0)
    octets = model.Buffers(model.Subgraphs(0).Tensors(tensor).Buffer()).DataAsNumpy()
    octets.view("<i4")[:] += steps.astype("<i4")


def _aligned(first: Plan, second: Plan) -> list[tuple[Operation, Operation]]:
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

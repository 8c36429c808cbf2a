"""Run a whole quantized .tflite model in integer NumPy, layer by layer, keeping every tensor."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.quantize.layers import LAYERS, Input, Step
from course_lib.quantize.model import Operation, Plan, read
from course_lib.quantize.support import Unsupported, check, check_order

RUNTIMES = ("litert", "micro")
"""Whose bytes to reproduce: LiteRT's reference kernels or those of TensorFlow Lite Micro."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a run left behind: the plan, and every tensor's values by index, batch first."""

    plan: Plan
    tensors: Mapping[int, np.ndarray]

    @property
    def output(self) -> np.ndarray:
        """The stored integers (or floats) of the model's first output, (n, ...)."""
        return self.tensors[self.plan.outputs[0]]

    @property
    def probabilities(self) -> np.ndarray:
        """The first output as float32 numbers, (n, classes)."""
        return self.real(self.plan.outputs[0])

    def real(self, index: int) -> np.ndarray:
        """Return the float32 numbers that tensor `index` stands for."""
        grid = self.plan.values[index].grid
        values = self.tensors[index]
        return values.astype(np.float32) if grid is None else grid.dequantize(values)


def run_integer(
    model_bytes: bytes, features: np.ndarray | Sequence[np.ndarray], runtime: str = "litert"
) -> Run:
    """Run an int8 model on float32 `features` (n, ...) in integers; return every tensor.

    For several inputs, `features` is a list with an array for each, in the model's order. Equal in
    every byte to the reference kernels of `runtime`, one of `RUNTIMES`. Features are put on the
    input's grid first, unless the model does so itself. Raises ValueError for features that do not
    fit, and (Unsupported) for an operation, an option or a type that has no integer layer here.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"There is no runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}.")
    plan = read(model_bytes)
    check_order(plan)
    for operation in plan.operations:
        _layer_of(operation)
        check(plan, operation)
    fed = fed_to(plan, features)
    if _row_by_row(plan):
        return Run(plan, _through(plan, fed, runtime))
    shapes = {index: plan.values[index].shape for index in fed}
    steps = zip(*(fed[index].reshape(-1, *shapes[index]) for index in plan.inputs), strict=True)
    runs = [_through(plan, dict(zip(plan.inputs, step, strict=True)), runtime) for step in steps]
    each = {index: [np.atleast_1d(run[index]) for run in runs] for index in runs[0]}
    return Run(plan, {index: np.concatenate(arrays) for index, arrays in each.items()})


def layer(
    plan: Plan, operation: Operation, tensors: Mapping[int, np.ndarray], runtime: str = "litert"
) -> np.ndarray:
    """Return what one operation makes of the tensors computed so far: its first output."""
    compute = _layer_of(operation)
    check(plan, operation)
    inputs = [None if index < 0 else _input(plan, index, tensors) for index in operation.inputs]
    out = plan.values[operation.outputs[0]]
    return compute(Step(inputs, out, operation.options, runtime))


def _layer_of(operation: Operation) -> Callable[[Step], np.ndarray]:
    """Return the function of an operation's kind. Raises Unsupported where there is none."""
    if operation.kind not in LAYERS:
        raise Unsupported(
            f"There is no integer {operation.kind} here, only "
            f"{', '.join(sorted(LAYERS))}: run this model with tflite.run."
        )
    return LAYERS[operation.kind]


def _through(
    plan: Plan, tensors: Mapping[int, np.ndarray], runtime: str
) -> Mapping[int, np.ndarray]:
    """Return every tensor that comes of the inputs, these included."""
    tensors = dict(tensors)
    for operation in plan.operations:
        tensors[operation.outputs[0]] = layer(plan, operation, tensors, runtime)
    return tensors


def fed_to(plan: Plan, features: np.ndarray | Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """Return what goes into each input, (n, ...) on its grid. Raises ValueError where none fits."""
    several = isinstance(features, list | tuple) and len(plan.inputs) != 1
    arrays = [np.asarray(each) for each in (features if several else [features])]
    values = [plan.values[index] for index in plan.inputs]
    wanted = " and ".join(str(list(value.shape)) for value in values[:4])
    if len(arrays) != len(values) or not values:
        raise ValueError(
            f"This model has {len(values)} inputs, {wanted}: give a list with an array for each."
        )
    fed, steps = {}, set()
    for value, array in zip(values, arrays, strict=True):
        size = math.prod(value.shape)
        if not size or not array.size or array.size % size:
            raise ValueError(f"This model takes {wanted} at a time, not {list(array.shape)}.")
        steps.add(array.size // size)
        rows = array.reshape(-1, *value.shape[1:])
        if value.grid is None and value.dtype != np.float32:
            raise Unsupported(
                f"The model's input is {value.kind}, not int8 or float32: run it with tflite.run."
            )
        fed[value.index] = (
            rows.astype(np.float32) if value.grid is None else value.grid.quantize(rows)
        )
    if len(steps) > 1:
        raise ValueError(f"The arrays hold {sorted(steps)} clips: give as many for every input.")
    return fed


def _row_by_row(plan: Plan) -> bool:
    """Tell whether every operation treats the rows of the first axis alike and apart.

    Then any number of clips can go through together; else each goes as the file has it.
    """
    rows = {plan.values[index].shape[:1] for index in plan.inputs}
    for operation in plan.operations:
        out = plan.values[operation.outputs[0]].shape
        rows.add(out[:1] if len(out) > 1 else ())
        if operation.kind == "MEAN":
            about, axes = (plan.values[index] for index in operation.inputs[:2])
            if not np.all(np.ravel(axes.stored) % len(about.shape)):
                return False
        for index in operation.inputs[:2] if operation.kind == "ADD" else ():
            side = plan.values[index]
            shared = len(side.shape) < len(out) or side.shape[0] == 1  # by all rows
            if not shared if side.stored is not None else len(side.shape) != len(out):
                return False
    return len(rows) == 1 and () not in rows


def _input(plan: Plan, index: int, tensors: Mapping[int, np.ndarray]) -> Input:
    about = plan.values[index]
    return Input(about.stored if about.stored is not None else tensors[index], about)

"""Run a whole quantized .tflite model in integer NumPy, layer by layer, keeping every tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.quantize import layers
from course_lib.quantize.affine import Affine
from course_lib.quantize.exponential import softmax
from course_lib.quantize.layers import Window
from course_lib.quantize.model import Operation, Plan, Value, read

RUNTIMES = ("litert", "micro")
"""Whose bytes to reproduce: LiteRT's reference kernels or those of TensorFlow Lite Micro."""

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6")
PADDINGS = ("SAME", "VALID")


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
        """The float32 numbers that tensor `index` stands for."""
        grid = self.plan.values[index].grid
        values = self.tensors[index]
        return values.astype(np.float32) if grid is None else grid.dequantize(values)


def run_integer(model_bytes: bytes, features: np.ndarray, runtime: str = "litert") -> Run:
    """Run an int8 model on float32 `features` (n, ...) in integers; return every tensor.

    Equal in every byte to the reference kernels of `runtime`, one of `RUNTIMES`. Features are put
    on the input's grid first, unless the model does so itself. Raises ValueError for an operation
    or a type that has no integer layer here.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"There is no runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}.")
    plan = read(model_bytes)
    first = plan.values[plan.inputs[0]]
    rows = np.asarray(features).reshape(-1, *first.shape[1:])
    grid = first.grid
    tensors = {plan.inputs[0]: rows.astype(np.float32) if grid is None else grid.quantize(rows)}
    for operation in plan.operations:
        tensors[operation.outputs[0]] = layer(plan, operation, tensors, runtime)
    return Run(plan, tensors)


def layer(
    plan: Plan, operation: Operation, tensors: Mapping[int, np.ndarray], runtime: str = "litert"
) -> np.ndarray:
    """Return what one operation makes of the tensors computed so far: its first output."""
    step = STEPS.get(operation.kind)
    if step is None:
        raise ValueError(
            f"There is no integer {operation.kind} here, only "
            f"{', '.join(sorted(STEPS))}: run this model with tflite.run."
        )
    values = [_input(plan, index, tensors) for index in operation.inputs]
    out = plan.values[operation.outputs[0]]
    if operation.kind == "FULLY_CONNECTED":
        return step(operation, values, out, runtime)
    return step(operation, values, out)


@dataclass(frozen=True, eq=False)
class Input:
    """An operation's input: the values at hand, and the tensor's description."""

    data: np.ndarray
    about: Value

    @property
    def grid(self) -> Affine:
        """The tensor's grid. Raises ValueError where it is float: there is nothing to compute."""
        if self.about.grid is None or self.about.dtype != np.int8:
            raise ValueError(
                f"The tensor {self.about.name} is {self.about.dtype}, not int8: "
                "these layers compute int8 models."
            )
        return self.about.grid


def _input(plan: Plan, index: int, tensors: Mapping[int, np.ndarray]) -> Input | None:
    if index < 0:
        return None
    about = plan.values[index]
    return Input(about.stored if about.stored is not None else tensors[index], about)


def _window(options: Mapping[str, Any]) -> Window:
    return Window(
        (options["strideH"], options["strideW"]),
        PADDINGS[options["padding"]],
        (options.get("dilationHFactor", 1), options.get("dilationWFactor", 1)),
    )


def _activation(operation: Operation) -> str:
    return ACTIVATIONS[operation.options.get("fusedActivationFunction", 0)]


def _bias(inputs: list[Input | None]) -> np.ndarray | None:
    return inputs[2].data.astype(np.int64) if len(inputs) > 2 and inputs[2] else None


def _conv(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    x, weights = inputs[:2]
    kernel = layers.conv2d if operation.kind == "CONV_2D" else layers.depthwise_conv2d
    return kernel(
        x.data,
        x.grid,
        weights.data,
        weights.grid,
        _bias(inputs),
        out.grid,
        _window(operation.options),
        _activation(operation),
    )


def _dense(operation: Operation, inputs: list, out: Value, runtime: str) -> np.ndarray:
    x, weights = inputs[:2]
    return layers.fully_connected(
        x.data,
        x.grid,
        weights.data,
        weights.grid,
        _bias(inputs),
        out.grid,
        _activation(operation),
        runtime,
    )


def _pool(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    options = operation.options
    kernel = layers.average_pool if operation.kind == "AVERAGE_POOL_2D" else layers.max_pool
    return kernel(
        inputs[0].data,
        (options["filterHeight"], options["filterWidth"]),
        _window(options),
        out.grid,
        _activation(operation),
    )


def _mean(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    axes = [int(axis) % inputs[0].data.ndim for axis in np.ravel(inputs[1].data)]
    return layers.mean(
        inputs[0].data, inputs[0].grid, out.grid, axes, bool(operation.options.get("keepDims"))
    )


def _add(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    a, b = inputs
    return layers.add(a.data, a.grid, b.data, b.grid, out.grid, _activation(operation))


def _reshape(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    return inputs[0].data.reshape(len(inputs[0].data), *out.shape[1:])


def _softmax(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    return softmax(inputs[0].data, inputs[0].grid, out.grid, operation.options["beta"])


def _pad(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    return np.pad(inputs[0].data, inputs[1].data, constant_values=inputs[0].grid.zero_point)


def _quantize(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    x = inputs[0]
    if x.about.dtype.kind == "f":
        return out.grid.quantize(x.data)
    return layers.rescale(x.data, x.grid, out.grid)


def _dequantize(operation: Operation, inputs: list, out: Value) -> np.ndarray:
    return inputs[0].grid.dequantize(inputs[0].data)


STEPS: dict[str, Callable[..., np.ndarray]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _add,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}

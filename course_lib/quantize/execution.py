"""Run a whole quantized .tflite model in integer NumPy, layer by layer, keeping every tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course_lib.quantize.layers import LAYERS, Input, Step
from course_lib.quantize.model import Operation, Plan, read

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
    compute = LAYERS.get(operation.kind)
    if compute is None:
        raise ValueError(
            f"There is no integer {operation.kind} here, only "
            f"{', '.join(sorted(LAYERS))}: run this model with tflite.run."
        )
    inputs = [None if index < 0 else _input(plan, index, tensors) for index in operation.inputs]
    out = plan.values[operation.outputs[0]]
    return compute(Step(inputs, out, operation.options, runtime))


def _input(plan: Plan, index: int, tensors: Mapping[int, np.ndarray]) -> Input:
    about = plan.values[index]
    return Input(about.stored if about.stored is not None else tensors[index], about)

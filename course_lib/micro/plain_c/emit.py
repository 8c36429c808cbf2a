"""What the C of every layer is made of: places in memory and in the file, grids, tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from course_lib.micro.plain_c.memory import Layout
from course_lib.micro.plain_c.tables import array
from course_lib.quantize import Affine, Multiplier, Plan, Value

ACTIVATIONS = ((None, None), (0.0, None), (-1.0, 1.0), (0.0, 6.0))  # NONE, RELU, N1_TO_1, RELU6


class Unsupported(ValueError):
    """Say that a model has something that there is no plain C for."""


@dataclass
class Emitter:
    """Turn the operations of one plan into C; `offsets` are the places of stored tensors.

    `tables` gathers the constants, `calls` the statements, `table_bytes` what the multipliers of
    each layer take. `runtime` is "litert" or "micro": they round differently in one layer.
    """

    plan: Plan
    layout: Layout
    offsets: dict[int, int]
    runtime: str = "litert"
    tables: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    table_bytes: dict[int, int] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """The number of the operation that is being written."""
        return len(self.calls)

    def value(self, index: int, stored: bool = False) -> Value:
        """Return a tensor that has to be int8, computed or stored as asked."""
        value = self.plan.values[index]
        if value.dtype != np.int8 or value.grid is None or (index in self.offsets) != stored:
            raise Unsupported(
                f"The tensor {value.name or index} is not what plain C is made for: int8, "
                f"{'stored in the file, one byte each' if stored else 'computed'}."
            )
        return value

    def at(self, index: int) -> str:
        """Return the C expression for the place of a computed tensor."""
        return f"memory + {self.layout.blocks[index].start}"

    def stored(self, index: int) -> str:
        """Return the C expression for the place of a stored tensor in the file; 0 for none."""
        return f"model_file + {self.offsets[index]}" if index >= 0 else "0"

    def grid(self, by: Multiplier, out: Affine, activation: int = 0) -> str:
        """Write the multipliers of a layer; return the initializer of its Grid."""
        mantissas, shifts = np.ravel(by.mantissa), np.ravel(by.shift)
        if len(set(zip(mantissas.tolist(), shifts.tolist(), strict=True))) == 1:
            mantissas, shifts = mantissas[:1], shifts[:1]
        n = self.step
        self.tables.append(array("static const int32_t", f"mantissas_{n}", mantissas))
        self.tables.append(array("static const int8_t", f"shifts_{n}", shifts))
        self.table_bytes[n] = 5 * len(mantissas)
        low, high = limits(out, activation)
        each = int(len(mantissas) > 1)
        return f"{{mantissas_{n}, shifts_{n}, {each}, {int(out.zero_point)}, {low}, {high}}}"

    def table(self, kind: str, content: str) -> str:
        """Write the table of a layer; return its address."""
        self.tables.append(f"static const {kind} layer_{self.step} = {{{content}}};\n")
        return f"&layer_{self.step}"


def limits(grid: Affine, activation: int) -> tuple[int, int]:
    """Return the lowest and the highest integer that an activation lets through."""
    if not 0 <= activation < len(ACTIVATIONS):
        raise Unsupported(f"There is no plain C for the activation number {activation}.")
    bounds = zip(ACTIVATIONS[activation], (grid.lowest, grid.highest), strict=True)
    return tuple(bound if real is None else int(grid.quantize(real)) for real, bound in bounds)

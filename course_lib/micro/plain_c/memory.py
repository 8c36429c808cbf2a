"""Where each tensor lies in the one block of memory that all of them share.

A tensor is needed from the operation that makes it to the last that reads it; two that are never
needed at the same time may lie on the same bytes. The largest is placed first, as low as it fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from course_lib.quantize import Plan

_ALIGNMENT = 16  # no layer needs more, and 32-bit words are then never split


@dataclass(frozen=True)
class Block:
    """Bytes `start` to `start + size`, needed from step `first` to step `last`, both included."""

    start: int
    size: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Tell whether both are needed at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Layout:
    """The block of each computed tensor by its index, and how many bytes they need together."""

    blocks: Mapping[int, Block]
    bytes: int


def lay_out(plan: Plan) -> Layout:
    """Place every computed int8 tensor of a plan. A RESHAPE moves nothing: its two ends share."""
    owner = {index: index for index in plan.inputs}
    spans: dict[int, list[int]] = {index: [-1, -1] for index in plan.inputs}
    for step, operation in enumerate(plan.operations):
        for index in operation.inputs:
            if index in owner:
                spans[owner[index]][1] = step
        output = operation.outputs[0]
        if operation.kind == "RESHAPE" and operation.inputs[0] in owner:
            owner[output] = owner[operation.inputs[0]]
        else:
            owner[output], spans[output] = output, [step, step]
    for index in plan.outputs:
        spans[owner[index]][1] = len(plan.operations)
    lengths = {index: int(np.prod(plan.values[index].shape)) for index in spans}
    sizes = {index: -(-length // _ALIGNMENT) * _ALIGNMENT for index, length in lengths.items()}
    placed: dict[int, Block] = {}
    for index in sorted(spans, key=lambda index: (-sizes[index], index)):
        wanted = Block(0, sizes[index], *spans[index])
        placed[index] = _place(wanted, placed.values())
    total = max((block.start + block.size for block in placed.values()), default=0)
    return Layout({index: placed[root] for index, root in owner.items()}, total)


def _place(wanted: Block, others: Iterable[Block]) -> Block:
    """Return the block at the lowest start at which it overlaps no other that it meets."""
    start = 0
    for other in sorted(others, key=lambda block: block.start):
        if wanted.meets(other) and start + wanted.size > other.start:
            start = max(start, other.start + other.size)
    return Block(start, wanted.size, wanted.first, wanted.last)

"""The arena: one block of memory for everything that TensorFlow Lite Micro needs at run time.

The head holds what flows between layers and is used again and again; the tail holds what lives as
long as the interpreter. Sizes are asked of the interpreter itself, in a process of its own, because
a wrong arena ends the process it is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from course_lib.micro import record
from course_lib.micro.interpreter import GENEROUS_BYTES, Device, MicroError, available

STEP_BYTES = 16  # what every part of an arena is aligned to
_TOTAL = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_KIND = re.compile(r"'([^']+)' used (\d+) bytes .*?for (\d+)")


@dataclass(frozen=True)
class Allocations:
    """Bytes of an arena: in all, of its two ends, and of the tail by kind; and how many of each."""

    total_bytes: int
    head_bytes: int
    tail_bytes: int
    kinds: Mapping[str, int]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class ArenaRun:
    """The smallest arena that is enough, what is in it, and how much it grew in `runs` runs."""

    smallest_bytes: int
    allocations: Allocations
    grown_bytes: int
    runs: int
    where: str

    @classmethod
    def from_dict(cls, kept: dict[str, Any], where: str) -> ArenaRun:
        """Return a run of which `asdict` was written down."""
        return cls(**dict(kept, where=where, allocations=Allocations(**kept["allocations"])))


def smallest_arena(model_bytes: bytes, largest: int = 1 << 22, step: int = STEP_BYTES) -> int:
    """Return the smallest arena, within `step` bytes, that is enough; 0 where `largest` is not.

    Found by halving, which takes as many trials as log2(largest / step). Raises MicroError where
    tflite-micro is not installed.
    """
    with Device(model_bytes) as device:
        if not device.fits(largest):
            return 0
        low, high = 0, largest
        while high - low > step:
            middle = (low + high) // 2
            low, high = (low, middle) if device.fits(middle) else (middle, high)
        return high


def grows(
    model_bytes: bytes, runs: int = 100, arena_bytes: int = GENEROUS_BYTES
) -> tuple[Allocations, Allocations]:
    """Return what the recording allocator notes after start-up and after `runs` more runs.

    Both should be equal. Raises MicroError where the arena is not enough.
    """
    with Device(model_bytes) as device:
        before, after = device.allocations(arena_bytes, runs)
    return _parsed(before), _parsed(after)


def arena_of(model_bytes: bytes, runs: int = 100) -> ArenaRun:
    """Look into the arena of a model; takes about 2 s.

    Where tflite-micro is not installed, the recorded run of the shipped model is returned.
    """
    if not available():
        return ArenaRun.from_dict(record.load()["arena"], record.date_line())
    before, after = grows(model_bytes, runs)
    grown = after.total_bytes - before.total_bytes
    return ArenaRun(smallest_arena(model_bytes), before, grown, runs, record.HERE)


def _parsed(text: str) -> Allocations:
    """Read what the recording allocator prints."""
    totals = {name: int(number) for name, number in _TOTAL.findall(text)}
    kinds = _KIND.findall(text)
    if set(totals) != {"total", "head", "tail"}:
        raise MicroError("The recording allocator of this tflite-micro prints another format.")
    used = {name: int(number) for name, number, _ in kinds}
    counts = {name: int(count) for name, _, count in kinds}
    return Allocations(totals["total"], totals["head"], totals["tail"], used, counts)

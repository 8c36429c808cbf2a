"""The arena: one block of memory for everything that TensorFlow Lite Micro needs at run time.

The head holds what flows between layers and is used again and again; the tail holds what lives as
long as the interpreter. Sizes are asked of the interpreter itself, in a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.micro.child import Child, Died
from course_lib.micro.interpreter import GENEROUS_BYTES, MicroError, available
from course_lib.tflite.interpreter import check

STEP_BYTES = 16
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
class Fit:
    """Whether an arena is enough, and what the interpreter said where it is not."""

    enough: bool
    said: str = ""

    def __bool__(self) -> bool:
        return self.enough


def fits(model_bytes: bytes, arena_bytes: int) -> Fit:
    """Tell whether an arena of this size is enough. Takes about half a second."""
    _need(model_bytes)
    with Child(model_bytes) as child:
        return _try(child, arena_bytes)


def smallest_arena(model_bytes: bytes, largest: int = 1 << 22, step: int = STEP_BYTES) -> int:
    """Return the smallest arena, within `step` bytes, that is enough; 0 where `largest` is not.

    Found by halving, which takes as many trials as log2(largest / step). Raises MicroError where
    tflite-micro is not installed.
    """
    _need(model_bytes)
    with Child(model_bytes) as child:
        if not _try(child, largest):
            return 0
        low, high = 0, largest
        while high - low > step:
            middle = (low + high) // 2
            low, high = (low, middle) if _try(child, middle) else (middle, high)
        return high


def allocations(model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> Allocations:
    """Return what the recording allocator noted for a model. Raises MicroError."""
    return grows(model_bytes, 1, arena_bytes)[0]


def grows(
    model_bytes: bytes, runs: int = 100, arena_bytes: int = GENEROUS_BYTES
) -> tuple[Allocations, Allocations]:
    """Return the allocations after start-up and after `runs` runs: they should be equal."""
    _need(model_bytes)
    with Child(model_bytes) as child:
        try:
            answer = child.ask(arena_bytes, runs)
        except Died as error:
            raise MicroError(_reason(error.log)) from error
    if "error" in answer:
        raise MicroError(_reason(answer["error"]))
    return _parsed(answer["before"]), _parsed(answer["after"])


def _need(model_bytes: bytes) -> None:
    check(model_bytes)
    if not available():
        raise MicroError(
            "tflite-micro is not installed: it exists for Linux on x86-64 only. Run this in "
            "Colab, or read the recorded run."
        )


def _try(child: Child, arena_bytes: int) -> Fit:
    try:
        answer = child.ask(int(arena_bytes))
    except Died as error:
        return Fit(False, _reason(error.log))
    return Fit("error" not in answer, _reason(answer["error"]) if "error" in answer else "")


def _reason(log: str) -> str:
    """Return the first line of the interpreter's own words, without file names."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith("Traceback")), "")
    return first.rpartition(".cc:")[2].lstrip("0123456789 ") if ".cc:" in first else first


def _parsed(text: str) -> Allocations:
    """Read what the recording allocator prints."""
    totals = {name: int(number) for name, number in _TOTAL.findall(text)}
    kinds = _KIND.findall(text)
    if set(totals) != {"total", "head", "tail"}:
        raise MicroError("The recording allocator of this tflite-micro prints another format.")
    return Allocations(
        totals["total"],
        totals["head"],
        totals["tail"],
        {name: int(used) for name, used, _ in kinds},
        {name: int(count) for name, _, count in kinds},
    )

"""What an arena holds: asked of tflite-micro here, else the recorded answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from course_lib.micro import arena, interpreter, recorded
from course_lib.micro.arena import Allocations


@dataclass(frozen=True)
class ArenaRun:
    """The smallest arena that is enough, what is in it, and how much it grew in `runs` runs."""

    smallest_bytes: int
    allocations: Allocations
    grown_bytes: int
    runs: int
    where: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any], where: str) -> ArenaRun:
        """Return the run that `as_dict` wrote down."""
        return cls(**dict(kept, where=where, allocations=Allocations(**kept["allocations"])))


def arena_of(model_bytes: bytes, runs: int = 100) -> ArenaRun:
    """Look into the arena of a model; takes about 2 s.

    Where tflite-micro is not installed, the recorded run of the shipped model is returned.
    """
    if not interpreter.available():
        return ArenaRun.from_dict(recorded.record()["arena"], recorded.date_line())
    before, after = arena.grows(model_bytes, runs)
    return ArenaRun(
        arena.smallest_arena(model_bytes),
        before,
        after.total_bytes - before.total_bytes,
        runs,
        recorded.HERE,
    )

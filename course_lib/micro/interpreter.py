"""TensorFlow Lite Micro's own interpreter, run from Python on the bytes that a device would get.

Its arena is one block of memory for everything that it needs at run time. The head holds what flows
between layers and is used again and again; the tail holds what lives as long as the interpreter. A
wrong arena, and some models, end the process they are in: so each is tried in a process of its own
first. The package tflite-micro exists for Linux on x86-64 only; elsewhere `available()` is False.
"""

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import check, unpack
from course_lib.micro import record
from course_lib.session.processes import Died, Refused, Service
from course_lib.tflite.interpreter import dequantize, described, quantize

PACKAGE = "tflite_micro"
GENEROUS_BYTES = 1 << 21  # an arena for whoever does not care how large it is
_SECONDS = 30.0
_believed: set[tuple[bytes, int]] = set()  # digests, and the arenas that were enough
STEP_BYTES = 16  # what every part of an arena is aligned to
_TOTAL = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_KIND = re.compile(r"'([^']+)' used (\d+) bytes .*?for (\d+)")


class MicroError(ValueError):
    """Say in one sentence why TensorFlow Lite Micro cannot run something."""


def available() -> bool:
    """Tell whether the interpreter of TensorFlow Lite Micro is installed here."""
    return importlib.util.find_spec(PACKAGE) is not None


def need(model_bytes: bytes) -> None:
    """Raise MicroError where the package is missing, ModelError for bytes that are no model."""
    if not available():
        raise MicroError(
            "tflite-micro is not installed: it exists for Linux on x86-64 only. Run this in "
            "Colab, or read the recorded run."
        )
    check(model_bytes)


class Device(Service):
    """A process that sets models up in arenas, one after another."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        super().__init__("course_lib.micro.interpreter:prepare", seconds)

    def allocations(self, model_bytes: bytes, arena_bytes: int, runs: int = 0) -> tuple[str, str]:
        """Return what the recording allocator prints before and after `runs` runs on zeros.

        Raises MicroError with the interpreter's first words where the arena is not enough.
        """
        need(model_bytes)
        try:
            answer = self.ask(bytes(model_bytes), json.dumps([int(arena_bytes), runs]).encode())
        except (Refused, Died) as error:  # an answer, or last words
            log = error.log if isinstance(error, Died) else str(error)
            raise MicroError(_reason(log) or "its process ended without a word") from error
        if runs:
            _believed.add(_key(model_bytes, arena_bytes))
        before, after = json.loads(answer)
        return before, after

    def fits(self, model_bytes: bytes, arena_bytes: int) -> bool:
        """Tell whether an arena is enough."""
        try:
            return bool(self.allocations(model_bytes, arena_bytes))
        except MicroError:
            return False


def vouch(model_bytes: bytes, arena_bytes: int) -> None:
    """Set a model up and run it once on zeros in a process of its own, where that was never done.

    Raises MicroError with the interpreter's first words.
    """
    if _key(model_bytes, arena_bytes) not in _believed:
        with Device() as device:
            device.allocations(model_bytes, arena_bytes, runs=1)


def _key(model_bytes: bytes, arena_bytes: int) -> tuple[bytes, int]:
    return hashlib.sha256(model_bytes).digest(), int(arena_bytes)


def prepare() -> Callable[[bytes, bytes], bytes]:
    """Return the function that answers for a `Device`; this is the process's side."""
    from tflite_micro import runtime

    def answer(model_bytes: bytes, numbers: bytes) -> bytes:
        start = os.lseek(2, 0, os.SEEK_END)  # C++ prints to descriptor 2, a file in this process
        try:
            middle = _set_up(runtime, model_bytes, *json.loads(numbers))
        except (RuntimeError, ValueError, TypeError) as error:
            raise ValueError(_printed(start, os.lseek(2, 0, os.SEEK_END)) or error) from error
        end = os.lseek(2, 0, os.SEEK_END)
        return json.dumps([_printed(start, middle), _printed(middle, end)]).encode()

    return answer


def _set_up(runtime: Any, model_bytes: bytes, arena_bytes: int, runs: int) -> int:
    """Run on zeros, printing before and after; return where in the log the runs began."""
    interpreter = runtime.Interpreter.from_bytes(model_bytes, arena_size=arena_bytes)
    interpreter.print_allocations()
    detail = interpreter.get_input_details(0)
    zeros = np.zeros(detail["shape"], detail["dtype"])
    middle = os.lseek(2, 0, os.SEEK_END)
    for _ in range(runs):
        interpreter.set_input(zeros, 0)
        interpreter.invoke()
    interpreter.print_allocations()
    return middle


def _printed(start: int, end: int) -> str:
    """Return what was written to the log between two places."""
    os.lseek(2, start, os.SEEK_SET)
    text = os.read(2, end - start).decode("utf-8", "replace")
    os.lseek(2, 0, os.SEEK_END)
    return text


def _reason(log: str) -> str:
    """Return the first line of the interpreter's own words, without file names."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith("Traceback")), "")
    return first.rpartition(".cc:")[2].lstrip("0123456789 ") if ".cc:" in first else first


class Interpreter:
    """One model in one arena of `arena_bytes`, ready to run.

    It is set up in a process of its own first, since an arena that cannot even hold the
    interpreter, and some models, end the process they are in. Raises MicroError where the package
    is missing, the arena is too small, or the model needs what TensorFlow Lite Micro lacks.
    """

    def __init__(self, model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> None:
        need(model_bytes)
        graph = (unpack(model_bytes).subgraphs or [None])[0]
        ends = () if graph is None else tuple(len(e) for e in (graph.inputs, graph.outputs))
        if ends != (1, 1):
            raise MicroError(
                "Only models with one input and one output are run here, and this one has "
                f"{' and '.join(map(str, ends)) or 'no graph'}."
            )
        from tflite_micro import runtime

        try:
            vouch(model_bytes, arena_bytes)
            with session.quiet():
                self.raw = runtime.Interpreter.from_bytes(
                    bytes(model_bytes), arena_size=arena_bytes
                )
        except (RuntimeError, ValueError, TypeError) as error:
            said = str(error) if isinstance(error, MicroError) else "it is not supported"
            raise MicroError(
                f"TensorFlow Lite Micro cannot run this model in {arena_bytes:,} bytes: {said}."
            ) from error
        self.input = described(self.raw.get_input_details(0))
        self.output = described(self.raw.get_output_details(0))

    def step(self, value: np.ndarray) -> np.ndarray:
        """Run once on `value`, already of the input's type and shape; return the raw output."""
        try:
            with session.quiet():
                return self._answer(np.ascontiguousarray(value))
        except (RuntimeError, ValueError) as error:
            raise MicroError(
                f"This model does not take {value.dtype} of shape {list(value.shape)}, or stops "
                "while it runs."
            ) from error

    def run_stored(self, features: np.ndarray) -> np.ndarray:
        """Return the stored integers, (n, classes), for float32 `features`, (n, ...)."""
        rows = np.asarray(features, np.float32)
        if not rows.size or rows.size % max(1, int(np.prod(self.input.shape))):
            raise MicroError(
                f"This model takes {list(self.input.shape)} at a time, not {list(rows.shape)}."
            )
        rows = rows.reshape(-1, *self.input.shape)
        stored = quantize(rows, self.input)
        with session.quiet():
            return np.concatenate([self._fresh(row) for row in stored])

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return float32 answers, (n, classes), for float32 `features`, (n, ...)."""
        return dequantize(self.run_stored(features), self.output)

    def _fresh(self, value: np.ndarray) -> np.ndarray:
        """Run once with no state left by the clip before: streaming models keep some."""
        self.raw.reset()
        return self._answer(value)

    def _answer(self, value: np.ndarray) -> np.ndarray:
        """Run once. Silence is for whoever calls this: once for many runs."""
        self.raw.set_input(value, 0)
        self.raw.invoke()
        return self.raw.get_output(0)


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
    def from_dict(cls, kept: dict[str, Any], where: str) -> Self:
        """Return a run of which `asdict` was written down."""
        return cls(**dict(kept, where=where, allocations=Allocations(**kept["allocations"])))


def smallest_arena(
    model_bytes: bytes, largest: int = 1 << 22, step: int = STEP_BYTES, device: Device | None = None
) -> int:
    """Return the smallest arena, within `step` bytes, that is enough; 0 where `largest` is not.

    Found by halving, which takes as many trials as log2(largest / step), on `device` where one is
    given, so that many models share a process. Raises MicroError where tflite-micro is not
    installed.
    """
    need(model_bytes)
    with Device() if device is None else nullcontext(device) as trial:
        if not trial.fits(model_bytes, largest):
            return 0
        low, high = 0, largest
        while high - low > step:
            middle = (low + high) // 2
            enough = trial.fits(model_bytes, middle)
            low, high = (low, middle) if enough else (middle, high)
        return high


def grows(
    model_bytes: bytes,
    runs: int = 100,
    arena_bytes: int = GENEROUS_BYTES,
    device: Device | None = None,
) -> tuple[Allocations, Allocations]:
    """Return what the recording allocator notes after start-up and after `runs` more runs.

    Both should be equal. Raises MicroError where the arena is not enough.
    """
    with Device() if device is None else nullcontext(device) as trial:
        before, after = trial.allocations(model_bytes, arena_bytes, runs)
    return _parsed(before), _parsed(after)


def arena_of(model_bytes: bytes, runs: int = 100) -> ArenaRun:
    """Look into the arena of a model; takes about a second.

    Where tflite-micro is not installed, the recorded run of the shipped model is returned.
    """
    if not available():
        return ArenaRun.from_dict(record.load()["arena"], record.date_line())
    with Device() as device:
        before, after = grows(model_bytes, runs, device=device)
        smallest = smallest_arena(model_bytes, device=device)
    grown = after.total_bytes - before.total_bytes
    return ArenaRun(smallest, before, grown, runs, record.HERE)


def _parsed(text: str) -> Allocations:
    """Read what the recording allocator prints."""
    totals = {name: int(number) for name, number in _TOTAL.findall(text)}
    kinds = _KIND.findall(text)
    if set(totals) != {"total", "head", "tail"}:
        raise MicroError("The recording allocator of this tflite-micro prints another format.")
    used = {name: int(number) for name, number, _ in kinds}
    counts = {name: int(count) for name, _, count in kinds}
    return Allocations(totals["total"], totals["head"], totals["tail"], used, counts)

"""The same bytes in several runtimes: where answers differ, by how much, and whether it matters."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from course_lib.micro import interpreter, record
from course_lib.sound import dataset
from course_lib.tflite.guard import vouch
from course_lib.tflite.interpreter import Interpreter, quantize

MICRO = "micro"
RUNTIMES: Mapping[str, Mapping[str, bool]] = {
    "LiteRT": {"delegate": True},
    "LiteRT, no delegate": {},
    "LiteRT, reference": {"reference": True},
}
"""What LiteRT can be told: its default delegate XNNPACK, its own fast kernels, its plain loops."""


@dataclass(frozen=True)
class Difference:
    """Two runtimes on n clips: answers that differ anywhere, the largest step, other decisions."""

    clips: int
    different: int
    largest: int
    decisions: int

    @property
    def equal_share(self) -> float:
        """The share of clips for which every byte is equal."""
        return 1 - self.different / self.clips


@dataclass(frozen=True, eq=False)
class Runtimes:
    """The stored answers, (n, classes) int8, of each runtime; `where` says how micro's came here.

    Where tflite-micro is not installed its answers are missing, and what was `kept` of a recorded
    run stands for what they differ by.
    """

    answers: Mapping[str, np.ndarray]
    where: str
    kept: Mapping[str, Difference] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The runtimes that can be compared, micro last."""
        return tuple(dict.fromkeys([*self.answers, MICRO]))

    def difference(self, one: str, other: str) -> Difference:
        """Compare two runtimes by name. Raises LookupError that lists the names."""
        for name in (one, other):
            if name not in self.names:
                raise LookupError(f"There is no {name!r}, only {', '.join(self.names)}.")
        if MICRO in (one, other) and one != other and MICRO not in self.answers:
            return self.kept[one if other == MICRO else other]
        first, second = (self.answers[name].astype(np.int64) for name in (one, other))
        steps = abs(first - second).max(axis=1)
        changed = first.argmax(axis=1) != second.argmax(axis=1)
        return Difference(len(steps), int((steps > 0).sum()), int(steps.max()), int(changed.sum()))


def compare_runtimes(model_bytes: bytes, features: np.ndarray) -> Runtimes:
    """Run an int8 model on (n, …) float32 features in every runtime. Takes about 10 ms a clip.

    Where tflite-micro is not installed, the recorded run says what it differs by.
    """
    vouch(model_bytes, np.asarray(features, np.float32)[:1])
    runners = {name: Interpreter(model_bytes, **options) for name, options in RUNTIMES.items()}
    first = next(iter(runners.values())).inputs[0]
    rows = quantize(np.asarray(features, np.float32).reshape(-1, *first.shape), first)

    def answered(runner: Interpreter) -> np.ndarray:
        return np.concatenate([runner.step(row) for row in rows])

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # LiteRT lets other threads work
        answers = dict(zip(runners, threads.map(answered, runners.values()), strict=True))
    if interpreter.available():
        theirs = interpreter.Interpreter(model_bytes).run_stored(features)
        return Runtimes(answers | {MICRO: theirs}, record.HERE)
    kept = record.load()["runtimes"].items()
    differences = {name: Difference(**each) for name, each in kept}
    return Runtimes(answers, record.date_line(), differences)


def compared_clips() -> dataset.Clips:
    """Return the clips that runtimes are compared on: more than a thousand, of every split."""
    held = dataset.joined(dataset.bundled("test"), dataset.bundled("validation"))
    train = dataset.bundled("train")
    return dataset.joined(held, train[:: max(1, len(train) // 500)])

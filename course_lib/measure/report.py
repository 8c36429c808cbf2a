"""The `Report`: everything that is measured of one model on one set of labelled clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from course_lib.measure.arena import arena_bytes
from course_lib.measure.latency import latencies
from course_lib.measure.sizes import bytes_by_kind
from course_lib.measure.statistics import Change, exact_p, wilson

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Report:
    """What was measured of one model on one set of labelled clips.

    `bytes` and `weight_bytes` are sizes (0 when the model is no file); `labels` and `predictions`
    are (n,) class numbers, `probabilities` (n, classes); `kinds` maps each of `KINDS` to bytes;
    `seconds` is the median time for one clip, nan where it was not measured; `arena_bytes` the
    memory that TensorFlow Lite Micro needs to run it, 0 where it was not measured or cannot.
    """

    name: str
    bytes: int
    weight_bytes: int
    labels: np.ndarray
    probabilities: np.ndarray
    kinds: Mapping[str, int] = field(default_factory=dict)
    seconds: float = math.nan
    arena_bytes: int = 0

    @cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each clip, (n,) int64; the first one on a tie."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """Which clips were named correctly, (n,) bool."""
        return self.predictions == self.labels

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> int:
        return int(self.right.sum())

    @property
    def accuracy(self) -> float:
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval around the accuracy."""
        return wilson(self.correct, self.n)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts, (classes, classes) int64: row = true class, column = predicted class."""
        classes = self.probabilities.shape[1]
        table = np.zeros((classes, classes), np.int64)
        np.add.at(table, (self.labels, self.predictions), 1)
        return table

    @property
    def recalls(self) -> np.ndarray:
        """The share of each class that was found, (classes,); nan for a class with no clip."""
        totals = self.confusion.sum(axis=1)
        shares = np.full(len(totals), np.nan)
        return np.divide(np.diag(self.confusion), totals, out=shares, where=totals > 0)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.name}: {self.bytes:,} bytes, {self.accuracy:.1%} right "
            f"of {self.n:,} clips ({low:.1%} to {high:.1%})"
        )


def report(name: str, model: bytes | Predict, clips) -> Report:
    """Measure `model` on `clips`, which are labelled clips or a pair (features, labels).

    Bytes are taken to be a .tflite file and run with LiteRT's reference kernels, so that the answer
    is the same on every machine. Raises ValueError when there are no clips or the answer does not
    fit them.
    """
    features, labels = _features_and_labels(clips)
    if isinstance(model, (bytes, bytearray, memoryview)):
        from course_lib import tflite

        kinds = bytes_by_kind(bytes(model))
        probabilities = tflite.Interpreter(bytes(model), reference=True).run(features)
        sizes = len(model), kinds["weights"]
    else:
        kinds, sizes = {}, (0, 0)
        probabilities = model(features)
    probabilities = np.asarray(probabilities, np.float32)
    _check_answer(name, probabilities, labels)
    return Report(name, *sizes, labels, probabilities, kinds)


def reports(models: Mapping[str, bytes], clips, rounds: int = 50) -> tuple[Report, ...]:
    """Measure several .tflite models on the same clips: answers, arenas, latencies in turns.

    Latency is that of one clip on one thread with LiteRT's own optimised kernels, no delegate; the
    median of `rounds`, 0 to leave it out. Only ratios of it mean anything beyond this machine.
    """
    from course_lib import tflite

    pair = _features_and_labels(clips)
    found = [
        replace(report(name, model, pair), arena_bytes=arena_bytes(model))
        for name, model in models.items()
    ]
    if not rounds:
        return tuple(found)
    runners = [tflite.Interpreter(model) for model in models.values()]
    starts = [_one_step(runner, pair[0][:1]) for runner in runners]
    seconds = latencies(starts, rounds)
    return tuple(
        replace(each, seconds=float(time)) for each, time in zip(found, seconds, strict=True)
    )


def _one_step(runner, features: np.ndarray) -> Callable[[], object]:
    """Return a function that runs one clip, already on the input's grid."""
    from course_lib.tflite.interpreter import quantize

    about = runner.inputs[0]
    value = quantize(features.reshape(about.shape), about)
    return lambda: runner.step(value)


def _check_answer(name: str, probabilities: np.ndarray, labels: np.ndarray) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ValueError(
            f"{name} answered {len(labels)} clips with shape {probabilities.shape}: "
            "a model has to give one row of probabilities a clip."
        )
    if probabilities.shape[1] <= labels.max():
        raise ValueError(
            f"{name} knows {probabilities.shape[1]} classes and the clips have labels "
            f"up to {labels.max()}: measure it on clips with its own labels."
        )


def _features_and_labels(clips) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(clips, tuple):
        features, labels = clips
    else:
        from course_lib.sound import features as module

        features, labels = module.of(clips), clips.labels
    labels = np.asarray(labels, np.int64)
    if len(labels) == 0 or len(features) != len(labels):
        raise ValueError(
            f"{len(features)} features and {len(labels)} labels: "
            "give at least one clip, and a label for each."
        )
    return np.asarray(features, np.float32), labels


def agreement(first: Report, second: Report) -> float:
    """Return the share of clips to which both models give the same name, right or wrong."""
    _same_clips(first, second)
    return float(np.mean(first.predictions == second.predictions))


def mcnemar(before: Report, after: Report) -> Change:
    """Test whether `after` is really better or worse than `before` on the same clips.

    Only clips that changed between right and wrong can tell; if nothing real had changed, each of
    them would have fallen to either side like a coin. The p value is the exact two-sided one.
    Source: Q. McNemar, Psychometrika 12 (1947), 153. Raises ValueError for different clips.
    """
    _same_clips(before, after)
    lost = int(np.sum(before.right & ~after.right))
    gained = int(np.sum(~before.right & after.right))
    return Change(lost, gained, exact_p(lost, gained))


def _same_clips(first: Report, second: Report) -> None:
    if not np.array_equal(first.labels, second.labels):
        raise ValueError(
            f"{first.name} and {second.name} were measured on different clips: "
            "measure both on the same ones first."
        )

"""The `Report`: everything that is measured of one model on one set of labelled clips."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import bdtr, ndtri

from course_lib import micro, tflite
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import bytes_by_kind
from course_lib.measure import labels as labels_of_models
from course_lib.sound import features
from course_lib.sound.dataset import LABELS, Clips, folders, label_of
from course_lib.tflite.interpreter import quantize

Predict = Callable[[np.ndarray], np.ndarray]
LabelledFeatures = Clips | tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Report:
    """What was measured of one model on one set of labelled clips.

    `bytes` and `weight_bytes` are sizes (0 when the model is no file); `labels` and `predictions`
    are (n,) class numbers, `probabilities` (n, classes); `kinds` maps each of `KINDS` to bytes;
    `seconds` is the median time for one clip, nan where it was not measured; `arena_bytes` the
    memory that TensorFlow Lite Micro needs to run it, 0 where it was not measured or cannot;
    `names` are those of the classes, by default the four labels or numbers.
    """

    name: str
    bytes: int
    weight_bytes: int
    labels: np.ndarray
    probabilities: np.ndarray
    kinds: Mapping[str, int] = field(default_factory=dict)
    seconds: float = math.nan
    arena_bytes: int = 0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Name the classes where nobody has."""
        names = self.names or labels_of_models.numbered(self.probabilities.shape[1])
        object.__setattr__(self, "names", names)

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


def report(
    name: str, model: bytes | Predict, clips: LabelledFeatures, guard: tflite.Guard | None = None
) -> Report:
    """Measure `model` on `clips`, which are labelled clips or a pair (features, labels).

    Bytes are taken to be a .tflite file and run with LiteRT's reference kernels, so that the answer
    is the same on every machine; with a `guard`, in its process. Where such a file names its
    classes, they are put into the order of the clips' labels. Raises ValueError when there are no
    clips or the answer does not fit them.
    """
    inputs, labels = _features_and_labels(clips)
    if isinstance(model, (bytes, bytearray, memoryview)):
        model = bytes(model)
        kinds = bytes_by_kind(model)
        if guard is None:
            probabilities = tflite.run(model, inputs, reference=True)
        else:
            probabilities = guard.run(model, inputs, reference=True)
        if isinstance(clips, Clips) and list(map(label_of, clips.words)) == labels.tolist():
            probabilities = _arranged(name, model, probabilities)  # not for labels of one's own
        sizes = len(model), kinds["weights"]
    else:
        kinds, sizes = {}, (0, 0)
        probabilities = model(inputs)
    probabilities = np.asarray(probabilities, np.float32)
    _check_answer(name, probabilities, labels)
    return Report(name, *sizes, labels, probabilities, kinds)


def _arranged(name: str, model: bytes, probabilities: np.ndarray) -> np.ndarray:
    """Return the answers in the order of LABELS where the model's file names its classes."""
    names = labels_of_models.inside(model, np.shape(probabilities)[-1])
    if not names:
        return probabilities
    words = [folders.word_of(each) for each in names]
    if sorted(words) != sorted(LABELS):
        raise ValueError(
            f"{name} names its classes {', '.join(names[:12])}, and the clips have the labels "
            f"{', '.join(LABELS)}: measure it on clips with its own labels."
        )
    return probabilities[..., [words.index(label) for label in LABELS]]


def guard_for(models: Iterable[bytes], clips: int) -> tflite.Guard:
    """Return a guard with time and memory for honest models of these sizes on so many clips."""
    largest = max(map(len, models), default=0)
    return tflite.Guard(10.0 + 0.5 * clips, (1 << 30) + 16 * largest + (clips << 15))


def reports(
    models: Mapping[str, bytes], clips: LabelledFeatures, rounds: int = 50, foreign: bool = False
) -> tuple[Report, ...]:
    """Measure several .tflite models on the same clips: answers, arenas, latencies in turns.

    Latency is that of one clip on one thread with LiteRT's own optimised kernels, no delegate; the
    median of `rounds`, 0 to leave it out. Only ratios of it mean anything beyond this machine.
    `foreign` models run first in a process that may crash.
    """
    pair = _features_and_labels(clips)
    given = clips if isinstance(clips, Clips) else pair
    guard = guard_for(models.values(), len(pair[0])) if foreign else nullcontext()
    with guard as safe, micro.Device() as device:
        measured = []
        for name, model in models.items():
            one = report(name, model, given, safe)
            if safe is not None:
                safe.run(model, pair[0])  # also with the kernels that are timed below
            measured.append(replace(one, arena_bytes=arena_bytes(model, device)))
    if not rounds:
        return tuple(measured)
    seconds = latencies([_one_step(model, pair[0][:1]) for model in models.values()], rounds)
    return tuple(
        replace(one, seconds=float(time)) for one, time in zip(measured, seconds, strict=True)
    )


def arena_bytes(model: bytes, device: micro.Device | None = None) -> int:
    """Return the smallest arena, within 16 bytes, that the interpreter accepts for `model`.

    Many models share a process where `device` is one, such as `reports` keeps. The answer is 0
    where tflite-micro is not installed (it exists for Linux on x86-64 only) or does not run the
    model, as with float16 weights. Raises ValueError for bytes that are no .tflite file.
    """
    tflite_file.check(model)
    return micro.smallest_arena(model, device=device) if micro.available() else 0


def latencies(runs: Sequence[Callable[[], object]], rounds: int = 30) -> np.ndarray:
    """Return the median seconds of each function in `runs`, called in turn `rounds` times.

    Taking turns in one process spreads whatever else the machine does evenly over all of them;
    the median forgets the rounds in which it did something else. One more round warms up.
    """
    seconds = np.empty((rounds + 1, len(runs)))
    for turn in range(rounds + 1):
        for column, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[turn, column] = time.perf_counter() - start
    return np.median(seconds[1:], axis=0)


def _one_step(model: bytes, clip: np.ndarray) -> Callable[[], object]:
    """Return a function that runs one clip, already on the input's grid."""
    interpreter = tflite.Interpreter(model)
    about = interpreter.inputs[0]
    value = quantize(np.resize(clip, about.shape), about)  # a batch is the clip again and again
    return lambda: interpreter.step(value)


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


def _features_and_labels(clips: LabelledFeatures) -> tuple[np.ndarray, np.ndarray]:
    inputs, labels = clips if isinstance(clips, tuple) else (features.of(clips), clips.labels)
    labels = np.asarray(labels, np.int64)
    if len(labels) == 0 or len(inputs) != len(labels):
        raise ValueError(
            f"{len(inputs)} features and {len(labels)} labels: "
            "give at least one clip, and a label for each."
        )
    return np.asarray(inputs, np.float32), labels


@dataclass(frozen=True)
class Change:
    """How two models differ on the same clips: lost, gained, and McNemar's two-sided exact p."""

    lost: int
    gained: int
    p_value: float

    @property
    def verdict(self) -> str:
        """One word on the change: 'worse', 'better' or 'noise' (at the usual 5 %)."""
        if self.p_value >= 0.05:
            return "noise"
        return "worse" if self.lost > self.gained else "better"


def wilson(correct: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval (low, high) for a share of `correct` out of `n`.

    Unlike the textbook's plus or minus 1.96 standard errors it stays inside 0 to 1 and is not
    empty at 0 or 100 %. Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209.
    Raises ValueError unless 0 <= correct <= n and n > 0.
    """
    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"{correct} out of {n} is no share: give 0 <= correct <= n and n > 0.")
    share, z = correct / n, ndtri(0.975)
    divisor = 2 * (n + z**2)
    middle = (2 * n * share + z**2) / divisor
    reach = z / divisor * np.sqrt(4 * n * share * (1 - share) + z**2)
    return float(middle - reach) if correct else 0.0, float(middle + reach) if correct < n else 1.0


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
    if lost + gained == 0:  # nothing to flip a coin for
        return Change(0, 0, 1.0)
    return Change(lost, gained, min(1.0, 2 * float(bdtr(min(lost, gained), lost + gained, 0.5))))


def _same_clips(first: Report, second: Report) -> None:
    if not np.array_equal(first.labels, second.labels):
        raise ValueError(
            f"{first.name} and {second.name} were measured on different clips: "
            "measure both on the same ones first."
        )

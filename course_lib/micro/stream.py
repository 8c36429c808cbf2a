"""Listening without an end: a window slides over sound, words are found and compared with spoken.

A detector is judged by its hits, its misses, and its false alarms per hour.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.sound import dataset, features
from course_lib.sound.audio import CLIP_SAMPLES, SAMPLE_RATE_HZ
from course_lib.tflite.interpreter import Interpreter

LABELS, WORDS = dataset.LABELS, dataset.LABELS[2:]
HOP_SECONDS = 0.25
DEAF_SECONDS = 1.0  # after a word is found, it is in the window for that long
_NOISE = 0.004  # of full scale: a quiet room
_EARLY_SECONDS, _LATE_SECONDS = 0.2, 2.0  # after the start of a clip of one second


@dataclass(frozen=True)
class Spoken:
    """A word in a recording: when its second begins, and its label."""

    start: float
    label: str


@dataclass(frozen=True)
class Found:
    """A word that was found: at the end of which window, its label and its smoothed share."""

    end: float
    label: str
    share: float


@dataclass(frozen=True)
class Outcome:
    """How a detector did: the words found are hits or false alarms, a word not found is missed."""

    hits: tuple[Found, ...]
    false_alarms: tuple[Found, ...]
    missed: tuple[Spoken, ...]
    seconds: float

    @property
    def words(self) -> int:
        """How many words there were to find."""
        return len(self.hits) + len(self.missed)

    @property
    def hit_share(self) -> float:
        """The share of the words that were found."""
        return len(self.hits) / self.words if self.words else float("nan")

    @property
    def false_alarms_per_hour(self) -> float:
        """False alarms in an hour at this rate."""
        return 3600 * len(self.false_alarms) / self.seconds


@dataclass(frozen=True, eq=False)
class Recording:
    """A long wave (samples,) float32 at 16 kHz, and every word in it with its start."""

    wave: np.ndarray
    words: tuple[Spoken, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.wave) / SAMPLE_RATE_HZ


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of each window: `ends` (n,) in seconds, `shares` (n, classes) 0 to 1."""

    ends: np.ndarray
    shares: np.ndarray


def long_recording(
    clips: dataset.Clips, seconds: int = 600, keywords: int = 40, others: int = 60, seed: int = 7
) -> Recording:
    """Return a recording of words at random times over a noise that comes and goes.

    Words are drawn from `clips`, at most one every two seconds. Raises ValueError where so many
    words do not fit.
    """
    places = seconds // 2 - 1
    if keywords + others > places:
        raise ValueError(f"{keywords + others} words do not fit into {seconds} s, {places} would.")
    rng = np.random.default_rng(seed)
    wave = _background(rng, seconds * SAMPLE_RATE_HZ)
    starts = 1 + 2 * np.sort(rng.choice(places, keywords + others, replace=False))
    is_keyword = rng.permutation(np.arange(keywords + others) < keywords)
    wanted = {True: _places(clips, WORDS), False: _places(clips, ("_unknown_",))}
    words = []
    for slot, keyword in zip(starts, is_keyword, strict=True):
        place = int(rng.choice(wanted[bool(keyword)]))
        start = int((slot + rng.uniform(0, 0.9)) * SAMPLE_RATE_HZ)
        wave[start : start + CLIP_SAMPLES] += clips.waves[place]
        words.append(Spoken(start / SAMPLE_RATE_HZ, LABELS[clips.labels[place]]))
    return Recording(np.clip(wave, -1, 1).astype(np.float32), tuple(words))


def slide(
    model: bytes | Callable[[np.ndarray], np.ndarray],
    wave: np.ndarray,
    hop_seconds: float = HOP_SECONDS,
) -> Scores:
    """Return what a model says of every one-second window of a wave (samples,) float32.

    `model` is a .tflite file, or a function from features (n, 49, 40) to shares (n, classes).
    Raises ValueError for less than a second of sound.
    """
    if len(wave) < CLIP_SAMPLES:
        raise ValueError(f"{len(wave)} samples are less than a second: {CLIP_SAMPLES} are needed.")
    hop = max(1, round(hop_seconds * SAMPLE_RATE_HZ))
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(wave, np.float32), CLIP_SAMPLES)
    windows = windows[::hop]
    answer = Interpreter(model).run if isinstance(model, bytes) else model
    shares = answer(features.log_mel(windows))
    ends = (np.arange(len(windows)) * hop + CLIP_SAMPLES) / SAMPLE_RATE_HZ
    return Scores(ends, shares)


def smooth(shares: np.ndarray, windows: int) -> np.ndarray:
    """Return the mean of each row of (n, classes) and the `windows - 1` rows before it.

    Only the past is used, as a device knows no more; the first rows have less of it.
    """
    if windows < 1:
        raise ValueError(f"A mean of {windows} windows is none: take 1 or more.")
    sums = np.cumsum(np.asarray(shares, np.float64), axis=0)
    sums[windows:] = sums[windows:] - sums[:-windows]
    counts = np.minimum(np.arange(1, len(sums) + 1), windows)
    return sums / counts[:, np.newaxis]


def detect(
    ends: Sequence[float], shares: np.ndarray, threshold: float, deaf_seconds: float = DEAF_SECONDS
) -> tuple[Found, ...]:
    """Return the words found: where the share of one reaches `threshold`, (n, classes) in order.

    After a word, nothing is found for `deaf_seconds`: its sound is still in the window.
    """
    words, deaf_until = [], -np.inf
    first = len(LABELS) - len(WORDS)
    for end, row in zip(ends, shares, strict=True):
        best = first + int(np.argmax(row[first:]))
        if row[best] >= threshold and end >= deaf_until:
            words.append(Found(float(end), LABELS[best], float(row[best])))
            deaf_until = end + deaf_seconds
    return tuple(words)


def judge(found: Sequence[Found], spoken: Sequence[Spoken], seconds: float) -> Outcome:
    """Compare what was found with what was spoken in a recording of so many seconds.

    A find is a hit where a word of its label began 0.2 to 2 seconds before; each word counts once.
    """
    open_words = [word for word in spoken if word.label in WORDS]
    hits, alarms = [], []
    for each in sorted(found, key=lambda one: one.end):
        fitting = [
            word
            for word in open_words
            if word.label == each.label and _EARLY_SECONDS <= each.end - word.start <= _LATE_SECONDS
        ]
        if fitting:
            open_words.remove(fitting[0])
            hits.append(each)
        else:
            alarms.append(each)
    return Outcome(tuple(hits), tuple(alarms), tuple(open_words), seconds)


def _places(clips: dataset.Clips, labels: Sequence[str]) -> np.ndarray:
    wanted = [LABELS.index(label) for label in labels]
    places = np.flatnonzero(np.isin(clips.labels, wanted))
    if not len(places):
        raise ValueError(f"There is no clip of {', '.join(labels)} to make a recording of.")
    return places


def _background(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Return noise whose energy falls with the frequency, and which comes and goes; float64."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))  # energy as 1/f: pink
    noise = np.fft.irfft(spectrum, samples)
    turns = np.interp(np.linspace(0, 1, samples), np.linspace(0, 1, 60), rng.uniform(0.2, 2, 60))
    return noise / noise.std() * _NOISE * turns

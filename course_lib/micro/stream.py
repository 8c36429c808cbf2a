"""Listening without an end: a window slides over sound, scores are smoothed, words are found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.micro.found import Found, Spoken
from course_lib.sound import dataset, features
from course_lib.sound.audio import CLIP_SAMPLES, SAMPLE_RATE_HZ
from course_lib.tflite.interpreter import Interpreter

LABELS, WORDS = dataset.LABELS, dataset.LABELS[2:]
HOP_SECONDS = 0.25
DEAF_SECONDS = 1.0  # after a word is found, it is in the window for that long
_NOISE = 0.004


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
    """What a model says of each window: `ends` (n,) in seconds, `shares` (n, classes) 0 to 1.

    `seconds` is how long that took to compute, `heard` how much sound it was.
    """

    ends: np.ndarray
    shares: np.ndarray
    seconds: float = 0.0
    heard: float = 0.0

    @property
    def real_time_factor(self) -> float:
        """Computing time for a second of sound: below 1, a machine keeps up."""
        return self.seconds / self.heard


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
    begin = time.perf_counter()
    shares = answer(features.log_mel(windows))
    seconds = time.perf_counter() - begin
    ends = (np.arange(len(windows)) * hop + CLIP_SAMPLES) / SAMPLE_RATE_HZ
    return Scores(ends, shares, seconds, len(wave) / SAMPLE_RATE_HZ)


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
    found, deaf_until = [], -np.inf
    first = len(LABELS) - len(WORDS)
    for end, row in zip(ends, shares, strict=True):
        best = first + int(np.argmax(row[first:]))
        if row[best] >= threshold and end >= deaf_until:
            found.append(Found(float(end), LABELS[best], float(row[best])))
            deaf_until = end + deaf_seconds
    return tuple(found)


def _places(clips: dataset.Clips, labels: Sequence[str]) -> np.ndarray:
    wanted = [LABELS.index(label) for label in labels]
    places = np.flatnonzero(np.isin(clips.labels, wanted))
    if not len(places):
        raise ValueError(f"There is no clip of {', '.join(labels)} to make a recording of.")
    return places


def _background(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Return noise whose energy falls with the frequency, and which comes and goes; float64."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    noise = np.fft.irfft(spectrum, samples)
    turns = np.interp(np.linspace(0, 1, samples), np.linspace(0, 1, 60), rng.uniform(0.2, 2, 60))
    return noise / noise.std() * _NOISE * turns

"""Listening without an end: scores over time, and what a threshold finds and misses."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from course_lib.micro import Outcome, Recording, Scores, detect, judge, smooth
from course_lib.sound.dataset import LABELS
from course_lib.views import shell, style

_MINUTE = 60.0
_WORDS = tuple(zip(LABELS[2:], ("blue", "red"), ("-", "--"), strict=False))


def outcome(recording: Recording, scores: Scores, windows: int, threshold: float) -> Outcome:
    """Return how a detector with this smoothing and this threshold does on a recording."""
    detected = detect(scores.ends, smooth(scores.shares, windows), threshold)
    return judge(detected, recording.words, recording.seconds)


def sentence(result: Outcome) -> str:
    """Return an outcome in one sentence."""
    alarms = len(result.false_alarms)
    return (
        f"{len(result.hits)} of {result.words} words found, {len(result.missed)} missed, "
        f"{alarms} false alarm{'' if alarms == 1 else 's'}: "
        f"{result.false_alarms_per_hour:.0f} an hour."
    )


def curve(
    recording: Recording,
    scores: Scores,
    windows: int,
    threshold: float,
    start: float = 0.0,
    length: float = _MINUTE,
) -> style.Picture:
    """Return a minute of smoothed scores with the words spoken below and those found above."""
    return _Minute(recording, scores, start, length).picture(windows, threshold)


class _Minute:
    """Axes and the words that were spoken, drawn once; scores and what was found each time."""

    def __init__(self, recording: Recording, scores: Scores, start: float, length: float) -> None:
        self.recording, self.scores, self.ends = recording, scores, (start, start + length)
        fig, self.axes = style.figure(11, 4.4)
        for word, colour, dash in _WORDS:
            self.axes.plot([], [], dash, color=style.PALETTE[colour], lw=1.5, label=word)
        self._marks([(w.start + 1, -0.13, w.label) for w in recording.words], "black")
        self.axes.set(xlim=self.ends, ylim=(-0.22, 1.2), yticks=[0, 0.5, 1])
        self.axes.set_xlabel(
            "seconds; below: words spoken, above: words found (✓ hit, ✗ false alarm)"
        )
        self.axes.set_ylabel("smoothed share")
        self.axes.set_title(" ", fontsize=12, pad=24)
        fig.legend(*self.axes.get_legend_handles_labels(), loc="outside upper right", ncols=2)
        self.drawn = style.Redrawn(fig)

    def picture(self, windows: int, threshold: float) -> style.Picture:
        shares = smooth(self.scores.shares, windows)
        result = outcome(self.recording, self.scores, windows, threshold)
        seen = (self.scores.ends >= self.ends[0]) & (self.scores.ends <= self.ends[1])
        moving = [self.axes.axhline(threshold, color=style.PALETTE["grey"], lw=1, ls=":")]
        for word, colour, dash in _WORDS:
            values = shares[seen, LABELS.index(word)]
            look = {"color": style.PALETTE[colour], "lw": 1.5, "ls": dash}
            moving += self.axes.plot(self.scores.ends[seen], values, **look)
        moving += self._marks([(f.end, 1.08, f"{f.label} ✓") for f in result.hits], "green")
        alarms = [(f.end, 1.08, f"{f.label} ✗") for f in result.false_alarms]
        moving += self._marks(alarms, "red")
        above = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 12}
        moving.append(self.axes.annotate(sentence(result), (0, 1), (0, 24), **above))
        return self.drawn.picture(
            moving, "scores over time, with the words spoken and the words found"
        )

    def _marks(self, marks: Sequence[tuple[float, float, str]], colour: str) -> list[Any]:
        """Write words at their times; unknown words are dots, so that the line stays readable."""
        written = []
        for at, height, text in marks:
            if self.ends[0] <= at <= self.ends[1]:
                shown, angle = ("·", 0) if text.startswith("_") else (text, 45)
                look = {"fontsize": 10, "color": style.PALETTE[colour], "rotation": angle}
                written.append(self.axes.text(at, height, shown, ha="center", va="center", **look))
        return written


def trade(recording: Recording, scores: Scores, smoothings=(1, 2, 4)) -> style.Picture:
    """Return hits against false alarms an hour, a line for each smoothing, over thresholds."""
    fig, axes = style.figure(9, 4.4)
    thresholds = np.linspace(0.3, 0.98, 35)
    for windows, marker in zip(smoothings, "os^", strict=True):
        results = [outcome(recording, scores, windows, each) for each in thresholds]
        alarms = [each.false_alarms_per_hour for each in results]
        hits = [100 * each.hit_share for each in results]
        name = f"mean of {windows}" if windows > 1 else "no smoothing"
        axes.plot(alarms, hits, marker=marker, markersize=5, lw=1.2, label=name)
    axes.set(xlabel="false alarms an hour", ylabel="% of the words found", ylim=(0, 103))
    axes.set_xscale("symlog", linthresh=6)
    axes.set_xticks([0, 6, 20, 60, 200], ["0", "6", "20", "60", "200"])
    axes.legend(loc="lower right")
    return style.show(fig, "words found against false alarms an hour for three smoothings")


class Detector(shell.View):
    """Three sliders and the picture that they change; the outcome is of the whole recording."""

    label = "sliders for smoothing and threshold over a recording"

    def __init__(
        self, recording: Recording, scores: Scores, windows: int = 2, threshold: float = 0.7
    ) -> None:
        self.recording, self.scores = recording, scores
        self.windows, self.threshold = windows, threshold
        self._of = cache(lambda n: _Minute(recording, scores, n * _MINUTE, _MINUTE))

    def controls(self) -> Any:
        last = max(0, int(self.recording.seconds // _MINUTE) - 1)
        windows = shell.slider("windows in the mean", self.windows, 1, 8, continuous=False)
        threshold = shell.slider("threshold", self.threshold, 0.3, 0.98, 0.02, continuous=False)
        minute = shell.slider("minute", 0, 0, last, continuous=False)
        return shell.live(self.page, windows, threshold, minute)

    def page(self, windows: int, threshold: float, minute: int) -> str:
        """Return the HTML of the outcome in one sentence, and of one minute of the recording."""
        said = sentence(outcome(self.recording, self.scores, windows, threshold))
        return shell.note(said) + self._of(minute).picture(windows, threshold).html()

    def still(self) -> style.Picture:
        return curve(self.recording, self.scores, self.windows, self.threshold)

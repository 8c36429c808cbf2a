"""A slider on a threshold: what is missed above it, what sets off an alarm, to hear."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from course_lib import measure
from course_lib.sound import dataset
from course_lib.views import confusion as draw

MOST = 3  # players shown for each kind of error
_LEVELS = np.linspace(0, 1, 101)
_KEYWORDS = [place for place, label in enumerate(dataset.LABELS) if not label.startswith("_")]


class Threshold:
    """How sure a model is that a clip is a keyword, and which clips are keywords.

    Above the threshold it speaks up. A keyword below it is missed; anything else above it is a
    false alarm.
    """

    def __init__(self, report: measure.Report, clips: dataset.Clips) -> None:
        if not np.array_equal(report.labels, clips.labels):
            raise ValueError(f"{report.name} was measured on other clips: pass those.")
        self.clips = clips
        self.sure = report.probabilities[:, _KEYWORDS].max(axis=1)
        self.keyword = np.isin(report.labels, _KEYWORDS)

    def missed(self, level: float) -> np.ndarray:
        """Return the places of the keywords that are not surer than `level`, the surest first."""
        places = np.flatnonzero(self.keyword & (self.sure <= level))
        return places[np.argsort(-self.sure[places], kind="stable")]

    def alarms(self, level: float) -> np.ndarray:
        """Return the places of the false alarms above `level`, the surest first."""
        places = np.flatnonzero(~self.keyword & (self.sure > level))
        return places[np.argsort(-self.sure[places], kind="stable")]

    def picture(self, level: float) -> Any:
        """Return the curves of both errors with the threshold marked."""
        words, others = max(1, self.keyword.sum()), max(1, (~self.keyword).sum())
        missed = np.array([len(self.missed(each)) / words for each in _LEVELS])
        alarms = np.array([len(self.alarms(each)) / others for each in _LEVELS])
        return draw.thresholds(_LEVELS, missed, alarms, level)

    def html(self, level: float) -> str:
        """Return what happens at a threshold, and players for some of the errors."""
        missed, alarms = self.missed(level), self.alarms(level)
        told = (
            f"At {level:.2f}: {len(missed)} of {self.keyword.sum()} keywords are missed, and "
            f"{len(alarms)} of {(~self.keyword).sum()} other clips set off an alarm."
        )
        return (
            f'<div role="status" aria-live="polite">{told}</div>'
            + self._players("missed", missed)
            + self._players("false alarm", alarms)
        )

    def widget(self, level: float) -> Any:
        """Return the widget: a slider, the curves, the players."""
        from course_lib.views import shell

        def move(at: float) -> None:
            view.value = self.picture(at).html() + self.html(at)

        slider = shell.slider("Threshold", level, 0.0, 1.0, 0.01, move, continuous=False)
        view = shell.html(self.picture(level).html() + self.html(level))
        return shell.column(slider, view)

    def show(self, level: float = 0.5) -> None:
        """Display the slider at `level`, with the picture as its twin."""
        from course_lib.views import shell

        shell.show(self.widget(level), self.picture(level))

    def _players(self, kind: str, places: np.ndarray) -> str:
        lines = []
        for place in places[:MOST]:
            told = html.escape(f"{kind}: {self.clips.words[place]}, {self.sure[place]:.0%} sure")
            lines.append(f"<div>{self.clips.play(place).html()} {told}</div>")
        return "".join(lines)


def threshold(report: measure.Report, clips: dataset.Clips) -> Threshold:
    """Return a threshold to move, to end a cell with `.show(0.5)`."""
    return Threshold(report, clips)

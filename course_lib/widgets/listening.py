"""Sliders over a long recording: smoothing, threshold, and which minute is shown."""

from __future__ import annotations

from typing import Any

from course_lib.micro import Recording, Scores
from course_lib.views import listening as draw
from course_lib.views import shell

_MINUTE = 60.0


class Detector:
    """Three sliders and the picture that they change; the outcome is of the whole recording."""

    def __init__(self, recording: Recording, scores: Scores, windows: int, threshold: float):
        self.recording, self.scores = recording, scores
        last = max(0, int(recording.seconds // _MINUTE) - 1)
        self.windows = shell.slider("windows in the mean", windows, 1, 8, 1, self._changed, False)
        self.threshold = shell.slider("threshold", threshold, 0.3, 0.98, 0.02, self._changed, False)
        self.minute = shell.slider("minute", 0, 0, last, 1, self._changed, False)
        self.status, self.view = shell.html(), shell.html()
        controls = shell.row(self.windows, self.threshold, self.minute)
        self.box = shell.column(controls, self.status, self.view)
        self._changed(None)

    def picture(self) -> Any:
        """Return the picture for where the sliders stand."""
        return draw.curve(
            self.recording,
            self.scores,
            self.windows.value,
            self.threshold.value,
            self.minute.value * _MINUTE,
        )

    def _changed(self, _: object) -> None:
        result = draw.outcome(self.recording, self.scores, self.windows.value, self.threshold.value)
        self.status.value = shell.note(draw.sentence(result))
        self.view.value = self.picture().html()


def explore(recording: Recording, scores: Scores, windows: int = 2, threshold: float = 0.7) -> None:
    """Display the sliders; the static twin is the first minute as they stand."""
    made = Detector(recording, scores, windows, threshold)
    shell.show(made.box, made.picture(), "sliders for smoothing and threshold over a recording")

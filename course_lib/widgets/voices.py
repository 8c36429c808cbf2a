"""Who is understood? Choose a voice, and hear what the model made of it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib import measure
from course_lib.sound import dataset
from course_lib.views import confusion as draw

MOST = 6  # players shown for a voice


class Voices:
    """A report and the clips it was measured on, by who speaks; the hardest voice comes first."""

    def __init__(self, report: measure.Report, clips: dataset.Clips, title: str) -> None:
        if not np.array_equal(report.labels, clips.labels):
            raise ValueError(f"{report.name} was measured on other clips: pass those.")
        self.report, self.clips, self.title = report, clips, title
        names = np.array(clips.voices, object)
        self.places = {voice: np.flatnonzero(names == voice) for voice in set(clips.voices)}
        self.order = sorted(self.places, key=lambda voice: (self.share(voice), voice))

    def share(self, voice: str) -> float:
        """Return the share of a voice's clips that were named correctly."""
        return float(self.report.right[self.places[voice]].mean())

    def mistaken(self, voice: str) -> Sequence[int]:
        """Return the places of a voice's clips that were named wrongly, the surest first."""
        wrong = [place for place in self.places[voice] if not self.report.right[place]]
        sure = self.report.probabilities.max(axis=1)
        return sorted(wrong, key=lambda place: -sure[place])

    def html(self, voice: str) -> str:
        """Return a sentence on a voice, and players for what was taken for something else."""
        wrong, places = self.mistaken(voice), self.places[voice]
        told = f"{len(places) - len(wrong)} of {len(places)} clips of {voice} were understood"
        lines = [f'<div role="status" aria-live="polite">{html.escape(told)}</div>']
        shown = [(place, self._heard(place)) for place in wrong[:MOST]]
        if not wrong:
            shown = [(place, "understood") for place in places[:2]]
        for place, what in shown:
            said = html.escape(f"said {self.clips.words[place]}, {what}")
            lines.append(f"<div>{self.clips.play(place).html()} {said}</div>")
        return "".join(lines)

    def widget(self) -> Any:
        """Return the widget: the picture of all voices, a list of them, players of the chosen."""
        from course_lib.views import shell

        def choose(voice: str) -> None:
            view.value = self.html(voice)

        names = [(f"{voice}: {self.share(voice):.0%}", voice) for voice in self.order]
        chosen = shell.dropdown("Voice", names, self.order[0], choose)
        view = shell.html(self.html(self.order[0]), "clips of a voice")
        return shell.column(shell.html(self.picture().html()), chosen, view)

    def picture(self) -> Any:
        """Return the picture of the share right of every voice."""
        return draw.groups(self.report, self.clips.voices, self.title)

    def show(self) -> None:
        """Display the controls, with the picture as their twin."""
        from course_lib.views import shell

        shell.show(self.widget(), self.picture())

    def _heard(self, place: int) -> str:
        return f"heard as {dataset.LABELS[self.report.predictions[place]]}"


def voices(
    report: measure.Report, clips: dataset.Clips, title: str = "who is understood?"
) -> Voices:
    """Return the voices of labelled clips, to end a cell with `.show()`."""
    return Voices(report, clips, title)

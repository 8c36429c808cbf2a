"""Say a word to the microphone, and see what a model answers; a bundled clip stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.sound import audio, features
from course_lib.sound.dataset import LABELS
from course_lib.views import answer as draw
from course_lib.views import shell, style
from course_lib.views.microphone import REASONS, Take, microphone, take


class Speaker:
    """A record button and the answer to what was recorded; before that, to the spare clip.

    `answer` is a function from features (1, 49, 40) to shares (1, classes).
    """

    def __init__(
        self,
        answer: Callable[[np.ndarray], np.ndarray],
        spare: np.ndarray,
        labels: Sequence[str] = LABELS,
    ) -> None:
        self.answer, self.spare, self.labels = answer, spare, tuple(labels)
        self.view = shell.html()
        self.button = microphone(self._recorded)
        self.box = shell.column(self.button, self.view)
        self.last = Take(spare, REASONS["none"])
        self._draw()

    def _recorded(self, samples: bytes, problem: str) -> None:
        self.last = take(samples, problem, self.spare)
        self._draw()

    def _draw(self) -> None:
        self.view.value = page(self.last, self.shares(), self.labels)

    def shares(self) -> np.ndarray:
        """Return the model's shares, (classes,), for the last take."""
        return self.answer(features.log_mel(self.last.wave[np.newaxis]))[0]


def page(last: Take, shares: np.ndarray, labels: Sequence[str] = LABELS) -> str:
    """Return the HTML of one take: a player, where it came from, what was heard."""
    heard = draw.spoken(labels[int(np.argmax(shares))])
    why = f"{last.problem} This is a bundled clip. " if last.problem else "Your recording. "
    content = audio.play(last.wave).html() + shell.note(f"{why}Heard: {heard}.")
    return style.card(content + draw.bars_html(shares, labels), "the answer to one recording")


def show(
    answer: Callable[[np.ndarray], np.ndarray],
    spare: np.ndarray,
    word: str,
    labels: Sequence[str] = LABELS,
) -> None:
    """Display the button; the static twin is the answer to the spare clip, on which `word` is."""
    made = Speaker(answer, spare, labels)
    twin = draw.gallery(spare[np.newaxis], made.shares()[np.newaxis], [word], labels)
    shell.show(made.box, twin, "a button that records one second, and the model's answer")

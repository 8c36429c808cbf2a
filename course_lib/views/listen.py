"""Pick a clip, hear it, and see what a model makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_lib import tflite
from course_lib.sound import features
from course_lib.sound.dataset import LABELS, Clips
from course_lib.views import answer as draw
from course_lib.views import shell, style


class Listener:
    """A list of clips and the page of the chosen one; every answer is computed at the start.

    `box` is the widget, `clip` its list, `view` the HTML that changes.
    """

    def __init__(self, model_bytes: bytes, clips: Clips) -> None:
        self.clips = clips
        self.answers = tflite.run(model_bytes, features.log_mel(clips.waves))
        names = [
            f"{draw.spoken(word)}, {voice}" if word != voice else draw.spoken(word)
            for word, voice in zip(clips.words, clips.voices, strict=True)
        ]
        options = [(f"{place + 1}: {name}", place) for place, name in enumerate(names)]
        self.clip = shell.dropdown("clip", options, on_change=self._draw)
        self.view = shell.html()
        self._draw(0)
        self.box = shell.column(self.clip, self.view)

    def _draw(self, place: Any) -> None:
        self.view.value = page(self.clips, self.answers, int(place))


def page(clips: Clips, answers: np.ndarray, place: int) -> str:
    """Return the HTML of one clip: a player, what was heard, the (4,) shares as bars."""
    heard = draw.spoken(LABELS[int(answers[place].argmax())])
    told = shell.note(f"Heard: {heard}, said: {draw.spoken(clips.words[place])}.")
    content = clips.play(place).html() + told + draw.bars_html(answers[place])
    return style.card(content, "the answer to one clip")


def show(model_bytes: bytes, clips: Clips) -> None:
    """Display the clips of `clips` to choose from; the static twin shows all of them at once."""
    made = Listener(model_bytes, clips)
    twin = draw.gallery(clips.waves, made.answers, clips.words)
    shell.show(made.box, twin, f"{len(clips)} clips to listen to, with the model's answers")

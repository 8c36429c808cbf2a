"""Clips to hear and to see: a slider over the frames of one, several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.sound import audio, dataset, features
from course_lib.views import features as draw


class Explorer:
    """Some clips to choose from, and the picture of the stages of each frame of the chosen one."""

    def __init__(self, clips: dataset.Clips, frame: int = 24, last: int = 5) -> None:
        if not len(clips):
            raise ValueError("There is no clip to look at: choose at least one.")
        self.clips, self.frame, self.last = clips, frame, last

    def picture(self, place: int, frame: int) -> Any:
        """Return the picture of one frame of clip number `place`."""
        return draw.stages(self.clips.waves[place], frame, self.clips.words[place], self.last)

    def html(self, place: int, frame: int) -> str:
        """Return the picture, and a player under it, as HTML."""
        return self.picture(place, frame).html() + self.clips.play(place)._repr_html_()

    def widget(self) -> Any:
        """Return the widget: a list of clips, a slider over the frames, the picture, a player."""
        from course_lib.views import shell

        def refresh(_: object = None) -> None:
            view.value = self.html(clip.value, frame.value)

        names = [
            (f"{word}, {voice}", place)
            for place, (word, voice) in enumerate(
                zip(self.clips.words, self.clips.voices, strict=True)
            )
        ]
        clip = shell.dropdown("Clip", names, 0, refresh)
        frame = shell.slider(
            "Frame", self.frame, 0, features.FRAMES - 1, on_change=refresh, continuous=False
        )
        view = shell.html(self.html(0, self.frame), "stages of a frame")
        return shell.column(shell.row(clip, frame), view)

    def show(self) -> None:
        """Display the controls, with the still picture of the first clip as their twin."""
        from course_lib.views import shell

        shell.show(self.widget(), self.picture(0, self.frame))


def explorer(clips: dataset.Clips, frame: int = 24, last: int = 5) -> Explorer:
    """Return an explorer of labelled clips, to end a cell with `.show()`.

    `last` is how many of the stages to features are shown, from 2 to 5.
    """
    return Explorer(clips, frame, last)


def gallery(waves: Sequence[np.ndarray], labels: Sequence[str]) -> None:
    """Display the features of clips (16000,) and a player for each; the picture is the twin."""
    from course_lib.views import shell

    picture = draw.maps(features.log_mel(np.stack(waves)), labels)
    players = "".join(
        audio.play(wave, label)._repr_html_() for wave, label in zip(waves, labels, strict=True)
    )
    shell.show(shell.html(picture.html() + players, "clips to hear"), picture)

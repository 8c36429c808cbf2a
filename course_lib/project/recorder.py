"""Record takes of your own words in the page: a count-in, a level meter, listening, and undoing.

Every take is a file before the next one begins, so that a closed browser loses nothing.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_lib.project import takes
from course_lib.sound import audio
from course_lib.views import shell, style
from course_lib.views.microphone import record_button, take

_SECONDS, _COUNT_IN = 1.6, 3  # the loudest second of it is kept
_SHOWN = 20  # players at a time, the newest first


class Recorder:
    """A list of words, a button that records, one that takes the last take back, and the takes."""

    def __init__(self, folder: str | Path, words: Sequence[str]) -> None:
        self.folder, self.words = Path(folder), tuple(words)
        self.word = self.words[0]
        self.view = shell.html()
        self.chooser = shell.dropdown("word", self.words, on_change=self._choose)
        self.button = record_button(self.recorded, _SECONDS, _COUNT_IN, "record a take")
        self.undo = shell.button("take back the last one", self.take_back)
        self.box = shell.column(shell.row(self.chooser, self.button, self.undo), self.view)
        self._draw("Choose a word, press record, wait for the count, and say it.")

    def recorded(self, samples: bytes, problem: str) -> None:
        """Save what the microphone gave, or say why nothing was saved."""
        made = take(samples, problem, np.zeros(0, np.float32))
        if made.problem:
            self._draw(f"{made.problem} Nothing was saved.")
            return
        try:
            path = takes.save(self.folder, self.word, made.wave)
        except OSError as error:
            self._draw(f"This take could not be saved ({error.strerror}): is the disk full?")
            return
        self._draw(f"Saved as {path.as_posix()}.")

    def take_back(self) -> None:
        """Delete the newest take of the chosen word."""
        gone = takes.remove_last(self.folder, self.word)
        self._draw(f"{gone.as_posix()} is deleted." if gone else "There is no take to delete.")

    def _choose(self, word: str) -> None:
        self.word = word
        self._draw(f'Now "{word}".')

    def _draw(self, said: str) -> None:
        self.view.value = page(takes.taken(self.folder, self.words), self.word, said)


def page(taken: dict[str, list[Path]], word: str, said: str) -> str:
    """Return the HTML of all counts and of the players of one word's takes, the newest first."""
    counts = "".join(
        f"<tr><th scope='row' style='text-align:left'>{html.escape(each)}</th>"
        f"<td><meter min='0' max='{takes.WANTED}' value='{len(paths)}' "
        f"aria-label='{html.escape(each)}'></meter></td>"
        f"<td>{len(paths)} of {takes.WANTED}{' ✔' if len(paths) >= takes.WANTED else ''}</td></tr>"
        for each, paths in taken.items()
    )
    players = "".join(
        f"<div>{audio.play(audio.read(path), path.stem).html()} {html.escape(path.stem)}</div>"
        for path in reversed(taken[word][-_SHOWN:])
    )
    table = f"<table style='font-size:14px'>{counts}</table>"
    return style.card(shell.note(said) + table + players, f"takes of {word}")


def show(folder: str | Path, words: Sequence[str]) -> None:
    """Display the recorder; the static twin says what it would do."""
    made = Recorder(folder, words)
    empty: dict[str, list[Path]] = {word: [] for word in made.words}
    twin = page(empty, made.word, "Run this cell in JupyterLab or Colab to record takes here.")
    shell.show(made.box, twin, "a recorder for your own words")

"""Record takes of your own words in the page: a count-in, a level meter, listening, and undoing.

Every take is a file before the next one begins, so that a closed browser loses nothing.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.sound import audio
from course_lib.views import shell, style
from course_lib.views.microphone import record_button, take

FOLDER = Path("my_words")  # beside the notebook; a new run of the lesson leaves it alone

_WANTED = 10  # takes of a word
_SECONDS, _COUNT_IN = 1.6, 3  # the loudest second of it is kept
_SHOWN = 20  # players at a time, the newest first


def save_take(folder: str | Path, word: str, wave: np.ndarray) -> Path:
    """Write one take, (samples,) float32 at 16 kHz, as `folder/word/me_003.wav`; return its path.

    Takes are numbered on from the highest one there is. Raises OSError where nothing can be
    written; the takes that are there stay as they are.
    """
    last = max(map(_number, _paths(folder, word)), default=0)
    return audio.write(Path(folder, word, f"me_{last + 1:03d}.wav"), wave)


def remove_last_take(folder: str | Path, word: str) -> Path | None:
    """Delete the newest take of a word and return its path; None where there is none."""
    last = next(reversed(_paths(folder, word)), None)
    if last is not None:
        last.unlink()
    return last


def takes_of(folder: str | Path, words: Sequence[str]) -> dict[str, list[Path]]:
    """Return the takes of each word, oldest first; a word without any has an empty list."""
    return {word: _paths(folder, word) for word in words}


def _paths(folder: str | Path, word: str) -> list[Path]:
    return sorted(Path(folder, word).glob("me_[0-9][0-9][0-9]*.wav"), key=_number)


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("me_")
    return int(digits) if digits.isdigit() else 0


class Recorder(shell.View):
    """A list of words, a button that records, one that takes the last take back, and the takes."""

    label = "a recorder for your own words"

    def __init__(self, folder: str | Path, words: Sequence[str]) -> None:
        self.folder, self.words = Path(folder), tuple(words)
        if not self.words:
            raise ValueError("Give the recorder a list of words: these are none.")
        self.word = self.words[0]
        self.view = shell.html()
        self.chooser = shell.dropdown("word", self.words, on_change=self._choose)
        self.button = record_button(self.recorded, _SECONDS, _COUNT_IN, "record a take")
        self.undo = shell.button("take back the last one", self.take_back)
        self._draw("Choose a word, press record, wait for the count, and say it.")

    def controls(self) -> Any:
        return shell.column(shell.row(self.chooser, self.button, self.undo), self.view)

    def still(self) -> str:
        """Say what the recorder would do; no take is in it, so that it is always the same."""
        said = "Run this cell in JupyterLab or Colab to record takes here."
        return _page(dict.fromkeys(self.words, []), self.words[0], said)

    def recorded(self, samples: bytes, problem: str) -> None:
        """Save what the microphone gave, or say why nothing was saved."""
        recording = take(samples, problem, np.zeros(0, np.float32))
        if recording.problem:
            self._draw(f"{recording.problem} Nothing was saved.")
            return
        try:
            path = save_take(self.folder, self.word, recording.wave)
        except OSError as error:
            self._draw(f"This take could not be saved ({error.strerror}): is the disk full?")
            return
        self._draw(f"Saved as {path.as_posix()}.")

    def take_back(self) -> None:
        """Delete the newest take of the chosen word."""
        gone = remove_last_take(self.folder, self.word)
        self._draw(f"{gone.as_posix()} is deleted." if gone else "There is no take to delete.")

    def _choose(self, word: str) -> None:
        self.word = word
        self._draw(f'Now "{word}".')

    def _draw(self, said: str) -> None:
        self.view.value = _page(takes_of(self.folder, self.words), self.word, said)


def _page(taken: dict[str, list[Path]], word: str, said: str) -> str:
    """Return the HTML of all counts and of the players of one word's takes, the newest first."""
    counts = "".join(
        f"<tr><th scope='row' style='text-align:left'>{html.escape(each)}</th>"
        f"<td><meter min='0' max='{_WANTED}' value='{len(paths)}' "
        f"aria-label='{html.escape(each)}'></meter></td>"
        f"<td>{len(paths)} of {_WANTED}{' ✔' if len(paths) >= _WANTED else ''}</td></tr>"
        for each, paths in taken.items()
    )
    players = "".join(
        f"<div>{audio.play(audio.read(path), path.stem).html()} {html.escape(path.stem)}</div>"
        for path in reversed(taken[word][-_SHOWN:])
    )
    table = f"<table style='font-size:14px'>{counts}</table>"
    return style.card(shell.note(said) + table + players, f"takes of {word}")

"""Takes: your own recordings of a word, each in a file of its own, saved as soon as it is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_lib.sound import audio

FOLDER = Path("my_words")  # beside the notebook; a new run of the lesson leaves it alone
WANTED = 10


def save(folder: str | Path, word: str, wave: np.ndarray) -> Path:
    """Write one take, (samples,) float32 at 16 kHz, as `folder/word/me_003.wav`; return its path.

    Takes are numbered on from the highest one there is. Raises OSError where nothing can be
    written; the takes that are there stay as they are.
    """
    return audio.write(Path(folder, word, f"me_{_last(folder, word) + 1:03d}.wav"), wave)


def remove_last(folder: str | Path, word: str) -> Path | None:
    """Delete the newest take of a word and return its path; None where there is none."""
    takes = _paths(folder, word)
    if not takes:
        return None
    takes[-1].unlink()
    return takes[-1]


def taken(folder: str | Path, words: Sequence[str]) -> dict[str, list[Path]]:
    """Return the takes of each word, oldest first; a word without any has an empty list."""
    return {word: _paths(folder, word) for word in words}


def _paths(folder: str | Path, word: str) -> list[Path]:
    return sorted(Path(folder, word).glob("me_[0-9][0-9][0-9]*.wav"), key=_number)


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("me_")
    return int(digits) if digits.isdigit() else 0


def _last(folder: str | Path, word: str) -> int:
    """Return the highest number of a take, 0 where there is none."""
    return max(map(_number, _paths(folder, word)), default=0)

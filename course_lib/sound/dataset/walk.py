"""The files below a folder of sounds, and the word that a folder's or a file's name stands for.

Links to folders and files are followed, each folder once below a word's folder, so that a link to
a folder further up ends nowhere. What file managers leave behind is passed over; whatever else
cannot be reached is there with the reason.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from course_lib.sound.dataset.clips import LABELS, SILENCE, UNKNOWN

SUFFIXES = tuple(".wav .flac .ogg .opus .mp3 .aif .aiff .au .caf .w64 .rf64".split())
_UNREAD = tuple(".m4a .mp4 .aac .3gp .amr .wma .webm".split())  # what phones and browsers write
_LEFT_BEHIND = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"}
_LABELS = {  # folders of other collections, by their letters
    "silence": LABELS[SILENCE],
    "backgroundnoise": LABELS[SILENCE],
    "unknown": LABELS[UNKNOWN],
}


@dataclass(frozen=True)
class Found:
    """A file: its path, its name below the folder with "/", and why it cannot be reached, if so."""

    path: Path
    name: str
    problem: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether its name says that it is a sound, if only one that cannot be read."""
        return self.path.suffix.lower() in SUFFIXES + _UNREAD

    @property
    def depth(self) -> int:
        """In how many folders it lies: 1 where it should."""
        return self.name.count("/")

    @property
    def word(self) -> str:
        """The word that its topmost folder is named after, or its own name where there is none."""
        return word_of(self.name.split("/")[0]) if self.depth else _word_in(self.path.stem)


def found(folder: str | Path) -> list[Found]:
    """Return every file below `folder` that is not hidden, in the order of the names' parts."""
    files: list[Found] = []
    seen: set[tuple] = set()
    todo = [(Path(folder), "")]
    while todo:
        here, name = todo.pop()
        try:
            about = here.stat()
            key = name.split("/")[0], about.st_dev, about.st_ino
            if key in seen or ("", *key[1:]) in seen:
                files.append(Found(here, name, "links to a folder that is read already."))
                continue
            seen.add(key)
            entries = list(os.scandir(here))
        except OSError as error:
            reason = f"{here.name} cannot be opened ({error.strerror}): allow reading it."
            files.append(Found(here, name, reason))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _LEFT_BEHIND:
                continue
            path, inner = Path(entry.path), f"{name}/{entry.name}".lstrip("/")
            if os.path.isdir(path):  # unlike Path's own, never an error
                todo.append((path, inner))
            elif os.path.isfile(path):
                files.append(Found(path, inner))
            else:
                reason = f"There is no file {entry.name}: its link is broken, or it is a device."
                files.append(Found(path, inner, reason))
    return sorted(files, key=lambda each: each.name.split("/"))


def word_of(name: str) -> str:
    """Return the word that a folder's name stands for: "Yes" is "yes", "silence" "_silence_".

    Upper case, blanks around it and Unicode's several forms of one letter make no difference.
    """
    word = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower()).strip()
    return _LABELS.get(re.sub(r"[\W_]+", "", word), word)


def _word_in(stem: str) -> str:
    """Return the word that a file's name begins with: "yes" of "Yes 2"; "_silence_" stays whole."""
    stem = unicodedata.normalize("NFKC", stem)
    begins = re.match(r"_[^\W\d_]+(_[^\W\d_]+)?_|[^\W\d_]+", stem)
    return word_of(begins.group()) if begins else LABELS[UNKNOWN]

"""A folder of recordings laid out like Speech Commands, read as labelled clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course_lib.sound import audio
from course_lib.sound.dataset.clips import Clips, label_of

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def from_folder(path: str | Path) -> Clips:
    """Read every sound in `path/<word>/` as one-second clips, in the layout of Speech Commands.

    The folders `yes`, `no`, `_unknown_` and `_silence_` are labels; any other is an unknown word.
    What a file's name has before its first "_" is its voice. Files that cannot be read are left
    out and told in `skipped`. Raises AudioError when nothing is left.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise audio.AudioError(f"There is no folder {folder}: give one with <word>/<clip>.wav.")
    names, waves, skipped = [], [], []
    for file in sorted(folder.glob("*/*")):
        if file.suffix.lower() not in SUFFIXES:
            continue
        try:
            waves.append(audio.fit(audio.read(file)))
            names.append(file.relative_to(folder))
        except audio.AudioError as error:
            skipped.append(f"{file.parent.name}/{error}")
    if not waves:
        raise audio.AudioError(
            f"{folder} has no readable <word>/<clip> in {', '.join(SUFFIXES)}"
            f" ({len(skipped)} files could not be read)."
        )
    words = tuple(name.parts[0] for name in names)
    return Clips(
        np.stack(waves),
        np.array([label_of(word) for word in words], np.int64),
        words,
        tuple(name.stem.split("_")[0] for name in names),
        ("recording",) * len(names),
        tuple(name.as_posix() for name in names),
        tuple(skipped),
    )

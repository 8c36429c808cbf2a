"""Labelled clips: the bundled speech, split by voice, or a folder laid out in the same way."""

from __future__ import annotations

import csv
import html
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from course_lib import audio, noise, session

__all__ = [
    "LABELS",
    "SILENCE",
    "SPLITS",
    "SUFFIXES",
    "UNKNOWN",
    "Clips",
    "bundled",
    "from_folder",
    "joined",
    "label_of",
]

LABELS = ("_silence_", "_unknown_", "yes", "no")  # a label's place in here is its class everywhere
SILENCE, UNKNOWN = 0, 1
SPLITS = ("train", "validation", "test")
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SILENCE_SHARE = 0.1  # of a bundled split; made from a formula, seeded by the split


def label_of(word: str) -> int:
    """Return the class of a word: every word that is not in LABELS is an unknown one."""
    return LABELS.index(word) if word in LABELS else UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class Clips:
    """Hold labelled one-second clips. Index it with a number, a slice, a mask or a list of places.

    `waves` (n, 16000) float32 at 16 kHz, `labels` (n,) int64 places in LABELS; `words`, `voices`,
    `engines` (what spoke: a synthesizer, "noise" or "recording") and `files` name each clip;
    `skipped` holds one sentence for each file that could not be read.
    """

    waves: np.ndarray
    labels: np.ndarray
    words: tuple[str, ...]
    voices: tuple[str, ...]
    engines: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which) -> Clips:
        places = np.atleast_1d(np.arange(len(self))[which])
        texts = {
            name: tuple(getattr(self, name)[place] for place in places)
            for name in ("words", "voices", "engines", "files")
        }
        return replace(self, waves=self.waves[places], labels=self.labels[places], **texts)

    def where(
        self,
        label: str | None = None,
        word: str | None = None,
        voice: str | None = None,
        engine: str | None = None,
    ) -> Clips:
        """Return the clips for which everything that is given holds: `clips.where(word="go")`."""
        keep = np.ones(len(self), bool)
        if label is not None:
            keep &= self.labels == LABELS.index(label)
        for values, wanted in ((self.words, word), (self.voices, voice), (self.engines, engine)):
            if wanted is not None:
                keep &= np.array(values, object) == wanted
        return self[keep]

    def play(self, place: int = 0) -> audio.Sound:
        """Return a player for one clip."""
        return audio.play(self.waves[place], f"{self.words[place]}, {self.voices[place]}")

    def __repr__(self) -> str:
        words, voices = len(set(self.words)), len(set(self.voices))
        return f"<{len(self):,} clips, {words} words, {voices} voices>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(label)}</td><td>{count:,}</td><td>{words}</td>"
            f"<td>{voices}</td></tr>"
            for label, count, words, voices in self._summary()
        )
        names = ("label", "clips", "words", "voices")
        head = "".join(f"<th scope='col'>{name}</th>" for name in names)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def _summary(self):
        """Yield for each label its name and how many clips, words and voices it has."""
        for place, label in enumerate(LABELS):
            part = np.flatnonzero(self.labels == place)
            yield (
                label,
                len(part),
                len({self.words[i] for i in part}),
                len({self.voices[i] for i in part}),
            )


@lru_cache(maxsize=len(SPLITS))
def bundled(split: str) -> Clips:
    """Return the bundled clips of `split`: "train", "validation" or "test"; no voice is in two of
    them.

    Each word is centred in a second. Silence, a tenth more clips, is noise made by a seeded
    formula.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    folder = session.data_path("speech")
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    waves = np.stack([audio.fit(audio.read(folder / row["file"])) for row in rows])
    labels = np.array([label_of(row["word"]) for row in rows], np.int64)
    columns = (tuple(row[name] for row in rows) for name in ("word", "voice", "engine", "file"))
    return joined(Clips(waves, labels, *columns), _silence(round(SILENCE_SHARE * len(rows)), split))


def from_folder(path: str | Path) -> Clips:
    """Read every sound in `path/<word>/` as one-second clips, in the layout of Speech Commands.

    The folders `yes`, `no`, `_unknown_` and `_silence_` are labels; any other is an unknown word.
    What a file's name has before its first "_" is its voice. Files that cannot be read are left
    out and told in `skipped`. Raise AudioError when nothing is left.
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


def _silence(count: int, split: str) -> Clips:
    """Return `count` seconds of noise; each split has its own seed."""
    generators = (np.random.default_rng([SPLITS.index(split), place]) for place in range(count))
    waves = np.array([noise.silence(rng) for rng in generators], np.float32)
    names = tuple(f"_silence_/{split}_{place:03d}" for place in range(count))
    return Clips(
        waves.reshape(count, audio.CLIP_SAMPLES),
        np.full(count, SILENCE, np.int64),
        (LABELS[SILENCE],) * count,
        ("noise",) * count,
        ("noise",) * count,
        names,
    )


def joined(*parts: Clips) -> Clips:
    """Put sets of clips one after the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Clips))
    return Clips(
        *(
            np.concatenate(values) if isinstance(values[0], np.ndarray) else sum(values, ())
            for values in columns
        )
    )

"""Labelled one-second clips: waves, labels, and what is known of each."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from course_lib.sound import audio, noise

LABELS = ("_silence_", "_unknown_", "yes", "no")  # a label's place in here is its class everywhere
SILENCE, UNKNOWN = 0, 1
SPLITS = ("train", "validation", "test")
BACKGROUND = "background"  # the engine of a stretch of recorded noise
SILENCE_SHARE = 0.1  # of a split: so many clips of silence come on top


def label_of(word: str) -> int:
    """Return the class of a word: every word that is not in LABELS is an unknown one."""
    return LABELS.index(word) if word in LABELS else UNKNOWN


@dataclass(frozen=True, eq=False, repr=False)
class Clips:
    """Hold labelled one-second clips. Index it with a number, a slice, a mask or a list of places.

    `waves` (n, 16000) float32 at 16 kHz, `labels` (n,) int64 places in LABELS; `words`, `voices`,
    `engines` (what spoke: a synthesizer, "noise", "recording", "background") and `files` name each
    clip; `skipped` holds one sentence for each file that could not be read.
    """

    waves: np.ndarray
    labels: np.ndarray
    words: tuple[str, ...]
    voices: tuple[str, ...]
    engines: tuple[str, ...]
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def labelled(
        cls,
        waves: Iterable[np.ndarray],
        words: Sequence[str],
        voices: Sequence[str],
        engines: Sequence[str],
        files: Sequence[str],
        skipped: Sequence[str] = (),
    ) -> Self:
        """Return clips of whole seconds; each word says the label.

        `waves`, an array or made one by one, are never in memory twice. Raises ValueError where
        there are not as many as words, or one is not a second long.
        """
        shape, held = (len(words), audio.CLIP_SAMPLES), waves
        if not isinstance(waves, np.ndarray):
            held = np.empty(shape, np.float32)
            for row, wave in zip(held, waves, strict=True):
                row[:] = np.reshape(wave, audio.CLIP_SAMPLES)
        return cls(
            np.asarray(held, np.float32).reshape(shape),
            np.array([label_of(word) for word in words], np.int64),
            *(tuple(texts) for texts in (words, voices, engines, files, skipped)),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, which) -> Self:
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
    ) -> Self:
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
        rows = []
        for label in LABELS:
            part = self.where(label=label)
            words, voices = len(set(part.words)), len(set(part.voices))
            rows.append((label, f"{len(part):,}", str(words), str(voices)))
        return html_table(("label", "clips", "words", "voices"), rows)


def joined(*parts: Clips) -> Clips:
    """Put sets of clips one after the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Clips))
    merged = (np.concatenate(c) if isinstance(c[0], np.ndarray) else sum(c, ()) for c in columns)
    return Clips(*merged)


def formula_silence(count: int, split: str) -> Clips:
    """Return `count` seconds of noise made by a formula; each split has its own seeds."""
    generators = (np.random.default_rng([SPLITS.index(split), place]) for place in range(count))
    return Clips.labelled(
        [noise.silence(rng) for rng in generators],
        *((name,) * count for name in (LABELS[SILENCE], "noise", "noise")),
        [f"_silence_/{split}_{place:03d}" for place in range(count)],
    )


def html_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with one heading a column; every text is escaped."""
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

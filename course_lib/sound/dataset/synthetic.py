"""The bundled speech: synthetic words, split by voice, and silence made from a formula."""

from __future__ import annotations

import csv
from functools import lru_cache

import numpy as np

from course_lib import session
from course_lib.sound import audio, noise
from course_lib.sound.dataset.clips import LABELS, SILENCE, SPLITS, Clips, joined, label_of

SILENCE_SHARE = 0.1  # of a split; made from a formula, seeded by the split


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
    return joined(
        Clips(waves, labels, *columns), formula_silence(round(SILENCE_SHARE * len(rows)), split)
    )


def formula_silence(count: int, split: str) -> Clips:
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

"""Hear, with pocketsphinx, whether a clip says its word."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import keep
from .sound import SAMPLE_RATE_HZ

__all__ = ["Heard", "Listener", "check", "heard_before", "mark", "remember"]

PAD_S = 0.25
NOISE_LEVEL = 8
LOUDNESS = 16_000
_ALL = "any_word"


def check() -> None:
    """Raise OSError unless the recogniser is installed."""
    if importlib.util.find_spec("pocketsphinx") is None:
        raise OSError("pocketsphinx is missing: `pip install -r data/recipe/requirements.txt`.")


@dataclass(frozen=True)
class Heard:
    """`word` is what was heard; `lead` is by how many nats it fits better than the true word.

    A word that counts as the true one has no lead.
    """

    word: str
    lead: float


class Listener:
    """pocketsphinx with a grammar of one word out of `words`: a forced choice.

    `alike` names, for some words, others that count as the word itself.
    Its English model and dictionary lie in its wheel. It was trained on people who read aloud, so
    an isolated, synthetic word is hard for it: trust its comparisons, not its absolute figures.
    """

    def __init__(self, words: Sequence[str], alike: Mapping[str, Sequence[str]]) -> None:
        import pocketsphinx

        choices = {_ALL: list(words)} | {word: [word, *alike.get(word, ())] for word in words}
        self._decoder = pocketsphinx.Decoder(
            samprate=SAMPLE_RATE_HZ,
            loglevel="FATAL",
            lm=None,
            cmn="batch",
            lw=1.0,
            compallsen=True,
            ds=1,
            beam=1e-60,
            wbeam=1e-40,
            pbeam=1e-60,
        )
        for word in words:
            if self._decoder.lookup_word(word) is None:
                raise ValueError(f"The dictionary of pocketsphinx has no {word!r}: choose another.")
        for name, choice in choices.items():
            rule = " | ".join(choice)
            grammar = f"#JSGF V1.0; grammar g; public <said> = {rule};"
            self._decoder.add_jsgf_string(name, grammar)

    def hear(self, samples: np.ndarray, word: str) -> Heard:
        """Return what is heard in `samples` (n,) int16 at 16 kHz that should say `word`."""
        wave = self._padded(samples)
        best, best_fit = self._decode(wave, _ALL)
        allowed, fit = self._decode(wave, word)
        return Heard(best, 0.0 if best == allowed else max(0.0, best_fit - fit))

    def _padded(self, samples: np.ndarray) -> np.ndarray:
        """Return the clip at a fixed loudness between two quarters of a second of faint noise."""
        pad = np.zeros(int(PAD_S * SAMPLE_RATE_HZ))
        wave = np.concatenate([pad, samples / max(1, np.abs(samples).max()) * LOUDNESS, pad])
        return (wave + np.random.default_rng(0).normal(0, NOISE_LEVEL, len(wave))).astype(np.int16)

    def _decode(self, wave: np.ndarray, grammar: str) -> tuple[str, float]:
        """Return the best word of `grammar` and how well it fits, in nats."""
        decoder = self._decoder
        decoder.activate_search(grammar)
        decoder.start_utt()
        decoder.process_raw(wave.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None or found.score <= 0:
            return "", -1e4
        return found.hypstr, 1024 * math.log(found.score)  # it counts in 1024ths of a nat


def mark(words: Sequence[str], alike: Mapping[str, Sequence[str]]) -> str:
    """Return a short name for a choice of words: what was heard depends on it."""
    text = json.dumps([list(words), {word: list(others) for word, others in alike.items()}])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _kept(cache: Path, key: str, choice: str) -> Path:
    return keep.path(cache, key).with_suffix(f".{choice}.heard")


def remember(cache: Path, key: str, choice: str, heard: Heard) -> None:
    """Keep what was `heard` for the request `key` when the words had the mark `choice`."""
    text = json.dumps({"word": heard.word, "lead": round(heard.lead, 2)})
    keep.write(_kept(cache, key, choice), text.encode())


def heard_before(cache: Path, key: str, choice: str) -> Heard | None:
    """Return what was heard for `key`, or None when nobody has listened yet."""
    kept = _kept(cache, key, choice)
    return Heard(**json.loads(kept.read_text("utf-8"))) if kept.exists() else None

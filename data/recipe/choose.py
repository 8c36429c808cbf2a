"""How many clips each engine is asked for, and which of its candidates are taken."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .engines.base import Engine, Request
from .words import SPLITS, WORDS, wanted

__all__ = [
    "CERTAIN_NATS",
    "MOST_NATS",
    "Candidate",
    "Place",
    "best",
    "candidates",
    "places",
    "safe_name",
    "share_out",
]

#: Of all clips, by engine. Kokoro is the one that sounds like people.
SHARES = {"kokoro": 0.66, "espeak": 0.22, "flite": 0.07, "festival": 0.05}

#: Candidates for each clip that is wanted: what the recogniser rejects must be replaced.
SPARE = {"kokoro": 1.32, "espeak": 1.6, "flite": 1.3, "festival": 1.3}


#: The recogniser's doubt, in nats, up to which a clip is taken for its word without a second
#: thought, and above which it is never taken. See listen.py. (Of recorded human words, some 70 %
#: lie below the first and over 90 % below the second.)
CERTAIN_NATS = 15.0
MOST_NATS = 120.0


@dataclass(frozen=True)
class Place:
    """`count` clips of `word`, spoken by `engine`, in `split`."""

    split: str
    word: str
    engine: str
    count: int


@dataclass(frozen=True)
class Candidate:
    """One request with the place it competes for and its turn among its rivals."""

    place: Place
    turn: int
    request: Request


def share_out(counts: Mapping[object, int], shares: Mapping[str, float]) -> dict:
    """Return {key: {engine: clips}} so that each key's sum is kept and the totals follow `shares`.

    One clip after another goes to the engine that is furthest behind its share, so that words
    with few clips have different engines. Raises ValueError where the shares sum to nothing.
    """
    total = sum(shares.values())
    if total <= 0 or min(shares.values()) < 0:
        raise ValueError("The shares of the engines must be positive: give one at least.")
    behind = dict.fromkeys(shares, 0.0)
    dealt = {}
    for key, count in counts.items():
        dealt[key] = dict.fromkeys(shares, 0)
        for _ in range(count):
            for engine, share in shares.items():
                behind[engine] += share / total
            engine = max(behind, key=behind.get)
            behind[engine] -= 1
            dealt[key][engine] += 1
    return dealt


def places(engines: Iterable[str], scale: float = 1.0) -> list[Place]:
    """Return every place to be filled by `engines`, with `scale` times the wanted counts."""
    if not 0 < scale <= 1:
        raise ValueError(f"A scale of {scale} makes no sense: give one above 0, up to 1.")
    shares = {name: SHARES[name] for name in engines}
    filled = []
    for split in SPLITS:
        counts = {word: max(1, round(scale * wanted(word, split))) for word in WORDS}
        for word, dealt in share_out(counts, shares).items():
            filled += [Place(split, word, name, n) for name, n in dealt.items() if n]
    return filled


def candidates(place: Place, engine: Engine) -> list[Candidate]:
    """Return the candidates for `place`: more than it needs, the same ones in every run."""
    number = math.ceil(place.count * SPARE[place.engine])
    found = []
    for turn in range(number):
        chance = random.Random(f"{place.engine}/{place.split}/{place.word}/{turn}")
        found.append(Candidate(place, turn, engine.request(place.word, place.split, chance)))
    return found


def best(rivals: Iterable[Candidate], leads: Mapping[str, float], place: Place):
    """Return at most `place.count` of the `rivals` for `place`.

    `leads` gives, by request key, by how many nats another word was heard than the true one; a
    rival that it lacks has no usable sound. Rivals up to `CERTAIN_NATS` come first, in turn, then
    the nearest of the rest, none above `MOST_NATS`. The same request is never taken twice.
    """
    if place.count < 1:
        raise ValueError(f"A place needs a positive count, not {place.count}.")
    usable = {
        rival.request.key: rival
        for rival in rivals
        if leads.get(rival.request.key, float("inf")) <= MOST_NATS
    }
    ranked = sorted(
        usable.values(),
        key=lambda rival: (max(CERTAIN_NATS, leads[rival.request.key]), rival.turn),
    )
    return sorted(ranked[: place.count], key=lambda rival: rival.turn)


def safe_name(engine: str, voice: str, number: int) -> str:
    """Return a file name in the manner of Speech Commands: <voice>_nohash_<number>.flac.

    The voice loses every character but letters, digits and dashes. Raises ValueError when
    nothing is left of it or the number is negative.
    """
    speaker = "".join(c if c.isascii() and c.isalnum() else "-" for c in voice).strip("-").lower()
    if not speaker or number < 0:
        raise ValueError(f"Voice {voice!r} with number {number} gives no file name.")
    return f"{engine}-{speaker}_nohash_{number}.flac"

"""The words of your own spotter: who says them, for training, for choosing, and for the test."""

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from course_lib.sound import augmentation, dataset
from course_lib.sound.dataset import SILENCE, SPLITS, UNKNOWN, Clips, folders

_MOST_WORDS = 6
# Clips of each word that every split needs: ten takes of your own are enough.
_FEWEST = {"train": 6, "validation": 2, "test": 2}

_EVERY = 5  # of five takes the last but one is for choosing, the last for the test
_SHARES = 0.10, 0.30  # of the varied clips: silence, unknown words
_SILENCE_SHARE = 0.5  # of the clips of all words together


@dataclass(frozen=True, eq=False, repr=False)
class Words:
    """Clips whose labels are places in `labels`: silence, unknown, and then your words."""

    labels: tuple[str, ...]
    train: Clips
    validation: Clips
    test: Clips

    @property
    def chosen(self) -> tuple[str, ...]:
        """Your words, without silence and unknown."""
        return self.labels[2:]

    def recipe(self) -> augmentation.Recipe:
        """Return how varied clips are drawn: more than half of them of your words, each alike.

        Another word is drawn by the root of how many clips it has: a frequent one is met more.
        """
        each = (1 - sum(_SHARES)) / len(self.chosen)
        shares = (*_SHARES, *[each] * len(self.chosen))
        weights = {word: n**0.5 for word, n in Counter(self.train.words).items()}
        return augmentation.Recipe(
            labels=shares, words=weights, engines={"kokoro": 2.5, "recording": 4.0}
        )

    def counts(self, split: str) -> tuple[int, ...]:
        """Return how many clips of each label are in a split."""
        return tuple(np.bincount(getattr(self, split).labels, minlength=len(self.labels)).tolist())

    def __repr__(self) -> str:
        clips = ", ".join(f"{sum(self.counts(split)):,} {split}" for split in SPLITS)
        return f"<words {', '.join(self.chosen)}: clips {clips}>"

    def _repr_html_(self) -> str:
        heads = "".join(f"<th scope='col'>{name}</th>" for name in ("label", *SPLITS))
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(label)}</th>"
            + "".join(f"<td>{count:,}</td>" for count in counts)
            + "</tr>"
            for label, *counts in zip(self.labels, *map(self.counts, SPLITS), strict=True)
        )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def gather(words: Sequence[str], own: str | Path | None = None, source: str = "bundled") -> Words:
    """Return the clips of two to six words, of everything else, and of silence.

    `source` is what `dataset.load` takes. `own` is a folder of your recordings,
    `own/<word>/<clip>.wav`; it need not exist yet. Of every five takes of a word one is for
    validation and one for the test. Validation and test hold as many unknown words as clips of
    your words, and half as many of silence. Raises ValueError for words that cannot be used, and
    for those with too few clips.
    """
    chosen = _checked(words)
    labels = (*dataset.LABELS[:2], *chosen)
    recorded = own is not None and any(each.depth for each in folders.found(own))
    takes = dataset.recordings(own).clips if recorded else None
    splits = {}
    for split in SPLITS:
        clips = dataset.load(source, split)
        if takes is not None:
            clips = dataset.joined(clips, takes[_is_for(takes, split)])
        clips = _relabelled(clips, labels)
        splits[split] = clips if split == "train" else _balanced(clips)
    gathered = Words(labels, **splits)
    _enough(gathered, source)
    return gathered


def _checked(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words in lower case, or say which of them cannot be one."""
    if isinstance(words, str):
        raise ValueError(f'Give a list of words: ["{words}", "another"].')
    chosen = tuple(map(folders.word_of, map(str, words)))
    if not 2 <= len(chosen) <= _MOST_WORDS:
        raise ValueError(f"Choose two to {_MOST_WORDS} words; these are {len(chosen)}.")
    if twice := [word for word in chosen if chosen.count(word) > 1]:
        raise ValueError(f"The word {twice[0]} is there twice: choose another in its place.")
    for word in chosen:
        if not re.fullmatch(r"[^\W\d_]{1,20}", word):
            raise ValueError(f"{word!r} cannot be a word: use up to 20 letters and nothing else.")
    return chosen


def _is_for(takes: Clips, split: str) -> np.ndarray:
    """Return which takes are for a split, (n,) bool: of each word's, in turn."""
    seen: defaultdict[str, Iterator[int]] = defaultdict(count)
    turns = [next(seen[word]) % _EVERY for word in takes.words]
    wanted = {"train": range(_EVERY - 2), "validation": [_EVERY - 2], "test": [_EVERY - 1]}[split]
    return np.isin(turns, list(wanted))


def _relabelled(clips: Clips, labels: tuple[str, ...]) -> Clips:
    """Return the clips with their labels as places in `labels`."""
    places = [
        SILENCE if old == SILENCE else labels.index(word) if word in labels else UNKNOWN
        for old, word in zip(clips.labels.tolist(), clips.words, strict=True)
    ]
    return replace(clips, labels=np.array(places, np.int64))


def _balanced(clips: Clips) -> Clips:
    """Return all clips of the words, as many unknown ones, and half as many of silence."""
    spoken = int((clips.labels > UNKNOWN).sum())
    keep = clips.labels > UNKNOWN
    for label, most in ((UNKNOWN, spoken), (SILENCE, round(_SILENCE_SHARE * spoken))):
        places = np.flatnonzero(clips.labels == label)
        rng = np.random.default_rng([label, len(places)])  # the same choice in every run
        keep[rng.permutation(places)[: max(1, most)]] = True
    return clips[keep]


def _enough(words: Words, source: str) -> None:
    """Raise ValueError where a word has too few clips in a split, with what could be chosen."""
    for split, fewest in _FEWEST.items():
        for label, n in zip(words.chosen, words.counts(split)[2:], strict=True):
            if n < fewest:
                raise ValueError(
                    f'There are {n} clips of "{label}" for {split}, and {fewest} are needed: '
                    f"record ten takes of it, or choose among {', '.join(_offered(source))}."
                )


def _offered(source: str) -> list[str]:
    """Return the words that have enough clips in every split, by the alphabet."""
    there = []
    for split, fewest in _FEWEST.items():
        counts = Counter(dataset.load(source, split).words)
        there.append({word for word in counts if counts[word] >= fewest})
    return sorted(word for word in set.intersection(*there) if not word.startswith("_"))

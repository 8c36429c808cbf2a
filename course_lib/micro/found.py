"""Words found against words spoken: hits, misses, and false alarms per hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.sound.dataset import LABELS

EARLY_SECONDS, LATE_SECONDS = 0.2, 2.0  # after the start of a clip of one second


@dataclass(frozen=True)
class Spoken:
    """A word in a recording: when its second begins, and its label."""

    start: float
    label: str


@dataclass(frozen=True)
class Found:
    """A word that was found: at the end of which window, its label and its smoothed share."""

    end: float
    label: str
    share: float


@dataclass(frozen=True)
class Outcome:
    """How a detector did: the words found are hits or false alarms, a word not found is missed."""

    hits: tuple[Found, ...]
    false_alarms: tuple[Found, ...]
    missed: tuple[Spoken, ...]
    seconds: float

    @property
    def words(self) -> int:
        """How many words there were to find."""
        return len(self.hits) + len(self.missed)

    @property
    def hit_share(self) -> float:
        """The share of the words that were found."""
        return len(self.hits) / self.words if self.words else float("nan")

    @property
    def false_alarms_per_hour(self) -> float:
        """False alarms in an hour at this rate."""
        return 3600 * len(self.false_alarms) / self.seconds


def judge(found: Sequence[Found], spoken: Sequence[Spoken], seconds: float) -> Outcome:
    """Compare what was found with what was spoken in a recording of so many seconds.

    A find is a hit where a word of its label began 0.2 to 2 seconds before; each word counts once.
    """
    open_words = [word for word in spoken if word.label in LABELS[2:]]
    hits, alarms = [], []
    for each in sorted(found, key=lambda one: one.end):
        fitting = [
            word
            for word in open_words
            if word.label == each.label and EARLY_SECONDS <= each.end - word.start <= LATE_SECONDS
        ]
        if fitting:
            open_words.remove(fitting[0])
            hits.append(each)
        else:
            alarms.append(each)
    return Outcome(tuple(hits), tuple(alarms), tuple(open_words), seconds)

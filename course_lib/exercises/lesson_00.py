"""The exercises of lesson 00: how exercises work, on two things that every lesson needs."""

from __future__ import annotations

from course_lib.dataset import LABELS
from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import function, when

__all__ = ["EXERCISES"]


# 0.1: samples and seconds


def _seconds(samples, rate_hz):
    return samples / rate_hz


def _lengths(rng):
    """Draw lengths that are no whole number of seconds, at the usual rates."""
    rates = (8_000, 16_000, 44_100, 48_000)
    return [(int(rng.integers(1, 40)) * 500 + 125, int(rng.choice(rates))) for _ in range(8)]


# 0.2: the answer's name


def _name(answer):
    return LABELS[max(range(len(LABELS)), key=lambda place: answer[place])]


def _answers(rng):
    """Draw shares that add up to one, each label the largest of one of them."""
    drawn = []
    for best in (2, 0, 3, 1, 2):
        shares = sorted((rng.dirichlet([1, 1, 1, 1]) * 0.6).tolist())
        shares[best], shares[3] = shares[3], shares[best]
        shares[best] += 0.4
        drawn.append(([round(share, 3) for share in shares],))
    return drawn


EXERCISES = (
    Exercise(
        id="0.1",
        ask="seconds(samples, rate_hz): how long so many samples last",
        judge=function(
            _seconds,
            _lengths,
            mistakes=[
                (
                    lambda samples, rate_hz: rate_hz / samples,
                    "You divide the wrong way round: twice the samples must last twice as long.",
                ),
                (
                    lambda samples, rate_hz: samples * rate_hz,
                    "You multiply, but at a higher rate the same samples are over sooner.",
                ),
                (
                    lambda samples, rate_hz: samples // rate_hz,
                    "Your `//` throws the fraction of a second away: one `/` keeps it.",
                ),
                (
                    lambda samples, rate_hz: samples / 16_000,
                    "It is right at 16,000 Hz only: use `rate_hz`.",
                ),
                (
                    lambda samples, rate_hz: 1000 * samples / rate_hz,
                    "These are milliseconds; seconds are asked for.",
                ),
            ],
            tolerance=1e-9,
        ),
        solution=_seconds,
        right="samples over samples per second leaves seconds.",
        hints=(
            "16,000 samples at 16,000 Hz last one second. And 8,000 samples?",
            "Look at the units: samples, divided by samples per second.",
        ),
    ),
    Exercise(
        id="0.2",
        ask="name(answer): the label that gets the largest of the four shares",
        judge=function(
            _name,
            _answers,
            mistakes=[
                (
                    lambda answer: max(answer),
                    "That is the largest share itself. Which place in the list does it have?",
                ),
                (
                    lambda answer: list(answer).index(max(answer)),
                    "That is the place of the largest share. LABELS has a name at each place.",
                ),
                (
                    lambda answer: LABELS[list(answer).index(min(answer))],
                    "You name the smallest share; the model means the largest.",
                ),
                (
                    when(lambda arguments, value: value == "yes"),
                    "You say 'yes' whatever the answer is: look the largest share up.",
                ),
            ],
        ),
        solution=_name,
        right="the place of the largest share is the class, and LABELS gives it a name.",
        hints=(
            "Two steps: find the place of the largest share, then look it up in LABELS.",
            "numpy.argmax(answer) is the place of the largest share.",
        ),
    ),
)

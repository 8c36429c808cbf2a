"""Keep a guess that was made before a run, and show it beside what the run measured."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.exercises.core import lesson_of


@dataclass(frozen=True)
class Prediction:
    """One guess and its measurement; either is None until it is known. Never graded."""

    id: str
    guess: object = None
    measured: object = None

    def __str__(self) -> str:
        if self.guess is None:
            return f"{self.id} measured {_words(self.measured)}; you made no guess"
        if self.measured is None:
            return f"{self.id} you guess {_words(self.guess)}"
        return f"{self.id} you guessed {_words(self.guess)}, measured {_words(self.measured)}"


_made: dict[str, Prediction] = {}


def predict(identifier: str, guess: object) -> None:
    """Write a guess down before the run; `...` means none. Prints one line."""
    lesson_of(identifier)
    _made[identifier] = Prediction(identifier, None if guess is Ellipsis else guess)
    print(_made[identifier] if guess is not Ellipsis else f"{identifier} no guess yet")


def compare(identifier: str, guess: object, measured: object) -> None:
    """Print the guess beside the measurement (pass it rounded), and remember both. Never graded."""
    lesson_of(identifier)
    _made[identifier] = Prediction(identifier, None if guess is Ellipsis else guess, measured)
    print(f"{_made[identifier]}")


def predictions() -> tuple[Prediction, ...]:
    """Return every prediction of this session, in the order they were made."""
    return tuple(_made.values())


def _words(value: object) -> str:
    """Return a short stable text of a guess or a measurement."""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)[:200]

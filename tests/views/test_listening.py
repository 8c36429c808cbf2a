"""Listening without an end: the outcome in a sentence, the marks in the picture, the sliders."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.micro import Found, Outcome, Recording, Scores, Spoken
from course_lib.views import listening


@pytest.fixture(scope="module")
def small() -> tuple[Recording, Scores]:
    """Eight seconds: a yes that is heard, a no that is not, a yes that nobody said."""
    words = (Spoken(1.0, "yes"), Spoken(3.0, "no"), Spoken(5.0, "_unknown_"))
    ends = np.arange(1, 8.01, 0.25)
    shares = np.tile(np.array([[0.9, 0.1, 0.0, 0.0]]), (len(ends), 1))
    shares[np.isclose(ends, 2.0)] = shares[np.isclose(ends, 6.0)] = [0, 0, 1, 0]
    return Recording(np.zeros(8 * 16000, np.float32), words), Scores(ends, shares)


def test_an_outcome_in_one_sentence(small) -> None:
    result = listening.outcome(*small, windows=1, threshold=0.7)
    assert [found.end for found in result.hits] == [2.0]
    assert listening.sentence(result) == (
        "1 of 2 words found, 1 missed, 1 false alarm: 450 an hour."
    )
    calm = listening.outcome(*small, windows=2, threshold=0.7)
    assert not calm.hits and not calm.false_alarms  # a single window is halved
    assert "nan" not in listening.sentence(Outcome((), (Found(1.0, "no", 0.8),), (), 60.0))


def test_the_curve_marks_hits_and_false_alarms(texts, small) -> None:
    said = texts(listening.curve, *small, 1, 0.7, 0.0, 8.0)
    assert "yes ✓" in said and "yes ✗" in said and "no" in said.splitlines()
    assert "% of the words found" in texts(listening.trade, *small)


def test_sliders_change_the_sentence(small) -> None:
    row, view = listening.Detector(*small, windows=1, threshold=0.7).controls().children
    windows, threshold, _ = row.children
    assert "1 of 2 words found" in view.value
    windows.value = 2
    assert "0 of 2 words found" in view.value
    windows.value, threshold.value = 1, 0.3
    assert "1 of 2 words found" in view.value

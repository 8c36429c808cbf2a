"""A judge tells mistakes apart, for each kind of answer."""

from __future__ import annotations

import numpy

from course_lib.exercises import judges
from course_lib.exercises.core import Exercise, Wrong, otherwise, when


def said(judge, value, mistakes=()):
    outcome = Exercise("1.1", "a", judge, "yes", mistakes).outcome(value)
    return outcome.hint if isinstance(outcome, Wrong) else "right"


def test_number():
    judge = judges.number(4)
    mistakes = [(32, "bits"), (when(lambda x: x < 0), "sign")]
    assert said(judge, 4) == "right"
    assert said(judge, 32, mistakes) == "bits"
    assert said(judge, -4, mistakes) == "sign"
    assert said(judge, 4.0) == "right"
    assert said(judge, 9) == "9 is too large."
    assert said(judge, 2) == "2 is too small."
    assert "truth value" in said(judge, True)
    assert "a text" in said(judge, "4")
    assert "NaN" in said(judge, float("nan"))
    assert said(judges.number(0.25, 0.01), 0.2599) == "right"
    assert said(judges.number(0.25, 0.01), float("inf")) == "inf is too large."
    assert said(judges.number(0.25, 0.01), 10**400).endswith("too large.")
    assert said(judge, 10**5000) == "an enormous integer is too large."


def test_choice_and_text():
    judge = judges.choice("frozen", ("frozen", "checkpoint", "folder"))
    mistakes = [("checkpoint", "no graph")]
    assert said(judge, " Frozen ") == "right"
    assert said(judge, "checkpoint", mistakes) == "no graph"
    assert said(judge, "folder", mistakes).startswith("Not 'folder'")
    assert said(judge, "pb").startswith("Choose one of 'frozen', ")
    judge = judges.text("TFL3", "tfl 3")
    assert said(judge, "tfl3") == said(judge, "TFL  3") == "right"
    assert said(judge, "3lft", [("3LFT", "left to right")]) == "left to right"
    assert "text in quotes" in said(judge, 3)


def test_items():
    judge = judges.items(["a", "b", "c"])
    mistakes = [(["c", "b", "a"], "reversed")]
    assert said(judge, ("a", "b", "c")) == "right"
    assert said(judge, ["c", "b", "a"], mistakes) == "reversed"
    assert said(judge, ["a", "c", "b"], mistakes) == "Item 2, 'c', is the first wrong one."
    assert "has 2 items" in said(judge, ["a", "b"])
    judge = judges.items(["a", "b"], ordered=False)
    mistakes = [(["a", "c"], "c runs later")]
    assert said(judge, ["b", "a"]) == said(judge, {"a", "b"}) == "right"
    assert said(judge, {"a": 1, "b": 2}.keys()) == "right"
    assert said(judge, ["c", "a"], mistakes) == "c runs later"
    assert "one by one" in said(judge, ["a", "d"], mistakes)
    assert "a number" in said(judge, 3)


def test_a_misspelt_item_is_told_from_another():
    judge = judges.items(["Identity", "follow_1", "Add"])
    assert "spelling of 'Identiy'" in said(judge, ["Identiy", "follow_1", "Add"])
    assert "Item 2, 'follow_2'" in said(judge, ["Identity", "follow_2", "Add"])
    assert "Item 1, 'identity'" in said(judge, ["identity", "follow_1", "Add"])
    assert "spelling" not in said(judge, ["Identiy", "follow_1", "Mul"])
    judge = judges.items(["temp2", "temp3"], ordered=False)
    assert "spelling of 'tmep3'" in said(judge, ["tmep3", "temp2"])
    assert "one by one" in said(judge, ["temp2", "temp1"])


def test_array():
    right = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    judge = judges.array(right, 1e-6)
    mistakes = [(right.T, "wrong axis"), (-right, "sign")]
    assert said(judge, right) == said(judge, right.tolist()) == "right"
    assert said(judge, right.T, mistakes) == "wrong axis"
    assert said(judge, -right, mistakes) == "sign"
    assert said(judge, right[0], mistakes) == "Your shape is (3,), and (2, 3) is asked."
    assert said(judge, right + [0, 0, 1], mistakes) == "2 of 6 values are off."
    assert "numbers" in said(judge, "abc")
    assert said(judges.array([1, 2]), numpy.array([1.0, 2.0])) == "right"


def test_the_mistake_that_explains_most_speaks_beside_a_case():
    judge = judges.function(lambda x: 3 * x, [(1,), (2,), (4,), (6,), (-5,)])
    mistakes = [
        (lambda x: 3 * x**2 + 3, "squared"),
        (lambda x: 9, "nine"),
        (otherwise(lambda given, got: got % 3), "no multiple of three"),
    ]
    assert said(judge, lambda x: 3 * x, mistakes) == "right"
    assert said(judge, lambda x: 3 * x**2 + 3, mistakes) == "squared"
    hint = said(judge, lambda x: 3 * x**2 + 3 if x > 0 else 3 * x, mistakes)
    assert hint == "squared For (1) you return 6, and it should be 3."
    hint = said(judge, lambda x: 3 * x**2 + 3 if x > 0 else 0, mistakes)
    assert hint.startswith("In some cases: squared For (1)")
    hint = said(judge, lambda x: 3 * x + 1 if x > 2 else 3 * x - 1, mistakes)
    assert hint.startswith("no multiple of three For (1) you return 2")
    assert said(judge, lambda x: -3 * x, mistakes) == "The size is right and the sign is not."
    assert said(judge, lambda x: 30 + 6 * x**2, mistakes).startswith("For (1) you return 36")


def test_names_without_their_quotes_or_in_one_pair():
    judge = judges.items(["temp2", "temp3"], ordered=False)
    mistakes = [(when(lambda value: "temp2" not in value), "not independent")]
    assert said(judge, [4, 8], mistakes) == "4 is a number: write every name in quotes."
    assert "quotes of its own" in said(judge, ["temp2, temp3"], mistakes)
    assert "quotes of its own" in said(judge, ["temp3 temp2"], mistakes)
    assert said(judge, ["var1, temp2"], mistakes) == "not independent"
    assert "asks for a number" in said(judges.items([4, 8]), [4, "8"])
    assert said(judges.items(["frozen graph", "graph"]), ["frozen graph", "graph"]) == "right"

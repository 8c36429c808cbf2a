"""Every exercise of every lesson is proved; every judge tells its mistakes apart."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy
import pytest

from course_lib import exercises
from course_lib.exercises import answers, core, judges, predictions
from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, NotTried, Right, Wrong
from course_lib.instructor.authoring import source

progress_module = import_module("course_lib.exercises.progress")  # the function has its name
ROOT = Path(__file__).resolve().parents[2]
EVERY = [each for lesson in core.lessons() for each in core.of_lesson(lesson)]


def follow(data, position):
    return position + int.from_bytes(data[position : position + 4], "little")


def backwards(data, position):
    return position + int.from_bytes(data[position : position + 4], "big")


def inputs(rng):
    return [(rng.bytes(12), int(place)) for place in rng.integers(0, 8, size=6)]


FOLLOW = Exercise(
    "6.2",
    "follow(data, position): the place pointed to",
    judges.function(
        follow,
        inputs,
        [
            (backwards, "backwards"),
            (lambda data, place: follow(data, place) - place, "jump"),
            (judges.when(lambda given, value: value < 0), "sign"),
        ],
        whole=True,
    ),
    follow,
    "four bytes.",
    ("first", "second"),
)


# --- every exercise that the lessons ask ------------------------------------------------------


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_untouched_is_not_tried_and_solution_is_right(asked):
    assert asked.outcome(...) == NotTried()
    if asked.judge.probe is not None:
        assert asked.outcome(lambda *_: ...) == NotTried()
    for seed in (None, 1, 2, 3):
        assert asked.outcome(asked.solution, seed) == Right(asked.right), f"seed {seed}"


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_two_plausible_mistakes_get_different_hints(asked):
    outcomes = [asked.outcome(each) for each in asked.plausible_mistakes]
    assert all(isinstance(each, Wrong) for each in outcomes), outcomes
    assert len({each.hint for each in outcomes}) >= 2
    for seed in (1, 2, 3):  # unseen inputs tell the mistakes from the solution just as well
        for each in asked.plausible_mistakes:
            assert isinstance(asked.outcome(each, seed), Wrong), f"seed {seed}"


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_exercise_is_well_formed(asked):
    assert asked.ask.strip() and asked.right.strip() and "\n" not in asked.ask + asked.right
    assert len(asked.hints) >= 1
    arguments = asked.arguments(5)
    assert arguments is None or (
        len(arguments) >= 3 and all(answers.plain(list(each)) is not None for each in arguments)
    )


def test_ids_are_unique_and_belong_to_their_lesson():
    for lesson in core.lessons():
        ids = [each.id for each in core.of_lesson(lesson)]
        assert len(set(ids)) == len(ids)
        assert {core.lesson_of(each) for each in ids} <= {lesson}


SOURCES = {path.name[:2]: path for path in source.sources(ROOT / "notebooks" / "source")}


@pytest.mark.parametrize("lesson", core.lessons())
def test_source_and_module_ask_the_same(lesson):
    """Every exercise has its cells and its judge; the reference edition shows that they agree."""
    written = source.read(SOURCES[lesson])
    asked = [each.id for each in core.of_lesson(lesson)]
    assert [cell.exercise for cell in written.cells if cell.exercise] == asked
    assert [cell.check for cell in written.cells if cell.check] == asked
    assert len(asked) >= 5
    for cell in written.cells:
        if cell.check:
            calls = [line for line in cell.text.splitlines() if line.strip()]
            assert len(calls) == 1 and calls[0].startswith(f'check("{cell.check}", '), cell.text


@pytest.mark.parametrize("lesson", core.lessons())
def test_solution_of_the_source_is_right(lesson):
    """What the executed reference edition stores after each check is the line for right."""
    path = ROOT / "notebooks" / "reference" / f"{SOURCES[lesson].stem}.ipynb"
    if not path.is_file():
        pytest.skip("the reference edition is not built yet")
    said = {
        cell["metadata"]["check"]: "".join(
            line for each in cell["outputs"] for line in each.get("text", "")
        )
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if "check" in cell["metadata"]
    }
    assert said == {each.id: f"{each.id} right: {each.right}\n" for each in core.of_lesson(lesson)}


# --- answers ----------------------------------------------------------------------------------


def part(data, position):
    data = data[position:]
    ...


def given_back(data, position):
    return ...


def nothing(data, position):
    """Say what it does."""


def no_return(data, position):
    follow(data, position)


@pytest.mark.parametrize("answer", [..., [..., ...], part, given_back, nothing])
def test_an_untouched_answer_is_recognised(answer):
    assert FOLLOW.outcome(answer) == NotTried()


@pytest.mark.parametrize(
    "answer, said",
    [
        (no_return, "return"),
        (backwards, "backwards"),
        (lambda data, place: int.from_bytes(data[place : place + 4], "little"), "jump"),
        (lambda data, place: -1, "sign"),
        (lambda data, place: float(follow(data, place)), "it is a float"),
        (lambda data, place: 1 / 0, "raises ZeroDivisionError: division by zero"),
        (lambda data: 3, "raises TypeError"),
        (lambda data, place: object(), "A object is no answer"),
        (28, "the function itself"),
        (lambda data, place: 5, "you return 5, and it should be"),
    ],
)
def test_a_hint_depends_on_the_mistake(answer, said):
    outcome = FOLLOW.outcome(answer)
    assert isinstance(outcome, Wrong) and said in outcome.hint


def test_a_function_that_changes_its_arguments_is_judged_on_fresh_ones():
    total = Exercise("1.1", "total", judges.function(sum, [([1, 2],), ([3],)]), sum, "yes")
    assert total.outcome(lambda values: sum(values.pop() for _ in list(values))) == Right("yes")


def test_plain_values():
    assert answers.plain(numpy.float32(0.5)) == 0.5
    assert type(answers.plain(numpy.int64(3))) is int
    assert answers.plain(numpy.array(3.0)) == 3.0
    assert answers.plain({2, 1}) == [1, 2]
    assert answers.plain((1, [numpy.int8(2)])) == (1, [2])
    assert answers.plain(bytearray(b"ab")) == b"ab"
    assert answers.plain({"a": range(3)}) == {"a": [0, 1, 2]}
    with pytest.raises(TypeError, match="no answer here"):
        answers.plain(object())
    with pytest.raises(TypeError, match="array of object"):
        answers.plain(numpy.array([object()]))


# --- judges -----------------------------------------------------------------------------------


def said(judge, value):
    outcome = judge.grade(None, answers.plain(value))
    return outcome.hint if isinstance(outcome, Wrong) else "right"


def test_number():
    judge = judges.number(
        4, mistakes=[(32, "bits"), (judges.when(lambda x: x < 0), "sign")], whole=True
    )
    assert said(judge, 4) == "right"
    assert said(judge, 32) == "bits"
    assert said(judge, -4) == "sign"
    assert "float" in said(judge, 4.0)
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
    judge = judges.choice("frozen", ("frozen", "checkpoint", "folder"), {"checkpoint": "no graph"})
    assert said(judge, " Frozen ") == "right"
    assert said(judge, "checkpoint") == "no graph"
    assert said(judge, "folder").startswith("Not 'folder'")
    assert said(judge, "pb").startswith("Choose one of 'frozen', ")
    judge = judges.text(["TFL3", "tfl 3"], [("3LFT", "left to right")])
    assert said(judge, "tfl3") == said(judge, "TFL  3") == "right"
    assert said(judge, "3lft") == "left to right"
    assert "text in quotes" in said(judge, 3)


def test_items():
    judge = judges.items(["a", "b", "c"], [(["c", "b", "a"], "reversed")])
    assert said(judge, ("a", "b", "c")) == "right"
    assert said(judge, ["c", "b", "a"]) == "reversed"
    assert said(judge, ["a", "c", "b"]) == "Item 2, 'c', is the first wrong one."
    assert "has 2 items" in said(judge, ["a", "b"])
    judge = judges.items(["a", "b"], [(["a", "c"], "c runs later")], ordered=False)
    assert said(judge, ["b", "a"]) == said(judge, {"a", "b"}) == "right"
    assert said(judge, ["c", "a"]) == "c runs later"
    assert "one by one" in said(judge, ["a", "d"])
    assert "a number" in said(judge, 3)


def test_array():
    right = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    judge = judges.array(right, 1e-6, [(right.T, "wrong axis"), (-right, "sign")])
    assert said(judge, right) == said(judge, right.tolist()) == "right"
    assert said(judge, right.T) == "wrong axis"
    assert said(judge, -right) == "sign"
    assert said(judge, right[0]) == "Your shape is (3,), and (2, 3) is asked."
    assert said(judge, right + [0, 0, 1]) == "2 of 6 values are off."
    assert "numbers" in said(judge, "abc")
    assert "float" in said(judges.array([1, 2], whole=True), numpy.array([1.0, 2.0]))


@pytest.mark.parametrize(
    "value, expected, agree",
    [
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (float("nan"), float("nan"), True),
        ("1", 1, False),
        (b"a", "a", False),
        ([1, 2], (1, 2), True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        (None, 0, False),
        (Raised("ValueError"), 1, False),
        (10**400, 1.0, False),
        (numpy.ones(2), [1, 1], True),
        (numpy.ones(2), numpy.ones(3), False),
        (numpy.array(["a"]), ["a"], True),
        ("a", "A", False),
    ],
)
def test_same(value, expected, agree):
    assert judges.same(value, expected) is agree


# --- the mistakes that everybody makes ---------------------------------------------------------


@pytest.mark.parametrize(
    "expected, value, whole, hint",
    [
        (40, 41, True, "One too large"),
        (40, 39, True, "One too small"),
        (40, -40, True, "the sign is not"),
        (0.25, -0.25, False, "the sign is not"),
        (40, 320, True, "bits or bytes"),
        (0.25, 25.0, False, "percent or a share"),
        (30.0, 0.03, False, "thousands, or milli"),
        (30.0, 30 * 1024, False, "which kilobyte"),
        (40, 40.0, True, "is a float"),
        (40, 47, True, "47 is too large"),
        (0, 8, True, "8 is too large"),
        (40, True, True, "a truth value"),
    ],
)
def test_usual_mistakes_in_a_number(expected, value, whole, hint):
    assert hint in said(judges.number(expected, 1e-6, whole=whole), value)


def difference(left, right):
    return left - right


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda left, right: left - right + 1, "One too large"),
        (lambda left, right: left - right - 1, "One too small"),
        (lambda left, right: 1000 * (left - right), "thousands, or milli"),
        (lambda left, right: float(left - right), "is a float"),
        (lambda left, right: -(left - right), "the sign is not"),
        (lambda left, right: left - right + 5, "you return"),
    ],
)
def test_usual_mistakes_in_a_function(answer, hint):
    judge = judges.function(difference, [(9, 2), (5, 1), (8, 4)], whole=True)
    assert hint in Exercise("1.1", "a", judge, difference, "yes").outcome(answer).hint


def test_swapped_arguments_and_a_wrong_axis():
    power = judges.function(pow, [(2, 5), (3, 4), (5, 2)])
    outcome = Exercise("1.1", "a", power, pow, "yes").outcome(lambda base, exponent: exponent**base)
    assert "changed places: which comes first" in outcome.hint
    squares = [(numpy.arange(9.0).reshape(3, 3),), (numpy.eye(3)[[1, 2, 0]],)]
    same_square = judges.function(lambda square: square, squares)
    asked = Exercise("1.1", "a", same_square, numpy.copy, "yes")
    assert "look at the axes" in asked.outcome(numpy.transpose).hint
    assert "the signs are not" in asked.outcome(numpy.negative).hint
    assert asked.outcome(numpy.copy) == Right("yes")


STRANGE = {
    "nothing": None,
    "truth": True,
    "negative": -1,
    "enormous": 1 << 65_000,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "complex": 1j,
    "long text": "x" * 200_000,
    "half a character": "\ud800",
    "bytes": b"\xff" * 100_000,
    "empty list": [],
    "mixed list": [None, "a", 1.5, b"x", {}, ["b", ["c"]]],
    "list of enormous numbers": [1 << 65_000] * 3,
    "pairs": [("a",), ("b", 2, 3)],
    "dict": {(1, 2): [3]},
    "empty array": numpy.zeros((0, 3)),
    "array of NaN": numpy.full(5, numpy.nan),
    "array of texts": numpy.array(["a"]),
    "large array": numpy.ones((1000, 1000)),
}


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_no_answer_however_strange_is_more_than_wrong(asked):
    """It gets a hint of a readable length, from every judge of every lesson."""
    for name, value in STRANGE.items():
        forms = [value] if asked.judge.probe is None else [value, lambda *_, v=value: v]
        for form in forms:
            outcome = asked.outcome(form)
            assert isinstance(outcome, Wrong) and 0 < len(outcome.hint) < 600, name


def test_a_judge_that_fails_and_a_hint_without_end():
    def grade(_, value):
        return Wrong("x" * 10_000) if value else 1 / 0

    asked = Exercise("1.1", "a: the first", core.Judge(grade), 1, "yes")
    assert asked.outcome(0).hint == "Your answer cannot be judged (ZeroDivisionError): a: the first"
    assert len(asked.outcome(1).hint) < 600


# --- what a notebook sees ---------------------------------------------------------------------


@pytest.fixture
def lesson(monkeypatch):
    """Put one exercise where lesson 06 would be, and forget what earlier tests did."""
    monkeypatch.setattr(core, "of_lesson", lambda name: (FOLLOW,))
    monkeypatch.setattr(progress_module, "_states", {})
    monkeypatch.setattr(progress_module, "_latest", [])
    monkeypatch.setattr(exercises, "_hints_given", {})


def test_check_prints_one_line_or_raises(lesson, capsys):
    assert exercises.check("6.2", follow) is None
    assert capsys.readouterr().out == "6.2 right: four bytes.\n"
    exercises.check("6.2", ...)
    assert capsys.readouterr().out == (
        "6.2 not tried yet: follow(data, position): the place pointed to\n"
    )
    with pytest.raises(exercises.WrongAnswer, match="6.2: backwards") as caught:
        exercises.check("6.2", backwards)
    assert caught.value._render_traceback_() == ["Not yet. 6.2: backwards"]
    with pytest.raises(ValueError, match="no exercise 6.9; this lesson has 6.2") as caught:
        exercises.check("6.9", 3)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match="names no exercise"):
        exercises.check("six", 3)


def test_hints_come_one_after_another(lesson, capsys):
    for _ in range(3):
        exercises.hint("6.2")
    exercises.check("6.2", follow)
    exercises.hint("6.2")
    assert capsys.readouterr().out.splitlines() == [
        "6.2 hint 1 of 2: first",
        "6.2 hint 2 of 2: second",
        "6.2 hint 1 of 2: first",
        "6.2 right: four bytes.",
        "6.2 is right already.",
    ]


def test_progress_shows_what_is_left(lesson):
    with pytest.raises(ValueError, match="progress\\(6\\)"):
        exercises.progress()
    assert repr(exercises.progress(6)).startswith("Lesson 06: 0 of 1 right\n○ 6.2 not tried: ")
    with pytest.raises(exercises.WrongAnswer):
        exercises.check("6.2", backwards)
    assert "✘ 6.2 wrong" in repr(exercises.progress())
    exercises.check("6.2", follow)
    assert exercises.progress().right == 1
    page = exercises.progress()._repr_html_()
    assert "aria-label='1 of 1 exercises right'" in page and "title='6.2 right'" in page


def test_predictions_are_kept_and_compared(monkeypatch, capsys):
    monkeypatch.setattr(predictions, "_made", {})
    exercises.predict("6.1", ...)
    exercises.predict("6.1", 28)
    exercises.compare("6.1", 28, 36)
    exercises.compare("6.4", ..., 0.25)
    assert capsys.readouterr().out.splitlines() == [
        "6.1 no guess yet",
        "6.1 you guess 28",
        "6.1 you guessed 28, measured 36",
        "6.4 measured 0.25; you made no guess",
    ]
    assert [each.measured for each in predictions.predictions()] == [36, 0.25]


def test_lessons_are_found_by_name():
    assert all(len(each) == 2 and each.isdigit() for each in core.lessons())
    with pytest.raises(ValueError, match="Lesson 99 has no exercises"):
        core.of_lesson("99")

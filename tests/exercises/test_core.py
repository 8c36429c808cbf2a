"""Every exercise of every lesson is proved: its solution is right, and each mistake has a hint."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy
import pytest
from one_exercise import FOLLOW, backwards, follow

from course_lib.exercises import answers, core, judges
from course_lib.exercises.core import Exercise, NotTried, Right, Wrong
from course_lib.instructor.authoring import source
from course_lib.instructor.grading import scopes

ROOT = Path(__file__).resolve().parents[2]
EVERY = [each for lesson in core.lessons() for each in core.of_lesson(lesson)]


# --- every exercise that the lessons ask ------------------------------------------------------


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_untouched_is_not_tried_and_solution_is_right(asked):
    assert asked.outcome(...) == NotTried()
    if asked.judge.probe is not None:
        assert asked.outcome(lambda *_: ...) == NotTried()
    for seed in (None, 1, 2, 3):
        assert asked.outcome(asked.judge.solution, seed) == Right(asked.right), f"seed {seed}"


def _mistakes(asked: Exercise) -> tuple:
    """Return the wrong answers that an exercise knows."""
    wrong = tuple(each for each, _ in asked.mistakes if not isinstance(each, core.when))
    return asked.judge.wrong + wrong


@pytest.mark.parametrize("asked", EVERY, ids=lambda each: each.id)
def test_two_plausible_mistakes_get_different_hints(asked):
    outcomes = [asked.outcome(each) for each in _mistakes(asked)]
    assert all(isinstance(each, Wrong) for each in outcomes), outcomes
    assert len({each.hint for each in outcomes}) >= 2
    for seed in (1, 2, 3):  # unseen inputs tell the mistakes from the solution just as well
        for each in _mistakes(asked):
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
    assert len(asked) >= 2
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
            line for each in cell["outputs"] for line in each.get("data", {}).get("text/plain", "")
        )
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if "check" in cell["metadata"]
    }
    assert said == {each.id: f"✔ {each.id} right: {each.right}" for each in core.of_lesson(lesson)}


class _Yours(ast.NodeTransformer):
    """Leaves out what is handed to `yours`, which gives only what is right."""

    def visit_Call(self, node):  # noqa: N802
        named = isinstance(node.func, ast.Name) and node.func.id == "yours"
        return ast.Constant(None) if named else self.generic_visit(node)


@pytest.mark.parametrize("lesson", core.lessons())
def test_no_later_cell_needs_an_answer(lesson):
    """A wrong one may raise, or never end: only `yours` hands one on."""
    asked: set[str] = set()
    for cell in source.read(SOURCES[lesson]).cells:
        if cell.exercise:
            asked |= scopes.effects(cell.text.replace("###", "#")).writes
        elif cell.kind == "code" and not cell.check:
            rest = ast.unparse(_Yours().visit(ast.parse(scopes.python_of(cell.text))))
            does = scopes.effects(rest)
            assert not does.reads & asked, (cell.id, does.reads & asked)
            asked -= does.binds


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


# --- judging ----------------------------------------------------------------------------------


def no_return(data, position):
    follow(data, position)


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
        (lambda data, place: object(), "This object is no answer"),
        (28, "the function itself"),
        (lambda data, place: 5, "You return 5 whatever comes in"),
    ],
)
def test_a_hint_depends_on_the_mistake(answer, said):
    outcome = FOLLOW.outcome(answer)
    assert isinstance(outcome, Wrong) and said in outcome.hint


@pytest.mark.parametrize(
    "answer, idle",
    [
        (lambda data, position: data[0] + 8, "position"),
        (lambda data, position: len(data) + sum(data[position] for _ in "12"), ""),
        (lambda data, position: [data[at] + position for at in (0, 1)][1], ""),
        (lambda data: 3, "data"),
        (len, ""),
    ],
)
def test_a_parameter_that_is_never_used_is_named(answer, idle):
    hint = FOLLOW.outcome(answer).hint
    assert hint.endswith(f"never uses `{idle}`.") if idle else "never uses" not in hint


def entry_at(where):
    """Return an answer to 6.5 that stops at the vtable's end and reads an entry at `where`."""

    def field(data, table, slot):
        vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
        size, entry = data[vtable : vtable + 2], data[vtable + where(slot) :][:2]
        offset = int.from_bytes(entry, "little")
        inside = 4 + 2 * slot < int.from_bytes(size, "little")
        return table + offset if inside and offset else None

    return field


def rows(*computed):
    return [(name, "Placeholder") for name in "wxb"] + list(computed)


@pytest.mark.parametrize(
    "identifier, answer, said",
    [
        ("1.5", rows(("p", "Mul", "w", "x"), ("s", "Add", "p", "b"), ("o", "Relu", "s")), "right"),
        (
            "1.5",
            rows(
                ("p", "Mul", "w", "x"),
                ("q", "Mul", "b", "b"),
                ("s", "Add", "p", "q"),
                ("o", "Relu", "s"),
            ),
            "w=0.5, x=2, b=-3 your graph gives 10, and 0 is right",
        ),
        ("6.2", lambda data: data.index(b"TFL3") == 4, "never fail"),
        ("6.2", lambda data: open(data, "rb").read(8)[4:] == b"TFL3", "nothing to open"),
        ("6.5", entry_at(lambda slot: 4 + 2 * slot), "right"),
        ("6.5", entry_at(lambda slot: 2 * slot), "begins with two sizes"),
        ("6.5", entry_at(lambda slot: 2 + 2 * slot), "count from 0"),
        ("6.5", entry_at(lambda slot: 4 + slot), "two bytes apart"),
        ("6.5", entry_at(lambda slot: 4 + 4 * slot), "two bytes apart"),
    ],
)
def test_a_lesson_knows_the_mistake(identifier, answer, said):
    outcome = core.exercise(identifier).outcome(answer)
    assert said in ("right" if isinstance(outcome, Right) else outcome.hint)


def test_a_function_that_changes_its_arguments_is_judged_on_fresh_ones():
    total = Exercise("1.1", "total", judges.function(sum, [([1, 2],), ([3],)]), "yes")
    assert total.outcome(lambda values: sum(values.pop() for _ in list(values))) == Right("yes")


def test_a_judge_that_fails_and_a_hint_without_end():
    def grade(_, value, mistakes):
        return "x" * 10_000 if value else 1 / 0

    asked = Exercise("1.1", "a: the first", core.Judge(1, grade), "yes")
    assert asked.outcome(0).hint == "Your answer cannot be judged (ZeroDivisionError): a: the first"
    assert len(asked.outcome(1).hint) < 600


def test_lessons_are_found_by_name():
    assert all(len(each) == 2 and each.isdigit() for each in core.lessons())
    with pytest.raises(ValueError, match="Lesson 99 has no exercises"):
        core.of_lesson("99")

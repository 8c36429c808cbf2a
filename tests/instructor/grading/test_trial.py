"""What is laid into the reference, what is run of it, and what one work earns."""

from __future__ import annotations

import json
import os

import pytest
from hostile import corpus, honest, toy

from course_lib.instructor.grading import course, sandbox, submission, trial
from course_lib.instructor.grading.results import Work

needs_bubblewrap = pytest.mark.skipif(
    not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"
)


def _tree(lesson, answers, everything=False):
    program = submission.with_answers(lesson, answers).program
    return json.loads(trial.assembled(lesson, program, everything))["cells"]


def _kept(lesson, answers):
    """Return the ids of the course's cells that run."""
    cells = [cell for cell in _tree(lesson, answers) if not cell["metadata"]["tags"]]
    return [cell["id"] for cell in cells if not cell["id"].startswith("part")]


def test_only_what_an_answer_depends_on_is_run(lesson):
    table = next(cell["id"] for cell in lesson.cells if "table =" in course.text_of(cell))
    assert _kept(lesson, {"97.1": "cells = table.size"}) == ["setup", table]
    assert _kept(lesson, {"97.5": "order = []"}) == ["setup"]
    assert table in _kept(lesson, {"97.5": "order = eval('table')"})
    everything = _tree(lesson, {}, everything=True)
    skipped = [cell["metadata"] for cell in everything if cell["metadata"]["tags"]]
    assert all("ask" in metadata for metadata in skipped)


def _reference(*sources):
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source}
        for n, source in enumerate(sources)
    ]
    exercise = {"cell_type": "code", "id": "ex", "metadata": {"exercise": "1.1"}, "source": "a = 1"}
    check = {"cell_type": "code", "id": "check", "metadata": {"check": "1.1"}, "source": ""}
    question = course.Question("1.1", "ex", 1, "a", "a = ...")
    return course.Reference("01", "01_x.ipynb", (*cells, exercise, check), (question,))


ALL_SIX = {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    "answer, needed",
    [
        ("a = x", {0}),
        ("a = y", {0, 1, 2}),  # the third cell changes y in place
        ("a = z", {0, 1, 2}),
        ("a = w", {5}),
        ("a = 1", set()),
        ("a = f(1)", {0, 3}),
        ("def a():\n    return x", {0}),
        ("def a(x, y, z):\n    return [w for w in x]", set()),
        ("a = lambda x: x", set()),
        ("class a:\n    x = 1\n    y = x", set()),
        ("a = [x for x in (lambda w: w)(z)]", {0, 1, 2}),
        ("x = 1\nx += 1\na = 2", set()),
        ("x += 1\na = 2", {0}),
        ("for x in (1,):\n    pass\na = x", {0}),
        ("a = globals()['x']", ALL_SIX),
        ("a = math.pi", {4}),
        ("%time a = x", {0}),
        ("!pip install \\\n  this\na = x", {0}),
        ("(", set()),
    ],
)
def test_dependencies_are_followed(answer, needed):
    reference = _reference(
        "x = [1]",
        "y = x + [2]",
        "y.append(3); z = y",
        "def f(n):\n    return x[n]",
        "import math; math.sin(0)",
        "w: int = 5",
    )
    program = submission.with_answers(reference, {"1.1": answer}).program
    places = {program[index].place for index in trial.needed_parts(reference, program)}
    assert places - {6} == needed


@needs_bubblewrap
def test_answers_that_need_a_skipped_cell_get_it(toy_course):
    """A name that only a string holds is not seen beforehand: then all cells run."""
    answers = {
        "97.1": "import __main__ as m\ncells = getattr(m, 'ta' + 'ble').size",
        "97.5": "raise FileNotFoundError('results')",
    }
    result = trial.grade(Work("a", "97", "x", answers), trial.Settings(toy_course[0], "s"))
    assert result.exercises[0].state == "right"


@needs_bubblewrap
def test_a_user_without_rights_gets_a_namespace_of_their_own(toy_course, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    answers = {
        "97.1": "cells = table.size",
        "97.2": (
            "import os\nfrom pathlib import Path\nfor place in ('/x', '/dev/x', '/usr/x'):\n"
            "    try:\n        Path(place).touch()\n        raise SystemExit\n"
            "    except OSError:\n        pass\n" + corpus.RIGHT["97.2"]
        ),
    }
    result = trial.grade(Work("a", "97", "x", answers), trial.Settings(toy_course[0], "s"))
    assert result.earned == 3 and result.sandbox == "bubblewrap" and not result.ended


def _graded(toy_course, tree):
    course_, _ = toy_course
    cells = submission.read_cells(honest.finished(tree))
    found = submission.find_answers(cells, course_.lessons["97"])
    work = Work("a", "97", "x", dict(found.texts), found.notes, program=found.program)
    return trial.grade(work, trial.Settings(course_, "s", toy.LIMITS))


def _solved(toy_course):
    answers = {name: f"# Exercise {name}\n{code}" for name, code in corpus.RIGHT.items()}
    return honest.solved(toy_course[1], answers)


@needs_bubblewrap
@pytest.mark.parametrize(
    "ways, saving",
    [
        (("split", "helper above", "below the stub", "helper in a course cell",
          "corrected in a copy"), {"colab"}),
        (("below the check", "check in the answer", "helper at the top", "split by jupyter",
          "name used again"), {"format 3", "first lines dropped"}),
    ],
)  # fmt: skip
def test_the_program_that_was_handed_in_is_graded(toy_course, ways, saving):
    tree = _solved(toy_course)
    for name, way in zip(corpus.RIGHT, ways, strict=True):
        honest.WRITING[way](honest.Answer(tree["cells"], name))
    tree["cells"][3:3] = [honest.own(text) for text in honest.BESIDE]
    result = _graded(toy_course, honest.saved(tree, saving))
    assert result.earned == 8 and not result.ended, result.to_json()
    assert "added cells run where they stand" in " ".join(result.notes)


@needs_bubblewrap
def test_what_is_corrected_below_its_check_counts_where_it_is_right(toy_course):
    tree = _solved(toy_course)
    below = {
        "97.1": ("cells = 5", "cells = 7"),  # wrong twice
        "97.2": (corpus.WRONG_2, f"{corpus.RIGHT['97.2']}\n1 / 0"),
        "97.3": (corpus.RIGHT["97.3"], "complete = 'later used again'"),
        "97.4": ("totals = None", f"helper = sum\n{corpus.RIGHT['97.4']}"),
        "97.5": ("order = ['add']", "order.append('divide')"),
    }
    for name, (first, second) in below.items():
        answer = honest.Answer(tree["cells"], name)
        answer.write(first)
        answer.add("totals = 'used again'", answer.check)
        answer.add(second, answer.check)
    result = _graded(toy_course, tree)
    assert not result.ended, result.to_json()
    assert [each.state for each in result.exercises] == ["wrong", *["right"] * 4]


@needs_bubblewrap
def test_an_added_cell_that_ends_everything_takes_no_other_points(toy_course):
    tree = _solved(toy_course)
    answer = honest.Answer(tree["cells"], "97.2")
    answer.write("def double(x):\n    return factor * x")
    tree["cells"].insert(2, honest.own("import os\nfactor = 2\nos._exit(1)"))
    result = _graded(toy_course, tree)
    assert result.earned == 6 and not result.ended, result.to_json()


@needs_bubblewrap
def test_cells_that_were_run_in_another_order(toy_course):
    tree = _solved(toy_course)
    answer = honest.Answer(tree["cells"], "97.1")
    answer.write("cells = measure(table)")
    tree["cells"].append(honest.own("def measure(array):\n    return array.size"))
    assert _graded(toy_course, tree).earned == 8


@needs_bubblewrap
def test_attacks_in_added_cells_give_no_points(toy_course):
    """What an added cell replaces is its own student's; the others' values stay what they are."""
    tree = _solved(toy_course)
    honest.Answer(tree["cells"], "97.2").write("def double(x):\n    return base * x * x")
    attack = """import sys, types
import course_lib.exercises, course_lib.exercises.answers as answers
course_lib.exercises.check = check = lambda *_: print("97.2 right: x + x.")
sys.modules["course_lib.exercises.core"] = types.ModuleType("core")
sys.modules["course_lib.exercises.lesson_97"] = types.ModuleType("lesson_97")
answers.is_untouched = lambda answer: False
get_ipython().user_ns["double"] = "right"
base = 1"""
    tree["cells"].insert(2, honest.own(attack))
    result = _graded(toy_course, tree)
    assert [each.earned for each in result.exercises] == [1, 0, 1, 3, 1], result.to_json()


EVENTS = [
    {"kind": "own cell", "cell": "part-1"},
    {"kind": "own cell", "cell": "part-1", "why": "NameError: name 'x' is not defined"},
    {"kind": "own cell", "cell": "part-4"},
    {"kind": "own cell", "cell": "part-4", "why": "KeyboardInterrupt: "},
    {"kind": "own cell", "cell": "part-6"},
]


def test_who_is_blamed_for_an_end():
    run = sandbox.Run(tuple(EVENTS), "it took too long", 1.0, "bubblewrap")
    assert trial._blamed(run) == {4, 6}


def _reply(state, number=0):
    return {"kind": "answer", "exercise": "1.1", "reply": {"state": state, "values": number}}


@pytest.mark.parametrize(
    "replies, counts",
    [
        ([_reply("values", 1), _reply("values", 2)], _reply("values", 2)),
        ([_reply("values", 1), _reply("untouched")], _reply("values", 1)),
        ([_reply("values", 1), _reply("missing")], _reply("values", 1)),
        ([_reply("untouched"), _reply("missing")], _reply("missing")),
        ([_reply("missing"), _reply("values", 3)], _reply("values", 3)),
    ],
)
def test_the_last_answer_counts(replies, counts):
    cell = {"kind": "cell", "exercise": "1.1", "why": "first"}
    events = trial._that_count([cell, replies[0], {**cell, "why": "second"}, *replies[1:]])
    assert [event for event in events if event["kind"] == "answer"] == [counts]
    (told,) = [event for event in events if event["kind"] == "cell"]
    assert told["why"] == ("first" if counts == replies[0] else "second")


def test_who_has_answered_does_not_answer_twice():
    """Of three choices, a run in another order gives nobody a second guess."""
    first, second = _reply("values", 1), _reply("values", 2)
    assert trial._completed([first], [second]) == (first,)
    assert trial._completed([_reply("missing")], [second]) == (second,)

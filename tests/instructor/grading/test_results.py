"""A result comes back from JSON as it was; anything else is no result."""

from __future__ import annotations

import json

import pytest

from course_lib.instructor.grading.results import Result, Row, Verdict, Work, rows, slug
from course_lib.instructor.grading.roster import Student

VERDICTS = (
    Verdict("97.1", 1.0, 1.0, "right", "rows times columns."),
    Verdict("97.2", 2.0, 0.0, "wrong", "half of a pair: \ud800"),
)


def result(student: str, lesson: str = "97") -> Result:
    key = Work(student, lesson, "x").key
    return Result(key, student, lesson, f"{lesson}_x.ipynb", "x", 1.0, 3.0, VERDICTS, notes=("n",))


def test_a_result_travels_as_json():
    kept = result("ada")
    assert Result.from_json(kept.to_json()) == kept
    assert list(json.loads(kept.to_json()))[-3:] == ["seconds", "stamp", "not_graded"]


@pytest.mark.parametrize("text", ["", "[]", "5", "{}", '{"exercises": [], "notes": []}', "null"])
def test_what_is_no_result_is_refused(text):
    with pytest.raises(ValueError):
        Result.from_json(text)


def test_rows_follow_the_roster_and_the_lessons():
    roster = (Student("Eve", "eve", frozenset()), Student("Ada L.", "ada", frozenset()))
    table = rows([result("zoe"), result("ada", "98"), result("ada")], roster)
    assert [(row.student, row.name) for row in table] == [
        ("eve", "Eve"),
        ("ada", "Ada L."),
        ("zoe", "zoe"),
    ]
    assert [each.lesson for each in table[1].results] == ["97", "98"]
    assert (table[1].earned, table[1].points, len(table[1].exercises)) == (2.0, 6.0, 4)
    assert table[0] == Row("eve", "Eve", ())


def test_names_of_files_differ_as_students_do():
    assert slug("Ada L.").startswith("ada-l-") and slug("Ada L.") != slug("ada l")

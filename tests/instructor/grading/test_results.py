"""A result comes back from JSON as it was; anything else is no result."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.instructor.grading.results import (
    Result,
    Row,
    Verdict,
    Work,
    joined,
    kept,
    place,
    rows,
    slug,
)
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


def test_two_names_that_met_in_24_bits_differ():
    """Found by trying: their digests begin with the same six digits."""
    found: dict[str, str] = {}
    for number in range(20_000):
        name = f"{'x' * 40}{number}"
        other = found.setdefault(slug(name)[:47], name)
        if other != name:
            break
    assert other != name and slug(other) != slug(name)


@given(st.text(), st.text())
def test_every_student_has_a_file_name_of_their_own(one, other):
    assert (slug(one) == slug(other)) is (one == other)
    assert slug(one) == slug(one).lower() and len(slug(one)) < 90
    assert set(slug(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_what_was_not_graded_counts_nothing():
    failed = replace(result("ada", "98"), not_graded="No memory.")
    (row,) = rows([result("ada"), failed])
    assert (row.earned, row.points, len(row.exercises), len(row.results)) == (1.0, 3.0, 2, 2)


def test_runs_into_one_folder_join(tmp_path):
    old = [replace(result(name), stamp="s") for name in ("ada", "ben", "cy")]
    for each in old:
        path = place(tmp_path, each.student, each.lesson)
        path.parent.mkdir(exist_ok=True)
        path.write_text(each.to_json())
    (tmp_path / "works" / "half.json").write_text("{")
    (tmp_path / "works" / "copy.json").write_text(old[0].to_json())
    earlier = kept(tmp_path)
    assert sorted(earlier.values(), key=lambda each: each.student) == old
    new = replace(result("ben"), key="another", origin="b/97.ipynb", earned=2.0, stamp="s")
    both, notes = joined([new], earlier)
    assert [(each.student, each.earned) for each in both] == [("ben", 2), ("ada", 1), ("cy", 1)]
    assert "ben's lesson 97: b/97.ipynb replaces" in notes[0] and len(notes) == 2
    assert "2 results of earlier runs into this folder stay (ada 97, cy 97)" in notes[1]
    assert joined(old, earlier) == (old, [])  # the same again
    _, notes = joined([replace(new, stamp="t")], earlier)
    assert "2 of them were graded with another seed" in notes[2]

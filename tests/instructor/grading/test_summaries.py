"""What GitHub shows: nothing that a student's code wrote can be Markdown, HTML or a command."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import reports, results, summaries
from course_lib.instructor.grading.results import Result, Verdict
from course_lib.instructor.grading.roster import CollectError
from course_lib.session import write_atomically

EVIL = "<img src=x> | a\n\n# **b** `c` [d](e) ::error::f \ud800"


def test_points_of_all_lessons(tmp_path):
    verdicts = (Verdict("1.1", 2.0, 2.0, "right", "well"), Verdict("1.2", 3.0, 0.5, "wrong", EVIL))
    first = Result("k", "x", "01", "01_x.ipynb", "x", 2.5, 5.0, verdicts, ended="It stopped.")
    other = Result(
        "l", "x", "02", "02_x.ipynb", "x", 0.0, 5.0, (Verdict("2.1", 5.0, 0.0, "wrong", ""),)
    )
    write_atomically(tmp_path / "results.csv", reports.table(results.rows([first, other])))
    write_atomically(tmp_path / "works" / "1.json", first.to_json())
    write_atomically(tmp_path / "works" / "2.json", other.to_json())
    text, notices, percent = summaries.summarize(tmp_path)
    assert percent == 25 and text.startswith("# 2.5 of 10 points\n\n## Lesson 01: 2.5")
    assert notices == (
        "::notice title=Autograding complete::Points 2.5/10\n"
        '::notice title=Autograding report::{"totalPoints":2.5,"maxPoints":10}'
    )
    (line,) = (line for line in text.splitlines() if line.startswith("| 1.2 |"))
    assert line == (
        r"| 1.2 | 0.5 of 3 | wrong | &lt;img src=x&gt; \| a \# \*\*b\*\* \`c\` \[d\](e) "
        r"\:\:error\:\:f ? |"
    )
    assert "- It stopped." in text and "## Lesson 02: 0 of 5" in text


def test_a_lesson_that_was_not_graded_takes_no_points(tmp_path):
    result = Result(
        "k", "x", "01", "01_x.ipynb", "x", 2.0, 2.0, (Verdict("1.1", 2.0, 2.0, "right", ""),)
    )
    write_atomically(tmp_path / "results.csv", reports.table(results.rows([result])))
    text, notices, percent = summaries.summarize(tmp_path)
    assert "Lesson 01 is not graded" in text and percent == 0
    with pytest.raises(CollectError, match="no results.csv"):
        summaries.summarize(tmp_path / "none")

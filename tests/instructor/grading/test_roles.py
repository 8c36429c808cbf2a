"""What each cell is: by id, by metadata, by first line, by text."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import course, roles
from course_lib.instructor.grading.roles import Cell


def _roles(lesson, *cells):
    items = roles.items_of(cells, lesson)
    return [(item.role, item.exercise, item.text) for item in items if item.role != "prose"]


def _code(text, *ids, **says):
    return Cell("code", ids, text, **says)


@pytest.mark.parametrize(
    "line",
    [
        "# Exercise 97.2",
        "# Exercise 97.2: softmax",
        "# Exercise 97.2 — done by Ann",
        "#Exercise 97.2",
        "## exercise 97.2.",
        '# Exercise 97.2 (stuck? `hint("97.2")` helps)',
    ],
)
def test_a_first_line_and_what_follows_it(lesson, line):
    text = f"{line}\ndef double(x):\n    return 2 * x"
    assert _roles(lesson, _code(text)) == [("answer", "97.2", text)]


@pytest.mark.parametrize(
    "line", ["# Exercise 97.22", "# Exercise 97.2.1", "# Exercise 96.2", "# as in Exercise 97.2"]
)
def test_what_is_no_first_line(lesson, line):
    assert _roles(lesson, _code(f"{line}\nx = 1")) == [("own", "", f"{line}\nx = 1")]


def test_the_first_line_outweighs_metadata_and_those_the_id(lesson):
    assert _roles(lesson, _code("x = 1", "ex-97-1"))[0][:2] == ("answer", "97.1")
    assert _roles(lesson, _code("x = 1", "ex-97-1", exercise="97.2"))[0][:2] == ("answer", "97.2")
    both = _code("# Exercise 97.3\nx = 1", "ex-97-1", exercise="97.2")
    assert _roles(lesson, both)[0][:2] == ("answer", "97.3")


def test_merged_cells_are_cut_where_python_allows(lesson):
    text = "# Exercise 97.1\ncells = 6\n# Exercise 97.3\ncomplete = 'x'\n"
    found = _roles(lesson, _code(text))
    assert [each[1] for each in found] == ["97.1", "97.3"]
    assert "".join(each[2] for each in found) == text
    inside = "# Exercise 97.2\ndef double(x):\n    # Exercise 97.3 said so\n    return 2 * x"
    assert _roles(lesson, _code(inside)) == [("answer", "97.2", inside)]


def test_a_changed_course_cell_keeps_its_text_and_what_was_added(lesson):
    table = next(cell for cell in lesson.cells if "table =" in course.text_of(cell))
    text = "import math\n" + course.text_of(table).replace("6", "7") + "\ntable = None\nextra = 1"
    for cell in (_code(text, table["id"]), _code(text)):
        role, own = roles.items_of((cell,), lesson)
        assert role.role == "course" and role.changed and role.text == ""
        assert (own.role, own.text) == ("own", "import math\nextra = 1")
    (same,) = roles.items_of((_code(course.text_of(table), table["id"]),), lesson)
    assert same.role == "course" and not same.changed


def test_checks_wherever_they_stand(lesson):
    asked = [("ask", "97.2", "")]
    assert _roles(lesson, _code('check("97.2", double)')) == asked
    assert _roles(lesson, _code("", "check-97-2")) == asked
    assert _roles(lesson, _code("raise SystemExit", "check-97-2"))[1:] == asked
    assert _roles(lesson, _code("x = 1\ncheck('97.2', x)"))[1:] == [("ask", "97.2", "x")]
    assert _roles(lesson, _code("x = 1\n# check('97.2', x)"))[1:] == []


def test_what_installs_or_silences_is_taken_out(lesson):
    (own,) = _roles(
        lesson, _code("if 1:\n    !pip install \\\n  x\n# NBVAL_SKIP\n%pip list\ny = 1")
    )
    assert own[2] == "if 1:\n    pass\n# (SKIP)\npass\ny = 1"


def test_more_cells_than_anybody_adds_are_left_out(lesson):
    cells = [_code(f"x = {number}") for number in range(3000)]
    assert len(_roles(lesson, *cells, _code("cells = 6", "ex-97-1"))) == roles.MOST_ADDED + 1
    assert len(_roles(lesson, *(_code("x = 1\n" * 20_000) for _ in range(9)))) < 5

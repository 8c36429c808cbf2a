"""The box for a program of one's own."""

from __future__ import annotations

from course_lib.views.expression import Expression


def test_ones_own_program():
    box = Expression("a = 3\nb = 4\nc = sqrt(a**2 + b**2)")
    assert "c = sqrt(add_1) = sqrt(25) = 5" in box.said.value
    assert "4 constants, 4 operations." in box.said.value
    before = box.picture.value
    box.text.value = "a = 3\nb = c"
    assert "Line 2: uses c" in box.said.value and box.picture.value == before
    box.text.value = "a = 1 / 0"
    assert "divides 1 by const_2, which is 0" in box.said.value
    box.text.value = "x = 1\n" + "x = x + 1\n" * 500
    assert "501 constants, 500 operations" in box.said.value and box.picture.value == ""
    assert "too many to draw while you type" in box.said.value
    box.text.value = "x = 1\n" * 10_000
    assert "Line 5000: is the last that can be drawn" in box.said.value


def test_what_is_typed_is_shown_as_text():
    box = Expression("a = 1")
    box.text.value = "a = <b>"
    assert "<b>" not in box.said.value

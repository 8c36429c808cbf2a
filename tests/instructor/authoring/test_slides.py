"""Where slides begin: at what a cell says, and where no more fits."""

from __future__ import annotations

import pytest

from course_lib.instructor import authoring
from course_lib.instructor.authoring import slides
from course_lib.instructor.authoring.source import Cell

LONG = "word " * 80  # six lines of a slide


def _prose(text: str, slide: str | None = None) -> Cell:
    return Cell("markdown", text, "markdown-1", slide)


def _code(text: str = "x = 1", identifier: str = "code-1", **more: str) -> Cell:
    return Cell("code", text, identifier, **more)


def test_headings_predictions_and_code_begin_slides() -> None:
    cells = [
        _prose("# Title\n\nAsked?", "slide"),
        Cell("setup", "", "setup", "skip"),
        _code(),
        _prose("Short."),
        _prose("Short, too."),
        _prose("**Predict.** How many?"),
        _code("my_guess = ...", "predict-7-1"),
        _code('compare("7.1", my_guess, 3)', "compare-7-1"),
        _prose("### Exercise 7.2\nDo it."),
        _code("# Exercise 7.2", "ex-7-2", exercise="7.2"),
        _code('check("7.2", x)', "check-7-2", check="7.2"),
        _prose("## Alone", "slide"),
        _code(),
        _code(),
    ]
    sub = "subslide"
    assert slides.types(cells) == [
        *["slide", "skip", sub, sub, None, sub, None, sub, sub, sub, None, "slide", None, sub]
    ]


def test_prose_that_would_not_fit_begins_a_slide() -> None:
    assert slides.types([_prose(LONG), _prose("Short.")]) == ["subslide", None]
    assert slides.types([_prose(LONG), _prose(LONG)]) == ["subslide", "subslide"]


@pytest.mark.parametrize("kind", ["slide", "fragment", "skip", "notes"])
def test_the_source_has_the_last_word(kind: str) -> None:
    assert slides.types([_prose("Short."), _prose("More.", kind)])[1] == kind


def test_what_belongs_together_stays_together() -> None:
    heading, after = slides.groups(f"## Heading\n\nFirst.\n\n- one\n- two\n\n{LONG}")
    assert [block.title for block in heading] == ["Heading", "", "", ""]
    assert [block.item for block in heading] == [False, False, True, True] and len(after) == 1
    items = "\n".join(f"- {LONG}" for _ in range(5))
    assert max(sum(b.lines for b in group) for group in slides.groups(items)) <= slides.FULL_LINES


def test_a_list_keeps_its_numbers_and_links_to_notebooks_become_text() -> None:
    numbered = slides.blocks(
        "3. three\n4. [four](04_checkpoints.ipynb), [far](https://example.org)"
    )
    assert [f'start="{n}"' in block.html for n, block in zip((3, 4), numbered, strict=True)] == [
        *[True, True]
    ]
    assert ".ipynb" not in numbered[1].html and 'href="https://example.org"' in numbered[1].html


def test_no_lesson_has_a_block_that_fills_more_than_a_slide() -> None:
    for lesson in authoring.lessons():
        for cell in lesson.cells:
            if cell.kind == "markdown":
                assert all(block.lines <= slides.FULL_LINES for block in slides.blocks(cell.text))

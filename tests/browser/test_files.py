"""The lessons on files, 04 and 05, in a real browser: what their controls change on the page."""

from __future__ import annotations

import pytest

from course_lib import spotter
from course_lib.experiments import timeline
from tests.browser.lab import Server
from tests.browser.test_lessons import (  # noqa: F401
    LIST,
    SLIDER,
    _only_badges,
    _run,
    chromium,
    page,
    server,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]


def _press(notebook, cell, key: str) -> str:
    """Press a key on the slider of a cell; return how the cell looks when that has changed."""
    return notebook.press(cell, cell.locator(SLIDER).first, key)


def _choose(notebook, cell) -> str:
    """Choose the next entry of the list in a cell; return how the cell looks then."""
    return notebook.select(cell, cell.locator(LIST).first)


def test_04_all_parts_of_the_time_slider_move_together(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "04_checkpoints")
    cells = page.locator(".jp-Notebook .jp-CodeCell", has=page.locator(SLIDER))
    assert cells.count() == 2  # the run that ships, and the student's own
    shipped = f"step {timeline.shipped().steps[-2]}"
    for cell, back in ((cells.nth(0), shipped), (cells.nth(1), "step 90")):
        cell.scroll_into_view_if_needed()
        parts = ("img", "svg", "table", "[role=status]")
        before = [_html(cell, part) for part in parts]
        _press(notebook, cell, "ArrowLeft")
        after = [_html(cell, part) for part in parts]
        assert all(old != new for old, new in zip(before, after, strict=True))
        assert back in after[-1] and "as int8" in after[-1]
    answer = _choose(notebook, cells.nth(1))
    assert "Its answer to" in answer
    assert _only_badges(page)


def test_15_the_cursor_explains_bytes(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "15_inside_a_frozen_file")
    cell = notebook.cell_with(SLIDER)
    assert "tag of node" in notebook.looks(cell)
    after = _press(notebook, cell, "ArrowRight")
    assert "length of node" in after and "bits" in after
    assert f"{spotter.FIRST_LAYER}/convolution" in _choose(notebook, cell)
    for _ in range(60):
        if "packed: 4 numbers" in (after := _press(notebook, cell, "ArrowRight")):
            break
    assert "packed: 4 numbers" in after
    assert _only_badges(page)


def _html(cell, part: str) -> str:
    """Return a part of what a widget shows in a cell."""
    found = cell.locator(f".jp-OutputArea .widget-html-content {part}").last
    return found.evaluate("each => each.outerHTML")

"""Lessons 03 and 13 in a real browser: a training is interrupted, and controls play their clips."""

from __future__ import annotations

import pytest

from tests.browser.lab import Notebook, Server, says
from tests.browser.test_lessons import (  # noqa: F401 (fixtures)
    LIST,
    SLIDER,
    _move,
    _only_badges,
    _run,
    chromium,
    page,
    server,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_03_a_training_is_stopped_and_its_mistakes_are_heard(
    page,  # noqa: F811
    server: Server,  # noqa: F811
) -> None:
    notebook = Notebook(page, server, "notebooks/03_a_keyword_spotter.ipynb")
    notebook.start()
    page.get_by_text("% right. To stop early").wait_for(state="attached", timeout=900_000)
    trained = notebook.cell_with(".widget-hprogress")
    notebook.interrupt()
    state = notebook.finish()
    assert state["errors"] == [] and state["done"] == state["cells"] > 10
    told = trained.inner_text()
    assert "stopped after" in told and "are kept" in told
    _move(notebook, SLIDER)  # over the frames of a clip
    _clips_behind_a_number(notebook)
    assert _only_badges(page)


def test_13_voices_are_heard_and_a_threshold_moves(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "13_what_the_spotter_hears")
    _move(notebook, SLIDER)  # over the frames of a clip
    _clips_of_a_voice(notebook)
    _another_threshold(notebook)
    assert _only_badges(page)


def _clips_behind_a_number(notebook: Notebook) -> None:
    cell = notebook.cell_with("button[title^='said ']")
    right = cell.locator("button[title^='said yes, heard as yes']")
    notebook.press(cell, right, "Enter")
    says(cell.locator("[role=status]"), "said yes, heard as yes")
    cell.locator("audio").first.wait_for(state="attached")


def _clips_of_a_voice(notebook: Notebook) -> None:
    cell = notebook.cell_with(".widget-dropdown:has-text('Voice')")
    notebook.select(cell, cell.locator(LIST).first)
    says(cell.locator("[role=status]"), "were understood")
    cell.locator("audio").first.wait_for(state="attached")


def _another_threshold(notebook: Notebook) -> None:
    cell = notebook.cell_with(".widget-slider:has-text('Threshold')")
    says(cell, "At 0.50:")
    notebook.press(cell, cell.locator(SLIDER).first, "ArrowRight")
    says(cell, "At 0.51:")

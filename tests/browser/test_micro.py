"""Lesson 18 in a real browser: sliders over ten minutes of sound, and a microphone that beeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from course_lib.views.microphone import REASONS
from tests.browser.lab import Server, browser, says
from tests.browser.test_lessons import SLIDER, _only_badges, _run, page, server  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

BUTTON = "button.workbook-record"
LESSON = "18_listening_all_day"


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """A headless Chromium whose microphone is imitated: it beeps once a second."""
    with browser("--use-fake-device-for-media-stream") as running:
        yield running


def test_18_sliders_move_and_a_word_is_recorded(page, server: Server) -> None:  # noqa: F811
    """Without a microphone the page says why; with one, it answers to what was said."""
    notebook = _run(page, server, LESSON)
    cell = notebook.cell_with(SLIDER)
    for place in range(cell.locator(SLIDER).count()):  # smoothing, threshold, minute
        notebook.press(cell, cell.locator(SLIDER).nth(place), "ArrowRight")
    says(cell, "an hour")
    denied = _record(notebook)  # nobody allowed the microphone yet
    assert f"{REASONS['NotAllowedError']} This is a bundled clip. Heard: “yes”" in denied
    page.context.grant_permissions(["microphone"])
    assert "Your recording. Heard:" in _record(notebook)
    assert _only_badges(page)


def _record(notebook) -> str:
    """Press the button by keyboard; return what the cell says when the answer is there."""
    cell = notebook.cell_with(BUTTON)
    says(cell, "This is a bundled clip")
    notebook.press(cell, cell.locator(BUTTON), "Enter")
    cell.locator(f"{BUTTON}:enabled").wait_for()
    return " ".join(cell.inner_text().split())

"""Lesson 09 in a real browser: takes are recorded and saved, taken back, and the model answers."""

from __future__ import annotations

import pytest

from course_lib import project
from course_lib.sound import audio
from tests.browser.lab import Server, says
from tests.browser.test_lessons import LIST, _only_badges, _run, page, server  # noqa: F401
from tests.browser.test_micro import BUTTON, chromium  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]


def test_09_takes_are_saved_at_once_and_the_report_is_there(
    page,  # noqa: F811
    server: Server,  # noqa: F811
) -> None:
    page.context.grant_permissions(["microphone"])
    notebook = _run(page, server, "09_your_own_keyword")
    cell = notebook.cell_with(f"{LIST}, {BUTTON}")
    takes = server.folder / "notebooks" / project.FOLDER
    for count in (1, 2):
        _press(notebook, cell, "record a take")
        says(cell, f"{count} of 10")
        assert len(list((takes / "left").iterdir())) == count
    notebook.select(cell, cell.locator(LIST).first, label="right")
    _press(notebook, cell, "record a take")
    wave = audio.read(takes / "right" / "me_001.wav")
    assert wave.shape == (16_000,) and abs(wave).max() > 0.01
    assert cell.locator("audio").count() == 1
    _press(notebook, cell, "take back the last one")
    says(cell, "me_001.wav is deleted")
    assert not list((takes / "right").iterdir()) and len(list((takes / "left").iterdir())) == 2
    handed_in = server.folder / "notebooks" / "work" / "09" / "my_spotter.zip"
    assert project.problems(*project.read(handed_in)) == []
    heard = notebook.cell_with("iframe[title^='A model that hears']")
    labels = heard.frame_locator("iframe").locator("th").all_inner_texts()
    assert labels[2:] == ["left", "right", "stop"]
    assert handed_in.with_name("my_spotter.html").is_file()
    assert _only_badges(page)


def _press(notebook, cell, label: str) -> None:
    notebook.press(cell, cell.locator("button", has_text=label), "Enter")

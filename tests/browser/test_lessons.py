"""JupyterLab in a real browser runs lessons from top to bottom, and their controls work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from seeds import TURN

from course_lib.instructor import authoring
from tests.browser import axe
from tests.browser.lab import Notebook, Server, browser, served
from tools import clean_copy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

SLIDER = ".widget-slider .noUi-handle"
LIST = ".widget-dropdown select"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab on a copy of the notebooks, as `make lab` starts it."""
    folder = tmp_path_factory.mktemp("lab")
    clean_copy.clone(folder)
    with served(folder, folder / "lab.log") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """A headless Chromium; without one, these tests are skipped and say so."""
    with browser() as running:
        yield running


@pytest.fixture
def page(chromium, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator:
    """A page whose requests to other machines are refused, and listed.

    What a test leaves in it has to be there for everybody, in a light and in a dark theme: axe
    looks at outputs and prose.
    """
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(120_000)  # milliseconds: both cores may be busy
    opened = context.new_page()
    opened.elsewhere = []

    def route(way) -> None:
        if way.request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            way.continue_()
        else:
            opened.elsewhere.append(way.request.url)
            way.abort()

    context.route("**/*", route)
    yield opened
    folder = Path(os.environ.get("WORKBOOK_SCREENSHOTS") or tmp_path)
    opened.screenshot(path=folder / f"{request.node.originalname}.png")
    found = axe.in_lab(opened)
    context.close()
    assert found == []


def _run(page, server: Server, name: str) -> Notebook:
    """Open a notebook and run it from top to bottom without an error."""
    notebook = Notebook(page, server, f"notebooks/{name}.ipynb")
    state = notebook.run_all()
    assert state["errors"] == []
    assert state["done"] == state["cells"] > 10
    return notebook


def _move(notebook: Notebook, control: str, beside: str = "") -> None:
    """Move the first control of a kind by one; what is shown with it has to change.

    It is looked for in the first cell that shows `beside`, or such a control.
    """
    cell = notebook.cell_with(beside or control)
    assert notebook.looks(cell)
    found = cell.locator(control).first
    if control != LIST:
        notebook.press(cell, found, "ArrowRight")
        return
    notebook.select(cell, found)


def _only_badges(page) -> bool:
    """Tell whether nothing but the badge was asked of other machines."""
    return all(address.endswith("colab-badge.svg") for address in page.elsewhere)


def test_00_a_list_of_clips_shows_another_answer(page, server: Server) -> None:
    notebook = _run(page, server, "00_start_here")
    _move(notebook, LIST)
    assert _only_badges(page)


def test_01_a_slider_changes_the_picture(page, server: Server) -> None:
    notebook = _run(page, server, "01_programs_as_graphs")
    _move(notebook, SLIDER)
    assert _only_badges(page)


def test_07_a_slider_and_a_choice_of_variant_change_the_pictures(page, server: Server) -> None:
    notebook = _run(page, server, "07_quantization")
    _move(notebook, SLIDER)
    _move(notebook, LIST, beside=".widget-checkbox")  # the dashboard
    assert _only_badges(page)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<button>go</button> <button>stop</button>", []),
        ("<button style='width:40px;overflow:hidden;white-space:nowrap'>all of it</button>",
         2 * ["its words are"]),
        ("<div style='width:20px;overflow:hidden'><input type='range'></div>", 2 * ["it is cut"]),
        ("<div style='width:20px;overflow:auto'><input type='range'></div>", []),
        ("<div style='overflow:hidden'><p style='width:900px'><button>go</button>"
         "<button style='margin-left:700px'>stop</button></p></div>", ["it is cut off: stop"]),
        ("<button>go</button><button style='margin-left:-20px'>stop</button>", 2 * ["one lies on"]),
    ],
)  # fmt: skip
def test_what_is_cut_off_is_found(chromium, content: str, found: list[str]) -> None:
    page = chromium.new_page()
    page.set_content(f"<main style='font:16px sans-serif'>{content}</main>")
    said = axe.cut_off(page, "main")
    page.close()
    assert len(said) == len(found) and all(map(str.__contains__, said, found)), said


@pytest.mark.slow
@pytest.mark.skipif(not TURN, reason="WORKBOOK_LONG=1 opens every lesson")
@pytest.mark.parametrize("name", [lesson.name for lesson in authoring.lessons()])
def test_every_lesson_is_there_for_everybody(page, server: Server, name: str) -> None:
    _run(page, server, name)

"""Lessons 01, 02, 11 and 12 in JupyterLab: the keyboard reaches every control; views follow."""

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

_SAID = "[role=status]"
_DRAWN = "body.default:not(.spinner):has(.node-item)"  # Netron has nothing left to do


def _press(notebook: Notebook, cell, button: str, key: str, answer: str) -> None:
    """Press a key on the button that says `button`; the sentence that follows holds `answer`."""
    notebook.press(cell, cell.locator("button", has_text=button), key)
    says(cell.locator(_SAID).first, answer)


@pytest.fixture
def lesson_01(page, server: Server) -> Notebook:  # noqa: F811
    return _run(page, server, "01_programs_as_graphs")


def test_01_by_keyboard_alone(lesson_01: Notebook) -> None:
    """Forward, back, jump, sliders, a layer, a scroll."""
    cell = lesson_01.cell_with(SLIDER)
    _press(lesson_01, cell, "forward", "Enter", "Step 1 of 7: var1 is 6.")
    _press(lesson_01, cell, "forward", "Space", "Step 2 of 7: var2 is 2.")
    _press(lesson_01, cell, "back", "Enter", "Step 1 of 7")
    _press(lesson_01, cell, "end", "Enter", "= 8 ÷ 8 = 1")
    sliders = cell.locator(SLIDER)
    sliders.nth(1).focus()  # var2
    lesson_01.page.keyboard.press("ArrowRight")
    cell.locator(_SAID, has_text="= 9 ÷ 7 = 1.286").wait_for(state="attached", timeout=120_000)
    cell.locator("svg text", has_text="constant 3").wait_for(state="attached", timeout=120_000)
    _every_node_is_readable(lesson_01)
    assert _only_badges(lesson_01.page)


def test_11_a_program_of_ones_own_and_netron(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "11_what_a_trace_keeps")
    _a_program_of_ones_own(notebook)
    _netron_draws_and_is_replaced(notebook)
    assert _only_badges(page)


def _a_program_of_ones_own(notebook: Notebook) -> None:
    cell = notebook.cell_with(".widget-textarea")
    box = cell.locator(".widget-textarea textarea")
    said = cell.locator(_SAID, has_text="Line 2: has a loop")
    notebook.write(box, "a = 1\nfor i in a: b = a", said)
    said = cell.locator(_SAID, has_text="Line 2: b divides 1 by")
    notebook.write(box, "a = 1\nb = a / (a - 1)", said)


def _every_node_is_readable(notebook: Notebook) -> None:
    """The whole model keeps the size of its letters; the arrow keys scroll it."""
    cell = notebook.cell_with(LIST)
    notebook.select(cell, cell.locator(LIST).first, label="every node")
    cell.locator("svg rect").nth(100).wait_for(state="attached", timeout=120_000)
    view = cell.locator("[tabindex='0'][role=group]")
    sizes = view.evaluate(
        """view => [view.clientWidth, view.querySelector('svg').getBoundingClientRect().width,
            Math.min(...Array.from(view.querySelectorAll('text, tspan'),
                each => each.getBoundingClientRect().height)), view.querySelectorAll('rect').length]
        """
    )
    assert sizes[1] > 2 * sizes[0]  # wider than its window: it is scrolled, not made small
    assert sizes[2] >= 12 and sizes[3] > 100
    view.focus()
    for _ in range(3):
        notebook.page.keyboard.press("ArrowDown")
    notebook.page.wait_for_function(
        "view => view.scrollTop > 0", arg=view.element_handle(), timeout=60_000
    )


def _netron_draws_and_is_replaced(notebook: Notebook) -> None:
    """Netron shows the model, takes nobody's keyboard; run anew, the server before is gone."""
    frame = "iframe[title^='Netron']"
    cell = notebook.cell_with(frame)
    address = cell.locator(frame).get_attribute("src")
    inside = cell.frame_locator(frame)
    inside.locator(_DRAWN).wait_for(state="attached", timeout=120_000)
    assert not inside.locator("body.message, body.alert").count()
    says(cell.locator("summary"), "The frame stays empty?")
    cell.locator(".jp-InputArea .cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.page.wait_for_function(
        "([frame, old]) => ![old, undefined].includes(document.querySelector(frame)?.src)",
        arg=[frame, address],
        timeout=60_000,
    )
    assert not _answers(address)
    inside.locator(_DRAWN).wait_for(state="attached", timeout=120_000)
    assert notebook.page.evaluate("document.activeElement.tagName") != "IFRAME"


def _answers(address: str) -> bool:
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(address, timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def test_02_walks_back_follow(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "02_what_graphs_make_possible")
    walk = notebook.cell_with(".jupyter-button")
    _press(notebook, walk, "forward", "Enter", "res moves by 1")
    _press(notebook, walk, "end", "Space", "var2 gets 0.125")
    walk.locator(SLIDER).first.focus()
    page.keyboard.press("ArrowRight")
    walk.locator("svg text", has_text="0.1111").first.wait_for(state="attached", timeout=120_000)
    assert _only_badges(page)


def test_12_charts_and_listings_follow(page, server: Server) -> None:  # noqa: F811
    notebook = _run(page, server, "12_who_runs_a_graph")
    _move(notebook, SLIDER)  # workers
    _move(notebook, LIST)  # the languages of one program
    assert _only_badges(page)

"""Lessons in Colab's front end: ipywidgets 7 in the classic Notebook 6.5, every control moved.

Run by `make test-colab`. Kernels have a stand-in for `google.colab`, which writes down its calls.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from seeds import TURN

from tests.browser.lab import Server, browser, wait_for
from tools import clean_copy, lab
from tools.environment import THREADS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
# Together they have every kind of control, a frame of the kernel's port, and the microphone.
CHOSEN = ("04", "06", "11", "18", "47")
_NAMES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
_READY = """() => {
    const { notebook } = window.Jupyter ?? {};
    return notebook?._fully_loaded && notebook.kernel?.is_connected()
        && notebook.kernel.widget_manager && require.defined('nbextensions/anywidget/extension');
}"""
# What the page's extension logs when it begins to ask for widgets that live already. When it knows,
# it draws every output anew; a widget that was shown before would be gone.
_ASKS = "fallback to fetching individual model state"
_KNOWS = """async () => {
    await new Promise(resolve => Jupyter.notebook.kernel.comm_info('jupyter.widget', resolve));
    for (let frame = 0; frame < 2; frame++)
        await new Promise(resolve => requestAnimationFrame(resolve));
}"""
_RUN = "() => Jupyter.notebook.execute_all_cells()"
_RAN = """() => {
    const cells = Jupyter.notebook.get_cells().filter(c => c.cell_type === 'code' && c.get_text());
    return cells.some(cell => cell.element.find('.output_error').length)
        || (cells.every(cell => !isNaN(cell.input_prompt_number)) && !Jupyter.notebook.kernel_busy);
}"""
_LOOKS = """cell => Array.from(cell.querySelectorAll(
    '.widget-html-content, img, .output_text, audio')).map(
    each => each.tagName === 'IMG' ? each.src : each.innerHTML).join('|')"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A classic Notebook as Colab has it, on a copy of the lessons, with the stand-in."""
    try:
        classic = metadata.version("notebook").startswith("6.5")
    except metadata.PackageNotFoundError:
        classic = False
    if not classic:
        pytest.skip("the classic Notebook is Colab's: make test-colab")
    folder = tmp_path_factory.mktemp("classic")
    clean_copy.notebooks(folder)
    port, token, log = lab.free_port(9700), secrets.token_hex(8), folder / "classic.log"
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "notebook", "--no-browser", f"--port={port}", *root]
    command += [f"--NotebookApp.token={token}", f"--notebook-dir={folder}", "--ip=127.0.0.1"]
    told = {"WORKBOOK_COLAB_CALLS": str(folder / "calls"), "COLAB_RELEASE_TAG": "stand-in"}
    told["PYTHONPATH"] = str(Path(__file__).with_name("stand_in"))
    with log.open("wb") as file:
        environ = {**os.environ, **THREADS, **told}
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, log)
            yield Server(port, token, folder)
        finally:
            process.terminate()  # its kernels end with it
            process.wait(timeout=120)


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Any]:
    with browser() as running:
        opened = running.new_page(viewport={"width": 1300, "height": 1000})
        opened.set_default_timeout(240_000)
        opened.on("dialog", lambda dialog: dialog.accept())
        yield opened


@pytest.mark.parametrize("name", [n for n in _NAMES if TURN or n.startswith(CHOSEN)])
def test_every_control_changes_its_cell(page, server: Server, name: str) -> None:
    calls = server.folder / "calls"
    calls.write_text("")
    address = f"http://127.0.0.1:{server.port}/notebooks/notebooks/{name}.ipynb"
    with page.expect_console_message(lambda message: _ASKS in message.text):
        page.goto(f"{address}?token={server.token}")
    page.wait_for_function(_READY)
    page.evaluate(_KNOWS)
    page.evaluate(_RUN)
    page.wait_for_function(_RAN, timeout=1_200_000)
    assert page.locator(".output_error").all_inner_texts() == []
    moved = [_move_all(page, cell) for cell in page.locator(".code_cell").all()]
    asked = [json.loads(line) for line in calls.read_text().splitlines()]
    called = [each["called"] for each in asked]
    assert called[0] == "enable_custom_widget_manager"
    assert ("serve_kernel_port_as_iframe" in called) == name.startswith(("11", "47"))
    assert ("eval_js" in called) == name.startswith(("09", "18"))
    assert page.locator(".output_error, .jupyter-widgets-error").count() == 0
    assert sum(moved) or not name.startswith(CHOSEN)
    page.evaluate("() => Jupyter.notebook.session.delete()")


def _move_all(page: Any, cell: Any) -> int:
    """Move each control of a cell; its picture has to follow. Return how many were moved.

    Of buttons one has to change something: there is no way back from the start.
    """
    pushes = [
        button.click
        for button in cell.locator("button.jupyter-button:enabled:not(.widget-upload)").all()
    ]
    ways: list[list[Callable]] = []
    for chooser in cell.locator(".widget-dropdown select").all():
        last = chooser.locator("option").count() - 1
        if last > 0:  # else there is nothing to choose yet; some choose what a button does
            choose = [partial(chooser.select_option, index=index) for index in (last, 0)]
            ways.append([*choose, *pushes])
    for text in cell.locator(".widget-text input, .widget-textarea textarea").all():
        ways.append([partial(text.fill, "17"), partial(text.press, "Enter")])
    for box in cell.locator(".widget-checkbox input").all():
        ways.append([box.click])
    for handle in cell.locator(".ui-slider-handle").all():
        ways.append([partial(handle.press, key) for key in ("ArrowRight", "ArrowLeft")])
    if pushes:  # last: to put back what nothing has moved changes nothing
        ways.append(pushes)
    for moves in ways:
        _changes(page, cell, moves)
    return len(ways)


def _changes(page: Any, cell: Any, moves: list[Callable]) -> None:
    """Make the moves until one has changed how the cell looks; one has to."""
    before = cell.evaluate(_LOOKS)
    for move in moves:
        move()
        deadline = time.monotonic() + (120 if move is moves[-1] else 20)
        while time.monotonic() < deadline:
            if cell.evaluate(_LOOKS) != before:
                return
            page.wait_for_timeout(100)
    raise AssertionError(f"Nothing changes in {cell.inner_text()[:400]}")

"""A JupyterLab server on a clean copy, and a notebook open in Chromium.

What was found to be reliable: JupyterLab with `--expose-app-in-browser`, and cells run by its own
command; clicking its menu lost the run now and then.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools import lab, programs
from tools.environment import THREADS

__all__ = ["Notebook", "Server", "browser", "says", "served", "wait_for"]

_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 240
_OPEN = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    while (!app.shell.currentWidget?.context)
        await new Promise(resolve => setTimeout(resolve, 50));
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
}"""
_START = "() => { window.ran = window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
_INTERRUPT = """async () => {
    await window.jupyterapp.commands.execute('notebook:interrupt-kernel');
}"""
_SETTLED = """async () => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    await kernel.requestKernelInfo();
    for (let frame = 0; frame < 2; frame++)
        await new Promise(resolve => requestAnimationFrame(resolve));
}"""
_RAN = "async () => { await window.ran; }"
_STATE = """() => {
    const model = window.jupyterapp.shell.currentWidget.context.model;
    const cells = Array.from(model.cells).filter(cell => cell.type === 'code');
    const filled = cells.filter(cell => cell.sharedModel.getSource().trim());
    const errors = [];
    for (const cell of cells)
        for (let i = 0; i < cell.outputs.length; i++) {
            const output = cell.outputs.get(i).toJSON();
            if (output.output_type === 'error')
                errors.push(cell.id + ': ' + output.ename + ': ' + output.evalue);
        }
    return {cells: filled.length, done: filled.filter(c => c.executionCount).length, errors};
}"""


@dataclass(frozen=True)
class Server:
    """Where a JupyterLab is served, the token that it asks for, and the folder that it shows."""

    port: int
    token: str
    folder: Path

    def address(self, notebook: str) -> str:
        """Return the address of a notebook, with what an earlier visit left behind forgotten."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?reset&token={self.token}"


@contextmanager
def browser(*options: str) -> Iterator[Any]:
    """Run a headless Chromium; without one, the tests that ask for it are skipped and say so."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = programs.chromium()
    if path is None:
        pytest.skip("no Chromium on the PATH: install one to test in a browser")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*_OPTIONS, *options])
        yield running
        running.close()


@contextmanager
def served(folder: Path, log: Path) -> Iterator[Server]:
    """Serve `folder` by JupyterLab as `make lab` does; stop it, and its kernels, at the end."""
    server = Server(lab.free_port(9100 + os.getpid() % 500), secrets.token_hex(8), folder)
    command = lab.command(folder, server.port, server.token)
    environ = {**os.environ, **lab.settings({}), **THREADS}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--no-browser", "--expose-app-in-browser"],
            cwd=folder,
            env=environ,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{server.port}/api?token={server.token}", process, log)
            yield server
        finally:
            _stop(process, server)


class Notebook:
    """One notebook in one browser page."""

    def __init__(self, page: Any, server: Server, name: str) -> None:
        """Open the notebook `name`, a path below the server's folder, and wait for its kernel."""
        self.page = page
        page.goto(server.address(name), wait_until="domcontentloaded")
        page.wait_for_function("() => window.jupyterapp", timeout=180_000)
        page.evaluate(_OPEN)

    def start(self) -> None:
        """Begin to run every cell, and do not wait."""
        self.page.evaluate(_START)

    def run_all(self, timeout_seconds: float = 900) -> dict[str, Any]:
        """Run every cell; return how many there are, how many are done, and the errors."""
        self.start()
        return self.finish(timeout_seconds)

    def finish(self, timeout_seconds: float = 900) -> dict[str, Any]:
        """Wait for what was started; return how many cells there are, are done, and the errors."""
        self.page.evaluate(_RAN)
        deadline = time.monotonic() + timeout_seconds
        while True:
            state = self.page.evaluate(_STATE)
            if state["errors"] or state["done"] == state["cells"] or time.monotonic() > deadline:
                return state
            time.sleep(0.5)

    def interrupt(self) -> None:
        """Interrupt the cell that runs, as the square in the toolbar does."""
        self.page.evaluate(_INTERRUPT)

    def cell_with(self, selector: str) -> Any:
        """Return the first cell whose outputs hold an element that `selector` finds."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell", has=self.page.locator(selector))
        cells.first.wait_for(state="attached", timeout=120_000)
        cells.first.scroll_into_view_if_needed()
        return cells.first

    def looks(self, cell: Any) -> str:
        """Return the HTML of a cell's pictures and texts, less its controls."""
        code = """cell => Array.from(cell.querySelectorAll(
            '.jp-OutputArea .widget-html-content, .jp-OutputArea .jupyter-widgets img'))
            .map(each => each.tagName === 'IMG' ? each.src : each.innerHTML).join('|')"""
        return cell.evaluate(code)

    def press(self, cell: Any, control: Any, key: str) -> str:
        """Press a key on a control of a cell; return how the cell looks when that has changed.

        Pressed again where nothing changes: JupyterLab takes the focus when its last cell is done.
        """
        before = self.looks(cell)
        for _ in range(3):
            control.press(key)
            if self.wait_for_change(cell, before) != before:
                return self.settled(cell)
        raise AssertionError(f"The key {key} changes nothing in the cell.")

    def write(self, box: Any, text: str, said: Any) -> None:
        """Write a text into a box and wait until `said` is there; write it again where it is not.

        What is written while JupyterLab still draws the cells that ran may reach nobody.
        """
        from playwright.sync_api import TimeoutError as Late

        for _ in range(3):
            box.fill("")
            box.fill(text)
            with contextlib.suppress(Late):
                return said.wait_for(state="attached", timeout=60_000)
        raise AssertionError(f"Nothing answers to {text!r}.")

    def select(self, cell: Any, chooser: Any, **which: Any) -> str:
        """Choose an entry of a list in a cell; return how the cell looks when that has changed.

        `which` is what Playwright's `select_option` takes; without it, the entry after the chosen
        one. It is set, not typed into: JupyterLab keeps the arrow keys for moving between cells.
        Without waiting, what the choice changes would be taken for the answer to what is pressed
        next.
        """
        which = which or {"index": 1 + chooser.evaluate("list => list.selectedIndex")}
        before = self.looks(cell)
        chooser.select_option(**which)
        if self.wait_for_change(cell, before) != before:
            return self.settled(cell)
        raise AssertionError(f"The choice of {which} changes nothing in the cell.")

    def settled(self, cell: Any) -> str:
        """Return how the cell looks when all that the kernel had to say about it is on the page.

        A widget changes in several messages, one a part. What is asked of the kernel after them is
        answered after them, however busy the machine is.
        """
        self.page.evaluate(_SETTLED)
        return self.looks(cell)

    def wait_for_change(self, cell: Any, before: str, timeout_seconds: float = 60) -> str:
        """Return how the cell looks as soon as that is another way, or at the end of the time."""
        deadline = time.monotonic() + timeout_seconds
        while (now := self.looks(cell)) == before and time.monotonic() < deadline:
            time.sleep(0.1)
        return now


def says(where: Any, text: str) -> None:
    """Wait until the element `where` contains `text`; raise AssertionError where it never does."""
    from playwright.sync_api import expect

    expect(where).to_contain_text(text, timeout=120_000)


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Wait until a server answers; raise RuntimeError with its log where it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"{sys.executable} -m jupyterlab did not start:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen, server: Server) -> None:
    """Ask a server to shut down with its kernels; end it where it does not."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/api/shutdown",
        method="POST",
        headers={"Authorization": f"token {server.token}"},
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
        process.wait(timeout=15)
    except (OSError, subprocess.TimeoutExpired):
        process.terminate()
        process.wait(timeout=15)

"""From a key press to changed pixels in Chromium: every widget of the lessons, and `interact`.

The solved lessons run in JupyterLab. Below each widget stands its twin: ipywidgets' `interact` with
a matplotlib figure of the same picture, pixel for pixel, as cheap as matplotlib can draw it (one
`imshow` of what the widget looked like, loaded before). Above both stands the least that a kernel
can answer with: a slider that changes one number of text. Keys go to all three in turns.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import nbformat

from benchmarks.results import Measured, Options, Ratio, number, quantile
from tests.browser.lab import Notebook, browser, served
from tools import clean_copy

TITLE = "Widgets: from a key press to changed pixels"
MOST_MS, LEAST_TIMES = 50, 4
_WIDGET = "<widget: "
_CONTROLS = (".widget-slider .noUi-handle", ".widget-dropdown select", "button.widget-button")
_TWIN = """%matplotlib inline
import ipywidgets, pathlib, matplotlib.pyplot as plt
_loaded = {{}}
def _twin(k):
    path = pathlib.Path({folder!r}, f"{number}_{{k % 2}}.png")
    if path not in _loaded and path.exists():
        _loaded[path] = plt.imread(path)
    picture = _loaded.get(path, [[0]])
    height, width = (max(each, 100) for each in (len(picture), len(picture[0])))
    axes = plt.figure(figsize=(width / 100, height / 100), dpi=100).add_axes([0, 0, 1, 1])
    axes.imshow(picture)
    axes.axis("off")
    plt.show()
ipywidgets.interact(_twin, k=ipywidgets.IntSlider(0, 0, 100));"""
_BARE = """import ipywidgets
_slider, _text = ipywidgets.IntSlider(0, 0, 100), ipywidgets.HTML("0")
_slider.observe(lambda change, text=_text: setattr(text, "value", str(change["new"])), "value")
ipywidgets.VBox([_slider, _text])"""
_WATCH = """cell => {
    const bench = window.bench = {pressed: 0, taken: []};
    const shown = '.widget-html-content, .widget-output, .widget-image';
    window.benchKeys ??= document.addEventListener(
        'keydown', () => { window.bench.pressed = performance.now(); }, true) || true;
    new MutationObserver(async changes => {
        const pressed = bench.pressed;
        const seen = change => (change.target.closest ? change.target
            : change.target.parentElement)?.closest(shown + ', img');
        if (!pressed || !changes.some(seen)) return;
        const images = Array.from(cell.querySelectorAll('.jupyter-widgets img'));
        if (cell.querySelector('.widget-output') && !images.length) return;
        await Promise.all(images.map(image => image.decode().catch(() => null)));
        requestAnimationFrame(() => setTimeout(() => {
            if (bench.pressed !== pressed) return;
            bench.pressed = 0;
            bench.taken.push(performance.now() - pressed);
        }));
    }).observe(cell, {childList: true, subtree: true, characterData: true,
        attributeFilter: ['src']});
}"""
_CHOOSE = """list => {
    window.bench.pressed = performance.now();
    list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
    list.dispatchEvent(new Event('change', {bubbles: true}));
}"""
_AT = """handle => ['min', 'now', 'max'].map(each =>
    parseFloat(handle.getAttribute('aria-value' + each)))"""


class Pressed:
    """One cell with a control that changes its picture."""

    def __init__(self, notebook: Notebook, cell: Any) -> None:
        """Find the control. Raises LookupError where none of them changes anything."""
        self.page, self.cell, self.up = notebook.page, cell, True
        for selector in _CONTROLS:
            for place in range(min(3, cell.locator(selector).count())):
                self.control, self.kind = cell.locator(selector).nth(place), selector
                with suppress(TimeoutError):
                    self.press(patience=4_000)
                    return
        raise LookupError("No control of this cell changes a picture.")

    def press(self, patience: int = 20_000) -> float:
        """Press once; return the milliseconds until the picture was another one."""
        from playwright.sync_api import TimeoutError as Late

        self.cell.scroll_into_view_if_needed()
        self.cell.evaluate(_WATCH)
        if self.kind == _CONTROLS[1]:
            self.control.evaluate(_CHOOSE)
        else:
            self.control.focus()
            self.page.keyboard.press(self._key())
        try:
            self.page.wait_for_function("() => window.bench.taken.length", timeout=patience)
        except Late as late:
            raise TimeoutError("Nothing changed.") from late
        return self.page.evaluate("() => window.bench.taken[0]")

    def _key(self) -> str:
        """Return the key that leads on: up to the end of a slider, then down."""
        if self.kind != _CONTROLS[0]:
            return "Enter"
        low, now, high = self.control.evaluate(_AT)
        self.up = now < high if self.up else now <= low
        return "ArrowRight" if self.up else "ArrowLeft"


def run(options: Options) -> Measured:
    """Run every solved lesson that has widgets; press keys on each and on its twin."""
    presses, left_out, times = (2, [], {}) if options.quick else (4, [], {})
    with tempfile.TemporaryDirectory(prefix="bench-") as name, browser() as chromium:
        folder = Path(name)
        lessons = [path for path in clean_copy.clone(folder) if path.parent.name == "reference"]
        with served(folder, folder / "lab.log") as server:
            for path in lessons[1:2] if options.quick else lessons:
                places = _with_twins(path, folder)
                if not places:
                    continue
                page = chromium.new_page(viewport={"width": 1300, "height": 1400})
                page.set_default_timeout(120_000)
                notebook = Notebook(page, server, path.relative_to(folder).as_posix())
                if errors := notebook.run_all()["errors"]:
                    raise RuntimeError(f"{path.name} fails: {errors[0]}")
                for identifier, what in places.items():
                    try:
                        got = _measured(notebook, identifier, folder, presses)
                        times[f"{path.name[:2]} {what}"] = got
                    except (LookupError, TimeoutError):
                        left_out.append(f"{path.name[:2]} {what}")
                print(f"{path.name[:2]}: {len(times)} widgets", file=sys.stderr, flush=True)
                page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
                page.close()
    rows = [
        ("widget", "median, ms", "95 % within, ms", "`interact`, ms", "times faster")
        + ("bare answer, ms", "95 % within, ms")
    ]
    for what, (ours, theirs, bare) in times.items():
        shown = (median(ours), quantile(ours, 0.95), median(theirs), median(theirs) / median(ours))
        rows.append((what, *map(number, (*shown, median(bare), quantile(bare, 0.95)))))
    late, least = ([quantile(each[at], 0.95) for each in times.values()] for at in (0, 2))
    faster, most = ([median(t[1]) / median(t[at]) for t in times.values()] for at in (0, 2))
    beside = [median(ours) / median(bare) for ours, _, bare in times.values()]
    return Measured(
        f"{len(times)} widgets of the solved lessons in JupyterLab and Chromium, {2 * presses} "
        "presses each, in blocks of two in turns with its twin: `interact` with a matplotlib "
        "figure of the same picture (one `imshow`). A press counts until the frame after the first "
        "change of the picture; sliders move through their values. The bare answer is a slider's "
        "that changes one number of text: Jupyter's messages there and back and the browser's "
        "frame, which no widget with a kernel can do without.",
        [
            Ratio("95th percentile of a widget, ms", late, MOST_MS),
            Ratio("the same, of the slowest widget, ms", [max(late)], MOST_MS),
            Ratio("`interact` over ours", faster, LEAST_TIMES, at_least=True),
            Ratio("the same, where it is least", [min(faster)], LEAST_TIMES, at_least=True),
            Ratio("ours over the bare answer", beside),
            Ratio("95th percentile of a bare answer, ms", least),
            Ratio("`interact` over the bare answer: the most that can be", most),
        ],
        {"Each widget": rows},
        [*_left_out(left_out), _in_the_way(times)],
    )


def _left_out(names: list[str]) -> list[str]:
    """Return, where there are any, a sentence on the widgets that nothing was pressed on."""
    told = f"Left out, for no slider, list or button moves its picture: {', '.join(names)}."
    return [told] if names else []


def _in_the_way(times: dict[str, tuple[list[float], ...]]) -> str:
    """Return what keeps widgets from the targets, and what was tried."""
    slow = [what for what, (ours, _, bare) in times.items() if median(ours) > 2 * median(bare)]
    least = median(quantile(bare, 0.95) for _, _, bare in times.values())
    named = ", ".join(slow) or "none"
    return (
        f"What stands in the way: 95 % of bare answers come within {number(least)} ms here, so "
        f"that no widget with a kernel keeps within {MOST_MS} ms on this machine, however little "
        "it does; and the twin's `imshow` of a finished picture is the cheapest figure that "
        f"matplotlib draws. More than twice as long as a bare answer take: {named}. Tried, and "
        "in use: what can be computed before is, and only a lookup is left; tables and bars are "
        "HTML and SVG; of a figure only what moves is drawn again, over a kept background; only "
        "the part that changed is sent. On the web site, where a widget has few states, it is a "
        "flip-book without a kernel."
    )


def _with_twins(path: Path, folder: Path) -> dict[str, str]:
    """Write twins around each widget of a notebook; return the names of widgets by their cells."""
    book, places, cells = nbformat.read(path, as_version=4), {}, []
    for cell in book.cells:
        cells.append(cell)
        outputs = [each.get("data", {}).get("text/plain", "") for each in cell.get("outputs", ())]
        shown = [each for each in outputs if str(each).startswith(_WIDGET)]
        if shown:
            places[cell.id] = re.split(r"[.:,(>]", shown[-1].removeprefix(_WIDGET))[0].strip()
            source = _TWIN.format(folder=str(folder), number=cell.id)
            cells.append(nbformat.v4.new_code_cell(source, id=f"twin-{cell.id}"))
            cells.insert(-2, nbformat.v4.new_code_cell(_BARE, id=f"bare-{cell.id}"))
    book.cells = cells
    nbformat.write(book, path)
    return places


def _measured(
    notebook: Notebook, identifier: str, folder: Path, presses: int
) -> tuple[list[float], ...]:
    """Return the milliseconds of a widget and its twins. Raises LookupError or TimeoutError."""
    places = (identifier, f"twin-{identifier}", f"bare-{identifier}")
    cells = [_cell(notebook, each) for each in places]
    widget = Pressed(notebook, cells[0])
    for turn in (0, 1):  # the pictures that the twin shows
        cells[0].locator(".jp-OutputArea-output").first.screenshot(
            path=folder / f"{identifier}_{turn}.png"
        )
        widget.press()
    pressed = [widget, *(Pressed(notebook, each) for each in cells[1:])]
    pressed[1].press()
    taken: tuple[list[float], ...] = ([], [], [])
    for _ in range(presses):
        for each, times in zip(pressed, taken, strict=True):
            times += [each.press(), each.press()]
    return taken


def _cell(notebook: Notebook, identifier: str) -> Any:
    """Return a cell by its identifier, scrolled to."""
    index = notebook.page.evaluate(
        """id => Array.from(window.jupyterapp.shell.currentWidget.context.model.cells)
            .findIndex(cell => cell.id === id)""",
        identifier,
    )
    notebook.page.evaluate(
        "at => window.jupyterapp.shell.currentWidget.content.scrollToItem(at)", index
    )
    cell = notebook.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')
    cell.wait_for(state="attached")
    return cell

"""How quickly the time slider of lesson 04 redraws, measured where it counts: in the browser.

JupyterLab serves a notebook with the shipped run; a script in the page notes when a key reaches the
slider and when the new page stands in the document:

    python -m benchmarks.timeline --moves 100 --out build/timeline.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

LIMIT_MILLISECONDS = 150
_CELL = (
    "from course_lib.experiments import timeline\n"
    "from course_lib.views.time_slider import TimeSlider\n"
    "TimeSlider(timeline.shipped()).show()"
)
_WATCH = """() => {
    window.moves = [];
    let pressed = 0;
    document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
    const page = document.querySelector('.widget-html-content table');
    new MutationObserver(() => {
        if (pressed) requestAnimationFrame(() => {
            if (pressed) window.moves.push(performance.now() - pressed);
            pressed = 0;
        });
    }).observe(page.closest('.widget-html-content'), {childList: true, subtree: true});
}"""


def redraws(moves: int) -> list[float]:
    """Return the milliseconds from each key on the slider to the new page in the document."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import CHROMIUM_OPTIONS, Notebook, served
    from tools import programs

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _write_notebook(folder / "timeline.ipynb")
        with served(folder, folder / "lab.log") as server, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=programs.chromium(), args=CHROMIUM_OPTIONS
            )
            page = chromium.new_page(viewport={"width": 1300, "height": 1000})
            state = (notebook := Notebook(page, server, "timeline.ipynb")).run_all()
            if state["errors"]:
                raise RuntimeError(f"The notebook failed: {state['errors'][0]}")
            cell = notebook.cell_with(".widget-slider .noUi-handle")
            cell.locator(".widget-html-content table").first.wait_for(state="attached")
            page.evaluate(_WATCH)
            cell.locator(".widget-slider .noUi-handle").first.focus()
            for move in range(moves):  # nine steps down, nine steps up: no key at an end
                page.keyboard.press("ArrowLeft" if move % 18 < 9 else "ArrowRight")
                page.wait_for_function("count => window.moves.length > count", arg=move)
            taken = page.evaluate("() => window.moves")
            chromium.close()
    return taken


def main() -> int:
    """Measure and print; return 1 where one move in twenty takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=90)
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    chosen = parser.parse_args()
    taken = redraws(chosen.moves)
    result = {
        "moves": len(taken),
        "median_milliseconds": statistics.median(taken),
        "percentile_95_milliseconds": statistics.quantiles(taken, n=20)[-1],
        "slowest_milliseconds": max(taken),
    }
    print(json.dumps(result, indent=1))
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(result["percentile_95_milliseconds"] > LIMIT_MILLISECONDS)


def _write_notebook(path: Path) -> None:
    import nbformat

    root = Path(__file__).resolve().parent.parent
    cells = [f"import sys; sys.path.insert(0, {str(root)!r})", _CELL]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    sys.exit(main())

"""Make slides of the executed lessons: one HTML file each, with all that it needs inside.

    python -m tools.slides [--out OUT] [NN ...]

Nothing in it asks another machine for anything: it opens from a disk, in any browser.
"""

from __future__ import annotations

import argparse
import ast
import base64
import itertools
import math
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from pathlib import Path

import jinja2
import nbformat
import pygments
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course_lib.instructor import authoring
from course_lib.instructor.authoring import slides as rules
from course_lib.instructor.authoring.source import Cell, Lesson
from course_lib.session import write_atomically
from tools import strips

__all__ = ["Slide", "build", "main", "page", "slides", "tables"]

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "_slides"
_REVEAL = resources.files("sphinx_revealjs") / "_static" / "revealjs" / "dist"
_MOST_LINES = 20  # of code and of what it printed, on a slide
_LONGEST = 86  # characters in a line of what was printed
_CAPTION = 2  # lines of code that stand above what they show
_MOST_OF_TABLE = 9  # rows, where none has more text than a line
_NO_GUESS = "; you made no guess"
_FLEETING = re.compile(
    r"Here a training runs, live|>Lesson \d\d: \d+ of \d+ right<|^<(widget|picture)"
)
_COLOURS = HtmlFormatter(style="a11y-high-contrast-light")


@dataclass
class Slide:
    """One slide: `kind` is "prose", "code", "picture" or "live", `parts` its HTML.

    `section` stands above it; `opens` says that a section begins here, `used` how many lines it
    has; `caption` is code above a picture.
    """

    kind: str
    section: str
    opens: bool = False
    caption: str = ""
    parts: list[str] = field(default_factory=list)
    used: float = 0


def build(numbers: Iterable[str] = (), out: Path = OUT) -> list[Path]:
    """Write the slides of the lessons `numbers`, or of all, into `out`; return their files.

    Raises ValueError for a number that no lesson has.
    """
    numbers, lessons = set(numbers), authoring.lessons(ROOT)
    if unknown := numbers - {lesson.number for lesson in lessons}:
        raise ValueError(f"There is no lesson {min(unknown)} in notebooks/source.")
    written = []
    for lesson in lessons:
        if not numbers or lesson.number in numbers:
            written.append(out / f"{lesson.name}.html")
            write_atomically(written[-1], page(lesson))
    return written


def page(lesson: Lesson) -> str:
    """Return a lesson's slides as one HTML page, as its reference edition was executed."""
    path = ROOT / "notebooks" / "reference" / f"{lesson.name}.ipynb"
    cells = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
    sections: list[list[Slide]] = []
    for slide in slides(lesson, {cell.id: cell for cell in cells}):
        sections += [[]] if slide.opens or not sections else []
        sections[-1].append(slide)
    template = jinja2.Template((ROOT / "tools" / "slides.html").read_text(encoding="utf-8"))
    return template.render(
        title=escape(f"{lesson.number} {lesson.title}"),
        sections=sections,
        reveal_css=_reveal("reveal.css"),
        reveal_js=_reveal("reveal.js"),
        code_css=_COLOURS.get_style_defs(".code"),
    )


def slides(lesson: Lesson, executed: dict[str, NotebookNode]) -> list[Slide]:
    """Return a lesson's slides; `executed` has the cells of its reference edition by their ids.

    What only a student needs is left out: set-up, imports, places for guesses, calls of checks.
    """
    made: list[Slide] = []
    heading = f"{lesson.number} {lesson.title}"
    for cell, kind in zip(lesson.cells, rules.types(lesson.cells), strict=True):
        if kind in ("skip", "notes"):
            continue
        if cell.kind == "markdown":
            text = cell.text.replace("{minutes}", str(lesson.minutes))
            _tell(made, text, kind, heading)
        elif not rules.is_guess(cell):
            _show(made, cell, executed[cell.id], kind)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Write the slides and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m tools.slides", description="Write slides.")
    parser.add_argument("numbers", nargs="*", metavar="NN", help="lessons; all where left out")
    parser.add_argument("--out", type=Path, default=OUT, help="a folder; _slides where left out")
    chosen = parser.parse_args(arguments)
    try:
        for path in build(chosen.numbers, chosen.out):
            print(path)
    except ValueError as error:  # an unknown number, a broken source
        print(error, file=sys.stderr)
        return 1
    return 0


def _tell(made: list[Slide], text: str, kind: str | None, heading: str) -> None:
    """Put a cell of prose on slides; `heading` is the lesson's."""
    for position, group in enumerate(rules.groups(text)):
        lines, title = sum(block.lines for block in group), group[0].title
        first = kind if position == 0 else None
        section = made[-1].section if made else heading
        if first == "slide" and made:
            section = f"{heading} · {title}"
        full = made and made[-1].used + lines > rules.MOST_LINES
        if first or group[0].opens or full or made[-1].kind != "prose":
            made.append(Slide("prose", section, first == "slide"))
        made[-1].parts += [block.html for block in group]
        made[-1].used += lines


def _show(made: list[Slide], cell: Cell, executed: NotebookNode, kind: str | None) -> None:
    """Put a cell of code and what came of it on slides."""
    section = made[-1].section
    source = re.sub(r"\n*^progress\(.*\)$", "", executed.source, flags=re.MULTILINE)
    texts, wholes = _results(executed)
    caption = ""
    if not (cell.check or _imports_only(source)):
        lines = source.count("\n") + 1
        if wholes and not texts and lines <= _CAPTION:
            caption = _code(source)
        else:
            if kind or not _fits(made[-1], lines):
                made.append(Slide("code", section))
            made[-1].kind = "code"  # also where only a heading stands
            made[-1].parts.append(_code(source))
            made[-1].used += lines
    for text in texts:
        lines = sum(math.ceil(len(line) / _LONGEST) or 1 for line in text.splitlines())
        if made[-1].kind != "code" or not _fits(made[-1], lines):
            made.append(Slide("code", section))
        made[-1].parts.append(f'<pre class="said">{escape(text)}</pre>')
        made[-1].used += lines
    for kind, parts in wholes:
        if cell.check and _fits(made[-1], 3):
            made[-1].parts += parts
        else:
            made.append(Slide(kind, section, caption=caption, parts=parts))


def _fits(slide: Slide, lines: float) -> bool:
    return slide.used + lines <= _MOST_LINES


def _results(executed: NotebookNode) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return what a cell printed, and for each slide of what else it showed its kind and parts."""
    texts, wholes = [], []
    for output in executed.outputs:
        data = output.get("data", {})
        if png := data.get("image/png"):
            facts = output.metadata["image/png"]
            for side_by_side in strips.arranged(base64.b64decode(png), facts["width"]):
                wholes.append(("picture", [_image(each, facts["alt"]) for each in side_by_side]))
            continue
        text = data.get("text/html") or output.get("text") or data.get("text/plain", "")
        if _FLEETING.search(text):
            continue
        if "text/html" in data:
            wholes += [("live", [f'<div class="live">{part}</div>']) for part in tables(text)]
        else:
            texts.append(text.strip("\n").replace(_NO_GUESS, ""))
    return texts, wholes


def _image(png: bytes, alt: str) -> str:
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(alt, quote=True)}" src="data:image/png;base64,{data}">'


def tables(html: str) -> list[str]:
    """Return a long table as several, each with its head; what follows it stays with the last."""
    if html.count("<tbody>") != 1:
        return [html]
    head, _, rest = html.partition("<tbody>")
    body, _, after = rest.partition("</tbody>")
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    weights = [math.ceil(len(re.sub(r"<[^>]+>", "", row)) / 120) for row in rows]
    count = math.ceil(sum(weights) / _MOST_OF_TABLE)
    parts: list[list[str]] = [[] for _ in range(count)]
    for row, before in zip(rows, itertools.accumulate(weights, initial=0), strict=False):
        parts[before * count // sum(weights)].append(row)
    *tables, last = [f"{head}<tbody>{''.join(part)}</tbody>" for part in parts if part]
    return [*(f"{table}</table>" for table in tables), last + after]


def _imports_only(source: str) -> bool:
    """Tell whether code does nothing but import, or nothing at all."""
    statements = ast.parse(source).body
    return all(isinstance(each, ast.Import | ast.ImportFrom) for each in statements)


def _code(source: str) -> str:
    coloured = pygments.highlight(source, PythonLexer(), _COLOURS)
    inner = re.search(r"<pre>(?:<span></span>)?(.*)</pre>", coloured, re.DOTALL)[1]
    return f'<pre class="code">{inner.rstrip()}</pre>'


def _reveal(name: str) -> str:
    """Return a file of reveal.js, without the address of what only its makers read."""
    return re.sub(r"//# sourceMappingURL=.*", "", (_REVEAL / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())

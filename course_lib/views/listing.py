"""Program texts with the lines that matter marked; one program in all its languages."""

from collections.abc import Collection
from html import escape

from course_lib.graph.compiler import Compiled, arithmetic
from course_lib.views import shell
from course_lib.views.style import PALETTE, Picture, card, figure, show

_MARK = "#FFF0B3"
_LONGEST = 95  # characters of a line; the rest is cut, and … says so
_MOST_LINES = 48
_CUT = "…"  # where lines are left out
_KINDS = {
    "assembly": "machine code",
    "ir": "LLVM IR",
    "optimized_hlo": "HLO, optimised",
    "hlo": "HLO, XLA's graph",
}


class Listing(shell.View):
    """One program in the languages of its compilers, with the lines marked that calculate.

    `choice` selects the language, `said` counts, `text` shows the listing.
    """

    def __init__(self, program: Compiled) -> None:
        self.program = program
        options = [(words, kind) for kind, words in _KINDS.items()]
        self.choice = shell.dropdown("show", options, on_change=self._redraw)
        self.said, self.text = shell.html(), shell.html()
        self.widget = shell.column(self.choice, self.said, self.text)
        self._redraw("assembly")

    def still(self) -> Picture:
        marked = [line for line, _ in arithmetic(self.program.assembly, "assembly")]
        alt = f"{self.program.name} as machine code; {len(marked)} lines calculate, marked by ▶"
        return picture(self.program.assembly, marked, alt)

    def _redraw(self, kind: str) -> None:
        text = getattr(self.program, kind)
        calculating = arithmetic(text, kind)
        names = ", ".join(dict.fromkeys(name for _, name in calculating))
        lines = f"{len(calculating)} of {len(text.splitlines())} lines calculate ({names})."
        if not self.program.made_here:
            lines += f" This is the shipped copy: {self.program.reason}"
        self.said.value = shell.note(f"{_KINDS[kind]}: {lines}")
        self.text.value = html(text, [line for line, _ in calculating])


def html(text: str, marked: Collection[int]) -> str:
    """Return the text as HTML; the lines numbered in `marked` (0 is the first) stand out.

    They carry an arrow as well as a colour, and the listing can be scrolled with the keyboard.
    """
    rows = []
    for number, line in enumerate(text.splitlines()):
        style = f"background:{_MARK};font-weight:bold" if number in marked else ""
        sign = "▶ " if number in marked else "  "
        rows.append(f'<div style="{style}">{sign}{escape(line) or " "}</div>')
    return card(
        '<div tabindex="0" data-lm-suppress-shortcuts="true" '  # or JupyterLab takes arrow keys
        'style="max-height:420px;overflow:auto;white-space:pre;'
        f'font-family:DejaVu Sans Mono,monospace;font-size:13px">{"".join(rows)}</div>'
    )


def picture(text: str, marked: Collection[int], alt: str) -> Picture:
    """Return the text as a PNG picture; of a long one, the marked lines and those around them."""
    lines = text.expandtabs(8).splitlines()
    lines = [f"{each[:_LONGEST]}…" if len(each) > _LONGEST else each for each in lines]
    shown = excerpt(len(lines), marked)
    fig, axes = figure(9.2, 0.2 * len(shown) + 0.2)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(len(shown), -0.5)
    for row, number in enumerate(shown):
        if number in marked:
            axes.axhspan(row - 0.5, row + 0.5, color=_MARK, lw=0)
        sign = "▶ " if number in marked else "  "
        weight = "bold" if number in marked else "normal"
        look = {"family": "DejaVu Sans Mono", "fontsize": 10, "va": "center", "weight": weight}
        line = _CUT if number is None else lines[number]
        axes.text(0, row, sign + line.replace("$", r"\$"), color=PALETTE["ink"], **look)
    return show(fig, alt)


def excerpt(count: int, marked: Collection[int]) -> list[int | None]:
    """Return which of `count` lines a picture has room for; None stands for those left out.

    Each marked line keeps as many neighbours as there is room for; without any, the first are kept.
    """
    if count <= _MOST_LINES:
        return list(range(count))
    rows: list[int | None] = [*range(_MOST_LINES - 1), None]
    for around in range(_MOST_LINES):
        near = [n for n in range(count) if any(abs(n - mark) <= around for mark in marked)]
        wider: list[int | None] = []
        for number, before in zip([*near, count], [-1, *near], strict=True):
            wider += [None] * (number > before + 1) + [number]
        if not near or len(wider) - 1 > _MOST_LINES:
            break
        rows = wider[:-1]
    return rows

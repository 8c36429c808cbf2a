"""A program text with the lines that matter marked, as HTML for a widget and as a picture."""

from __future__ import annotations

from collections.abc import Collection
from html import escape

from course_lib.views.style import PALETTE, Picture, card, figure, show

_MARK = "#FFF0B3"
_LONGEST = 96  # characters of a line; the rest is cut
_MOST_LINES = 44


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
    """Return the text as a PNG picture; a long one is cut around its first marked line."""
    lines = [line[:_LONGEST].expandtabs(8) for line in text.splitlines()]
    first = max(0, min(marked, default=0) - _MOST_LINES // 2) if len(lines) > _MOST_LINES else 0
    shown = list(enumerate(lines))[first : first + _MOST_LINES]
    fig, axes = figure(9.2, 0.2 * len(shown) + 0.2)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(len(shown), -0.5)
    for row, (number, line) in enumerate(shown):
        if number in marked:
            axes.axhspan(row - 0.5, row + 0.5, color=_MARK, lw=0)
        sign = "▶ " if number in marked else "  "
        weight = "bold" if number in marked else "normal"
        look = {"family": "DejaVu Sans Mono", "fontsize": 10, "va": "center", "weight": weight}
        axes.text(0, row, sign + line.replace("$", r"\$"), color=PALETTE["ink"], **look)
    return show(fig, alt)

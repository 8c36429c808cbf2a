"""A histogram with the levels of a grid as SVG: made in about a millisecond, for widgets.

`draw.quantization.histogram` is the same picture made by matplotlib, for pages and slides.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from course_lib.views.style import PALETTE, card

WIDTH, HEIGHT, LEFT, BASE = 760, 300, 20, 220
BINS = 121


def histogram(
    values: np.ndarray,
    levels: Sequence[float],
    title: str,
    lines: Sequence[str] = (),
) -> str:
    """Return HTML: the histogram of `values`, `levels` as ticks below, `lines` of text under it.

    The axis covers the values; levels beyond its ends are left out. The text says in words what
    the picture shows in colour.
    """
    values, levels = np.ravel(values), np.asarray(levels, float)
    low, high = _ends(values)
    counts, _ = np.histogram(values, BINS, (low, high))
    bars = _bars(counts)
    ticks = "".join(
        f"M{_x(level, low, high):.1f} {BASE + 6}v22" for level in levels if low <= level <= high
    )
    thick = 2.5 if len(levels) < 40 else 0.8
    drawing = (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='100%' style='max-width:{WIDTH}px' role='img' "
        f"aria-label='{html.escape(title, quote=True)}'>"
        f"<path d='{bars}' fill='{PALETTE['blue']}'/>"
        f"<path d='{ticks}' stroke='{PALETTE['red']}' stroke-width='{thick}'/>"
        f"<path d='M{LEFT} {BASE}H{WIDTH - LEFT}' stroke='{PALETTE['ink']}'/>"
        + "".join(
            _number(low + share * (high - low), low, high) for share in (0, 0.25, 0.5, 0.75, 1)
        )
        + f"<text x='{WIDTH / 2}' y='{BASE + 72}' font-size='15' text-anchor='middle'>"
        "value; the ticks are what can be stored</text></svg>"
    )
    text = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    return card(
        f"<b>{html.escape(title)}</b>{drawing}<div role='status' style='font-size:16px'>"
        f"{text}</div>"
    )


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _bars(counts: np.ndarray) -> str:
    """Return one path with a bar for each count; rare values stay visible as a thin line."""
    width = (WIDTH - 2 * LEFT) / len(counts)
    heights = np.where(counts > 0, np.maximum(1.0, counts / max(1, counts.max()) * (BASE - 15)), 0)
    return "".join(
        f"M{LEFT + place * width:.1f} {BASE}v{-height:.1f}h{width * 0.92:.1f}v{height:.1f}z"
        for place, height in enumerate(heights)
        if height
    )


def _number(value: float, low: float, high: float) -> str:
    return (
        f"<text x='{_x(value, low, high):.1f}' y='{BASE + 48}' font-size='15' "
        f"text-anchor='middle'>{value:.2f}</text>"
    )


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - 2 * LEFT)

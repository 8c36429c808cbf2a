"""The pieces of the time slider: kernels, a curve, a confusion matrix and an answer.

Each is text or bytes and made in milliseconds; `draw.checkpoint` has their static twin.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.sound.dataset import LABELS
from course_lib.views import style

if TYPE_CHECKING:
    from course_lib.experiments.timeline import Timeline

_NEGATIVE, _POSITIVE = (0, 114, 178), (213, 94, 0)  # Okabe and Ito's blue and vermilion
SHADE = (86, 180, 233)


def kernels_image(kernels: np.ndarray, limit: float) -> np.ndarray:
    """Return (rows, columns, 3) uint8: each channel's kernel, blue below zero and red above.

    `kernels` is (height, width, 1, channels); `limit` is the value shown in full colour. Up to
    a dozen kernels stand in two rows, more in rows of six.
    """
    height, width, _, channels = kernels.shape
    columns = min(6, -(-channels // 2))
    rows = -(-channels // columns)
    image = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, np.uint8)
    strength = np.clip(np.abs(kernels[:, :, 0]) / max(limit, 1e-9), 0, 1)[..., np.newaxis]
    full = np.where(kernels[:, :, 0, :, np.newaxis] < 0, _NEGATIVE, _POSITIVE)
    colour = np.round(255 + strength * (full - 255.0)).astype(np.uint8)
    for channel in range(channels):
        top, left = channel // columns * (height + 1), channel % columns * (width + 1)
        image[top : top + height, left : left + width] = colour[:, :, channel]
    return image


def kernels_png(kernels: np.ndarray, limit: float, pixel: int = 9) -> bytes:
    """Return `kernels_image` as a PNG with `pixel` screen pixels for each weight."""
    import matplotlib.image

    image = np.repeat(np.repeat(kernels_image(kernels, limit), pixel, axis=0), pixel, axis=1)
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, image, format="png", metadata={"Software": None})
    return buffer.getvalue()


def curve_svg(timeline: Timeline, index: int, width: int = 420, height: int = 190) -> str:
    """Return the accuracy along the run as SVG, with the snapshot `index` marked and named."""
    floats, eights = timeline.accuracies, timeline.int8_accuracies
    xs = [46 + (width - 66) * i / max(1, len(floats) - 1) for i in range(len(floats))]

    def place(value: float) -> float:
        return 14 + (1 - value) * (height - 50)

    lines = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="13">'
        f"<title>accuracy {floats[index]:.0%} at step {timeline.steps[index]}</title>"
    ]
    for value in (0, 0.5, 1):
        lines.append(
            f'<line x1="46" x2="{width - 12}" y1="{place(value)}" y2="{place(value)}" '
            f'stroke="{style.PALETTE["faint"]}"/><text x="40" y="{place(value) + 4}" '
            f'text-anchor="end">{value:.0%}</text>'
        )
    lines.append(_polyline(xs, [place(v) for v in floats], style.PALETTE["blue"], ""))
    if None not in eights:
        lines.append(_polyline(xs, [place(v) for v in eights], style.PALETTE["red"], "5 4"))
    lines.append(
        f'<line x1="{xs[index]}" x2="{xs[index]}" y1="10" y2="{height - 34}" stroke="#1A1A1A"/>'
        f'<circle cx="{xs[index]}" cy="{place(floats[index])}" r="6" '
        f'fill="{style.PALETTE["blue"]}" stroke="#1A1A1A"/>'
    )
    for number, (x, step) in enumerate(zip(xs, timeline.steps, strict=True)):
        weight = "bold" if number == index else "normal"
        lines.append(
            f'<text x="{x}" y="{height - 16}" text-anchor="middle" font-weight="{weight}" '
            f'font-size="11">{step}</text>'
        )
    lines.append(f'<text x="{width / 2}" y="{height - 1}" text-anchor="middle">step</text></svg>')
    return "".join(lines)


def confusion_html(counts: np.ndarray, labels: Sequence[str] = LABELS) -> str:
    """Return a table of counts, shaded by the share of the row; rows were said, columns heard."""
    heads = "".join(
        f"<th style='padding:2px 6px'>{html.escape(short(each))}</th>" for each in labels
    )
    rows = []
    for said, row in zip(labels, counts, strict=True):
        cells = []
        for share, count in zip(row / max(1, row.sum()), row, strict=True):
            tint = ",".join(str(round(255 + share * (part - 255))) for part in SHADE)
            look = f"background:rgb({tint});text-align:center;padding:6px 10px"
            cells.append(f"<td style='{look}'>{count}</td>")
        head = f"<th style='text-align:right;padding:2px 6px'>{html.escape(short(said))}</th>"
        rows.append(f"<tr>{head}{''.join(cells)}</tr>")
    return (
        "<table style='border-collapse:collapse;font-size:14px;color:#1A1A1A'><thead><tr>"
        f"<th>said ↓ heard →</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def answer_html(answer: np.ndarray, label: int, labels: Sequence[str] = LABELS) -> str:
    """Return the four probabilities as bars; the right one is named, not only coloured."""
    rows = []
    for number, (name, share) in enumerate(zip(labels, answer, strict=True)):
        colour = style.PALETTE["green"] if number == label else style.PALETTE["grey"]
        mark = " ← said" if number == label else ""
        rows.append(
            f"<div style='display:flex;align-items:center;gap:8px;margin:3px 0'>"
            f"<span style='width:76px;text-align:right'>{html.escape(short(name))}</span>"
            f"<span style='width:{max(2, round(160 * float(share)))}px;height:16px;"
            f"background:{colour}'></span><span>{share:.0%}{mark}</span></div>"
        )
    return f"<div style='font-size:14px'>{''.join(rows)}</div>"


def limit_of(timeline: Timeline) -> float:
    """Return the largest weight of the first layer in the whole run: the scale of the colours."""
    return float(max(np.abs(each.kernels).max() for each in timeline.snapshots))


def short(label: str) -> str:
    """Return a label as it is drawn: "silence" for "_silence_"."""
    return label.strip("_")


def _polyline(xs: Sequence[float], ys: Sequence[float], colour: str, dashes: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5" '
        f'stroke-dasharray="{dashes}"/>'
    )

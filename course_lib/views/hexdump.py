"""A stretch of a file as coloured hex digits, with names for its bytes: a picture, or HTML."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

from course_lib.views import style
from course_lib.views.tints import colours, css

if TYPE_CHECKING:
    from course_lib.formats.bytemap import ByteMap, Span


def hexdump(
    bytes_map: ByteMap,
    start: int = 0,
    stop: int | None = None,
    mark: int | None = None,
    title: str = "",
) -> style.Picture:
    """Draw bytes `start` to `stop` (at most 256) as coloured hex digits, with a list of what
    they are.

    The span of byte `mark` gets a frame. Each span is numbered where it begins; the list
    explains the numbers.
    """
    stop = min(len(bytes_map), start + 64 if stop is None else stop, start + 256)
    spans = _between(bytes_map, start, stop)
    tints = colours(bytes_map.shares)
    lines = [_described(bytes_map, number, span) for number, span in enumerate(spans, 1)]
    first, rows = start // 16, (stop - 1) // 16 - start // 16 + 1
    height = rows * 0.42 + len(lines) * 0.27 + 0.7
    fig, axes = style.figure(10.5, height)
    axes.set(xlim=(-2.2, 21.5), ylim=(height / 0.42 - 0.8, -0.9))
    axes.axis("off")
    for row in range(rows):
        axes.text(
            -0.8,
            row,
            f"{(first + row) * 16:d}",
            ha="right",
            va="center",
            color=style.PALETTE["grey"],
        )
    for number, span in enumerate(spans, 1):
        _draw_span(axes, bytes_map, span, number, (start, stop), tints, mark)
    for index, (span, line) in enumerate(zip(spans, lines, strict=True)):
        _draw_line(
            axes,
            rows + 0.1 + (index + 0.6) * 0.27 / 0.42,
            tints[span.kind],
            line,
            bold=mark is not None and mark in span,
        )
    axes.set_title(title or f"bytes {start:,} to {stop - 1:,} of {len(bytes_map):,}")
    told = "; ".join(f"{span.name} {shown_value(span.value)}".strip() for span in spans[:12])
    return style.show(fig, f"{title or 'hexdump'}: bytes {start} to {stop - 1}: {told}")


def hexdump_html(bytes_map: ByteMap, start: int, stop: int, mark: int | None = None) -> str:
    """Return the same as HTML: rows of 16 bytes with their text beside them; hovering names a
    byte."""
    stop = min(len(bytes_map), stop)
    tints = {kind: css(rgb) for kind, rgb in colours(bytes_map.shares).items()}
    marked = _span_at(bytes_map, mark) if mark is not None else None
    rows = []
    for first in range(start - start % 16, stop, 16):
        cells = "".join(
            _cell_html(bytes_map, position, tints, marked, start, stop)
            for position in range(first, first + 16)
        )
        text = "".join(
            _printable(bytes_map.data[p]) if start <= p < stop else " "
            for p in range(first, first + 16)
        )
        rows.append(
            f"<tr><td style='color:{style.PALETTE['grey']};text-align:right;"
            f"padding-right:10px'>{first}</td>{cells}"
            f"<td style='padding-left:10px;white-space:pre'>{html.escape(text)}</td></tr>"
        )
    return (
        "<table style='font-family:monospace;font-size:14px;border-collapse:collapse;border:0'>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def shown_value(value: Any, width: int = 60) -> str:
    """Return `value` as short text: strings quoted, long ones cut."""
    if value is None:
        return ""
    text = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _between(bytes_map: ByteMap, start: int, stop: int) -> list[Span]:
    return [span for span in bytes_map if span.start < stop and span.end > start]


def _draw_span(
    axes: Any,
    bytes_map: ByteMap,
    span: Span,
    number: int,
    limits: tuple[int, int],
    tints: dict,
    mark: int | None,
) -> None:
    """Draw the cells of one span, its number at the first of them and the characters to the
    right."""
    from matplotlib.patches import Rectangle

    framed = mark is not None and mark in span
    for position in range(max(span.start, limits[0]), min(span.end, limits[1])):
        row, column = position // 16 - limits[0] // 16, position % 16
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.42),
                1,
                0.84,
                facecolor=tints[span.kind],
                edgecolor="black" if framed else style.PALETTE["paper"],
                linewidth=2 if framed else 1,
            )
        )
        value = bytes_map.data[position]
        axes.text(
            column, row, f"{value:02x}", ha="center", va="center", family="monospace", fontsize=13
        )
        axes.text(
            16.2 + column * 0.32,
            row,
            _printable(value),
            ha="center",
            va="center",
            family="monospace",
            fontsize=12,
        )
        if position == max(span.start, limits[0]):
            axes.text(column - 0.47, row - 0.22, str(number), ha="left", va="center", fontsize=7.5)


def _draw_line(axes: Any, height: float, tint: tuple, line: str, bold: bool) -> None:
    axes.plot(
        -0.35, height, "s", color=tint, markersize=11, markeredgecolor="black", markeredgewidth=0.6
    )
    axes.text(0, height, line, va="center", fontsize=12, weight="bold" if bold else "normal")


def _described(bytes_map: ByteMap, number: int, span: Span) -> str:
    value = shown_value(span.value)
    plural = "byte" if len(span) == 1 else "bytes"
    text = f"{number}  {span.kind}, {len(span)} {plural}: {span.name}" + (
        f" = {value}" if value else ""
    )
    return textwrap.shorten(text, 100, placeholder=" …").replace("$", r"\$")


def _cell_html(
    bytes_map: ByteMap, position: int, tints: dict, marked: Span | None, start: int, stop: int
) -> str:
    if not start <= position < stop:
        return "<td></td>"
    span = _span_at(bytes_map, position)
    kind, said = (
        (span.kind, f"{span.path}: {span.name} {shown_value(span.value)}")
        if span
        else ("unnamed", "no name")
    )
    edge = "outline:2px solid #000;" if span is not None and span == marked else ""
    title = html.escape(f"byte {position}, {kind}, {said}", quote=True)
    return (
        f"<td title='{title}' style='padding:1px 5px;"
        f"background:{tints.get(kind, '#ffffff')};{edge}'>{bytes_map.data[position]:02x}</td>"
    )


def _span_at(bytes_map: ByteMap, position: int) -> Span | None:
    try:
        return bytes_map.at(position)
    except LookupError:
        return None


def _printable(value: int) -> str:
    return chr(value) if 32 <= value < 127 else "·"

"""Pictures of a file's bytes: the whole file as coloured cells, and a stretch of it as a hexdump.

All take a `ByteMap` and work for protobufs, FlatBuffers and checkpoints alike. Colours are tints,
one for each kind of bytes, so that dark text reads on all of them; every picture also says in words
what they mean.
"""

import html
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.views import style

RGB = tuple[float, float, float]

_OF_COLOUR = {
    "orange": ["weights"],
    "green": ["string", "optimizer: velocity"],
    "yellow": ["number"],
    "sky": ["tag", "offset", "optimizer: momentum"],
    "purple": ["length", "object graph"],
    "grey": ["vtable"],
    "blue": ["length of vector", "metadata", "optimizer"],
    "red": ["identifier", "root offset", "checksum"],
    "faint": ["padding", "structure of the file"],
}
_KNOWN = {kind: colour for colour, kinds in _OF_COLOUR.items() for kind in kinds}
_STRENGTH = {"weights": 0.75, "padding": 0.9, "scalar": 0.25, "data": 0.3}
_SPARE = ("blue", "red", "grey", "green", "yellow", "orange", "sky", "purple")
_MOST_DUMPED = 256  # bytes of a hexdump as a picture; more rows and names fit no page
_ROW, _LINE = 0.42, 0.27  # inches of a row of 16 bytes, and of a line that names a span
_HALF_A_LINE = 57  # letters that fit beside a second column of names


def colours(kinds: Iterable[str]) -> dict[str, RGB]:
    """Return an RGB tint in 0 to 1 for each kind; a well-known kind always has the same."""
    kinds = list(kinds)
    chosen = {kind: _KNOWN[kind] for kind in kinds if kind in _KNOWN}
    spare = [name for name in _SPARE if name not in chosen.values()] + list(_SPARE)
    for kind in kinds:
        if kind not in chosen and kind != "unnamed":
            chosen[kind] = spare.pop(0)
    tints = {kind: _tint(name, _STRENGTH.get(kind, 0.55)) for kind, name in chosen.items()}
    return tints | ({"unnamed": (1.0, 1.0, 1.0)} if "unnamed" in kinds else {})


def css(rgb: RGB) -> str:
    """Return an RGB tint in 0 to 1 as CSS writes it."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def overview(
    bytes_map: ByteMap, title: str = "", mark: int | None = None, columns: int = 128, alt: str = ""
) -> style.Picture:
    """Draw the whole file as a grid of cells, beside it a bar for the bytes of each kind.

    Cells go left to right and top to bottom. One stands for as many bytes as make the grid at most
    72 rows high, coloured by the kind that most of them have. `mark` circles the cell of one byte.
    """
    cells, per_cell = _cells(bytes_map, columns, rows=72)
    fig, (grid, bars) = style.figure(10.5, 4.6, columns=2, width_ratios=[5, 4])
    grid.imshow(cells, interpolation="nearest", aspect="auto")
    grid.set(xticks=[], yticks=[])
    grid.set_title(title or f"{len(bytes_map):,} bytes")
    unit = "one byte" if per_cell == 1 else f"{per_cell} bytes"
    grid.set_xlabel(f"a cell is {unit}; read like a page")
    if mark is not None:
        row, column = divmod(mark // per_cell, columns)
        circle = {"markersize": 16, "fillstyle": "none", "markeredgewidth": 2}
        grid.plot(column, row, "o", color="black", **circle)
        side = "left" if column < columns / 2 else "right"
        look = {"textcoords": "offset points", "ha": side, "weight": "bold"}
        grid.annotate(f"byte {mark:,}", (column, row), (0, 14), **look)
    _draw_shares(bars, bytes_map)
    counts = ", ".join(f"{kind} {count}" for kind, count in bytes_map.shares.items())
    return style.show(fig, alt or f"{title or 'a file'}: {len(bytes_map)} bytes by kind: {counts}")


def overview_png(
    bytes_map: ByteMap, columns: int = 256, rows: int = 24, mark: tuple[int, int] | None = None
) -> bytes:
    """Return a small PNG strip of the file for a widget, in milliseconds.

    `mark` blackens the bytes from its first number to, without, its second.
    """
    cells, per_cell = _cells(bytes_map, columns, rows)
    if mark is not None:
        last = max(mark[0] + 1, mark[1] - 1) // per_cell
        cells.reshape(-1, 3)[mark[0] // per_cell : last + 1] = 0.0
    return style.squares(cells, 3)


def hexdump(
    bytes_map: ByteMap, start: int = 0, stop: int | None = None, mark: int | None = None
) -> style.Picture:
    """Draw bytes `start` to `stop` (at most 256) as coloured hex digits, and list what they are.

    Each span is numbered where it begins; the list explains the numbers. The span of byte `mark`
    gets a frame.
    """
    stop = min(len(bytes_map), start + 64 if stop is None else stop, start + _MOST_DUMPED)
    spans = [span for span in bytes_map if span.start < stop and span.end > start]
    tints = colours(bytes_map.shares)
    first, rows = start // 16, (stop - 1) // 16 - start // 16 + 1
    said = [_described(number, span) for number, span in enumerate(spans, 1)]
    two = len(said) > 10 and max(map(len, said)) <= _HALF_A_LINE
    lines = -(-len(said) // 2) if two else len(said)
    height = rows * _ROW + lines * _LINE + 0.7
    fig, axes = style.figure(10.5, height)
    axes.set(xlim=(-2.2, 21.5), ylim=(height / _ROW - 0.8, -0.9))
    axes.axis("off")
    for row in range(rows):
        look = {"ha": "right", "va": "center", "color": style.PALETTE["grey"]}
        axes.text(-0.8, row, f"{(first + row) * 16:d}", **look)
    for number, span in enumerate(spans, 1):
        framed = mark is not None and mark in span
        for position in range(max(span.start, start), min(span.end, stop)):
            place = (position % 16, position // 16 - first)
            _draw_byte(axes, place, bytes_map.data[position], tints[span.kind], framed)
            if position == max(span.start, start):
                corner = (place[0] - 0.46, place[1] - 0.28)
                axes.text(*corner, str(number), ha="left", va="center", fontsize=7.5)
        column, line = divmod(number - 1, lines)
        left, line = 11.5 * column, rows + 0.1 + (line + 0.6) * _LINE / _ROW
        frame = {"markeredgecolor": "black", "markeredgewidth": 0.6}
        axes.plot(left - 0.35, line, "s", color=tints[span.kind], markersize=11, **frame)
        look = {"va": "center", "fontsize": 11 if two else 12}
        look["weight"] = "bold" if framed else "normal"
        axes.text(left, line, said[number - 1], **look)
    axes.set_title(f"bytes {start:,} to {stop - 1:,} of {len(bytes_map):,}")
    names = "; ".join(f"{span.name} {shown_value(span.value)}".strip() for span in spans[:12])
    return style.show(fig, f"hexdump: bytes {start} to {stop - 1}: {names}")


def hexdump_html(bytes_map: ByteMap, start: int, stop: int, mark: int | None = None) -> str:
    """Return the same as HTML: rows of 16 bytes and their text; hovering names a byte."""
    stop = min(len(bytes_map), stop)
    tints = {kind: css(rgb) for kind, rgb in colours(bytes_map.shares).items()}
    marked = _span_at(bytes_map, mark) if mark is not None else None
    rows = []
    for first in range(start - start % 16, stop, 16):
        inside = [start <= position < stop for position in range(first, first + 16)]
        cells = "".join(
            _cell_html(bytes_map, first + column, tints, marked) if shown else "<td></td>"
            for column, shown in enumerate(inside)
        )
        text = "".join(
            _printable(bytes_map.data[first + column]) if shown else " "
            for column, shown in enumerate(inside)
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


def _tint(name: str, strength: float) -> RGB:
    """Mix a colour of the palette with white."""
    code = style.PALETTE[name]
    return tuple(1 - strength * (1 - int(code[i : i + 2], 16) / 255) for i in (1, 3, 5))


def _cells(bytes_map: ByteMap, columns: int, rows: int) -> tuple[np.ndarray, int]:
    """Return (height, columns, 3) RGB in 0 to 1, and the bytes that a cell stands for.

    A cell has the tint of its commonest kind; it is white after the end of the file.
    """
    kinds = list(bytes_map.shares)
    rest = kinds.index("unnamed") if "unnamed" in kinds else -1
    per_byte = np.full(len(bytes_map), rest, np.int8)
    for span in reversed(bytes_map.spans):  # where spans overlap, the first one counts
        per_byte[span.start : span.end] = kinds.index(span.kind)
    per_cell = max(1, -(-len(bytes_map) // (columns * rows)))
    height = max(1, -(-len(bytes_map) // (columns * per_cell)))
    padded = np.full(height * columns * per_cell, -1, np.int8)
    padded[: len(per_byte)] = per_byte
    grouped = padded.reshape(-1, per_cell)
    votes = np.stack([(grouped == index).sum(axis=1) for index in range(-1, len(kinds))])
    tints = colours(kinds)
    palette = np.array([(1.0, 1.0, 1.0), *(tints[kind] for kind in kinds)])
    return palette[votes.argmax(axis=0)].reshape(height, columns, 3), per_cell


def _draw_shares(axes: Any, bytes_map: ByteMap) -> None:
    """Draw a bar for each kind with its bytes and share in words."""
    shares, tints = bytes_map.shares, colours(bytes_map.shares)
    look = {"edgecolor": style.PALETTE["ink"], "linewidth": 0.8}
    axes.barh(list(shares), list(shares.values()), color=[tints[kind] for kind in shares], **look)
    for index, count in enumerate(shares.values()):
        share = count / max(len(bytes_map), 1)
        inside = share > 0.5
        axes.annotate(
            f"{count:,} B, {share:.1%}",
            (count, index),
            (-6 if inside else 6, 0),
            textcoords="offset points",
            va="center",
            ha="right" if inside else "left",
        )
    axes.invert_yaxis()
    axes.set(xticks=[], xlim=(0, max([*shares.values(), 1]) * 1.02))
    axes.spines["bottom"].set_visible(False)


def _draw_byte(axes: Any, place: tuple[int, int], value: int, tint: RGB, framed: bool) -> None:
    """Draw the cell of one byte at (column, row), and its character to the right."""
    from matplotlib.patches import Rectangle

    column, row = place
    edge = "black" if framed else style.PALETTE["paper"]
    line = {"facecolor": tint, "edgecolor": edge, "linewidth": 2 if framed else 1}
    axes.add_patch(Rectangle((column - 0.5, row - 0.42), 1, 0.84, **line))
    look = {"ha": "center", "va": "center", "family": "monospace"}
    axes.text(column, row + 0.1, f"{value:02x}", fontsize=13, **look)
    axes.text(16.2 + column * 0.32, row + 0.1, _printable(value), fontsize=12, **look)


def _described(number: int, span: Span) -> str:
    value = shown_value(span.value)
    leads = isinstance(span.value, int) and span.kind in ("offset", "table", "root offset")
    text = f"{number}  {span.kind}, {len(span)} byte{'s' * (len(span) != 1)}: {span.name}"
    text += f" {'→ byte' if leads else '='} {value}" if value else ""
    # matplotlib reads what stands between two dollars as a formula
    return textwrap.shorten(text, 100, placeholder=" …").replace("$", r"\$")


def _cell_html(bytes_map: ByteMap, position: int, tints: dict, marked: Span | None) -> str:
    span = _span_at(bytes_map, position)
    kind, name = "unnamed", "no name"
    if span is not None:
        kind, name = span.kind, f"{span.path}: {span.name} {shown_value(span.value)}"
    edge = "outline:2px solid #000;" if span is not None and span == marked else ""
    title = html.escape(f"byte {position}, {kind}, {name}", quote=True)
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

"""Pictures of a file's bytes: the whole file as coloured cells, and a stretch of it as a hexdump.

Both take a `ByteMap` and work for protobufs, FlatBuffers and checkpoints alike. Colours are
tints, so that dark text reads on all of them; every picture also says in words what they mean.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.views import style
from course_lib.views.tints import colours

if TYPE_CHECKING:
    from course_lib.formats.bytemap import ByteMap


def overview(
    bytes_map: ByteMap, title: str = "", mark: int | None = None, columns: int = 128, alt: str = ""
) -> style.Picture:
    """Draw the whole file as a grid of cells, left to right and top to bottom, beside the bytes
    of each kind.

    A cell stands for as many bytes as make the grid at most 72 rows high, coloured by the kind
    that most of them have. `mark` circles the cell of one byte.
    """
    cells, per_cell = _cells(bytes_map, columns, rows=72)
    shares = bytes_map.shares
    tints = colours(shares)
    fig, (grid, bars) = style.figure(10.5, 4.6, columns=2, width_ratios=[5, 4])
    picture = np.ones((*cells.shape, 3))
    for index, kind in enumerate(shares):
        picture[cells == index] = tints[kind]
    grid.imshow(picture, interpolation="nearest", aspect="auto")
    grid.set(xticks=[], yticks=[])
    grid.set_title(title or f"{len(bytes_map):,} bytes")
    unit = "one byte" if per_cell == 1 else f"{per_cell} bytes"
    grid.set_xlabel(f"a cell is {unit}; read like a page")
    if mark is not None:
        row, column = divmod(mark // per_cell, columns)
        grid.plot(
            column, row, "o", markersize=16, fillstyle="none", color="black", markeredgewidth=2
        )
        grid.annotate(
            f"byte {mark:,}",
            (column, row),
            (0, 14),
            textcoords="offset points",
            ha="left" if column < columns / 2 else "right",
            weight="bold",
        )
    _draw_shares(bars, shares, tints, len(bytes_map))
    told = ", ".join(f"{kind} {count}" for kind, count in shares.items())
    return style.show(fig, alt or f"{title or 'a file'}: {len(bytes_map)} bytes by kind: {told}")


def overview_png(
    bytes_map: ByteMap, columns: int = 256, rows: int = 24, mark: tuple[int, int] | None = None
) -> bytes:
    """Return a small PNG strip of the file for a widget, in milliseconds; `mark` blackens bytes
    start to end."""
    import matplotlib.image

    cells, per_cell = _cells(bytes_map, columns, rows)
    shares = bytes_map.shares
    tints = colours(shares)
    picture = np.ones((*cells.shape, 3))
    for index, kind in enumerate(shares):
        picture[cells == index] = tints[kind]
    if mark is not None:
        flat = picture.reshape(-1, 3)
        flat[mark[0] // per_cell : max(mark[0] + 1, mark[1] - 1) // per_cell + 1] = 0.0
    picture = np.repeat(np.repeat(picture, 3, axis=0), 3, axis=1)
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, picture, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _cells(bytes_map: ByteMap, columns: int, rows: int) -> tuple[np.ndarray, int]:
    """Return (rows, columns) int8, the index in `shares` of each cell's commonest kind, -1
    after the end."""
    kinds = list(bytes_map.shares)
    per_byte = np.full(
        len(bytes_map), kinds.index("unnamed") if "unnamed" in kinds else -1, np.int8
    )
    for span in reversed(bytes_map.spans):
        per_byte[span.start : span.end] = kinds.index(span.kind)
    per_cell = max(1, -(-len(bytes_map) // (columns * rows)))
    height = max(1, -(-len(bytes_map) // (columns * per_cell)))
    padded = np.full(height * columns * per_cell, -1, np.int8)
    padded[: len(per_byte)] = per_byte
    grouped = padded.reshape(-1, per_cell)
    votes = np.stack([(grouped == index).sum(axis=1) for index in range(-1, len(kinds))])
    return (votes.argmax(axis=0) - 1).astype(np.int8).reshape(height, columns), per_cell


def _draw_shares(axes: Any, shares: dict[str, int], tints: dict, total: int) -> None:
    """Draw a bar for each kind with its bytes and share in words."""
    names = list(shares)
    axes.barh(
        names,
        [shares[name] for name in names],
        color=[tints[name] for name in names],
        edgecolor=style.PALETTE["ink"],
        linewidth=0.8,
    )
    for index, name in enumerate(names):
        share = shares[name] / max(total, 1)
        inside = share > 0.5
        axes.annotate(
            f"{shares[name]:,} B, {share:.1%}",
            (shares[name], index),
            (-6 if inside else 6, 0),
            textcoords="offset points",
            va="center",
            ha="right" if inside else "left",
        )
    axes.invert_yaxis()
    axes.set(xticks=[], xlim=(0, max([*shares.values(), 1]) * 1.02))
    axes.spines["bottom"].set_visible(False)

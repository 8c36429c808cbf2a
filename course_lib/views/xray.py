"""Views of a .tflite file for a page: the whole file with a mark, the way to a byte, an answer.

All are HTML on an opaque ground and say in words what their colours mean.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import numpy as np

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.flatbuffer import Read
from course_lib.views import bytes as draw_bytes
from course_lib.views import style

_COLUMNS, _ROWS = 256, 24
_TOP_PIXELS, _ROW_PIXELS = 16, 5
_SEARCH = (
    "const line=this.closest('.widget-vbox')?.querySelector('.widget-text input');"
    "if(line&amp;&amp;byte>=0){line.value=byte;"
    "line.dispatchEvent(new Event('change',{bubbles:true}))}"
)


def overview(byte_map: ByteMap, span: Span | None = None, image: bytes | None = None) -> str:
    """Return the whole file as a strip of coloured cells, with a mark around `span`.

    `image` is what `draw.bytes.overview_png` made of the same map, to draw it only once.
    """
    if image is None:
        image = draw_bytes.overview_png(byte_map, _COLUMNS, _ROWS)
    each = max(1, -(-len(byte_map) // (_COLUMNS * _ROWS)))
    rows = max(1, -(-len(byte_map) // (_COLUMNS * each)))
    alt = f"the file as a strip of {len(byte_map)} bytes, coloured by what they are"
    if span is not None:
        alt += f"; marked: bytes {span.start} to {span.end - 1}, {span.kind}"
    source = base64.b64encode(image).decode("ascii")
    mark = "" if span is None else _mark(span, each, rows)
    return (
        f'<div style="position:relative;max-width:768px;padding-top:{_TOP_PIXELS}px;'
        f'cursor:pointer" onclick="{_clicked_cell(each, len(byte_map))}">'
        f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt)}" style="display:'
        f'block;width:100%;height:{rows * _ROW_PIXELS}px;image-rendering:pixelated">'
        f"{mark}</div>"
    )


def clickable(hexdump: str) -> str:
    """Return a hexdump whose bytes can be clicked: the byte is put into the search line.

    Works where the front end lets HTML widgets have handlers; elsewhere a click does nothing.
    """
    find = "const byte=parseInt((event.target.title.match(/^byte (\\d+)/)||[0,-1])[1]);"
    return f'<div style="cursor:pointer" onclick="{find}{_SEARCH}">{hexdump}</div>'


def _clicked_cell(each: int, count: int) -> str:
    """Return the handler that finds the byte under the pointer in the strip."""
    return (
        "const box=this.getBoundingClientRect();"
        f"const column=Math.floor((event.clientX-box.left)/box.width*{_COLUMNS});"
        f"const row=Math.floor((event.clientY-box.top-{_TOP_PIXELS})/{_ROW_PIXELS});"
        f"const byte=Math.min((row*{_COLUMNS}+column)*{each},{count - 1});{_SEARCH}"
    )


def _mark(span: Span, each: int, rows: int) -> str:
    """Return an outline around the rows of cells that a span covers, and an arrow above it."""
    first, last = span.start // each, (span.end - 1) // each
    top, bottom = first // _COLUMNS, last // _COLUMNS
    left, right = (first % _COLUMNS, last % _COLUMNS + 1) if top == bottom else (0, _COLUMNS)
    box = (
        f"left:{100 * left / _COLUMNS:.2f}%;width:{100 * (right - left) / _COLUMNS:.2f}%;"
        f"top:{_TOP_PIXELS + _ROW_PIXELS * top}px;height:{_ROW_PIXELS * (bottom - top + 1)}px"
    )
    arrow = 100 * (first % _COLUMNS + 0.5) / _COLUMNS
    return (
        f'<div style="position:absolute;{box};min-width:5px;box-sizing:border-box;'
        'border:2px solid #000;outline:2px solid #fff"></div>'
        f'<div aria-hidden="true" style="position:absolute;top:0;left:{arrow:.2f}%;'
        'transform:translateX(-50%);font-size:14px;line-height:16px;color:#000">▼</div>'
    )


def legend(byte_map: ByteMap) -> str:
    """Return what each colour means, with the bytes and the share of each kind."""
    tints = draw_bytes.colours(byte_map.shares)
    chips = [
        f'<span style="display:inline-block;margin:1px 10px 1px 0;white-space:nowrap">'
        f'<span style="display:inline-block;width:12px;height:12px;border:1px solid #000;'
        f'background:rgb({",".join(str(round(255 * part)) for part in tints[kind])})"></span> '
        f"{html.escape(kind)} {count:,} ({count / max(len(byte_map), 1):.1%})</span>"
        for kind, count in byte_map.shares.items()
    ]
    return f'<div style="font-size:14px;line-height:1.5">{"".join(chips)}</div>'


def steps(reads: Sequence[Read], title: str) -> str:
    """Return the reads that lead to a place, one a line, as an ordered list."""
    lines = "".join(
        f"<li>byte {read.position}: {html.escape(read.what)} = {html.escape(str(read.value))}"
        f"{'' if read.to is None else f' <b>→ byte {read.to}</b>'}</li>"
        for read in reads
    )
    return (
        f"<div style='font-size:14px;line-height:1.45'><b>{html.escape(title)}</b>"
        f"<ol style='margin:4px 0 0 0;padding-left:28px'>{lines}</ol></div>"
    )


def answer(
    labels: Sequence[str],
    before: np.ndarray,
    after: np.ndarray,
    logits: tuple[np.ndarray, np.ndarray] | None = None,
) -> str:
    """Return a table of (classes,) probabilities before and after a change, with bars.

    `logits` are the numbers before the softmax, likewise before and after.
    """
    head = "<th></th><th colspan=2>as shipped</th><th colspan=2>as patched</th>"
    head += "<th>logits</th>" if logits else ""
    rows = []
    for index, label in enumerate(labels):
        cells = "".join(
            _bar(values[index], index == int(values.argmax()), colour)
            for values, colour in ((before, "sky"), (after, "orange"))
        )
        if logits:
            cells += f"<td>{logits[0][index]:+.2f} → {logits[1][index]:+.2f}</td>"
        rows.append(f"<tr><td style='text-align:left'>{html.escape(label)}</td>{cells}</tr>")
    return (
        "<table style='font-size:14px;border-collapse:separate;border-spacing:8px 2px'>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(share: float, largest: bool, colour: str) -> str:
    """Return two cells: a bar for a probability and its number, bold for the model's answer."""
    number = f"<b>{share:.3f} ◀</b>" if largest else f"{share:.3f}"
    return (
        "<td style='width:110px;text-align:left'><div style='height:12px;width:"
        f"{max(1, round(110 * float(share)))}px;background:{style.PALETTE[colour]};"
        f"border:1px solid #000'></div></td><td style='text-align:left'>{number}</td>"
    )

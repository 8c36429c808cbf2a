"""The X-ray of a .tflite file: walk over its bytes, part by part, and see the way to each.

All views are HTML on an opaque ground and say in words what their colours mean.
"""

import base64
import html
from collections.abc import Sequence
from typing import Any

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.flatbuffer import Read
from course_lib.tflite import xray
from course_lib.views import shell
from course_lib.views.bytes import colours, css, hexdump_html, overview, overview_png
from course_lib.views.style import Picture, card

_HEX_ROWS = 9
_COLUMNS, _ROWS = 256, 24  # cells of the strip, at most
_TOP_PIXELS, _ROW_PIXELS = 16, 5  # of the page: room for an arrow, and a row of cells
_MOST_HITS = 200
# JavaScript of a click: put the byte into the search line of the same widget
_SEARCH = (
    "const line=this.closest('.widget-vbox')?.querySelector('.widget-text input');"
    "if(line&amp;&amp;byte>=0){line.value=byte;"
    "line.dispatchEvent(new Event('change',{bubbles:true}))}"
)


class XrayView(shell.View):
    """A walk over the parts of a .tflite file: one after the other, by kind, or by a name.

    It begins at part `start`, counted in the order of the bytes; `title` stands over the still.
    """

    label = "X-ray of a .tflite file"

    def __init__(self, model_bytes: bytes, start: int = 0, title: str = "") -> None:
        import ipywidgets

        self.title = title
        self.rays = xray.Xray(model_bytes)
        self.map = self.rays.map
        self.image = overview_png(self.map, _COLUMNS, _ROWS)
        last = len(self.map.spans) - 1
        self.slider = shell.slider("part", start, 0, last, on_change=self.go)
        self.kind = shell.dropdown("kind", list(self.map.shares), on_change=lambda _: self.next())
        hint = "conv, scale, 17 …"
        self.text = ipywidgets.Text(description="name", placeholder=hint, continuous_update=False)
        self.text.style.description_width = "initial"
        self.text.observe(lambda change: self.search(change["new"]), names="value")
        self.hits = shell.dropdown("found", [("nothing searched", start)], on_change=self.jump)
        self.strip, self.line, self.hexdump, self.way = (shell.html() for _ in range(4))
        self.widget = self._layout()
        self.go(start)

    def _layout(self) -> Any:
        controls = shell.row(
            shell.button("◀ part", lambda: self.move(-1)),
            self.slider,
            shell.button("part ▶", lambda: self.move(1)),
            self.kind,
            shell.button("next of this kind", self.next),
        )
        return shell.column(
            shell.html(card(legend(self.map), "what the colours mean")),
            self.strip,
            controls,
            shell.row(self.text, self.hits),
            self.line,
            self.hexdump,
            self.way,
        )

    def still(self) -> Picture:
        return overview(self.map, self.title or "a .tflite file")

    @property
    def span(self) -> Span:
        """The part that is looked at."""
        return self.map.spans[self.slider.value]

    def go(self, index: int) -> None:
        """Show part `index`: where it lies, its bytes, and the reads that lead to it."""
        span = self.map.spans[index]
        self.strip.value = card(strip(self.map, span, self.image), "the whole file")
        self.line.value = shell.note(
            f"{span.kind}: {xray.describe(span)}" + (f", at {span.path}" if span.path else "")
        )
        first = max(0, span.start - span.start % 16 - 32)
        dump = hexdump_html(self.map, first, first + 16 * _HEX_ROWS, span.start)
        self.hexdump.value = card(clickable(dump), "bytes in hexadecimal")
        reads = xray.way(self.rays, span)
        title = f"{len(reads)} reads lead here" if reads else "No read leads here"
        self.way.value = card(steps(reads, title), "the way from the root")

    def move(self, step: int) -> None:
        """Go forward or back by some parts."""
        self.slider.value = min(max(self.slider.value + step, 0), self.slider.max)

    def next(self) -> None:
        """Go to the next part of the chosen kind, from the end on to the first one."""
        order = [*range(self.slider.value + 1, len(self.map.spans)), *range(self.slider.value + 1)]
        for index in order:
            if self.map.spans[index].kind == self.kind.value:
                self.slider.value = index
                return

    def search(self, text: str) -> None:
        """List the parts whose path, name or text holds `text`, or the part of that byte."""
        hits = xray.search(self.map, text)[:_MOST_HITS]
        self.hits.options = [
            (f"{span.kind} {span.path or span.name}: {xray.describe(span)}"[:90], index)
            for index, span in hits
        ] or [("nothing found", self.slider.value)]
        self.jump(self.hits.value)

    def jump(self, index: int | None) -> None:
        """Go to a part that was found."""
        if index is not None:
            self.slider.value = index


def strip(byte_map: ByteMap, span: Span | None = None, image: bytes | None = None) -> str:
    """Return the whole file as a strip of coloured cells, with a mark around `span`.

    `image` is what `overview_png` made of the same map, to draw it only once.
    """
    if image is None:
        image = overview_png(byte_map, _COLUMNS, _ROWS)
    per_cell = max(1, -(-len(byte_map) // (_COLUMNS * _ROWS)))
    rows = max(1, -(-len(byte_map) // (_COLUMNS * per_cell)))
    alt = f"the file as a strip of {len(byte_map)} bytes, coloured by what they are"
    if span is not None:
        alt += f"; marked: bytes {span.start} to {span.end - 1}, {span.kind}"
    source = base64.b64encode(image).decode("ascii")
    mark = "" if span is None else _mark(span, per_cell, rows)
    return (
        f'<div style="position:relative;max-width:768px;padding-top:{_TOP_PIXELS}px;'
        f'cursor:pointer" onclick="{_clicked_cell(per_cell, len(byte_map))}">'
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


def _clicked_cell(per_cell: int, count: int) -> str:
    """Return the handler that finds the byte under the pointer in the strip."""
    return (
        "const box=this.getBoundingClientRect();"
        f"const column=Math.floor((event.clientX-box.left)/box.width*{_COLUMNS});"
        f"const row=Math.floor((event.clientY-box.top-{_TOP_PIXELS})/{_ROW_PIXELS});"
        f"const byte=Math.min((row*{_COLUMNS}+column)*{per_cell},{count - 1});{_SEARCH}"
    )


def _mark(span: Span, per_cell: int, rows: int) -> str:
    """Return an outline around the rows of cells that a span covers, and an arrow above it."""
    first, last = span.start // per_cell, (span.end - 1) // per_cell
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
    tints = colours(byte_map.shares)
    chips = [
        f'<span style="display:inline-block;margin:1px 10px 1px 0;white-space:nowrap">'
        f'<span style="display:inline-block;width:12px;height:12px;border:1px solid #000;'
        f'background:{css(tints[kind])}"></span> '
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

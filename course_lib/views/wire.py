"""A cursor over the bytes of a protobuf: where it stands, what the byte is for, and its bits."""

import html
from collections.abc import Sequence

from course_lib.formats import protobuf
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.session import internals
from course_lib.views import shell, style
from course_lib.views.bytes import hexdump, hexdump_html, shown_value

_WINDOW_BYTES = 224  # 14 rows: as tall as the text beside them
_TEXT_LINES = 26
_STILL_BYTES = 48


class WireCursor(shell.View):
    """A cursor over the parts of some nodes of a GraphDef, with a page about each part.

    `node` and `slider` are its controls, `view` the HTML that they change.
    """

    def __init__(self, graph_def: bytes, nodes: Sequence[str]) -> None:
        """Read the graph once; `nodes` are the names to choose from."""
        self.map = protobuf.byte_map(graph_def, "GraphDef")
        tree = protobuf.read(graph_def, "GraphDef")
        self.fields = {name: protobuf.node(tree, name) for name in nodes}
        self.label = f"a cursor over the bytes of {', '.join(nodes)}"
        self.node = shell.dropdown("node", list(nodes), on_change=self._choose)
        self.slider = shell.slider("part", 0, 0, 1, on_change=self._draw)
        self.view = shell.html()
        self.widget = shell.column(shell.row(self.node, self.slider), self.view)
        self._choose(self.node.value)

    @property
    def parts(self) -> list[Span]:
        """The spans of the chosen node, in order."""
        raw = self.fields[self.node.value].raw
        return [span for span in self.map if raw.start <= span.start < raw.end]

    def still(self) -> style.Picture:
        start = self.parts[0].start
        return hexdump(self.map, start, min(start + _STILL_BYTES, self.parts[-1].end))

    def _choose(self, name: str) -> None:
        last = len(self.parts) - 1
        self.slider.value = 0  # first: a nearer end would move it to itself
        self.slider.max = last
        self._draw(0)

    def _draw(self, part: int) -> None:
        self.view.value = page(self.map, self.fields[self.node.value], self.parts[part])


def page(bytes_map: ByteMap, node: protobuf.Field, span: Span) -> str:
    """Return the HTML for one part of a node: what it is, the bytes around it, the node as text."""
    raw = node.raw
    start = max(raw.start, min(span.start - _WINDOW_BYTES // 2, raw.end - _WINDOW_BYTES))
    stop = min(raw.end, start + _WINDOW_BYTES)
    dump = hexdump_html(bytes_map, start, stop, mark=span.start)
    value = shown_value(span.value)
    what = f"{span.name}, {len(span)} {'byte' if len(span) == 1 else 'bytes'}"
    what += f" at {span.start}: {value}" if value else f" at {span.start}"
    lines = [f"<code>{html.escape(span.path)}</code>"]
    lines += [f"<code>{html.escape(line)}</code>" for line in explained(bytes_map, span)]
    text = _as_text(bytes_map.data[raw.value_start : raw.end])
    return style.card(
        f"<b>{shell.note(what)}</b><div>{'<br>'.join(lines)}</div>"
        "<div style='display:flex;flex-wrap:wrap;gap:24px;margin-top:8px'>"
        f"<div>{dump}</div><pre tabindex='0' data-lm-suppress-shortcuts='true' "  # for arrow keys
        f"style='margin:0;max-height:380px;overflow:auto;color:inherit'>{html.escape(text)}</pre></div>",
        "bytes of a protobuf",
    )


def explained(bytes_map: ByteMap, span: Span) -> list[str]:
    """Return, in lines, how the bits of tags, varints and packed numbers are read; else nothing."""
    data = bytes_map.bytes_of(span)
    if isinstance(span.value, tuple):
        return _packed(data, span.value)
    # a varint has ten bytes at most, and its last byte no flag
    if span.kind not in ("tag", "length", "number") or len(data) > 10 or data[-1] > 0x7F:
        return []
    if any(byte < 0x80 for byte in data[:-1]):
        return []  # no varint
    value = protobuf.varint(data, 0)[0]
    groups = " ".join(f"{byte:08b}" for byte in data)
    lines = [f"bits {groups}: {'the last byte' if len(data) == 1 else 'a 1 in front says: go on'}"]
    if span.kind == "tag":
        kind = protobuf.WIRE_TYPES[value & 7]
        lines.append(f"{value} = field {value >> 3} × 8 + wire type {value & 7} ({kind})")
    else:
        lines.append(f"7 bits from each byte, the lowest first: {value}")
    return lines


def _packed(data: bytes, values: tuple) -> list[str]:
    """Return how several numbers of one field are told apart, and the bytes of each."""
    ends, position = [], 0
    while position < len(data):  # one number more ends where a byte has no flag
        position += 1
        if data[position - 1] < 0x80:
            ends.append(position)
    if len(ends) == len(values) and not any(isinstance(value, float) for value in values):
        rule = "a byte below 80 ends a number"
    else:
        size = len(data) // len(values)
        ends, rule = [size * (n + 1) for n in range(len(values))], f"{size} bytes each"
    parts = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    shown = [f"{part.hex(' ')} → {value}" for part, value in zip(parts, values, strict=True)]
    return [f"packed: {len(values)} numbers share one tag and one length; {rule}", *shown]


def _as_text(node: bytes) -> str:
    """Return a node in protobuf's text format, cut after some lines."""
    text = str(internals.message("NodeDef").FromString(node))
    lines = [line[:80] for line in text.splitlines()]
    return "\n".join(lines[:_TEXT_LINES] + (["…"] if len(lines) > _TEXT_LINES else []))

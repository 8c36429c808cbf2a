"""A graph as SVG text: what a widget shows, written anew in a few milliseconds."""

from __future__ import annotations

from html import escape

from course_lib.views.marks import FILLS, Marks, arrow_head, arrow_look, box_look
from course_lib.views.places import Arrow, Box, Layout
from course_lib.views.style import PALETTE, card

_FONT = "DejaVu Sans, Verdana, sans-serif"
_PAD = 8


def svg(layout: Layout, marks: Marks, alt: str, scale: float = 1, shrinks: bool = True) -> str:
    """Return the picture as an SVG element on the ground of all pictures, ready for an HTML widget.

    It becomes smaller where there is no room, unless `shrinks` is False: then it can be scrolled,
    and its letters stay readable.
    """
    size = "max-width:100%;height:auto" if shrinks else "max-width:none"
    parts = [
        f'<svg role="img" aria-label="{escape(alt)}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{-_PAD} {-_PAD} {layout.width + 2 * _PAD:.0f} {layout.height + 2 * _PAD:.0f}" '
        f'width="{(layout.width + 2 * _PAD) * scale:.0f}" style="{size}" '
        f'font-family="{_FONT}" fill="{PALETTE["ink"]}">'
    ]
    parts += [_svg_arrow(arrow, marks) for arrow in layout.arrows]
    parts += [_svg_box(box, marks) for box in layout.boxes]
    parts += [_svg_label(arrow, marks) for arrow in layout.arrows]
    parts.append("</svg>")
    return card("".join(parts))


def _svg_arrow(arrow: Arrow, marks: Marks) -> str:
    look = arrow_look(arrow, marks)
    path = f"M{_pair(arrow.points[0])}"
    for k in range(1, len(arrow.points) - 2, 3):
        path += "C" + " ".join(map(_pair, arrow.points[k : k + 3]))
    head = " ".join(map(_pair, arrow_head(arrow)))
    return (
        f'<path d="{path}" fill="none" stroke="{look.pen}" stroke-width="{look.width}"/>'
        f'<polygon points="{head}" fill="{look.pen}"/>'
    )


def _svg_label(arrow: Arrow, marks: Marks) -> str:
    text = marks.labels.get(arrow.edge, "")
    if not text:
        return ""
    x, y = arrow.label
    first, _, second = text.partition("\n")
    if second:
        second = f'<tspan x="{x:.1f}" dy="15" font-size="12.5">{escape(second)}</tspan>'
    return (
        f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" font-size="15" '
        f'font-weight="bold" fill="{PALETTE["blue"]}" paint-order="stroke" '
        f'stroke="{PALETTE["paper"]}" stroke-width="5">{escape(first)}{second}</text>'
    )


def _svg_box(box: Box, marks: Marks) -> str:
    look = box_look(box, marks)
    x, y = box.x - box.width / 2, box.y - box.height / 2
    radius = box.height / 2 if box.kind == "operation" else 2
    dashes = ' stroke-dasharray="6 3"' if look.dashed else ""
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius:.0f}" fill="{FILLS[box.kind]}" stroke="{look.pen}" '
        f'stroke-width="{look.width}"{dashes}/>'
    )
    if box.kind == "variable":
        shape += (
            f'<rect x="{x + 4:.1f}" y="{y + 4:.1f}" width="{box.width - 8:.1f}" '
            f'height="{box.height - 8:.1f}" fill="none" stroke="{look.pen}"/>'
        )
    subtitle = marks.subtitles.get(box.name, box.subtitle)
    middle = f'x="{box.x:.1f}" text-anchor="middle" fill="{look.ink}"'
    shape += (
        f'<text {middle} y="{box.y - 1:.1f}" font-size="16" font-weight="bold">'
        f"{escape(box.title)}</text>"
        f'<text {middle} y="{box.y + 16:.1f}" font-size="12.5">{escape(subtitle)}</text>'
    )
    note = marks.notes.get(box.name, "")
    if note:
        place = f'x="{x + box.width + 3:.1f}" y="{y + 12:.1f}"'
        shape += f'<text {place} font-size="13" fill="{PALETTE["red"]}">{escape(note)}</text>'
    return shape


def _pair(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"

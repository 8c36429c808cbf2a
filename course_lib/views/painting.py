"""A graph that is laid out, painted: into matplotlib axes for a page, as SVG text for a widget.

The SVG is written anew in a few milliseconds; matplotlib takes a hundred times as long.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from course_lib.views.layout import Arrow, Box, Edge, Layout, Point
from course_lib.views.style import PALETTE, card

_FILLS = {
    "constant": "#FFF6CC",
    "placeholder": "#DCEFFA",
    "variable": "#D5EFE6",
    "operation": "#FFFFFF",
}
_FADED = "#9A9A9A"
_LEAST_SCALE = 0.5  # a picture that is smaller than this has no texts: nobody could read them
_POINTS = 0.75  # points in a CSS pixel
_FONT = "DejaVu Sans, Verdana, sans-serif"
_PAD = 8  # pixels around an SVG, for thick lines at its edge


@dataclass(frozen=True)
class Marks:
    """What a picture shows on top of the bare graph.

    `states` gives nodes a state: "waiting" is faint, "now" and "here" stand out; all others are
    plain. `labels` puts text on edges, by (from, to, position), or by (name, "", n) on the arrow of
    a result; a second line is written smaller. `notes` puts a small text to the right below a node,
    `subtitles` another text into its box. The edges in `strong` stand out.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[Edge, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    subtitles: Mapping[str, str] = field(default_factory=dict)
    strong: Collection[Edge] = frozenset()


def paint(axes: Any, layout: Layout, marks: Marks, scale: float = 1, height: float = 0) -> None:
    """Draw a layout into axes whose unit becomes one of its pixels.

    `scale` is the size of the picture compared with the layout, for lines and letters; `height`
    makes room for a taller neighbour.
    """
    axes.set_axis_off()  # collections, not one artist a box: a thousand nodes take a second
    axes.set_xlim(-6, layout.width + 6)
    axes.set_ylim(max(height, layout.height) + 6, -6)
    axes.set_aspect("equal", anchor="N")
    _paint_arrows(axes, layout, marks, scale)
    _paint_boxes(axes, layout, marks, scale)
    if scale >= _LEAST_SCALE:
        for box in layout.boxes:
            _paint_texts(axes, box, marks, scale)
        _paint_labels(axes, layout, marks, scale)


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
    parts += [_svg_label(arrow, layout, marks) for arrow in layout.arrows]
    parts.append("</svg>")
    return card("".join(parts))


@dataclass(frozen=True)
class _Look:
    """The colour and width of a line, in pixels, whether it is dashed, and the colour of a text."""

    pen: str
    width: float
    dashed: bool = False
    ink: str = PALETTE["ink"]


def _box_look(box: Box, marks: Marks) -> _Look:
    state = marks.states.get(box.name, "")
    if state == "waiting":
        return _Look(_FADED, 1, True, PALETTE["grey"])
    dashed = box.kind == "placeholder"
    if state in ("now", "here"):
        return _Look(PALETTE["red"], 4, dashed)
    return _Look(PALETTE["ink"], 1.5, dashed)


def _arrow_look(arrow: Arrow, marks: Marks) -> _Look:
    """Return a faint look where an end waits, a strong one into the node of now or if marked."""
    ends = [marks.states.get(name, "") for name in arrow.edge[:2]]
    if "waiting" in ends:
        return _Look(_FADED, 1)
    if ends[1] == "now" or arrow.edge in marks.strong:
        return _Look(PALETTE["red"], 2.5)
    return _Look(PALETTE["ink"], 1.3)


def _paint_arrows(axes: Any, layout: Layout, marks: Marks, scale: float) -> None:
    from matplotlib.collections import PathCollection, PolyCollection
    from matplotlib.path import Path

    looks = [_arrow_look(arrow, marks) for arrow in layout.arrows]
    pens = [look.pen for look in looks]
    paths = [
        Path(arrow.points, [Path.MOVETO] + [Path.CURVE4] * (len(arrow.points) - 1))
        for arrow in layout.arrows
    ]
    widths = [look.width * _POINTS * scale for look in looks]
    axes.add_collection(
        PathCollection(paths, facecolors="none", edgecolors=pens, linewidths=widths, zorder=1)
    )
    heads = [arrow.head for arrow in layout.arrows]
    axes.add_collection(PolyCollection(heads, facecolors=pens, edgecolors="none", zorder=2))


def _paint_boxes(axes: Any, layout: Layout, marks: Marks, scale: float) -> None:
    from matplotlib.collections import PathCollection

    paths, fills, pens, widths, styles = [], [], [], [], []
    for box in layout.boxes:
        look = _box_look(box, marks)
        for inset in (0, 4) if box.kind == "variable" else (0,):
            paths.append(_outline(box, inset))
            fills.append("none" if inset else _FILLS[box.kind])
            pens.append(look.pen)
            widths.append(look.width * _POINTS * scale)
            styles.append("--" if look.dashed else "-")
    look = {"facecolors": fills, "edgecolors": pens, "linewidths": widths, "linestyles": styles}
    axes.add_collection(PathCollection(paths, **look, zorder=3))


def _outline(box: Box, inset: float) -> Any:
    from matplotlib.patches import BoxStyle

    radius = box.height / 2 if box.kind == "operation" else 2
    style = BoxStyle("Round", pad=0, rounding_size=radius)
    width, height = box.width - 2 * inset, box.height - 2 * inset
    return style(box.x - width / 2, box.y - height / 2, width, height, 1)


def _paint_texts(axes: Any, box: Box, marks: Marks, scale: float) -> None:
    middle = {"ha": "center", "va": "center", "color": _box_look(box, marks).ink, "zorder": 4}
    axes.text(box.x, box.y - 7, box.title, fontsize=12 * scale, fontweight="bold", **middle)
    subtitle = marks.subtitles.get(box.name, box.subtitle)
    axes.text(box.x, box.y + 12, subtitle, fontsize=9.5 * scale, **middle)
    note = marks.notes.get(box.name, "")
    if note:
        place = (box.x + box.width / 2 + 3, box.y - box.height / 2 + 6)
        axes.text(*place, note, fontsize=10 * scale, color=PALETTE["red"], zorder=5)


def _paint_labels(axes: Any, layout: Layout, marks: Marks, scale: float) -> None:
    from matplotlib.patheffects import withStroke

    look = {"color": PALETTE["blue"], "fontweight": "bold", "zorder": 6}
    halo = [withStroke(linewidth=4 * scale, foreground=PALETTE["paper"])]
    for arrow in layout.arrows:
        text = marks.labels.get(arrow.edge, "")
        (x, y), side = _beside(arrow, layout, text)
        for line, part in enumerate(text.splitlines()):
            size = {"fontsize": (11.5, 9.5)[min(line, 1)] * scale}
            place = {"ha": ("right", "center", "left")[side + 1], "va": "center"}
            axes.text(x, y + 15 * line, part, path_effects=halo, **place, **look, **size)


def _beside(arrow: Arrow, layout: Layout, text: str) -> tuple[Point, int]:
    """Return where an arrow's text stands, and on which side of that place: -1, 0 (on it) or 1.

    Where several arrows leave one box, it stands on the outer side, so that it covers no other.
    """
    to_the_right = arrow.points[-1][0] > arrow.points[0][0] + 20  # late: two arrows may cross
    x, y = arrow.at(0.7 if to_the_right and "\n" not in text else 0.25)
    ends = [each.points[-1][0] for each in layout.arrows if each.edge[0] == arrow.edge[0]]
    if max(ends) - min(ends) < 1 or arrow.points[-1][0] not in (min(ends), max(ends)):
        return (x, y), 0
    side = 1 if arrow.points[-1][0] == max(ends) else -1
    room = layout.width - x if side > 0 else x
    return ((x + 12 * side, y), side) if room > 11 * len(text.partition("\n")[0]) else ((x, y), 0)


def _svg_arrow(arrow: Arrow, marks: Marks) -> str:
    look = _arrow_look(arrow, marks)
    path = f"M{_pair(arrow.points[0])}"
    for k in range(1, len(arrow.points) - 2, 3):
        path += "C" + " ".join(map(_pair, arrow.points[k : k + 3]))
    head = " ".join(map(_pair, arrow.head))
    return (
        f'<path d="{path}" fill="none" stroke="{look.pen}" stroke-width="{look.width}"/>'
        f'<polygon points="{head}" fill="{look.pen}"/>'
    )


def _svg_label(arrow: Arrow, layout: Layout, marks: Marks) -> str:
    text = marks.labels.get(arrow.edge, "")
    if not text:
        return ""
    (x, y), side = _beside(arrow, layout, text)
    first, _, second = text.partition("\n")
    if second:
        second = f'<tspan x="{x:.1f}" dy="15" font-size="12.5">{escape(second)}</tspan>'
    return (
        f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="{("end", "middle", "start")[side + 1]}" '
        f'font-size="15" font-weight="bold" fill="{PALETTE["blue"]}" paint-order="stroke" '
        f'stroke="{PALETTE["paper"]}" stroke-width="5">{escape(first)}{second}</text>'
    )


def _svg_box(box: Box, marks: Marks) -> str:
    look = _box_look(box, marks)
    x, y = box.x - box.width / 2, box.y - box.height / 2
    radius = box.height / 2 if box.kind == "operation" else 2
    dashes = ' stroke-dasharray="6 3"' if look.dashed else ""
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius:.0f}" fill="{_FILLS[box.kind]}" stroke="{look.pen}" '
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

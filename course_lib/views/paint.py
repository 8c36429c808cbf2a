"""A graph painted into matplotlib axes: what becomes a PNG picture."""

from __future__ import annotations

from typing import Any

from course_lib.views.marks import FILLS, Marks, arrow_head, arrow_look, box_look
from course_lib.views.places import Box, Layout
from course_lib.views.style import PALETTE

_LEAST_SCALE = 0.5  # a picture that is smaller than this has no texts: nobody could read them
_POINTS = 0.75  # points in a CSS pixel


def paint(axes: Any, layout: Layout, marks: Marks, scale: float = 1, height: float = 0) -> None:
    """Draw a layout into axes whose unit becomes one of its pixels.

    `scale` is the size of the picture compared with the layout, for lines and letters; `height`
    makes room for a taller neighbour.
    """
    axes.set_axis_off()
    axes.set_xlim(-6, layout.width + 6)
    axes.set_ylim(max(height, layout.height) + 6, -6)
    axes.set_aspect("equal", anchor="N")
    _paint_arrows(axes, layout, marks, scale)
    _paint_boxes(axes, layout, marks, scale)
    if scale >= _LEAST_SCALE:
        for box in layout.boxes:
            _paint_texts(axes, box, marks, scale)
        _paint_labels(axes, layout, marks, scale)


def _paint_arrows(axes: Any, layout: Layout, marks: Marks, scale: float) -> None:
    from matplotlib.collections import PathCollection, PolyCollection
    from matplotlib.path import Path

    looks = [arrow_look(arrow, marks) for arrow in layout.arrows]
    pens = [look.pen for look in looks]
    paths = [
        Path(arrow.points, [Path.MOVETO] + [Path.CURVE4] * (len(arrow.points) - 1))
        for arrow in layout.arrows
    ]
    widths = [look.width * _POINTS * scale for look in looks]
    axes.add_collection(
        PathCollection(paths, facecolors="none", edgecolors=pens, linewidths=widths, zorder=1)
    )
    heads = [arrow_head(arrow) for arrow in layout.arrows]
    axes.add_collection(PolyCollection(heads, facecolors=pens, edgecolors="none", zorder=2))


def _paint_boxes(axes: Any, layout: Layout, marks: Marks, scale: float) -> None:
    from matplotlib.collections import PathCollection

    paths, fills, pens, widths, styles = [], [], [], [], []
    for box in layout.boxes:
        look = box_look(box, marks)
        for inset in (0, 4) if box.kind == "variable" else (0,):
            paths.append(_outline(box, inset))
            fills.append("none" if inset else FILLS[box.kind])
            pens.append(look.pen)
            widths.append(look.width * _POINTS * scale)
            styles.append("--" if look.dashed else "-")
    axes.add_collection(
        PathCollection(
            paths,
            facecolors=fills,
            edgecolors=pens,
            linewidths=widths,
            linestyles=styles,
            zorder=3,
        )
    )


def _outline(box: Box, inset: float) -> Any:
    from matplotlib.patches import BoxStyle

    radius = box.height / 2 if box.kind == "operation" else 2
    style = BoxStyle("Round", pad=0, rounding_size=radius)
    width, height = box.width - 2 * inset, box.height - 2 * inset
    return style(box.x - width / 2, box.y - height / 2, width, height, 1)


def _paint_texts(axes: Any, box: Box, marks: Marks, scale: float) -> None:
    middle = {"ha": "center", "va": "center", "color": box_look(box, marks).ink, "zorder": 4}
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
        x, y = arrow.label
        for line, text in enumerate(marks.labels.get(arrow.edge, "").splitlines()):
            size = {"fontsize": (11.5, 9.5)[min(line, 1)] * scale}
            place = {"ha": "center", "va": "center", "path_effects": halo}
            axes.text(x, y + 15 * line, text, **place, **look, **size)

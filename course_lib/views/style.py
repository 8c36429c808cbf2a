"""The one style of every picture: colours, sizes, and how a picture is shown in a notebook.

The colours are those of Okabe and Ito (2008, "Color Universal Design"), which stay apart for all
common forms of colour blindness. A picture is a PNG on opaque paper, not so white that it glares
in a dark theme, so that it reads the same in both, and it carries a text that says what it shows.
"""

from __future__ import annotations

import base64
import html
import io
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "black": "#000000",
        "orange": "#E69F00",
        "sky": "#56B4E9",
        "green": "#009E73",
        "yellow": "#F0E442",
        "blue": "#0072B2",
        "red": "#D55E00",
        "purple": "#CC79A7",
        "ink": "#1A1A1A",
        "grey": "#6B6B6B",
        "faint": "#D0D0D0",
        "paper": "#F4F2EB",
    }
)
CYCLE: tuple[str, ...] = tuple(
    PALETTE[name] for name in ("blue", "red", "green", "orange", "purple", "sky", "black")
)

_PIXELS_PER_INCH = 96  # of CSS: what a browser calls an inch
_SHARPNESS = 2  # image pixels for each CSS pixel
_FONT_POINTS = 12
ON_PAPER: Mapping[str, Any] = {"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1}
"""The box of a text that stands on lines and has to stay readable."""

_SETTINGS: Mapping[str, Any] = {
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), PALETTE["paper"]),
    **dict.fromkeys(
        ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"),
        PALETTE["ink"],
    ),
    **dict.fromkeys(
        ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"),
        _FONT_POINTS,
    ),
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same picture everywhere
    "axes.titlesize": _FONT_POINTS + 1,
    "figure.titlesize": _FONT_POINTS + 2,
    "savefig.transparent": False,
    "legend.frameon": False,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.0,
    "grid.color": PALETTE["faint"],
}


@dataclass(frozen=True, repr=False)
class Picture:
    """A PNG image with the text that stands for it.

    `png` are the bytes of the file, `alt` says in one sentence what there is to see, and `width`
    is the width in CSS pixels at which it is shown. Its text form depends on `alt` alone, so a
    stored output stays equal.
    """

    png: bytes
    alt: str
    width: int

    def __repr__(self) -> str:
        return f"<picture: {self.alt}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        data = {"text/plain": repr(self), "image/png": base64.b64encode(self.png).decode("ascii")}
        return data, {"image/png": {"width": self.width, "alt": self.alt}}

    def html(self) -> str:
        """Return an `<img>` element that holds the picture, for a widget or a page."""
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}" '
            f'width="{self.width}" style="max-width:100%;height:auto">'
        )


def use() -> None:
    """Set matplotlib's defaults to the style of the workbook: sizes, colours, opaque ground."""
    from cycler import cycler
    from matplotlib import rcParams

    rcParams.update(_SETTINGS)
    rcParams["axes.prop_cycle"] = cycler(color=CYCLE)


def figure(
    width_inches: float = 8.0,
    height_inches: float = 4.0,
    rows: int = 1,
    columns: int = 1,
    **options: Any,
) -> tuple[Figure, Any]:
    """Return a new figure in the style of the workbook and its axes, like `pyplot.subplots`.

    The figure does not belong to pyplot: nothing shows it by itself and nothing has to close it.
    `options` go to `Figure.subplots`, such as `sharex=True` or `width_ratios=[2, 1]`.
    """
    use()
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width_inches, height_inches), layout="constrained")
    return fig, fig.subplots(rows, columns, **options)


def show(figure: Figure | bytes, alt: str, width: int | None = None) -> Picture:
    """Return a matplotlib figure, or the bytes of a PNG file, as a `Picture` to end a cell with.

    `alt` is the sentence for whoever cannot see it. `width` is in CSS pixels; without it, the
    figure's own size or, for a PNG, half of its pixels. Raises ValueError where `alt` is empty or
    the bytes are no PNG.
    """
    if not alt.strip():
        raise ValueError(
            "A picture needs a text: pass alt='what there is to see, in one sentence'."
        )
    if isinstance(figure, bytes):
        return Picture(figure, alt, width or _png_width(figure) // _SHARPNESS)
    use()
    buffer = io.BytesIO()
    # Without the version of matplotlib in it, equal pictures are equal bytes.
    options = {"facecolor": PALETTE["paper"], "metadata": {"Software": None}}
    figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH * _SHARPNESS, **options)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:  # a figure made through it would be shown twice
        pyplot.close(figure)
    own_width = round(figure.get_size_inches()[0] * _PIXELS_PER_INCH)
    return Picture(buffer.getvalue(), alt, width or own_width)


class Redrawn:
    """A matplotlib figure of which little moves: the rest is laid out and drawn once.

    A tenth of a second instead of half of one, so that a picture follows a slider.
    """

    def __init__(self, figure: Figure) -> None:
        """Draw all that `figure` holds now; what moves comes with each picture."""
        use()
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._figure, self._canvas = figure, FigureCanvasAgg(figure)
        self._width = round(figure.get_size_inches()[0] * _PIXELS_PER_INCH)
        figure.dpi = _PIXELS_PER_INCH * _SHARPNESS
        self._canvas.draw()
        self._ground = self._canvas.copy_from_bbox(figure.bbox)

    def picture(self, moving: Sequence[Artist], alt: str) -> Picture:
        """Return the figure with the artists `moving` drawn on it, which it forgets again."""
        from PIL import Image

        self._canvas.restore_region(self._ground)
        for artist in moving:
            self._figure.draw_artist(artist)
            artist.remove()
        buffer = io.BytesIO()
        image = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")
        image.save(buffer, "png", compress_level=1)  # quickly: nobody keeps it
        return Picture(buffer.getvalue(), alt, self._width)


def squares(image: np.ndarray, pixels: int) -> bytes:
    """Return (rows, columns, 3) RGB as a small PNG, each cell a square of `pixels` a side."""
    import matplotlib.image

    buffer = io.BytesIO()
    larger = image.repeat(pixels, axis=0).repeat(pixels, axis=1)
    matplotlib.image.imsave(buffer, larger, format="png", metadata={"Software": None})
    return buffer.getvalue()


def bar(axes: Axes, row: float, value: float, colour: str, text: str, **look: Any) -> None:
    """Draw a horizontal bar in a colour of the palette, with `text` at its end."""
    look = {"height": 0.6, "edgecolor": PALETTE["paper"], **look}
    axes.barh(row, value, color=PALETTE[colour], **look)
    beside(axes, row, value, text)


def beside(axes: Axes, row: float, value: float, text: str, gap: int = 6, **look: Any) -> None:
    """Write `text` at the end of a horizontal bar, `gap` points behind it."""
    axes.annotate(text, (value, row), (gap, 0), textcoords="offset points", va="center", **look)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a picture of horizontal bars, and put the first one on top."""
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()


def card(content: str, label: str = "") -> str:
    """Return HTML that puts `content` on the opaque ground of all pictures, dark theme or not.

    Use it around an SVG or a table with colours of its own. `label` names the group to a screen
    reader.
    """
    named = f' role="group" aria-label="{html.escape(label)}"' if label else ""
    return (
        f'<div{named} style="background:{PALETTE["paper"]};color:{PALETTE["ink"]};'
        f'padding:8px;border-radius:4px;overflow-x:auto;line-height:1.4">{content}</div>'
    )


def _png_width(data: bytes) -> int:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        raise ValueError(
            "These bytes are no PNG file: pass a matplotlib figure or the content of a .png."
        )
    return struct.unpack(">I", data[16:20])[0]

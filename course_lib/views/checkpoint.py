"""Pictures of checkpoints: what each holds, and runs that are taken up again from one."""

from __future__ import annotations

from collections.abc import Mapping

from course_lib.formats.checkpoint.contents import Contents
from course_lib.views import style
from course_lib.views.tints import colours

_LINES = (("-", 6.0, "sky"), ("-", 2.5, "ink"), ("--", 2.0, "orange"), (":", 3.0, "red"))
_EDGE = {"edgecolor": "black", "linewidth": 0.7}
_VISIBLE_BYTES = 100  # groups smaller than that are drawn with the structure
_STRUCTURE = "structure of the file"


def groups(shown: Mapping[str, Contents], alt: str = "") -> style.Picture:
    """Draw the bytes of several files as stacked bars: weights, optimizer, everything else.

    What belongs to no tensor (an index, HDF5's own structure) is drawn as the file's structure.
    """
    from matplotlib.patches import Patch

    parts = {name: _parts(each) for name, each in shown.items()}
    kinds = sorted({kind for each in parts.values() for kind in each}, key=_place)
    tints, longest = colours(kinds), max(sum(each.values()) for each in parts.values())
    fig, axes = style.figure(9.5, 1.3 + 0.62 * len(parts))
    for row, sizes in enumerate(parts.values()):
        left = 0
        for kind in (kind for kind in kinds if kind in sizes):
            axes.barh(row, sizes[kind], left=left, color=tints[kind], **_EDGE)
            if sizes[kind] > longest * 0.07:  # there is room for its number
                middle, text = left + sizes[kind] / 2, f"{sizes[kind] / 1000:.0f}"
                axes.text(middle, row, text, ha="center", va="center")
            left += sizes[kind]
        style.beside(axes, row, left, f"{left / 1000:.0f} kB", weight="bold")
    style.name_rows(axes, list(parts))
    axes.set(xticks=[], xlim=(0, longest * 1.12))
    axes.spines["bottom"].set_visible(False)
    handles = [Patch(facecolor=tints[kind], label=kind, **_EDGE) for kind in kinds]
    fig.legend(handles=handles, loc="outside lower left", ncols=3)
    sentences = "; ".join(
        f"{name}: " + ", ".join(f"{kind} {count / 1000:.0f} kB" for kind, count in sizes.items())
        for name, sizes in parts.items()
    )
    return style.show(fig, alt or sentences)


def resumed(
    losses: Mapping[str, Mapping[int, float]],
    distances: Mapping[str, Mapping[int, float]],
    killed_at: int,
) -> style.Picture:
    """Draw runs by step: their losses, and how far their weights are from the uninterrupted run's.

    `distances` are the largest differences of any weight; a name is drawn alike in both halves.
    """
    fig, axes = style.figure(11, 4.2, columns=2)
    names = list(losses)
    grey = style.PALETTE["grey"]
    mark = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    for ax, curves in zip(axes, (losses, distances), strict=True):
        for name, curve in curves.items():
            dashes, width, colour = _LINES[names.index(name) % len(_LINES)]
            look = {"linewidth": width, "color": style.PALETTE[colour]}
            ax.plot(list(curve), list(curve.values()), dashes, label=name, **look)
        ax.axvline(killed_at, color=grey, linewidth=1)
        ax.annotate("killed", (killed_at, 1), (4, -2), color=grey, **mark)
        ax.set_xlabel("training step")
    axes[0].set_title("loss of the batch")
    axes[1].set_title("largest difference of a weight")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    verdicts = ", ".join(
        f"{name} {'differs' if max(curve.values()) else 'is the same to the last bit'}"
        for name, curve in distances.items()
    )
    alt = f"A run killed at step {killed_at} beside runs that take it up: {verdicts}"
    return style.show(fig, alt)


def _parts(contents: Contents) -> dict[str, int]:
    """Return the bytes of the groups, and what is left of the files as their structure."""
    rest = contents.total_bytes - contents.tensor_bytes
    parts = {kind: size for kind, size in contents.groups.items() if size >= _VISIBLE_BYTES}
    rest += contents.tensor_bytes - sum(parts.values())
    return {**parts, **({_STRUCTURE: rest} if rest else {})}


def _place(kind: str) -> tuple[int, str]:
    """Return where a kind stands in a bar: weights first, the file's own structure last."""
    order = ("weights", "optimizer", "bookkeeping", "other", "object graph", _STRUCTURE)
    return order.index(kind.split(":")[0]), kind

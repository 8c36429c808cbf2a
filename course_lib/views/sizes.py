"""What files weigh, of which bytes, and what it costs to read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.experiments.reading_costs import Cost
from course_lib.experiments.same_weights import Artefact
from course_lib.formats.checkpoint.tensors import Contents
from course_lib.tflite.runtimes import Footprint
from course_lib.views import style
from course_lib.views.bytes import colours

KIND_COLOURS: Mapping[str, str] = {
    "weights": style.PALETTE["blue"],
    "scales": style.PALETTE["orange"],
    "names": style.PALETTE["sky"],
    "structure": style.PALETTE["grey"],
}
_EDGE = style.PALETTE["paper"]
_OUTLINE = {"edgecolor": "black", "linewidth": 0.7}
_VISIBLE_BYTES = 100  # groups smaller than that are drawn with the structure
_STRUCTURE = "structure of the file"
_HATCHES = {"weights": "", "scales": "///", "names": "...", "structure": "xx"}
_HOLDS = {
    "exactly": ("blue", ""),
    "folded": ("green", "//"),
    "rounded": ("orange", "xx"),
    "not": ("faint", ".."),
}
_READERS = {
    "flatbuffer": "FlatBuffer, followed",
    "protobuf_scan": "protobuf, walked over",
    "protobuf_decode": "protobuf, made into objects",
}
_RUNTIMES = {"ai_edge_litert": "LiteRT", "tensorflow": "TensorFlow"}


def by_kind(kinds: Mapping[str, Mapping[str, int]]) -> style.Picture:
    """Return a picture of bytes by kind; `kinds` maps a model's name to bytes of each kind."""
    fig, axes = style.figure(10, 1.5 + 0.6 * len(kinds))
    totals = [sum(each.values()) for each in kinds.values()]
    stacked(axes, list(kinds.values()), [f"{total / 1000:.1f} kB" for total in totals])
    style.name_rows(axes, [name.replace("_", " ") for name in kinds])
    axes.set_title("Where the bytes go")
    return style.show(fig, f"bytes by kind of {', '.join(kinds)}")


def stacked(
    axes: style.Axes,
    kinds: Sequence[Mapping[str, int]],
    texts: Sequence[str],
    font_points: int = 12,
) -> None:
    """Draw one bar a row, cut into kinds, with `texts` behind; hatches tell kinds apart too."""
    rows, left = np.arange(len(kinds)), np.zeros(len(kinds))
    for kind, colour in KIND_COLOURS.items():
        widths = np.array([each.get(kind, 0) for each in kinds]) / 1000
        look = {"hatch": _HATCHES[kind], "edgecolor": _EDGE, "linewidth": 0.5, "label": kind}
        axes.barh(rows, widths, left=left, height=0.62, color=colour, **look)
        left += widths
    for row, (end, text) in enumerate(zip(left, texts, strict=True)):
        style.beside(axes, row, end, text, fontsize=font_points)
    axes.set_xlim(0, left.max() * 1.16)
    axes.tick_params(axis="x", labelsize=font_points - 1)
    axes.set_xlabel("kilobytes (1,000 bytes)", fontsize=font_points)
    look = {"loc": "outside lower left", "ncols": 4, "fontsize": font_points}
    axes.figure.legend(*axes.get_legend_handles_labels(), **look)


def steps(
    sizes: Mapping[str, int], accuracies: Mapping[str, float], goal: float | None = None
) -> style.Picture:
    """Return a picture of a file that shrinks; `goal` is the factor below the first to reach."""
    names, values = list(sizes), np.array(list(sizes.values())) / 1000
    fig, axes = style.figure(10, 1.6 + 0.6 * len(names))
    axes.barh(range(len(names)), values, height=0.6, color=style.PALETTE["blue"])
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        text = f"{value:.1f} kB, {values[0] / value:.2f}x, {accuracies[name]:.1%} right"
        style.beside(axes, row, value, text, bbox=style.ON_PAPER)
    if goal:
        end, red = values[0] / goal, style.PALETTE["red"]
        axes.axvline(end, color=red, linestyle="--")
        axes.annotate(f"{goal:g}x", (end, -0.55), color=red, ha="center", va="bottom")
    axes.set(xlim=(0, values.max() * 1.45), xlabel="kilobytes of the whole file")
    style.name_rows(axes, names)
    return style.show(fig, f"the size of the file after each step: {', '.join(names)}")


def factors(pairs: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]) -> style.Picture:
    """Return how many times smaller int8 made the weights and the whole file of each model.

    `pairs` maps a model's name to its bytes by kind before and after.
    """
    names, rows = list(pairs), np.arange(len(pairs))
    fig, axes = style.figure(10, 1.8 + 0.8 * len(names))
    weights = [before["weights"] / after["weights"] for before, after in pairs.values()]
    files = [sum(before.values()) / sum(after.values()) for before, after in pairs.values()]
    bars = ((-0.2, weights, "blue", "", "weights"), (0.2, files, "orange", "///", "whole file"))
    box = {**style.ON_PAPER, "pad": 2}
    for shift, values, colour, hatch, label in bars:
        look = {"color": style.PALETTE[colour], "hatch": hatch, "edgecolor": _EDGE, "label": label}
        axes.barh(rows + shift, values, 0.36, **look)
        for row, value in enumerate(values):
            place = value - 0.06, row + shift
            axes.text(*place, f"{value:.2f}", ha="right", va="center", bbox=box)
    axes.axvline(4, color=style.PALETTE["ink"], linestyle="--")
    axes.set(xlim=(0, 4.6), xlabel="times smaller as int8")
    style.name_rows(axes, names)
    fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return style.show(fig, f"how many times smaller int8 makes {', '.join(names)}")


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
            axes.barh(row, sizes[kind], left=left, color=tints[kind], **_OUTLINE)
            if sizes[kind] > longest * 0.07:  # there is room for its number
                middle, text = left + sizes[kind] / 2, f"{sizes[kind] / 1000:.0f}"
                axes.text(middle, row, text, ha="center", va="center")
            left += sizes[kind]
        style.beside(axes, row, left, f"{left / 1000:.0f} kB", weight="bold")
    style.name_rows(axes, list(parts))
    axes.set(xticks=[], xlim=(0, longest * 1.12))
    axes.spines["bottom"].set_visible(False)
    handles = [Patch(facecolor=tints[kind], label=kind, **_OUTLINE) for kind in kinds]
    fig.legend(handles=handles, loc="outside lower left", ncols=3)
    sentences = "; ".join(
        f"{name}: " + ", ".join(f"{kind} {count / 1000:.0f} kB" for kind, count in sizes.items())
        for name, sizes in parts.items()
    )
    return style.show(fig, alt or sentences)


def artefacts(kept: Sequence[Artefact]) -> style.Picture:
    """Draw the bytes of every artefact; colour, hatch and text say how it holds the weights."""
    fig, axes = style.figure(10, 0.8 + 0.5 * len(kept))
    for row, each in enumerate(kept):
        colour, hatch = _HOLDS[each.holds]
        text = f"{each.bytes / 1000:.1f} kB"
        text += "" if each.holds == "not" else f", holds them {each.holds}"
        style.bar(axes, row, each.bytes / 1000, colour, text, hatch=hatch, height=0.8)
    _rows(axes, [each.name for each in kept], max(each.bytes for each in kept) / 1000)
    axes.set_title("The same weights, on disk")
    named = ", ".join(f"{each.name} {each.holds}" for each in kept)
    return style.show(fig, f"The same weights, on disk, by how each holds the weights: {named}")


def operations(before: Sequence[str], after: Sequence[str]) -> style.Picture:
    """Draw how often each operation occurs in a frozen graph and in what it was converted to."""
    fig, panels = style.figure(10.5, 4.8, columns=2)
    sides = (("frozen graph", before, "blue"), ("TensorFlow Lite", after, "green"))
    most = max(max(Counter(kinds).values()) for _, kinds, _ in sides)
    totals = []
    for axes, (name, kinds, colour) in zip(panels, sides, strict=True):
        counts = Counter(kinds).most_common()
        for row, (_, count) in enumerate(counts):
            style.bar(axes, row, count, colour, str(count), height=0.7, edgecolor=None)
        _rows(axes, [kind for kind, _ in counts], most)
        axes.set_ylim(12.6, -0.6)  # one scale, as many rows: equal counts have equal bars
        axes.set_title(f"{name}: {len(kinds)} nodes")
        totals.append(f"{name} {len(kinds)} nodes of {len(counts)} kinds")
    return style.show(fig, f"What is left to do: {'; '.join(totals)}")


def first_weight(
    file_bytes: Sequence[int], flatbuffer: Sequence[Cost], protobuf: Sequence[Cost]
) -> style.Picture:
    """Draw time and memory until the first weight is in hand against the size of the file."""
    fig, (left, right) = style.figure(10.5, 4.2, columns=2)
    megabytes = np.array(file_bytes) / 1e6
    above = {"textcoords": "offset points", "ha": "right", "weight": "bold"}
    for name, costs, colour, marker in (
        ("protobuf", protobuf, style.PALETTE["red"], "s-"),
        ("FlatBuffer", flatbuffer, style.PALETTE["blue"], "o-"),
    ):
        microseconds = [1e6 * each.seconds for each in costs]
        kilobytes = [max(each.bytes, 1) / 1000 for each in costs]
        for axes, values in ((left, microseconds), (right, kilobytes)):
            axes.plot(megabytes, values, marker, color=colour, markersize=8)
            axes.annotate(name, (megabytes[-1], values[-1]), (0, 10), color=colour, **above)
    for axes, unit in ((left, "microseconds"), (right, "kilobytes allocated")):
        axes.set(xscale="log", yscale="log", xlabel="megabytes of file")
        axes.set_title(f"{unit} until the first weight")
        axes.grid(alpha=0.5)
        axes.margins(y=0.18)
    shape = "level for a FlatBuffer, growing with the file for a protobuf"
    return style.show(fig, f"time and memory until the first weight: {shape}")


def fewer_bytes(files: Mapping[str, tuple[int, int]]) -> style.Picture:
    """Draw each file's bytes and what zlib leaves of them; `files` maps names to both."""
    fig, axes = style.figure(9, 1.1 + 0.75 * len(files))
    for row, (size, zipped) in enumerate(files.values()):
        before, after = size / 1000, zipped / 1000
        less = f"zipped {after:.1f} kB, {1 - zipped / size:.0%} less"
        style.bar(axes, row - 0.2, before, "blue", f"{before:.1f} kB", height=0.36, edgecolor=None)
        style.bar(axes, row + 0.2, after, "sky", less, height=0.36, hatch="//")
    _rows(axes, list(files), max(size for size, _ in files.values()) / 1000)
    return style.show(fig, f"bytes before and after zlib of {', '.join(files)}")


def code(
    code_bytes: Mapping[str, int], where: str, libraries: Mapping[str, int], libraries_where: str
) -> style.Picture:
    """Draw the machine code of the small readers, and of whole libraries, on a logarithmic axis."""
    fig, axes = style.figure(10, 4.4)
    rows = {_READERS.get(name, name): size for name, size in code_bytes.items()}
    rows |= {f"library {name}": size for name, size in libraries.items()}
    for row, (name, size) in enumerate(rows.items()):
        colour, hatch = ("blue", "") if "FlatBuffer" in name else ("red", "//")
        style.bar(axes, row, size, colour, f"{size:,} bytes", hatch=hatch)
    _rows(axes, list(rows), max(rows.values()))
    axes.set(xscale="log", xlim=(50, max(rows.values()) * 12))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.axhline(len(code_bytes) - 0.5, color=style.PALETTE["grey"], linewidth=1)
    axes.set_title("Machine code that finds one weight (each step of the axis is ten times more)")
    axes.set_xlabel(f"small readers: {where}; libraries: {libraries_where}", fontsize=11)
    alt = "bytes of machine code of three small readers and of four libraries"
    return style.show(fig, f"{alt}: FlatBuffers need the least of both")


def runtimes(footprints: Sequence[Footprint]) -> style.Picture:
    """Draw import time, memory and disk of two runtimes, each in its own panel."""
    fig, panels = style.figure(10.5, 2.8, columns=3)
    columns = (
        ("seconds to import", [each.seconds for each in footprints], "{:.2f} s"),
        ("memory then", [each.memory_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
        ("installed", [each.disk_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
    )
    colours = ("red", "blue")
    modules = [each.module.split(".")[0] for each in footprints]
    names = [_RUNTIMES.get(module, module) for module in modules]
    for axes, (title, values, form) in zip(panels, columns, strict=True):
        for row, value in enumerate(values):
            style.bar(axes, row, value, colours[row % 2], form.format(value), edgecolor=None)
        _rows(axes, names if axes is panels[0] else [""] * len(names), max(*values, 1e-9), 1.6)
        axes.set_title(title)
    return style.show(fig, "seconds, memory and disk that TensorFlow and LiteRT take")


def _rows(axes: style.Axes, names: Sequence[str], most: float, room: float = 1.45) -> None:
    """Name the rows from the top and leave room for the numbers beside the bars."""
    axes.set_yticks(range(len(names)), names)
    axes.set(xticks=[], xlim=(0, most * room))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)


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

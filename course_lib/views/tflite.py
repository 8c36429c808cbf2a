"""Pictures of conversion: sizes of artefacts, operations before and after, costs of reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.views import style

if TYPE_CHECKING:
    from course_lib.experiments.reading_costs import Cost
    from course_lib.experiments.same_weights import Artefact
    from course_lib.tflite.runtimes import Footprint

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


def sizes(artefacts: Sequence[Artefact], title: str = "The same weights, on disk") -> style.Picture:
    """Draw the bytes of every artefact; colour, hatch and text say how it holds the weights."""
    fig, axes = style.figure(10, 0.8 + 0.5 * len(artefacts))
    for row, each in enumerate(artefacts):
        colour, hatch = _HOLDS[each.holds]
        holds = "" if each.holds == "not" else f", holds them {each.holds}"
        _bar(axes, row, each.bytes / 1000, colour, f"{{:.1f}} kB{holds}", hatch=hatch, height=0.8)
    _rows(axes, [each.name for each in artefacts], max(each.bytes for each in artefacts) / 1000)
    axes.set_title(title)
    named = ", ".join(f"{each.name} {each.holds}" for each in artefacts)
    return style.show(fig, f"{title}, by how each holds the weights: {named}")


def operations(
    before: Sequence[str], after: Sequence[str], title: str = "What is left to do"
) -> style.Picture:
    """Draw how often each operation occurs in a frozen graph and in what it was converted to."""
    fig, panels = style.figure(10.5, 4.8, columns=2)
    sides = (("frozen graph", before, "blue"), ("TensorFlow Lite", after, "green"))
    totals = []
    for axes, (name, kinds, colour) in zip(panels, sides, strict=True):
        counts = Counter(kinds).most_common()
        for row, (_, count) in enumerate(counts):
            _bar(axes, row, count, colour, "{}", height=0.7, edgecolor=None)
        _rows(axes, [kind for kind, _ in counts], counts[0][1])
        axes.set_ylim(12.6, -0.6)  # as many rows on both sides: equal counts have equal bars
        axes.set_title(f"{name}: {len(kinds)} nodes")
        totals.append(f"{name} {len(kinds)} nodes of {len(counts)} kinds")
    return style.show(fig, f"{title}: {'; '.join(totals)}")


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
    return style.show(
        fig,
        "time and memory until the first weight: level for a FlatBuffer, "
        "growing with the file for a protobuf",
    )


def fewer_bytes(files: Mapping[str, tuple[int, int]]) -> style.Picture:
    """Draw each file's bytes and what zlib leaves of them; `files` maps names to both."""
    fig, axes = style.figure(9, 1.1 + 0.75 * len(files))
    for row, (size, zipped) in enumerate(files.values()):
        after = f"zipped {{:.1f}} kB, {1 - zipped / size:.0%} less"
        _bar(axes, row - 0.2, size / 1000, "blue", "{:.1f} kB", height=0.36, edgecolor=None)
        _bar(axes, row + 0.2, zipped / 1000, "sky", after, height=0.36, hatch="//")
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
        _bar(axes, row, size, colour, "{:,} bytes", hatch=hatch)
    _rows(axes, list(rows), max(rows.values()))
    axes.set(xscale="log", xlim=(50, max(rows.values()) * 12))
    axes.minorticks_off()
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.axhline(len(code_bytes) - 0.5, color=style.PALETTE["grey"], linewidth=1)
    axes.set_title("Machine code that finds one weight (each step of the axis is ten times more)")
    axes.set_xlabel(f"small readers: {where}; libraries: {libraries_where}", fontsize=11)
    return style.show(
        fig,
        "bytes of machine code of three small readers and of four libraries: "
        "FlatBuffers need the least of both",
    )


def runtimes(footprints: Sequence[Footprint]) -> style.Picture:
    """Draw import time, memory and disk of two runtimes, each in its own panel."""
    fig, panels = style.figure(10.5, 2.8, columns=3)
    columns = (
        ("seconds to import", [each.seconds for each in footprints], "{:.2f} s"),
        ("memory then", [each.memory_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
        ("installed", [each.disk_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
    )
    modules = [each.module.split(".")[0] for each in footprints]
    names = [_RUNTIMES.get(module, module) for module in modules]
    for axes, (title, values, form) in zip(panels, columns, strict=True):
        for row, value in enumerate(values):
            _bar(axes, row, value, ("red", "blue")[row % 2], form, edgecolor=None)
        _rows(axes, names if axes is panels[0] else [""] * len(names), max(*values, 1e-9), 1.6)
        axes.set_title(title)
    return style.show(fig, "seconds, memory and disk that TensorFlow and LiteRT take")


def _bar(axes: Any, row: float, value: float, colour: str, form: str, **look: Any) -> None:
    """Draw a horizontal bar with its number, written as `form` says, at the end."""
    look = {"height": 0.6, "edgecolor": style.PALETTE["paper"], **look}
    axes.barh(row, value, color=style.PALETTE[colour], **look)
    style.beside(axes, row, value, form.format(value))


def _rows(axes: Any, names: Sequence[str], most: float, room: float = 1.45) -> None:
    """Name the rows from the top and leave room for the numbers beside the bars."""
    axes.set_yticks(range(len(names)), names)
    axes.set(xticks=[], xlim=(0, most * room))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)

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


def sizes(artefacts: Sequence[Artefact], title: str = "The same weights, on disk") -> style.Picture:
    """Draw the bytes of every artefact; colour, hatch and text say how it holds the weights."""
    fig, axes = style.figure(10, 0.8 + 0.5 * len(artefacts))
    for row, each in enumerate(artefacts):
        colour, hatch = _HOLDS[each.holds]
        axes.barh(
            row,
            each.bytes / 1000,
            color=style.PALETTE[colour],
            hatch=hatch,
            edgecolor=style.PALETTE["paper"],
        )
        _beside(
            axes,
            row,
            each.bytes / 1000,
            f"{each.bytes / 1000:.1f} kB, holds them {each.holds}"
            if each.holds != "not"
            else f"{each.bytes / 1000:.1f} kB",
        )
    _rows(axes, [each.name for each in artefacts], max(each.bytes for each in artefacts) / 1000)
    axes.set_title(title)
    told = ", ".join(f"{each.name} {each.holds}" for each in artefacts)
    return style.show(fig, f"{title}, by how each holds the weights: {told}")


def operations(
    before: Sequence[str], after: Sequence[str], title: str = "What is left to do"
) -> style.Picture:
    """Draw how often each operation occurs in a frozen graph and in what it was converted to."""
    fig, panels = style.figure(10.5, 4.8, columns=2)
    told = []
    for axes, name, kinds, colour in zip(
        panels, ("frozen graph", "TensorFlow Lite"), (before, after), ("blue", "green"), strict=True
    ):
        counts = Counter(kinds).most_common()
        for row, (_, count) in enumerate(counts):
            axes.barh(row, count, color=style.PALETTE[colour], height=0.7)
            _beside(axes, row, count, str(count))
        _rows(axes, [kind for kind, _ in counts], max(count for _, count in counts))
        axes.set_ylim(12.6, -0.6)
        axes.set_title(f"{name}: {len(kinds)} nodes")
        told.append(f"{name} {len(kinds)} nodes of {len(counts)} kinds")
    return style.show(fig, f"{title}: {'; '.join(told)}")


def first_weight(
    file_bytes: Sequence[int],
    flatbuffer: Sequence[Cost],
    protobuf: Sequence[Cost],
) -> style.Picture:
    """Draw time and memory until the first weight is in hand against the size of the file."""
    fig, (left, right) = style.figure(10.5, 4.2, columns=2)
    megabytes = np.array(file_bytes) / 1e6
    for name, costs, colour, marker in (
        ("protobuf", protobuf, "red", "s-"),
        ("FlatBuffer", flatbuffer, "blue", "o-"),
    ):
        for axes, values in (
            (left, [1e6 * each.seconds for each in costs]),
            (right, [max(each.bytes, 1) / 1000 for each in costs]),
        ):
            axes.plot(megabytes, values, marker, color=style.PALETTE[colour], markersize=8)
            axes.annotate(
                name,
                (megabytes[-1], values[-1]),
                (0, 10),
                ha="right",
                textcoords="offset points",
                color=style.PALETTE[colour],
                weight="bold",
            )
    for axes, title in ((left, "microseconds"), (right, "kilobytes allocated")):
        axes.set(xscale="log", yscale="log", xlabel="megabytes of file")
        axes.set_title(f"{title} until the first weight")
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
        axes.barh(row - 0.2, size / 1000, 0.36, color=style.PALETTE["blue"])
        axes.barh(
            row + 0.2,
            zipped / 1000,
            0.36,
            color=style.PALETTE["sky"],
            hatch="//",
            edgecolor=style.PALETTE["paper"],
        )
        _beside(axes, row - 0.2, size / 1000, f"{size / 1000:.1f} kB")
        _beside(
            axes,
            row + 0.2,
            zipped / 1000,
            f"zipped {zipped / 1000:.1f} kB, {1 - zipped / size:.0%} less",
        )
    _rows(axes, list(files), max(size for size, _ in files.values()) / 1000)
    return style.show(fig, f"bytes before and after zlib of {', '.join(files)}")


def code(
    code_bytes: Mapping[str, int], where: str, libraries: Mapping[str, int], libraries_where: str
) -> style.Picture:
    """Draw the machine code of the small readers, and of whole libraries, on a logarithmic axis."""
    names = {
        "flatbuffer": "FlatBuffer, followed",
        "protobuf_scan": "protobuf, walked over",
        "protobuf_decode": "protobuf, made into objects",
    }
    fig, axes = style.figure(10, 4.4)
    sizes = [*code_bytes.values(), *libraries.values()]
    told = [names.get(name, name) for name in code_bytes]
    told += [f"library {name}" for name in libraries]
    for row, (name, size) in enumerate(zip(told, sizes, strict=True)):
        flat = "FlatBuffer" in name
        axes.barh(
            row,
            size,
            0.6,
            color=style.PALETTE["blue" if flat else "red"],
            hatch="" if flat else "//",
            edgecolor=style.PALETTE["paper"],
        )
        _beside(axes, row, size, f"{size:,} bytes")
    _rows(axes, told, max(sizes))
    axes.set(xscale="log", xlim=(50, max(sizes) * 12))
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
    rows = (
        ("seconds to import", [each.seconds for each in footprints], "{:.2f} s"),
        ("memory then", [each.memory_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
        ("installed", [each.disk_bytes / 1e6 for each in footprints], "{:,.0f} MB"),
    )
    for axes, (title, values, form) in zip(panels, rows, strict=True):
        for row, value in enumerate(values):
            axes.barh(row, value, 0.6, color=style.PALETTE[("red", "blue")[row % 2]])
            _beside(axes, row, value, form.format(value))
        names = [
            each.module.split(".")[0]
            .replace("ai_edge_litert", "LiteRT")
            .replace("tensorflow", "TensorFlow")
            for each in footprints
        ]
        _rows(axes, names if axes is panels[0] else [""] * len(names), max(*values, 1e-9), 1.6)
        axes.set_title(title)
    return style.show(fig, "seconds, memory and disk that TensorFlow and LiteRT take")


def _rows(axes: Any, names: Sequence[str], most: float, room: float = 1.45) -> None:
    """Name the rows from the top and leave room for the numbers beside the bars."""
    axes.set_yticks(range(len(names)), names)
    axes.set(xticks=[], xlim=(0, most * room))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _beside(axes: Any, row: float, value: float, text: str) -> None:
    """Write a number at the end of a bar."""
    axes.annotate(text, (value, row), (6, 0), textcoords="offset points", va="center")

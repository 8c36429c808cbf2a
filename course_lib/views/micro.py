"""Pictures of a model on a microcontroller: its arena, its layers, its program, its runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from course_lib.micro import ArenaRun, DeviceRun, Estimate, Runtimes
from course_lib.views import style

_HATCHES = {"orange": "///", "grey": "xx"}
_KINDS = {
    "TfLiteEvalTensor data": "a record for each tensor",
    "Persistent TfLiteTensor data": "full records of both ends",
    "Persistent TfLiteTensor quantization data": "grids of both ends",
    "Persistent buffer data": "what each operation prepared",
    "NodeAndRegistration struct": "a record for each operation",
}
_PARTS = {
    "model": "the .tflite file and tables",
    "layers": "code of the layers",
    "softmax": "code of the softmax",
    "log_mel": "code of the features",
    "log_mel_tables": "window, cosines, bands",
    "main": "main, sound and features",
    "cortex_m4": "start, files, counter",
}


def arena(run: ArenaRun) -> style.Picture:
    """Return what lies in an arena: tensors that come and go, and records that stay."""
    held = run.allocations
    rows = [("tensors that come and go (head)", held.head_bytes, "blue")]
    rows += [(_KINDS.get(kind, kind), size, "orange") for kind, size in held.kinds.items()]
    rest = held.tail_bytes - sum(held.kinds.values())
    rows.append(("the rest: the interpreter's own", rest, "grey"))
    rows.sort(key=lambda row: -row[1])
    fig, axes = style.figure(10, 1.4 + 0.5 * len(rows))
    _bars(axes, rows, "{:,.0f} B")
    axes.set_xlabel("bytes of the arena")
    axes.set_title(f"{run.smallest_bytes:,} bytes are enough ({run.where})", fontsize=12, wrap=True)
    return style.show(fig, "what the arena holds, by kind")


def layers(run: DeviceRun) -> style.Picture:
    """Return the instructions of the features and of each layer on the chip."""
    rows, notes = [("features (float)", run.feature_instructions, "orange")], [""]
    for layer, count in zip(run.layers, run.instructions, strict=True):
        rows.append((f"{layer.label}, {layer.kind.lower()}", count, "blue"))
        notes.append(f", {count / layer.macs:.1f} a multiply-accumulate" if layer.macs else "")
    fig, axes = style.figure(10, 1.6 + 0.42 * len(rows))
    _bars(axes, rows, "{:,.0f}", notes, room=1.75)
    axes.set_xlabel("instructions for one second of sound")
    total = run.feature_instructions + run.model_instructions
    axes.set_title(f"{total / 1e6:.1f} million instructions ({run.where})", fontsize=12, wrap=True)
    return style.show(fig, "instructions of the features and of each layer on a Cortex-M4")


def parts(run: DeviceRun) -> style.Picture:
    """Return the flash and the memory that each part of the C program takes, two panels."""
    fig, (left, right) = style.figure(11, 4.2, 1, 2, sharey=True)
    flash = [part.flash_bytes + part.data_bytes for part in run.parts]
    memory = [part.data_bytes + part.zeroed_bytes for part in run.parts]
    names = [_PARTS.get(part.name, part.name) for part in run.parts]
    for axes, title, total, sizes in (
        (left, "flash", run.flash_bytes, flash),
        (right, "memory", run.ram_bytes, memory),
    ):
        rows = [(name, size, "blue") for name, size in zip(names, sizes, strict=True)]
        rest = ("libraries, stack", max(0, total - sum(sizes)), "grey")
        _bars(axes, [*rows, rest], "{:,.0f}", room=1.3)
        axes.set(title=f"{title}: {total:,} B", xlabel="bytes")
    fig.suptitle(run.where, fontsize=11)
    return style.show(fig, "flash and memory of each part of the C program")


def runtimes(compared: Runtimes) -> style.Picture:
    """Return a table in colours: how many clips get the same bytes from each two runtimes."""
    names = compared.names
    fig, axes = style.figure(9.5, 1.8 + 0.75 * len(names))
    shares = np.ones((len(names), len(names)))
    middle = {"ha": "center", "va": "center", "fontsize": 10}
    for (row, one), (column, other) in product(enumerate(names), repeat=2):
        text, ink = "—", "ink"
        if one != other:
            between = compared.difference(one, other)
            shares[row, column] = between.equal_share
            changed = f"{between.decisions} other word{'' if between.decisions == 1 else 's'}"
            text = f"{between.equal_share:.1%} equal\n≤ {between.largest} steps, {changed}"
            ink = "paper" if between.equal_share < 0.75 else "ink"
        axes.text(column, row, text, color=style.PALETTE[ink], **middle)
    axes.imshow(shares, cmap="cividis", vmin=0.3, vmax=1, aspect="auto")
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlabel(f"micro: {compared.where}", fontsize=11, wrap=True)
    return style.show(fig, "how many clips get the same bytes from each two runtimes")


def chips(estimates: Sequence[Estimate]) -> style.Picture:
    """Return the estimated time and energy of one answer on each chip, with the sources."""
    fig, (left, right) = style.figure(11, 1.9 + 0.75 * len(estimates), 1, 2, sharey=True)
    panels = (
        (left, [np.array(each.seconds) * 1000 for each in estimates], "milliseconds"),
        (right, [np.array(each.joules) * 1e6 for each in estimates], "microjoules"),
    )
    for axes, ranges, unit in panels:
        for row, (low, high) in enumerate(ranges):
            axes.plot([low, high], [row, row], lw=10, color=style.PALETTE["blue"])
            style.beside(axes, row, high, f"{low:,.0f} to {high:,.0f}", gap=10)
        axes.set_xlim(0, max(high for _, high in ranges) * 1.4)
        axes.set_xlabel(f"{unit}, estimated")
    names = [each.chip.name.replace(" (", "\n(") for each in estimates]
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(estimates) - 0.5, -0.5)
    sources = "\n".join(each.chip.source for each in estimates)
    fig.supxlabel(f"Estimates, not measurements. Currents and clocks:\n{sources}", fontsize=10)
    return style.show(fig, "estimated time and energy of one answer on three chips")


def _bars(
    axes: style.Axes, rows: Sequence, form: str, notes: Sequence[str] = (), room=1.35
) -> None:
    """Draw labelled bars from the top down; `rows` are (label, number, colour)."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for place, (_, number, colour) in enumerate(rows):
        look = {"height": 0.66, "linewidth": 0.5, "hatch": _HATCHES.get(colour, "")}
        text = form.format(number) + (notes[place] if notes else "")
        style.bar(axes, place, number, colour, text, **look)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, max(row[1] for row in rows) * room))
    # Few numbers below the axis, written out in full.
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))

"""Pictures of a model on a microcontroller: its arena, its layers, its program, its runtimes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.micro import ArenaRun, DeviceRun, Estimate, Runtimes
from course_lib.views import style

_KINDS = {
    "TfLiteEvalTensor data": "a record for each tensor",
    "Persistent TfLiteTensor data": "full records of both ends",
    "Persistent TfLiteTensor quantization data": "grids of both ends",
    "Persistent buffer data": "what each kernel prepared",
    "NodeAndRegistration struct": "a record for each operation",
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
    rows = [("features (float)", run.feature_instructions, "orange")]
    rows += [
        (f"{layer.label}, {layer.kind.lower()}", count, "blue")
        for layer, count in zip(run.layers, run.instructions, strict=True)
    ]
    fig, axes = style.figure(10, 1.6 + 0.42 * len(rows))
    notes = [""] + [
        f", {count / layer.macs:.1f} a multiply-accumulate" if layer.macs else ""
        for layer, count in zip(run.layers, run.instructions, strict=True)
    ]
    _bars(axes, rows, "{:,.0f}", notes, room=1.75)
    axes.set_xlabel("instructions for one second of sound")
    total = run.feature_instructions + run.model_instructions
    axes.set_title(f"{total / 1e6:.1f} million instructions ({run.where})", fontsize=12, wrap=True)
    return style.show(fig, "instructions of the features and of each layer on a Cortex-M4")


def parts(run: DeviceRun) -> style.Picture:
    """Return the flash and the memory that each part of the C program takes, two panels."""
    names = {
        "model": "the .tflite file and tables",
        "layers": "code of the layers",
        "softmax": "code of the softmax",
        "log_mel": "code of the features",
        "log_mel_tables": "window, cosines, bands",
        "main": "main, sound and features",
        "cortex_m4": "start, files, counter",
    }
    fig, (left, right) = style.figure(11, 4.2, 1, 2, sharey=True)
    rows = [(names.get(part.name, part.name), part) for part in run.parts]
    for axes, title, total, size in (
        (left, "flash", run.flash_bytes, lambda part: part.flash_bytes + part.data_bytes),
        (right, "memory", run.ram_bytes, lambda part: part.data_bytes + part.zeroed_bytes),
    ):
        sizes = [(name, size(part), "blue") for name, part in rows]
        rest = ("libraries, stack", max(0, total - sum(row[1] for row in sizes)), "grey")
        _bars(axes, [*sizes, rest], "{:,.0f}", room=1.3)
        axes.set_title(f"{title}: {total:,} B")
        axes.set_xlabel("bytes")
    fig.suptitle(run.where, fontsize=11)
    return style.show(fig, "flash and memory of each part of the C program")


def runtimes(compared: Runtimes) -> style.Picture:
    """Return a table in colours: how many clips get the same bytes from each two runtimes."""
    names = compared.names
    fig, axes = style.figure(9.5, 1.8 + 0.75 * len(names))
    shares = np.ones((len(names), len(names)))
    for row, one in enumerate(names):
        for column, other in enumerate(names):
            if one == other:
                text = "—"
            else:
                found = compared.difference(one, other)
                shares[row, column] = found.equal_share
                changed = f"{found.decisions} other word" + ("s" if found.decisions != 1 else "")
                text = f"{found.equal_share:.1%} equal\n≤ {found.largest} steps, {changed}"
            dark = shares[row, column] < 0.75
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=10,
                color=style.PALETTE["paper" if dark else "ink"],
            )
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
    rows = np.arange(len(estimates))
    panels = (
        (left, [np.array(each.seconds) * 1000 for each in estimates], "milliseconds"),
        (right, [np.array(each.joules) * 1e6 for each in estimates], "microjoules"),
    )
    for axes, ranges, unit in panels:
        for row, (low, high) in zip(rows, ranges, strict=True):
            axes.plot([low, high], [row, row], lw=10, color=style.PALETTE["blue"])
            axes.annotate(
                f"{low:,.0f} to {high:,.0f}",
                (high, row),
                (10, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_xlim(0, max(high for _, high in ranges) * 1.4)
        axes.set_xlabel(f"{unit}, estimated")
    left.set_yticks(rows, [each.chip.name.replace(" (", "\n(") for each in estimates])
    left.set_ylim(len(estimates) - 0.5, -0.5)
    sources = "\n".join(each.chip.source for each in estimates)
    fig.supxlabel(f"Estimates, not measurements. Currents and clocks:\n{sources}", fontsize=10)
    return style.show(fig, "estimated time and energy of one answer on three chips")


def _bars(axes, rows, form: str, notes: Sequence[str] = (), room: float = 1.35) -> None:
    """Draw labelled bars from the top down; `rows` are (label, number, colour)."""
    for place, (_, number, colour) in enumerate(rows):
        hatch = {"orange": "///", "grey": "xx"}.get(colour, "")
        axes.barh(
            place,
            number,
            height=0.66,
            color=style.PALETTE[colour],
            hatch=hatch,
            edgecolor=style.PALETTE["paper"],
            linewidth=0.5,
        )
        text = form.format(number) + (notes[place] if notes else "")
        axes.annotate(text, (number, place), (6, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, max(row[1] for row in rows) * room)
    _few_ticks(axes)


def _few_ticks(axes) -> None:
    """Leave few numbers below the axis, written out in full."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))

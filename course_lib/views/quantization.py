"""Rounding: a grid under numbers, a tensor's histogram, ranges, errors of layers.

In a widget the histogram is SVG, made in about a millisecond; its still is made by matplotlib.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from course_lib import quantize
from course_lib.quantize import Affine, LayerError
from course_lib.views import shell, style
from course_lib.views.style import PALETTE

_INK, _BLUE, _RED, _GREY, _FAINT = map(PALETTE.get, ("ink", "blue", "red", "grey", "faint"))
_WIDTH, _HEIGHT, _LEFT, _BASE = 760, 300, 20, 220  # of the SVG
_BINS = 121  # odd: zero, where most weights are, is inside a bar


def number_line(grid: Affine, values: Sequence[float]) -> style.Picture:
    """Return a picture of a coarse grid and where each of a few values goes on it."""
    fig, axes = style.figure(10, 2.6)
    levels, values = grid.levels, np.asarray(values, np.float32)
    axes.hlines(0, levels[0], levels[-1], color=_INK)
    axes.vlines(levels, -0.12, 0.12, color=_INK)
    for level, integer in zip(levels, range(grid.lowest, grid.highest + 1), strict=True):
        axes.annotate(f"{integer}", (level, -0.16), ha="center", va="top", color=_GREY)
        axes.annotate(f"{level:.2f}", (level, -0.5), ha="center", va="top")
    arrow = {"arrowstyle": "->", "color": _BLUE, "lw": 2}
    for value, end in zip(values, grid.round_trip(values), strict=True):
        axes.annotate("", (end, 0.06), (value, 0.75), arrowprops=arrow)
        axes.annotate(f"{value:g}", (value, 0.8), ha="center", va="bottom", color=_BLUE)
    axes.set_ylim(-0.85, 1.15)
    axes.set_axis_off()
    alt = f"{len(values)} numbers on arrows to the nearest of {len(levels)} levels"
    return style.show(fig, f"{alt}, each with its integer and what it stands for")


def staircase(grid: Affine, low: float, high: float) -> style.Picture:
    """Return a picture of what comes back for every number from `low` to `high`, and its error."""
    fig, (top, bottom) = style.figure(9, 5, 2, 1, sharex=True, height_ratios=[2, 1])
    values = np.linspace(low, high, 2000)
    back = grid.round_trip(values)
    top.plot(values, values, color=_FAINT, label="exact")
    top.plot(values, back, color=_BLUE, label="stored and read again")
    top.set(ylabel="comes back")
    top.legend(loc="upper left")
    bottom.plot(values, back - values, color=_RED)
    bottom.axhline(0, color=_FAINT, linewidth=1)
    bottom.set(ylabel="error", xlabel="number that goes in")
    for axes in (top, bottom):
        axes.axvspan(*grid.range, color=PALETTE["sky"], alpha=0.15, linewidth=0)
    error = "the error stays within half a step inside the range and grows without limit outside"
    return style.show(fig, f"a staircase of levels; {error}")


def histogram(values: np.ndarray, grid: Affine, title: str) -> style.Picture:
    """Return the histogram of a tensor with the levels of its grid under it."""
    fig, axes = style.figure(10, 4)
    values, levels = np.ravel(values), grid.levels
    ends = min(levels[0], values.min()), max(levels[-1], values.max())
    axes.hist(values, bins=np.linspace(*ends, _BINS), color=_BLUE)
    height = axes.get_ylim()[1]
    width = 2.0 if len(levels) < 40 else 0.7
    axes.vlines(levels, -0.1 * height, -0.02 * height, color=_RED, linewidth=width)
    used = len(np.unique(grid.quantize(values)))
    axes.set_title(f"{title}: {used} of {len(levels)} levels are used")
    axes.set_xlabel("value; below the axis: the levels that can be stored")
    axes.set(ylabel="how many", ylim=(-0.12 * height, height))
    return style.show(fig, f"histogram of {title} with the levels of its grid under it")


def channels(weights: np.ndarray, title: str) -> style.Picture:
    """Return the range of each filter of (out, ...) weights, within the range of all of them."""
    fig, axes = style.figure(10, 4)
    peaks = np.abs(weights.reshape(len(weights), -1)).max(axis=1)
    order, places = np.argsort(-peaks), np.arange(len(peaks))
    look = {"width": 0.7, "color": _BLUE, "label": "the filter's own range"}
    axes.bar(places, 2 * peaks[order], bottom=-peaks[order], **look)
    for end, label in ((-peaks.max(), None), (peaks.max(), "one range for all")):
        axes.axhline(end, color=_RED, linestyle="--", label=label)
    axes.set_title(f"{title}: {len(peaks)} filters, widest first")
    axes.set_xticks(places, order, fontsize=9)
    axes.set(xlabel="filter", ylabel="weight")
    axes.legend(loc="lower right")
    return style.show(fig, f"the range of each filter of {title}, inside the range of all")


def layer_errors(
    errors: Sequence[LayerError] | Mapping[str, Sequence[LayerError]],
) -> style.Picture:
    """Return how far each layer's signal stands above its rounding noise, in model order.

    A mapping draws one line for each model. A thin line below it is the clip that suffers most.
    """
    lines = errors if isinstance(errors, Mapping) else {"int8": errors}
    fig, axes = style.figure(10, 4.5)
    for (name, layers), marker in zip(lines.items(), "osD^vP", strict=False):
        means, worst = zip(*((layer.sqnr_db, layer.worst_db) for layer in layers), strict=True)
        (line,) = axes.plot(means, marker=marker, markersize=8, label=name)
        look = {"marker": marker, "markersize": 4, "color": line.get_color(), "linewidth": 1.5}
        axes.plot(worst, linestyle=":", label=f"{name}, worst clip", **look)
    first = next(iter(lines.values()))
    axes.set_xticks(range(len(first)), [layer.label for layer in first], rotation=35, ha="right")
    axes.set(ylabel="signal over noise, dB", ylim=(0, None))
    axes.grid(axis="y")
    axes.legend(loc="lower left", ncols=2)
    axes.set_title("What is left of the signal after each layer")
    alt = f"signal over rounding noise after each of {len(first)} layers of {', '.join(lines)}"
    return style.show(fig, alt)


def bits_per_layer(
    int8: tuple[int, float],
    floats: Mapping[str, tuple[int, float]],
    four_bits: Mapping[str, tuple[int, float]],
) -> style.Picture:
    """Return what each layer would gain in floats, and lose with weights of four bits.

    `int8` and each item of the mappings, label to layer, is (bytes, signal over noise in dB).
    """
    fig, axes = style.figure(10, 1.6 + 0.75 * len(floats))
    axes.axvline(int8[1], color=_INK, linestyle="--", label="int8")
    rows = {
        "in floats": (floats, _BLUE, "o", -0.2),
        "weights in 4 bits": (four_bits, _RED, "s", 0.2),
    }
    for label, (points, colour, marker, shift) in rows.items():
        values, places = [sqnr_db for _, sqnr_db in points.values()], np.arange(len(points)) + shift
        axes.plot(values, places, marker, color=colour, markersize=10, label=label)
        for row, (size, sqnr_db) in zip(places, points.values(), strict=True):
            text = f"{(size - int8[0]) / 1000:+.1f} kB"
            style.beside(axes, row, sqnr_db, text, gap=12, bbox=style.ON_PAPER)
    style.name_rows(axes, list(floats))
    axes.margins(x=0.12)
    axes.grid(axis="y")
    axes.set_xlabel("answers: signal over noise, dB; beside it: what the file would gain")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    alt = f"signal over noise with each of {', '.join(floats)} in floats or 4 bits"
    return style.show(fig, alt)


def calibrations(
    ranges: Mapping[str, Mapping[str, tuple[float, float]]], accuracies: Mapping[str, float]
) -> style.Picture:
    """Return how each calibration set stretches the layers' ranges, and the accuracy it leads to.

    `ranges` maps a set's name to label -> (low, high); widths are relative to the first set's.
    """
    fig, (left, right) = style.figure(
        12, 1.9 + 0.55 * len(ranges), 1, 2, sharey=True, width_ratios=[1.6, 1]
    )
    names, first = list(ranges), next(iter(ranges.values()))
    labels = [label for label in first if label != "probabilities"]
    ends = np.array([[each[label] for label in labels] for each in ranges.values()])
    widths = np.diff(ends)[..., 0]
    _table_of_widths(left, widths / widths[0], labels)
    left.set_yticks(range(len(names)), names)
    left.set_title("Width of each layer's range, 1 = calibrated well")
    values = [100 * accuracies[name] for name in names]
    right.barh(range(len(names)), values, height=0.6, color=_BLUE)
    for row, value in enumerate(values):
        style.beside(right, row, value, f"{value:.0f} %")
    right.set(xlim=(0, 118), title="Accuracy")
    alt = f"ranges of every layer and accuracy after calibration with {', '.join(names)}"
    return style.show(fig, alt)


class Histogram(shell.View):
    """Choose a tensor (out, ...) and a number of bits; see the levels that are used, and the noise.

    `name` is the tensor to begin with.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray], name: str, bits: int = 4) -> None:
        self.tensors, self.name, self.bits = tensors, name, bits

    def page(self, name: str, bits: int) -> str:
        """Return the HTML of a tensor on a symmetric grid of `bits`, 2 to 16."""
        weights = self.tensors[name]
        one = quantize.symmetric(float(np.abs(weights).max()), bits)
        each = quantize.per_channel(weights, 0, bits)
        stored = one.quantize(weights)
        noise = [quantize.sqnr_db(weights, grid.round_trip(weights)) for grid in (one, each)]
        lines = [
            f"{len(np.unique(stored))} of {len(one.levels)} levels are used; "
            f"{np.mean(stored == 0):.0%} of the weights become 0.",
            f"Signal over noise: {noise[0]:.1f} dB with one scale, {noise[1]:.1f} dB with one "
            f"for each of the {len(weights)} filters.",
            f"Stored in {weights.size * bits / 8:,.0f} bytes instead of {weights.size * 4:,}.",
        ]
        return _svg_histogram(weights, one.levels, f"{name}: {weights.size:,} weights", lines)

    def controls(self) -> Any:
        tensor = shell.dropdown("Layer", list(self.tensors), self.name)
        return shell.live(self.page, tensor, shell.slider("Bits", self.bits, 2, 8))

    def still(self) -> style.Picture:
        weights = self.tensors[self.name]
        grid = quantize.symmetric(float(np.abs(weights).max()), self.bits)
        return histogram(weights, grid, f"{self.name}, {self.bits} bits")


class Calibration(shell.View):
    """How tight should a range be? Cut off more and the steps get finer: one error for another.

    `outputs` are what flows out of several layers, `name` is the layer to begin with.
    """

    def __init__(self, outputs: Mapping[str, np.ndarray], name: str, bits: int = 4) -> None:
        self.outputs, self.name, self.bits = outputs, name, bits

    def page(self, name: str, cut: float, bits: int) -> str:
        """Return the HTML for a layer's outputs on a range without the outermost `cut` per cent."""
        values = self.outputs[name]
        grid = _grid_for(values, cut, bits)
        low, high = grid.range
        error = grid.round_trip(values) - values
        outside = (values < low - grid.scale / 2) | (values > high + grid.scale / 2)
        whole = float(np.square(error).sum()) or 1.0
        lines = [
            f"Range {low:.2f} to {high:.2f}, a step is {float(grid.scale):.4f}; "
            f"{outside.mean():.2%} of the values saturate.",
            f"Of the error, {np.square(error[outside]).sum() / whole:.0%} comes from saturation "
            f"and the rest from rounding.",
            f"Signal over noise: {quantize.sqnr_db(values, values + error):.1f} dB.",
        ]
        title = f"{name}: what flows out of it, without the zeros"
        return _svg_histogram(_without_zeros(values), grid.levels, title, lines)

    def controls(self) -> Any:
        layer = shell.dropdown("Layer", list(self.outputs), self.name)
        cut = shell.slider("Cut off, per cent", 0.0, 0.0, 5.0, 0.1)
        return shell.live(self.page, layer, cut, shell.slider("Bits", self.bits, 2, 8))

    def still(self) -> style.Picture:
        values = self.outputs[self.name]
        title = f"output of {self.name} without its zeros, {self.bits} bits"
        grid = _grid_for(values, 0.0, self.bits)
        return histogram(_without_zeros(values), grid, title)


def _table_of_widths(axes: style.Axes, table: np.ndarray, labels: Sequence[str]) -> None:
    """Draw a table of factors: too narrow is red, too wide is blue, 1 is white; numbers inside."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("narrow to wide", [_RED, "#ffffff", _BLUE])
    axes.imshow(np.log2(table), cmap=colours, vmin=-3, vmax=3, aspect="auto")
    for (row, column), factor in np.ndenumerate(table):
        text = f"{factor:.1f}" if factor < 10 else f"{factor:.0f}"
        ink = "#ffffff" if abs(np.log2(factor)) > 1.8 else _INK
        axes.annotate(text, (column, row), ha="center", va="center", color=ink)
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right")
    axes.spines[:].set_visible(False)


def _svg_histogram(
    values: np.ndarray, levels: Sequence[float], title: str, lines: Sequence[str] = ()
) -> str:
    """Return HTML: the histogram of `values`, `levels` as ticks below, `lines` of text under it.

    The axis covers the values; levels beyond its ends are left out. The text says in words what
    the picture shows in colour.
    """
    low, high = float(values.min()), float(values.max())
    low, high = (low, high) if high > low else (low - 1.0, high + 1.0)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (_WIDTH - 2 * _LEFT)

    bars = _bars(np.histogram(values, _BINS, (low, high))[0])
    ticks = "".join(f"M{x(level):.1f} {_BASE + 6}v22" for level in levels if low <= level <= high)
    numbers = "".join(
        f"<text x='{x(value):.1f}' y='{_BASE + 48}' font-size='15' "
        f"text-anchor='middle'>{value:.2f}</text>"
        for value in (low + share * (high - low) for share in (0, 0.25, 0.5, 0.75, 1))
    )
    svg = (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='100%' style='max-width:{_WIDTH}px' "
        f"role='img' aria-label='{html.escape(title, quote=True)}'>"
        f"<path d='{bars}' fill='{_BLUE}'/><path d='{ticks}' stroke='{_RED}' "
        f"stroke-width='{2.5 if len(levels) < 40 else 0.8}'/>"
        f"<path d='M{_LEFT} {_BASE}H{_WIDTH - _LEFT}' stroke='{_INK}'/>{numbers}"
        f"<text x='{_WIDTH / 2}' y='{_BASE + 72}' font-size='15' text-anchor='middle'>"
        "value; the ticks are what can be stored</text></svg>"
    )
    text = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    spoken = f"<div role='status' style='font-size:16px'>{text}</div>"
    return style.card(f"<b>{html.escape(title)}</b>{svg}{spoken}")


def _bars(counts: np.ndarray) -> str:
    """Return one path with a bar for each count; rare values stay visible as a thin line."""
    width = (_WIDTH - 2 * _LEFT) / len(counts)
    heights = np.where(counts > 0, np.maximum(1.0, counts / max(1, counts.max()) * (_BASE - 15)), 0)
    return "".join(
        f"M{_LEFT + place * width:.1f} {_BASE}v{-height:.1f}h{width * 0.92:.1f}v{height:.1f}z"
        for place, height in enumerate(heights)
        if height
    )


def _grid_for(values: np.ndarray, cut: float, bits: int) -> Affine:
    """Return the grid over `values` without the outermost `cut` per cent (0 keeps them all)."""
    return quantize.affine(*np.percentile(values, [cut / 2, 100 - cut / 2]), bits)


def _without_zeros(values: np.ndarray) -> np.ndarray:
    """Return what a picture can show: after a ReLU, zeros would tower above everything else."""
    kept = values[values != 0]
    return kept if kept.size else values

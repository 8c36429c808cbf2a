"""A tensor's histogram over the levels that a few bits can store: move the bits, or the range.

The histogram is SVG, made in about a millisecond; `quantization.histogram` is its still picture.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from course_lib import quantize
from course_lib.views import quantization, shell, style
from course_lib.views.style import PALETTE, card

_WIDTH, _HEIGHT, _LEFT, _BASE = 760, 300, 20, 220
_BINS = 121


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
        return drawing(weights, one.levels, f"{name}: {weights.size:,} weights", lines)

    def controls(self) -> Any:
        def refresh(_: object = None) -> None:
            view.value = self.page(tensor.value, bits.value)

        tensor = shell.dropdown("Layer", list(self.tensors), self.name, refresh)
        bits = shell.slider("Bits", self.bits, 2, 8, on_change=refresh)
        view = shell.html(self.page(self.name, self.bits))
        return shell.column(shell.row(tensor, bits), view)

    def still(self) -> style.Picture:
        weights = self.tensors[self.name]
        grid = quantize.symmetric(float(np.abs(weights).max()), self.bits)
        return quantization.histogram(weights, grid, f"{self.name}, {self.bits} bits")


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
        return drawing(_without_zeros(values), grid.levels, title, lines)

    def controls(self) -> Any:
        def refresh(_: object = None) -> None:
            view.value = self.page(layer.value, cut.value, bits.value)

        layer = shell.dropdown("Layer", list(self.outputs), self.name, refresh)
        cut = shell.slider("Cut off, per cent", 0.0, 0.0, 5.0, 0.1, on_change=refresh)
        bits = shell.slider("Bits", self.bits, 2, 8, on_change=refresh)
        view = shell.html(self.page(self.name, 0.0, self.bits))
        return shell.column(shell.row(layer, cut, bits), view)

    def still(self) -> style.Picture:
        values = self.outputs[self.name]
        title = f"output of {self.name} without its zeros, {self.bits} bits"
        grid = _grid_for(values, 0.0, self.bits)
        return quantization.histogram(_without_zeros(values), grid, title)


def drawing(
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
        f"<path d='{bars}' fill='{PALETTE['blue']}'/><path d='{ticks}' stroke='{PALETTE['red']}' "
        f"stroke-width='{2.5 if len(levels) < 40 else 0.8}'/>"
        f"<path d='M{_LEFT} {_BASE}H{_WIDTH - _LEFT}' stroke='{PALETTE['ink']}'/>{numbers}"
        f"<text x='{_WIDTH / 2}' y='{_BASE + 72}' font-size='15' text-anchor='middle'>"
        "value; the ticks are what can be stored</text></svg>"
    )
    text = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    spoken = f"<div role='status' style='font-size:16px'>{text}</div>"
    return card(f"<b>{html.escape(title)}</b>{svg}{spoken}")


def _bars(counts: np.ndarray) -> str:
    """Return one path with a bar for each count; rare values stay visible as a thin line."""
    width = (_WIDTH - 2 * _LEFT) / len(counts)
    heights = np.where(counts > 0, np.maximum(1.0, counts / max(1, counts.max()) * (_BASE - 15)), 0)
    return "".join(
        f"M{_LEFT + place * width:.1f} {_BASE}v{-height:.1f}h{width * 0.92:.1f}v{height:.1f}z"
        for place, height in enumerate(heights)
        if height
    )


def _grid_for(values: np.ndarray, cut: float, bits: int) -> quantize.Affine:
    """Return the grid over `values` without the outermost `cut` per cent (0 keeps them all)."""
    return quantize.affine(*np.percentile(values, [cut / 2, 100 - cut / 2]), bits)


def _without_zeros(values: np.ndarray) -> np.ndarray:
    """Return what a picture can show: after a ReLU, zeros would tower above everything else."""
    kept = values[values != 0]
    return kept if kept.size else values

"""Choose a tensor and a number of bits; see the levels under its histogram, and the noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from course_lib import quantize
from course_lib.views import levels
from course_lib.views import quantization as still


def page(name: str, weights: np.ndarray, bits: int) -> str:
    """Return the HTML for weights (out, ...) on a symmetric grid of `bits`, 2 to 16."""
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
    return levels.histogram(weights, one.levels, f"{name}: {weights.size:,} weights", lines)


def explore(tensors: Mapping[str, np.ndarray], name: str, bits: int = 4) -> None:
    """Display the widget, starting with the tensor `name`; its twin is a picture of that start."""
    from course_lib.views import shell

    view = shell.html(page(name, tensors[name], bits))

    def refresh(_: object = None) -> None:
        view.value = page(tensor.value, tensors[tensor.value], slider.value)

    tensor = shell.dropdown("Layer", list(tensors), name, refresh)
    slider = shell.slider("Bits", bits, 2, 8, on_change=refresh)
    grid = quantize.symmetric(float(np.abs(tensors[name]).max()), bits)
    shell.show(
        shell.column(shell.row(tensor, slider), view),
        still.histogram(tensors[name], grid, f"{name}, {bits} bits"),
    )

"""How tight should a range be? Cut off more and the steps get finer: one error for another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from course_lib import quantize
from course_lib.views import levels
from course_lib.views import quantization as still


def grid_for(values: np.ndarray, cut: float, bits: int = 8) -> quantize.Affine:
    """Return the grid over `values` without the outermost `cut` per cent (0 keeps them all)."""
    low, high = np.percentile(values, [cut / 2, 100 - cut / 2])
    return quantize.affine(low, high, bits)


def page(name: str, values: np.ndarray, cut: float, bits: int = 8) -> str:
    """Return the HTML for a layer's outputs on a range that leaves out `cut` per cent of them."""
    grid = grid_for(values, cut, bits)
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
    return levels.histogram(_without_zeros(values), grid.levels, title, lines)


def explore(outputs: Mapping[str, np.ndarray], name: str, bits: int = 4) -> None:
    """Display the widget for the outputs of several layers, starting with layer `name`."""
    from course_lib.views import shell

    view = shell.html(page(name, outputs[name], 0.0, bits))

    def refresh(_: object = None) -> None:
        view.value = page(layer.value, outputs[layer.value], cut.value, size.value)

    layer = shell.dropdown("Layer", list(outputs), name, refresh)
    cut = shell.slider("Cut off, per cent", 0.0, 0.0, 5.0, 0.1, on_change=refresh)
    size = shell.slider("Bits", bits, 2, 8, on_change=refresh)
    twin = still.histogram(
        _without_zeros(outputs[name]),
        grid_for(outputs[name], 0.0, bits),
        f"output of {name} without its zeros, {bits} bits",
    )
    shell.show(shell.column(shell.row(layer, cut, size), view), twin)


def _without_zeros(values: np.ndarray) -> np.ndarray:
    """Return what a picture can show: after a ReLU, zeros would tower above everything else."""
    kept = values[values != 0]
    return kept if kept.size else values

"""Sliders for the constants and placeholders of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from course_lib.graph.data import Graph
from course_lib.views import shell

_MOST = 5


def sliders(
    graph: Graph,
    ranges: Mapping[str, tuple[float, float]] | None,
    on_change: Callable[[Any], None],
) -> dict[str, Any]:
    """Return a slider by the name of its node; `ranges` gives the lowest and highest value of each.

    Without `ranges`, the first constants and placeholders that have a name get one, twice as far as
    their value.
    """
    return {
        name: shell.slider(name, *_start(graph, name, low, high), on_change=on_change)
        for name, (low, high) in (ranges or _usual_ranges(graph)).items()
    }


def feed(controls: Mapping[str, Any]) -> dict[str, float]:
    """Return the values of the sliders, as `evaluate` wants them."""
    return {name: float(slider.value) for name, slider in controls.items()}


def _usual_ranges(graph: Graph) -> dict[str, tuple[float, float]]:
    names = [node.name for node in graph.sources if not node.name.startswith("const_")]
    ranges = {}
    for name in names[:_MOST]:
        reach = 2 * abs(graph[name].value or 0) or 10
        reach = int(reach) if reach == int(reach) else reach
        ranges[name] = (-reach, reach)
    return ranges


def _start(graph: Graph, name: str, low: float, high: float) -> tuple[float, float, float, float]:
    """Return a slider's value, bounds and step: whole numbers where value and bounds are whole."""
    value = graph[name].value
    value = (low + high) / 2 if value is None else min(max(value, low), high)
    if value == int(value) and isinstance(low, int) and isinstance(high, int):
        return int(value), low, high, 1
    return value, low, high, (high - low) / 100

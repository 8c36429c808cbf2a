"""Boxes and arrows with a place on the page, as plain numbers: in pixels, y downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Edge = tuple[str, str, int]


@dataclass(frozen=True)
class Box:
    """One node on the page: two lines of text around a centre, all in pixels, y downwards."""

    name: str
    title: str
    subtitle: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Arrow:
    """One edge on the page: a chain of cubic Bezier curves and where its label goes.

    The arrow that leaves a result has the target "".
    """

    edge: Edge
    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True)
class Layout:
    """A graph with a place for everything, in pixels; `made_by` is "graphviz" or "levels"."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    made_by: str


def middle(points: Sequence[Point], part: float = 0.25) -> Point:
    """Return the place on a chain of Bezier curves where `part` of the way is done."""
    pieces = (len(points) - 1) // 3
    piece, t = divmod(part * pieces, 1)
    p = points[int(piece) * 3 : int(piece) * 3 + 4]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return tuple(sum(w * q[axis] for w, q in zip(weights, p, strict=True)) for axis in (0, 1))

"""Numbers as C: constant arrays, and the tables that the features need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.sound import features


def wrapped(items: Sequence[str], indent: str = "    ", width: int = 96) -> str:
    """Return items with commas between them, in lines of at most `width` characters."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return "\n".join([*lines, line.rstrip()])


def array(kind: str, name: str, numbers: Sequence[float], size: str = "") -> str:
    """Return a constant C array of whole numbers, or of floats to their last bit."""
    if kind.endswith("float"):
        items = [f"{np.float32(number):.9g}" for number in numbers]
        items = [f"{item}f" if "." in item or "e" in item else f"{item}.0f" for item in items]
    else:
        items = [str(int(number)) for number in numbers]
    return f"{kind} {name}[{size}] = {{\n{wrapped(items)}\n}};\n"


def feature_tables() -> str:
    """Return the C source of the window, the cosines and the bands of `sound.features`."""
    triangles = features.filters()
    bands, weights = [], []
    for band in triangles.T:
        (places,) = np.nonzero(band)
        if not len(places):  # a band narrower than the distance of two frequencies
            places = np.array([0, -1])
        first, end = places[0], places[-1] + 1
        bands.append(f"{{{first}, {end - first}, {len(weights)}}}")
        weights += list(band[first:end])
    cosines = np.cos(2 * np.pi * np.arange(features.FFT // 2 + 1) / features.FFT)
    return "\n".join(
        [
            '#include "log_mel.h"\n',
            array("const float", "feature_window", features.window(), "WINDOW"),
            array("const float", "feature_cosines", cosines, "FFT / 2 + 1"),
            f"const Band feature_bands[BANDS] = {{\n{wrapped(bands)}\n}};\n",
            array("const float", "feature_weights", weights),
        ]
    )

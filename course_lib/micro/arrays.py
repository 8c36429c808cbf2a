"""Bytes and numbers as C arrays: how they get into the flash of a chip with no file system."""

import re
import textwrap
from collections.abc import Sequence

import numpy as np

from course_lib.sound import features

_PER_LINE = 12  # as `xxd -i` writes it


def c_array(data: bytes, name: str = "model", declare: str = "const uint8_t") -> str:
    """Return a C definition of `name[]` with these bytes, and of `name_bytes`.

    FlatBuffers are read in place, so the array begins at a multiple of 16. Raises ValueError for
    no bytes, which C has no array for, and for a name that C does not take.
    """
    if not data:
        raise ValueError("There are no bytes: C has no empty arrays.")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"{name!r} is no name in C: use letters, digits and underscores.")
    lines = [
        "    " + " ".join(f"0x{byte:02x}," for byte in data[start : start + _PER_LINE])
        for start in range(0, len(data), _PER_LINE)
    ]
    return (
        f"{declare} {name}[{len(data)}] __attribute__((aligned(16))) = {{\n"
        + "\n".join(lines)
        + f"\n}};\nconst uint32_t {name}_bytes = {len(data)};\n"
    )


def read_c_array(source: str, name: str = "model") -> bytes:
    """Return the bytes of the array `name[]` in a C source. Raises LookupError where it is not."""
    match = re.search(rf"\b{re.escape(name)}\[\d*\][^=]*=\s*\{{([^}}]*)\}}", source)
    if not match:
        raise LookupError(f"There is no array called {name} in this source.")
    return bytes(int(number, 0) for number in re.findall(r"0x[0-9a-fA-F]+|\d+", match[1]))


def array(kind: str, name: str, numbers: Sequence[float], size: str = "") -> str:
    """Return a constant C array of whole numbers, or of floats to their last bit."""
    if kind.endswith("float"):
        items = [c_float(number) for number in numbers]
    else:
        items = [str(int(number)) for number in numbers]
    return f"{kind} {name}[{size}] = {{\n{_wrapped(items)}\n}};\n"


def c_float(number: float) -> str:
    """Return a float32 as C writes it: 9 digits, which tell all apart, and a point."""
    text = f"{np.float32(number):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


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
            f"const Band feature_bands[BANDS] = {{\n{_wrapped(bands)}\n}};\n",
            array("const float", "feature_weights", weights),
        ]
    )


def _wrapped(items: Sequence[str]) -> str:
    """Return items with commas between them, in lines of at most 96 characters."""
    text = " ".join(f"{item},".replace(" ", "\u00a0") for item in items)  # an item stays whole
    lines = textwrap.wrap(text, 92, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "    ").replace("\u00a0", " ")

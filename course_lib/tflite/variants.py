"""The variants of a model that the converter can make: a row each, with all that is said of it.

Everything that lists variants reads this table. Another variant is another row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """What the converter is told for one variant, and how people are told about it.

    `numbers` are "float32" (nothing is rounded), "weights" (int8 weights, computed in floats),
    "float16" (weights in half the bytes), "int8", or "int16x8" (16 bits for what flows).
    """

    name: str
    label: str
    numbers: str
    per_channel: bool = True
    float_ends: bool = True

    @property
    def needs_clips(self) -> bool:
        """Whether ranges have to be found on representative features."""
        return self.numbers in ("int8", "int16x8")


VARIANTS: Mapping[str, Variant] = {
    row.name: row
    for row in (
        Variant("float32", "float32, as the converter makes it", "float32"),
        Variant("dynamic_range", "int8 weights, computed in floats", "weights"),
        Variant("float16", "weights in half the bytes", "float16"),
        Variant("int16x8", "int8 weights, 16 bits for what flows", "int16x8"),
        Variant("int8", "int8, one scale a tensor", "int8", per_channel=False, float_ends=False),
        Variant("int8_per_channel", "int8, one scale a filter", "int8", float_ends=False),
        Variant("int8_float_io", "int8 with float32 at both ends", "int8", per_channel=False),
    )
}
"""Every variant by its name."""

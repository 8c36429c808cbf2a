"""A file as a C array: how bytes get into the flash of a chip that has no file system."""

from __future__ import annotations

import re

_PER_LINE = 12


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
    found = re.search(rf"\b{re.escape(name)}\[\d*\][^=]*=\s*\{{([^}}]*)\}}", source)
    if not found:
        raise LookupError(f"There is no array called {name} in this source.")
    return bytes(int(number, 0) for number in re.findall(r"0x[0-9a-fA-F]+|\d+", found[1]))

"""One tint for each kind of bytes, the same in every picture."""

from __future__ import annotations

from collections.abc import Iterable

from course_lib.views import style

_KNOWN = {
    "weights": "orange",
    "string": "green",
    "number": "yellow",
    "tag": "sky",
    "length": "purple",
    "offset": "sky",
    "vtable": "grey",
    "length of vector": "blue",
    "identifier": "red",
    "root offset": "red",
    "metadata": "blue",
    "checksum": "red",
    "padding": "faint",
    "optimizer: momentum": "sky",
    "optimizer: velocity": "green",
    "optimizer": "blue",
    "object graph": "purple",
    "structure of the file": "faint",
}
_STRENGTH = {"weights": 0.75, "padding": 0.9, "scalar": 0.25, "data": 0.3}
_SPARE = ("blue", "red", "grey", "green", "yellow", "orange", "sky", "purple")


def colours(kinds: Iterable[str]) -> dict[str, tuple[float, float, float]]:
    """Return an RGB tint in 0 to 1 for each kind, the same for a well-known kind in every
    picture."""
    kinds = list(kinds)
    chosen = {kind: _KNOWN[kind] for kind in kinds if kind in _KNOWN}
    spare = [name for name in _SPARE if name not in chosen.values()] + list(_SPARE)
    for kind in kinds:
        if kind not in chosen and kind != "unnamed":
            chosen[kind] = spare.pop(0)
    tints = {kind: _tint(name, _STRENGTH.get(kind, 0.55)) for kind, name in chosen.items()}
    return tints | ({"unnamed": (1.0, 1.0, 1.0)} if "unnamed" in kinds else {})


def css(rgb: tuple[float, float, float]) -> str:
    """Return an RGB tint in 0 to 1 as CSS writes it."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def _tint(name: str, strength: float) -> tuple[float, float, float]:
    """Mix a colour of the palette with white."""
    code = style.PALETTE[name]
    return tuple(1 - strength * (1 - int(code[i : i + 2], 16) / 255) for i in (1, 3, 5))

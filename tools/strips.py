"""Cut pictures that are too high for a slide into strips, between what they show."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

__all__ = ["arranged"]

WIDE, HIGH = 1180, 600  # what a slide of 1280 by 720 leaves for a picture
_SMALLEST = 0.9  # of the size that a notebook shows
_MOST = 4


def arranged(png: bytes, width: float) -> list[list[bytes]]:
    """Return slides for a picture that a notebook shows `width` pixels wide, as PNGs side by side.

    A picture that fills a slide is alone on one. The strips of a high and narrow one stand side by
    side; of another high one, each follows the whole on a slide of its own.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    height = picture.height * width / picture.width
    if _scale(width, height) >= _SMALLEST:
        return [[png]]
    best = max(range(1, _MOST + 1), key=lambda count: _scale(count * width, height / count))
    if _scale(best * width, height / best) >= _SMALLEST:
        return [_strips(picture, best)]
    if width > WIDE:  # no strip of it would be larger
        return [[png]]
    return [[png], *([strip] for strip in _strips(picture, math.ceil(height / HIGH)))]


def _scale(width: float, height: float) -> float:
    return min(WIDE / width, HIGH / height)


def _strips(picture: Image.Image, count: int) -> list[bytes]:
    """Return `count` strips of about one height, cut where the least is drawn."""
    pixels = np.asarray(picture)
    drawn = (pixels != pixels[0, 0]).any(axis=2).sum(axis=1)
    ideal = picture.height / count
    cuts = [0]
    for place in range(1, count):
        low, high = int((place - 0.2) * ideal), int((place + 0.2) * ideal)
        least = low + np.flatnonzero(drawn[low:high] == drawn[low:high].min())
        cuts.append(int(least[abs(least - place * ideal).argmin()]))
    cuts.append(picture.height)
    return [
        _png(picture.crop((0, top, picture.width, bottom)))
        for top, bottom in zip(cuts, cuts[1:], strict=False)
    ]


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()

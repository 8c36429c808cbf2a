"""Pictures on slides: left alone where they fit, else cut where nothing is drawn."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tools import strips


def _png(width: int, height: int, bands: list[tuple[int, int]]) -> bytes:
    """Return a white picture with dark bands from row to row."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    for top, bottom in bands:
        pixels[top:bottom, 10:-10] = 40
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _rows(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))[:, 20, 0]


def test_what_fits_is_left_as_it_is() -> None:
    for width, height in ((1180, 600), (600, 400), (2000, 700)):
        png = _png(width, height, [(100, 200)])
        assert strips.arranged(png, min(width, 1180)) == [[png]]


def test_a_high_and_narrow_one_stands_in_columns_cut_between_its_bands() -> None:
    bands = [(20, 480), (540, 960), (1040, 1480)]
    png = _png(300, 1500, bands)
    (columns,) = strips.arranged(png, 300)
    assert len(columns) == 3
    whole = np.concatenate([_rows(column) for column in columns])
    assert (whole == _rows(png)).all()
    for column in columns:  # no band is cut: each strip begins and ends in white
        assert _rows(column)[0] == _rows(column)[-1] == 255


def test_a_high_and_wide_one_is_followed_by_its_parts() -> None:
    png = _png(900, 1000, [(50, 440), (560, 950)])
    whole, *parts = strips.arranged(png, 900)
    assert whole == [png] and len(parts) == 2
    assert (np.concatenate([_rows(part) for (part,) in parts]) == _rows(png)).all()
    assert all(len(_rows(part)) <= 600 and _rows(part)[-1] == 255 for (part,) in parts)

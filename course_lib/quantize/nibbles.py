"""Two integers of four bits in one byte."""

from __future__ import annotations

import numpy as np


def pack(values: np.ndarray) -> np.ndarray:
    """Return integers from -8 to 7 as uint8, two to a byte, the first one in the lower half."""
    halves = np.asarray(values, np.int8).ravel() & 0x0F
    halves = np.append(halves, np.zeros(len(halves) % 2, np.int8)).astype(np.uint8)
    return halves[0::2] | (halves[1::2] << 4)


def unpack(data: bytes, count: int) -> np.ndarray:
    """Return the first `count` four-bit integers of `data`, (count,) int8 from -8 to 7."""
    octets = np.frombuffer(data, np.uint8)
    halves = np.stack([octets & 0x0F, octets >> 4], axis=1).ravel()[:count].astype(np.int8)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)

"""The checksum of checkpoints: CRC-32C, and the disguise in which TensorFlow stores it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_LANE_BYTES = 1024


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`: a number of 32 bits that changes when any one bit does.

    Long data is cut into lanes that NumPy takes through the table side by side; their results are
    then joined. `crc32c(b"123456789") == 0xE3069283`.
    """
    lanes, rest = divmod(len(data), _LANE_BYTES)
    state = 0xFFFF_FFFF
    if lanes > 1:
        table = _table()
        blocks = np.frombuffer(data, np.uint8, lanes * _LANE_BYTES).reshape(lanes, _LANE_BYTES)
        registers = np.zeros(lanes, np.uint32)
        for column in blocks.T:
            registers = table[(registers ^ column) & 0xFF] ^ (registers >> np.uint32(8))
        for register in registers.tolist():
            state = _after_zeros(state) ^ register
    else:
        rest = len(data)
    entries = _table_list()
    for byte in data[len(data) - rest :]:
        state = entries[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFF_FFFF


def masked(checksum: int) -> int:
    """Return `checksum` rotated and shifted, as TensorFlow stores it.

    A checksum of data that itself holds checksums would be weak; the mask avoids that.
    """
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFF_FFFF


@lru_cache(maxsize=1)
def _table_list() -> list[int]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        entries.append(value)
    return entries


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    return np.array(_table_list(), np.uint32)


@lru_cache(maxsize=1)
def _lane_columns() -> list[int]:
    """Return what each of the 32 bits of a register becomes after a lane of zero bytes."""
    entries, columns = _table_list(), []
    for bit in range(32):
        state = 1 << bit
        for _ in range(_LANE_BYTES):
            state = entries[state & 0xFF] ^ (state >> 8)
        columns.append(state)
    return columns


def _after_zeros(state: int) -> int:
    """Return the register after one lane of zero bytes; the register is linear in its bits."""
    result = 0
    for bit, column in enumerate(_lane_columns()):
        if state >> bit & 1:
            result ^= column
    return result

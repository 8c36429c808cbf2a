"""Thousands of damaged files: a clear error or a right result, fast, in little memory.

The tests that use it have a fixed seed. `WORKBOOK_FUZZ_CASES=200000` runs the long version.
"""

from __future__ import annotations

import os
import struct
import time

import numpy as np
import pytest

CASES = int(os.environ.get("WORKBOOK_FUZZ_CASES", "10000"))
SLOWEST_SECONDS = 5.0
MOST_MEMORY_KIB = 2**20  # 1 GiB more than before
EXTREMES = (b"\xff" * 9 + b"\x01", b"\xff" * 8, bytes(8), b"\x80" * 12, b"\xff\xff\xff\xff\x0f",
            b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", struct.pack("<Q", 2**62))  # fmt: skip


def damaged(rng: np.random.Generator, data: bytes, same_length: bool = False) -> bytes:
    """Return ``data`` with one to three things done to it."""
    kinds = 3 if same_length else 8
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(0, max(1, len(data))))
        width = int(rng.integers(1, 40))
        kind = int(rng.integers(kinds))
        if kind == 0:
            data = data[:place] + bytes([data[place] ^ 1 << rng.integers(8)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + rng.bytes(min(width, len(data) - place)) + data[place + width :]
        elif kind == 2:
            extreme = EXTREMES[rng.integers(len(EXTREMES))][: len(data) - place]
            data = data[:place] + extreme + data[place + len(extreme) :]
        elif kind == 3:
            data = data[:place]
        elif kind == 4:
            data = data[:place] + data[place + width :]
        elif kind == 5:
            data = data[:place] + data[place : place + width] + data[place:]
        elif kind == 6:
            data = data[:place] + rng.bytes(width) + data[place:]
        else:
            data = data[:place] + EXTREMES[rng.integers(len(EXTREMES))] + data[place:]
        if not data:
            break
    return data


class Watch:
    """Time every case and watch the memory of the process."""

    def __init__(self) -> None:
        self.slowest, self.errors, self.results = 0.0, 0, 0
        self.before = self.memory()

    @staticmethod
    def memory() -> int:
        resource = pytest.importorskip("resource")
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def run(self, action):
        """Return ``action()``, or None where it raises one of the errors that count as clear."""
        started = time.process_time()
        try:
            found = action()
            self.results += 1
            return found
        except (ValueError, OSError) as error:
            self.errors += 1
            assert str(error).strip() and "\n" not in str(error), repr(error)
            return None
        finally:
            self.slowest = max(self.slowest, time.process_time() - started)

    def check(self) -> None:
        assert self.slowest < SLOWEST_SECONDS
        assert self.memory() - self.before < MOST_MEMORY_KIB
        assert self.errors, "nothing was ever refused: is anything damaged at all?"

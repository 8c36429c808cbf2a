"""How many random cases a property test tries: a few in the suite, many and others on demand.

    WORKBOOK_LONG=1 python -m pytest --timeout 0 tests/formats tests/tflite ...

A larger number begins where the one before it ends, so that no case is tried twice.
"""

from __future__ import annotations

import os

TURN = int(os.environ.get("WORKBOOK_LONG") or 0)


def seeds(short: int, long: int) -> range:
    """Return the first `short` seeds, or this turn's `long` ones."""
    return range((TURN - 1) * long, TURN * long) if TURN else range(short)

"""How sure a share is, and whether a change between two models is more than noise."""

from __future__ import annotations

import math
from dataclasses import dataclass


def wilson(correct: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval (low, high) for a share of `correct` out of `n`; 95 % by default.

    Unlike the textbook's plus or minus 1.96 standard errors it stays inside 0 to 1 and is not
    empty at 0 or 100 %. Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209.
    Raises ValueError unless 0 <= correct <= n and n > 0.
    """
    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"{correct} out of {n} is no share: give 0 <= correct <= n and n > 0.")
    share = correct / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True)
class Change:
    """How two models differ on the same clips: lost, gained, and McNemar's two-sided exact p."""

    lost: int
    gained: int
    p_value: float

    @property
    def verdict(self) -> str:
        """One word on the change: 'worse', 'better' or 'noise' (at the usual 5 %)."""
        if self.p_value >= 0.05:
            return "noise"
        return "worse" if self.lost > self.gained else "better"


def exact_p(lost: int, gained: int) -> float:
    """Return how often fair coins fall at least as unevenly as `lost` to `gained`, both ways."""
    flips, fewer = lost + gained, min(lost, gained)
    tail = sum(math.comb(flips, heads) for heads in range(fewer + 1))
    return min(1.0, 2 * tail / 2**flips)

"""How long things took, in buckets each 2 % wider than the one before: as small after a day as after a second."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

PER_DOUBLING = 32


class Histogram:
    """Times in nanoseconds in, microseconds out."""

    def __init__(self, parts: Iterable[Histogram] = ()) -> None:
        self.buckets: Counter[int] = Counter()
        self._longest = 0
        for part in parts:
            self.buckets.update(part.buckets)
            self._longest = max(self._longest, part._longest)

    def add(self, nanoseconds: int) -> None:
        """Count one."""
        self.buckets[int(math.log2(max(nanoseconds, 1)) * PER_DOUBLING)] += 1
        self._longest = max(self._longest, nanoseconds)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.buckets.total()

    @property
    def most(self) -> float:
        """The longest, in microseconds."""
        return self._longest / 1e3

    def quantile(self, percent: float) -> float:
        """Microseconds within which so many of a hundred were done; 0 where there are none."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return min(microseconds(bucket + 1), self.most)
        return 0.0


def microseconds(bucket: float) -> float:
    """Where a bucket begins."""
    return float(2 ** (bucket / PER_DOUBLING) / 1e3)

"""A 1 ms ticker on the event loop that records how late it is served."""

from __future__ import annotations

import asyncio
import time
from typing import Any

PERIOD = 0.001


class Ticker:
    """`async with Ticker() as t:`; lateness in seconds of every tick of a fixed grid.

    A stall of 100 ms is a hundred late ticks, not one: those that fell due meanwhile count too.
    """

    def __init__(self) -> None:
        self.late: list[float] = []

    async def __aenter__(self) -> Ticker:
        self.loop = asyncio.get_running_loop()
        self.due = time.perf_counter() + PERIOD
        self.handle = self.loop.call_later(PERIOD, self._tick)
        return self

    def _tick(self) -> None:
        now = time.perf_counter()
        while self.due <= now:
            self.late.append(now - self.due)
            self.due += PERIOD
        self.handle = self.loop.call_later(self.due - now, self._tick)

    async def __aexit__(self, *_: object) -> None:
        self.handle.cancel()
        now = time.perf_counter()
        while self.due <= now:
            self.late.append(now - self.due)
            self.due += PERIOD

    def figures(self) -> dict[str, Any]:
        """Milliseconds late: p50, p99 and the worst."""
        ordered = sorted(self.late) or [0.0]
        return {
            "ticks": len(ordered),
            "late_p50_ms": ordered[len(ordered) // 2] * 1e3,
            "late_p99_ms": ordered[len(ordered) * 99 // 100] * 1e3,
            "late_max_ms": ordered[-1] * 1e3,
        }

"""The line on a terminal that says how far a long result is."""

from __future__ import annotations

import time
from typing import TextIO

# A result that is whole within this many seconds shows no line.
PATIENCE = 0.5
INTERVAL = 0.1


class Progress:
    """Rows, bytes and speed on one line that redraws itself, and goes at the end."""

    def __init__(self, out: TextIO, shown: bool) -> None:
        self._out = out
        self._shown = shown
        self._drawn = False
        self._started = time.monotonic()
        self._next = self._started + PATIENCE

    def update(self, rows: int, size: int | None) -> None:
        """Show these counts, unless the line was drawn a moment ago."""
        now = time.monotonic()
        if self._shown and now >= self._next:
            self._next = now + INTERVAL
            self._drawn = True
            line = counted(rows, size, now - self._started)
            print(f"\r\x1b[K{line}", end="", file=self._out, flush=True)

    def clear(self) -> None:
        """Take the line away, before anything else is written to the terminal."""
        if self._drawn:
            self._drawn = False
            print("\r\x1b[K", end="", file=self._out, flush=True)

    def finish(self, rows: int, size: int, path: str) -> None:
        """Take the line away and say what was written where."""
        self.clear()
        if self._shown:
            line = counted(rows, size, time.monotonic() - self._started)
            print(f"{path}: {line}", file=self._out)


def counted(rows: int, size: int | None, seconds: float) -> str:
    """`1,200,000 rows  85.2 MB  1,000,000 rows/s  1.2 s`; a table has no size."""
    rate = rows / seconds if seconds > 0 else 0
    bytes_ = "" if size is None else f"  {size / 1e6:,.1f} MB"
    return f"{rows:,} rows{bytes_}  {rate:,.0f} rows/s  {seconds:.1f} s"

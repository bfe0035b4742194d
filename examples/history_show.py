"""Print tables, bars, sparklines and a progress bar; colours only on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

BLOCKS = "▏▎▍▌▋▊▉█"
HEIGHTS = "▁▂▃▄▅▆▇█"
WIDEST_CELL = 48


def width() -> int:
    """Columns of the terminal, 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def bold(text: str) -> str:
    """Bold where the output is a terminal that wants it."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def heading(text: str) -> None:
    """A title, with an empty line before it."""
    print(f"\n{bold(text)}")


def many(count: int, noun: str) -> str:
    """A count with its noun: `1 commit`, `1,200 commits`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def bar(value: float, largest: float, cells: int = 20) -> str:
    """A horizontal bar, precise to an eighth of a character."""
    eighths = round(8 * cells * value / largest) if largest > 0 else 0
    if value > 0:
        eighths = max(eighths, 1)
    return BLOCKS[-1] * (eighths // 8) + (BLOCKS[eighths % 8 - 1] if eighths % 8 else "")


def sparkline(values: Sequence[float], cells: int) -> str:
    """A line of small columns; neighbours are added up where there are more values than cells."""
    if not values:
        return ""
    cells = min(cells, len(values))
    edges = [len(values) * cell // cells for cell in range(cells + 1)]
    sums = [sum(values[a:b]) for a, b in pairwise(edges)]
    top = max(sums) or 1
    return "".join(" " if s <= 0 else HEIGHTS[min(7, int(8 * s / top))] for s in sums)


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """An aligned table, numbers to the right."""
    cells = [[plain(value) for value in row] for row in rows]
    right = [
        all(cell[at][:1].isdigit() or not cell[at] for cell in cells) for at in range(len(names))
    ]
    wide = [max(map(cells_of, column)) for column in zip(names, *cells, strict=True)]
    print("  " + bold("  ".join(map(fit, names, wide, right)).rstrip()))
    for row in cells:
        print("  " + "  ".join(map(fit, row, wide, right)).rstrip())


def plain(value: object) -> str:
    """A value as one line of printable text, cut in the middle where it is long."""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    text = "" if value is None else str(value)
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    half = WIDEST_CELL // 2
    return text if cells_of(text) <= WIDEST_CELL else f"{text[: half - 1]}…{text[-half:]}"


def cells_of(text: str) -> int:
    """How many character cells a terminal draws a text in."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def fit(text: str, wide: int, right: bool) -> str:
    """Pad a text to a width."""
    pad = " " * (wide - cells_of(text))
    return pad + text if right else text + pad


def duration(seconds: float) -> str:
    """A measured time, three digits at most: `1.4 ms`, `12 s`."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            number = seconds * factor
            return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
    return f"{seconds:.1f} s"


class Progress:
    """How far the import is: a bar that redraws itself, or a line now and then for a log."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.terminal = sys.stdout.isatty()
        self.started = time.monotonic()
        # The first line of a log waits, so that a short import prints none.
        self._next = self.started if self.terminal else self.started + 2

    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.started

    def __call__(self, commits: int, rows: int) -> None:
        """Show these counts, at most ten times a second (every two seconds in a log)."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.1 if self.terminal else 2)
        line = self.line(commits, rows)
        if self.terminal:
            print(f"\r\x1b[K{line[: width() - 1]}", end="", flush=True)
        else:
            print(line, flush=True)

    def line(self, commits: int, rows: int) -> str:
        """The bar, commits of all, rows, rows per second, time left."""
        seconds = max(self.seconds(), 1e-9)
        share = min(1.0, commits / self.total) if self.total else 1.0
        left = f"{seconds / share - seconds:.0f} s left" if share > 0 else ""
        return (
            f"  {bar(share, 1):<20} {share:4.0%}  {commits:,} of {self.total:,} commits"
            f"  {rows:,} rows  {rows / seconds:,.0f} rows/s  {left}"
        )

    def clear(self) -> None:
        """Take the bar away."""
        if self.terminal:
            print("\r\x1b[K", end="", flush=True)

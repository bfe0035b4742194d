"""Numbers on the command line: each raises ValueError, which the parser reports as wrong usage."""

from __future__ import annotations

# Rows held in memory at a time, where --batch-rows does not say.
BATCH_ROWS = 65_536


def natural(word: str) -> int:
    """A whole number, zero included."""
    number = int(word)
    if number < 0:
        raise ValueError
    return number


def positive(word: str) -> int:
    """A whole number above zero."""
    number = int(word)
    if number < 1:
        raise ValueError
    return number


def seconds(word: str) -> float:
    """A time above zero."""
    number = float(word)
    if not 0 < number < float("inf"):
        raise ValueError
    return number

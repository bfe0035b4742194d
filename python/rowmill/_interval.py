"""The value of an `interval` column."""

from __future__ import annotations

from collections import namedtuple


# Made by `namedtuple`, not by `typing.NamedTuple`: importing `typing` takes longer than the rest
# of the package.
class Interval(namedtuple("Interval", ("months", "days", "microseconds"), defaults=(0, 0, 0))):
    """Months, days and microseconds, kept apart as PostgreSQL keeps them.

    A month has no fixed number of days and a day no fixed number of hours, so that none of the
    three can stand for another; `timedelta`, which knows neither, holds the last two.

    >>> Interval(months=14, days=3, microseconds=500_000)
    Interval(months=14, days=3, microseconds=500000)
    >>> str(Interval(months=14, days=3, microseconds=500_000))
    'P14M3DT0.5S'
    """

    __slots__ = ()

    months: int
    days: int
    microseconds: int

    def __str__(self) -> str:
        """As ISO 8601 has it: `P14M3DT0.5S`, `PT-90S`, `PT0S`."""
        months, days, microseconds = self
        text = f"{months}M" if months else ""
        if days:
            text += f"{days}D"
        if microseconds or not text:
            whole, part = divmod(abs(microseconds), 1_000_000)
            fraction = f".{part:06}".rstrip("0") if part else ""
            text += f"T{'-' if microseconds < 0 else ''}{whole}{fraction}S"
        return f"P{text}"

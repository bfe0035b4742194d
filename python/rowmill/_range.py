"""The value of a range column."""

from __future__ import annotations

from collections import namedtuple


# Made by `namedtuple`, as `Interval` is, and for the same reason.
class Range(namedtuple("Range", ("lower", "upper", "bounds"), defaults=(None, None, "[)"))):
    """All values from `lower` to `upper`; None is no bound, and `bounds` says which ones belong to it.

    `bounds` is written as PostgreSQL does: `[` and `]` for a bound that belongs to the range, `(` and
    `)` for one that does not, and `empty` for the range that holds nothing.

    >>> Range(1, 5)
    Range(lower=1, upper=5, bounds='[)')
    >>> 5 in Range(1, 5), 5 in Range(1, 5, "[]"), 10**6 in Range(1, None)
    (False, True, True)
    >>> str(Range(1, 5)), Range(bounds="empty").empty
    ('[1,5)', True)
    """

    __slots__ = ()

    lower: object
    upper: object
    bounds: str

    @property
    def empty(self) -> bool:
        """Whether it holds nothing."""
        return self.bounds == "empty"

    def __contains__(self, value: object) -> bool:
        """Whether a value lies in it; NULL lies in none."""
        if self.empty or value is None:
            return False
        lower, upper, (opening, closing) = self
        above = lower is None or lower < value or (opening == "[" and lower == value)
        return above and (upper is None or value < upper or (closing == "]" and value == upper))

    def __str__(self) -> str:
        """`[1,5)`: PostgreSQL's notation, without the quotes that it puts around odd text."""
        if self.empty:
            return "empty"
        lower, upper = ("" if bound is None else bound for bound in self[:2])
        return f"{self.bounds[0]}{lower},{upper}{self.bounds[1]}"

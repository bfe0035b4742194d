"""The operators that are NULL where an operand is, on values: a part of the interpreter."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import rowmill as rm

LOWEST, HIGHEST = -(2**63), 2**63 - 1
ROUNDED = 2**521 - 1  # a prime: what was rounded to its parts never comes out even again
DAY = 86_400_000_000  # microseconds
EARTH = 6_371_008.8  # metres, as of the IUGG


class OutOfRangeError(Exception):
    """An integer beyond 64 bits."""


class UnsureError(Exception):
    """What hangs on the last digits of a number that an engine may round."""


class Json(str):
    """A document; its text is that of PostgreSQL."""

    __slots__ = ()

    def __new__(cls, document: Any) -> Json:
        return super().__new__(cls, json.dumps(document, ensure_ascii=False))


def fraction(text: Decimal | float) -> Fraction:
    """A decimal, or a float's shortest one."""
    return Fraction(text if isinstance(text, Decimal) else Decimal(repr(text)))


def _is_exact(number: Fraction) -> bool:
    """Whether a float holds it, so that all engines do."""
    return math.isfinite(number) and Fraction(float(number)) == number


def _near(a: Fraction, b: Fraction) -> bool:
    return abs(a - b) <= max(abs(a), abs(b)) / 10**9


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _floats(a: float, b: float) -> int:
    if math.isnan(a) or math.isnan(b):
        return _sign(math.isnan(a), math.isnan(b))
    return _sign(a, b)


def _fractions(a: Fraction, b: Fraction, raw: bool) -> int:
    if not raw and not (_is_exact(a) and _is_exact(b)) and _near(a, b):
        raise UnsureError
    return _sign(a, b)


def _number(a: Any, b: Any, fitted: bool, raw: bool) -> int:
    kinds = {type(a), type(b)}
    if float not in kinds:
        return _fractions(Fraction(a), Fraction(b), raw) if Fraction in kinds else _sign(a, b)
    if fitted and kinds != {float} and all(math.isfinite(one) for one in (a, b)):
        exact = [fraction(one) if isinstance(one, float) else Fraction(one) for one in (a, b)]
        return _sign(*exact) if int in kinds else _fractions(exact[0], exact[1], raw)
    if Fraction in kinds and all(math.isfinite(one) for one in (a, b)):
        _fractions(Fraction(a), Fraction(b), raw)
    return _floats(float(a), float(b))


def _midnight(day: Any) -> Any:
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def length(interval: Any) -> int:
    """An interval in microseconds, of months of 30 days."""
    months, days, micros = parts(interval)
    return ((months * 30) + days) * DAY + micros


def parts(interval: Any) -> tuple[int, int, int]:
    """Months, days, microseconds."""
    if isinstance(interval, timedelta):
        micros = abs(interval) // timedelta(microseconds=1)
        sign = -1 if interval < timedelta() else 1
        return 0, sign * (micros // DAY), sign * (micros % DAY)
    return interval.months, interval.days, interval.microseconds


def compare(a: Any, b: Any, *, fitted: bool = False, raw: bool = False) -> int:
    """-1, 0 or 1, of values of comparable kinds.

    Args:
        a: The first value.
        b: The second.
        fitted: Whether one is a literal, which becomes the other's kind.
        raw: Whether nothing has been computed of either, that could have been rounded.
    """
    if isinstance(a, (int, float, Fraction)) and not isinstance(a, bool):
        return _number(a, b, fitted, raw)
    if isinstance(a, date):
        return _sign(_midnight(a), _midnight(b))
    if isinstance(a, (timedelta, rm.Interval)):
        return _sign(length(a), length(b))
    if isinstance(a, list):
        return _lists(a, b)
    return _sign(a, b)


def _lists(a: list[Any], b: list[Any]) -> int:
    for one, other in zip(a, b, strict=False):
        if one is None or other is None:
            order = _sign(one is None, other is None)
        else:
            order = compare(one, other)
        if order:
            return order
    return _sign(len(a), len(b))


def same(a: Any, b: Any) -> bool:
    """Whether an element is the value; NULL is none."""
    return a is not None and b is not None and compare(a, b) == 0


def widened(given: Any, kind: str) -> Any:
    """A value as one of a wider kind of numbers."""
    if given is None or kind not in ("float", "decimal"):
        return given
    return float(given) if kind == "float" else Fraction(given)


def _whole(number: int) -> int:
    if not LOWEST <= number <= HIGHEST:
        raise OutOfRangeError
    return number


def _rounded_off(number: Fraction) -> Fraction:
    return Fraction(round(number * ROUNDED) + 1, ROUNDED)


def _arithmetic(
    operation: Callable[[Any, Any], Any], *, subtracts: bool = False
) -> Callable[[Any, Any], Any]:
    def compute(a: Any, b: Any) -> Any:
        if float in (type(a), type(b)):
            a, b = float(a), float(b)
            try:
                found = operation(a, b)
            except OverflowError as error:
                raise UnsureError from error
            if math.isinf(found) and math.isfinite(a) and math.isfinite(b):
                raise UnsureError  # an error in PostgreSQL, infinity elsewhere
            if found == 0 and a != 0 and b != 0 and math.isfinite(b) and not subtracts:
                raise UnsureError  # too small: an error there too, 0 elsewhere
            return found
        found = operation(a, b)
        if isinstance(found, int):
            return _whole(found)
        if (_is_exact(Fraction(a)) and _is_exact(Fraction(b))) or (found == 0 and not subtracts):
            return found
        if abs(found) * 10**9 < abs(a) and subtracts:
            raise UnsureError  # what is left of two numbers that were rounded
        return _rounded_off(found)

    return compute


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if Fraction not in (type(a), type(b)) or float in (type(a), type(b)):
        return _arithmetic(lambda a, b: a / b)(float(a), float(b))
    found = Fraction(a) / b
    # Who rounds does not get 10 back from 3 times a third of it.
    return found if _is_exact(found) else _rounded_off(found)


def _quotient(a: int, b: int) -> int | None:
    if b == 0:
        return None
    return _whole(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


def _remainder(a: int, b: int) -> int | None:
    return None if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1)


def _moved(a: Any, b: Any, sign: int) -> Any:
    if isinstance(a, (timedelta, rm.Interval)) and not isinstance(b, (timedelta, rm.Interval)):
        a, b = b, a
    months, days, micros = (sign * part for part in parts(b))
    if isinstance(a, (timedelta, rm.Interval)):
        own = parts(a)
        return rm.Interval(own[0] + months, own[1] + days, own[2] + micros)
    when = _midnight(a)
    total = when.year * 12 + when.month - 1 + months
    year, month = divmod(total, 12)
    try:
        last = (datetime(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(1)).day
        when = when.replace(year=year, month=month + 1, day=min(when.day, last))
        return when + timedelta(days=days) + timedelta(microseconds=micros)
    except (OverflowError, ValueError) as error:
        raise UnsureError from error  # beyond Python's years


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, (date, timedelta, rm.Interval)):
        return _moved(a, b, 1)
    return _arithmetic(lambda a, b: a + b, subtracts=True)(a, b)


def _subtract(a: Any, b: Any) -> Any:
    if isinstance(a, (date, timedelta, rm.Interval)):
        return _moved(a, b, -1)
    return _arithmetic(lambda a, b: a - b, subtracts=True)(a, b)


def _settled(number: Any, towards: Callable[[Any], int]) -> int:
    if (
        isinstance(number, Fraction)
        and not _is_exact(number)
        and _near(number, Fraction(round(number)))
    ):
        raise UnsureError
    return towards(number)


def _rounded(towards: Callable[[Any], int]) -> Callable[[Any], Any]:
    def rounded(number: Any) -> Any:
        if isinstance(number, float):
            return float(towards(number)) if math.isfinite(number) else number
        return type(number)(_settled(number, towards))

    return rounded


def ascii_lower(text: str) -> str:
    """In small letters, those of ASCII."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _ascii_upper(text: str) -> str:
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)


def _like(text: str, pattern: str) -> bool:
    out, letters = "", iter(pattern)
    for letter in letters:
        out += {"%": ".*", "_": "."}.get(letter) or re.escape(
            next(letters) if letter == "\\" else letter
        )
    return re.fullmatch(out, text, re.DOTALL) is not None


def _matches(text: str, pattern: str) -> bool:
    ends = re.sub(r"(\\.)|\$", lambda found: found[1] or r"\Z", pattern)
    return re.search(ends, text, re.DOTALL | re.ASCII) is not None


def _to_int(given: Any) -> int | None:
    if isinstance(given, str):
        digits = given.strip(" \t\n\v\f\r")
        number = int(digits) if re.fullmatch("[-+]?[0-9]+", digits) else None
        return number if number is not None and LOWEST <= number <= HIGHEST else None
    if isinstance(given, float) and not math.isfinite(given):
        raise OutOfRangeError
    return _whole(_settled(given, int))


def _to_float(given: Any) -> float | None:
    if isinstance(given, str):
        digits = given.strip(" \t\n\v\f\r")
        number = re.fullmatch(r"[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?", digits)
        found = float(digits) if number else math.inf
        too_small = number is not None and found == 0 and re.search("[1-9]", number[1])
        return None if math.isinf(found) or too_small else found
    return float(given)


def json_get(document: Any, path: tuple[str | int, ...]) -> str | None:
    """The value under a path, as text."""
    if document is None:
        return None
    found: Any = json.loads(document, parse_float=Decimal)
    for step in path:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int):
            found = found[step] if -len(found) <= step < len(found) else None
        else:
            return None
    if found is None or isinstance(found, str):
        return found
    return str(found).lower() if isinstance(found, bool) else str(found)


def _truncated(unit: str) -> Callable[[Any], datetime]:
    def truncated(given: Any) -> datetime:
        when: datetime = _midnight(given).replace(tzinfo=None, microsecond=0)
        if unit == "second":
            return when
        when = when.replace(second=0)
        if unit == "minute":
            return when
        when = when.replace(minute=0)
        if unit == "hour":
            return when
        when = when.replace(hour=0)
        if unit == "day":
            return when
        if unit == "week":
            return when - timedelta(days=when.weekday())
        when = when.replace(day=1)
        if unit == "month":
            return when
        return when.replace(month=when.month - (when.month - 1) % 3 if unit == "quarter" else 1)

    return truncated


def _epoch(given: Any) -> int:
    when = _midnight(given)
    since = when - datetime(1970, 1, 1, tzinfo=UTC if when.tzinfo else None)
    return int(since // timedelta(seconds=1))


def _geo_within(*numbers: Any) -> bool:
    latitude, longitude, other, beside, metres = (float(number) for number in numbers)
    try:
        sines = [
            math.sin(math.radians(angle) / 2) ** 2
            for angle in (other - latitude, beside - longitude)
        ]
        across = math.cos(math.radians(latitude)) * math.cos(math.radians(other)) * sines[1]
    except ValueError as error:
        raise UnsureError from error  # an infinite angle
    angles = (latitude, longitude, other, beside, other - latitude, beside - longitude)
    if any(0 < abs(angle) < 1e-150 for angle in angles):
        raise UnsureError  # their squares are too small
    distance = 2 * EARTH * math.asin(math.sqrt(min(1.0, sines[0] + across)))
    if math.isnan(distance) or abs(distance - metres) <= 1e-3:
        raise UnsureError
    return distance <= metres


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Not": lambda a: not a,
    "Add": _add,
    "Subtract": _subtract,
    "Multiply": _arithmetic(lambda a, b: a * b),
    "Divide": _divide,
    "Quotient": _quotient,
    "Remainder": _remainder,
    "Negate": lambda a: _whole(-a) if isinstance(a, int) else -a,
    "Abs": lambda a: _whole(abs(a)) if isinstance(a, int) else abs(a),
    "Floor": _rounded(math.floor),
    "Ceil": _rounded(math.ceil),
    "Like": _like,
    "ILike": lambda a, b: _like(ascii_lower(a), ascii_lower(b)),
    "Contains": lambda a, b: b in a,
    "StartsWith": lambda a, b: a.startswith(b),
    "EndsWith": lambda a, b: a.endswith(b),
    "Matches": _matches,
    "Lower": ascii_lower,
    "Upper": _ascii_upper,
    "Length": len,
    "Trim": lambda a: a.strip(" "),
    "Concat": lambda *texts: "".join(texts),
    "ListContains": lambda a, b: any(same(one, b) for one in a),
    "ListOverlaps": lambda a, b: any(same(one, other) for one in a for other in b),
    "ListContainsAll": lambda a, b: all(any(same(one, other) for one in a) for other in b),
    "ListDisjoint": lambda a, b: not any(same(one, other) for one in a for other in b),
    "ListLength": len,
    "ToInt": _to_int,
    "ToFloat": _to_float,
    "ToText": str,
    "GeoWithin": _geo_within,
    "Year": lambda a: a.year,
    "Quarter": lambda a: (a.month + 2) // 3,
    "Month": lambda a: a.month,
    "Week": lambda a: a.isocalendar().week,
    "Day": lambda a: a.day,
    "WeekDay": lambda a: a.isoweekday(),
    "YearDay": lambda a: a.timetuple().tm_yday,
    "Hour": lambda a: a.hour,
    "Minute": lambda a: a.minute,
    "Second": lambda a: a.second,
    "Epoch": _epoch,
}
for _unit in ("year", "quarter", "month", "week", "day", "hour", "minute", "second"):
    FUNCTIONS[f"Truncate{_unit.capitalize()}"] = _truncated(_unit)

TO_INT = {
    "Quotient",
    "Remainder",
    "Length",
    "ListLength",
    "ToInt",
    "Year",
    "Quarter",
    "Month",
    "Week",
    "Day",
    "WeekDay",
    "YearDay",
    "Hour",
    "Minute",
    "Second",
    "Epoch",
}

"""Text on its way into a column of another type is read as that type.

CSV has only text, and so has SQLite for decimals, intervals and lists. Values of any other type
are left to the database, which re-types nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import rowmill as rm
from rowmill._cli_create import DECIMAL, LIST
from rowmill._cli_failures import CopyError

Parser = Callable[[str], Any]

WORDS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
INTEGER = re.compile(r"[+-]?[0-9]+")
# What `datetime` would cut off.
BELOW_MICROSECOND = re.compile(r"\.[0-9]{6}0*[1-9]")
INTERVAL = re.compile(
    r"P(?:(?P<Y>-?\d+)Y)?(?:(?P<M>-?\d+)M)?(?:(?P<D>-?\d+)D)?"
    r"(?:T(?:(?P<h>-?\d+)H)?(?:(?P<m>-?\d+)M)?(?:(?P<minus>-?)(?P<s>\d+)(?:\.(?P<f>\d{1,6}))?S)?)?",
    re.ASCII,
)


def fitted(
    frames: Iterator[rm.Frame], kinds: Mapping[str, str], *, sqlite: bool
) -> Iterator[rm.Frame]:
    """The frames as a table takes them whose columns have these types."""
    before = 0
    for frame in frames:
        yield fit(frame, kinds, before, sqlite=sqlite)
        before += len(frame)


def fit(frame: rm.Frame, kinds: Mapping[str, str], before: int, *, sqlite: bool) -> rm.Frame:
    """One frame; `before` rows came in others."""
    names = frame.columns
    changed: dict[str, list[Any]] = {}
    for name, kind in zip(names, frame.schema.types, strict=True):
        wanted = kinds.get(name, "")
        parse = parser(wanted)
        if kind == "text" or (kind == "json" and LIST.fullmatch(wanted)):
            if parse is not None:
                changed[name] = parsed(frame, name, wanted, parse, before)
        # SQLite has neither; a table that is yet to be made has text for them.
        elif sqlite and (kind == "interval" or is_large(kind)) and wanted in ("text", kind):
            values = frame[name].to_list()
            changed[name] = [None if value is None else format(value) for value in values]
    # Two columns of one name are refused by the load, which says so.
    if not changed or len(set(names)) < len(names):
        return frame
    return rm.Frame({name: changed.get(name, frame[name]) for name in names})


def is_large(kind: str) -> bool:
    """Whether it is a decimal without a fraction, which SQLite gets as an integer of 64 bits."""
    match = DECIMAL.fullmatch(kind)
    return match is not None and int(match[1]) > 18 and int(match[2]) <= 0


def parsed(frame: rm.Frame, name: str, kind: str, parse: Parser, before: int) -> list[Any]:
    """The values of a column of text."""
    values: list[Any] = []
    for text in frame[name].to_list():
        try:
            values.append(None if text is None else parse(text))
        except (ValueError, ArithmeticError):
            shown = text if len(text) <= 60 else text[:60] + "..."
            raise CopyError(
                f"column {name!r}, row {before + len(values)}: {shown!r} is not a value of {kind}"
            ) from None
    return values


def parser(kind: str) -> Parser | None:
    """What reads text as a value of a type; None where text goes in as it is."""
    if kind.startswith("decimal("):
        return decimal
    if match := LIST.fullmatch(kind):
        item = parser(match[1])
        # Numbers stay as they are written, for the item's own parser.
        return lambda text: items(json.loads(text, parse_int=str, parse_float=str), item)
    return PARSERS.get(kind)


def items(value: Any, parse: Parser | None) -> Any:
    """The values of a list, read from those of a JSON array."""
    if isinstance(value, list):
        return [
            items(item, parse) if isinstance(item, list) else read(item, parse) for item in value
        ]
    raise ValueError


def read(item: Any, parse: Parser | None) -> Any:
    """One item of a JSON array."""
    return parse(item) if parse is not None and isinstance(item, str) else item


def boolean(text: str) -> bool:
    """`true`, `t` or `1`."""
    if text.lower() not in WORDS:
        raise ValueError
    return WORDS[text.lower()]


def integer(text: str) -> int:
    """Digits of ASCII, where `int` would take more."""
    if not INTEGER.fullmatch(text):
        raise ValueError
    return int(text)


def floating(text: str) -> float:
    """A float; `float` would let 1_0 pass."""
    if "_" in text:
        raise ValueError
    return float(text)


def decimal(text: str) -> Decimal:
    """A decimal; `Decimal` would let 1_0 pass."""
    if "_" in text:
        raise ValueError
    return Decimal(text)


def clock(text: str) -> time:
    """A time of day."""
    return time.fromisoformat(exact(text))


def timestamp(text: str) -> datetime:
    """A point in time, with a zone or without: which of them the column takes, the load checks."""
    return datetime.fromisoformat(exact(text))


def exact(text: str) -> str:
    """The text, unless it has parts of a microsecond."""
    if BELOW_MICROSECOND.search(text):
        raise ValueError
    return text


def binary(text: str) -> bytes:
    """Bytes as PostgreSQL writes them: `\\x00ff`."""
    if not text.startswith("\\x"):
        raise ValueError
    return bytes.fromhex(text[2:])


def interval(text: str) -> rm.Interval:
    """An interval as ISO 8601 has it: `P14M3DT0.5S`."""
    match = INTERVAL.fullmatch(text)
    if match is None or text == "P" or text.endswith("T"):
        raise ValueError
    years, months, days, hours, minutes, seconds = (int(match[part] or 0) for part in "YMDhms")
    rest = seconds * 1_000_000 + int((match["f"] or "").ljust(6, "0"))
    rest = -rest if match["minus"] else rest
    return rm.Interval(years * 12 + months, days, (hours * 60 + minutes) * 60_000_000 + rest)


PARSERS: dict[str, Parser] = {
    "bool": boolean,
    **dict.fromkeys(("int8", "int16", "int32", "int64"), integer),
    **dict.fromkeys(("uint8", "uint16", "uint32", "uint64"), integer),
    "float32": floating,
    "float64": floating,
    "bytes": binary,
    "date": date.fromisoformat,
    "time": clock,
    "timestamp": timestamp,
    "timestamp[utc]": timestamp,
    "interval": interval,
}

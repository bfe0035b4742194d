"""How one value is written as text, in a table or in CSV."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rowmill as rm


def text(value: Any) -> str:
    """A value as PostgreSQL writes it in CSV: `true`, `2026-01-31 10:00:00+00:00`, `\\x00ff`."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list):
        return json.dumps(listed(value), ensure_ascii=False)
    return str(value)


def listed(value: Any) -> Any:
    """The items of a list as JSON can write them: numbers, booleans and null stay themselves."""
    if isinstance(value, list):
        return [listed(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else text(value)


def tuples(frame: rm.Frame) -> Iterator[Sequence[Any]]:
    """The rows of a frame, decoded column by column where each name means one column."""
    names = frame.columns
    if len(set(names)) == len(names):
        return zip(*(frame[name].to_list() for name in names), strict=True)
    return (row.to_tuple() for row in frame.rows())


def printable(string: str) -> str:
    """A text in one line, with everything that could move a terminal's cursor written out."""
    if string.isprintable():
        return string
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in string)


def cells(string: str) -> int:
    """How many character cells a terminal draws a text in."""
    return len(string) if string.isascii() else sum(map(cell, string))


def cell(character: str) -> int:
    """How many cells one character takes: 0, 1 or 2."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(string: str, width: int, ellipsis: str) -> str:
    """A text of at most `width` cells, with an ellipsis at the end where it was cut."""
    # A character takes at least no cell, so a slice twice too long keeps a megabyte from the loop.
    if len(string) <= width and cells(string) <= width:
        return string
    kept, used = [], len(ellipsis)
    for character in string:
        used += cell(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + ellipsis

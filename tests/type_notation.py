"""PostgreSQL's notation of ranges, composites and `hstore`, read by the standard library alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Read = Callable[[str, str | None], Any]
"""The canonical value of a text, for a type by Rowmill's name of it."""


def fields_of(kind: str) -> dict[str, str]:
    """The fields of a struct's type: `struct[a: int32, b: list[text]]`."""
    inner, depth, parts = kind.removeprefix("struct[")[:-1], 0, [""]
    for character in inner:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    named = (part.strip().partition(": ") for part in parts)
    return {name: kind for name, _, kind in named}


def is_range(kind: str) -> bool:
    """Whether a struct has the fields of a range."""
    return list(fields_of(kind)) == ["lower", "upper", "bounds"]


def _parts(inner: str) -> Iterator[str | None]:
    """What stands between commas: quoted, with quotes doubled or escaped, or as it is; None if nothing."""
    at = 0
    while True:
        text, quoted, empty = "", False, True
        while at < len(inner) and (quoted or inner[at] != ","):
            character = inner[at]
            if character == "\\":
                at += 1
                text += inner[at]
            elif character == '"' and quoted and inner[at + 1 : at + 2] == '"':
                at += 1
                text += '"'
            elif character == '"':
                quoted = not quoted
            else:
                text += character
            empty = False
            at += 1
        yield None if empty else text
        if at >= len(inner):
            return
        at += 1


def range_(kind: str, text: str, read: Read) -> dict[str, Any]:
    """`[1,5)`, `empty`."""
    if text == "empty":
        return {"lower": None, "upper": None, "bounds": "empty"}
    bound = fields_of(kind)["lower"]
    lower, upper = _parts(text[1:-1])
    bounds = text[0] + text[-1]
    return {"lower": read(bound, lower), "upper": read(bound, upper), "bounds": bounds}


def composite(kind: str, text: str, read: Read) -> dict[str, Any]:
    """`(1,"a b",)`."""
    fields = fields_of(kind)
    values = zip(fields.items(), _parts(text[1:-1]), strict=True)
    return {name: read(kind, value) for (name, kind), value in values}


def hstore(text: str) -> dict[str, str | None]:
    """`"a"=>"1", "b"=>NULL`."""
    word = r'"((?:[^"\\]|\\.)*)"'
    found = re.finditer(f"{word}=>(?:NULL|{word})", text, re.DOTALL)

    def plain(text: str | None) -> str | None:
        return None if text is None else re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)

    return {plain(pair[1]) or "": plain(pair[2]) for pair in found}


_RANGE = re.compile(r'empty|[\[(](?:"(?:[^"\\]|\\.|"")*"|[^"\])])*[\])]')


def multirange(kind: str, text: str, read: Read) -> list[dict[str, Any]]:
    """`{[1,3),[5,9)}`."""
    return [range_(kind, found[0], read) for found in _RANGE.finditer(text[1:-1])]

"""What the command line's words mean: parameters, the statement, the database."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
# No leading zeros: 007 is somebody's code, and must not arrive as 7.
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
TYPES: dict[str, Callable[[str], Any]] = {
    "text": str,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "uuid": UUID,
}


class UsageError(Exception):
    """The command line cannot be followed; the message says why."""


def parameters(words: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """The values of `--param`: those for `$1`, `$2` in order, or those for `:name`."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for word in words:
        match = NAMED.fullmatch(word)
        if match is None:
            positional.append(value(word))
        elif match[1] in named:
            raise UsageError(f"parameter {match[1]} is given twice")
        else:
            named[match[1]] = value(match[2])
    if positional and named:
        raise UsageError(
            "parameters are either all positional (--param 5) or all named (--param id=5);"
            " a text with = in it is written --param text:a=b"
        )
    return positional, named


def value(word: str) -> Any:
    """The value a word stands for: an integer, a float, true, false, null, or itself.

    A prefix (`text:`, `decimal:`, `date:`, `timestamp:`, `uuid:`) says it outright.
    """
    prefix, colon, rest = word.partition(":")
    if colon and prefix in TYPES:
        try:
            return TYPES[prefix](rest)
        except (ValueError, ArithmeticError):
            raise UsageError(f"--param {word}: {rest!r} is not a {prefix}") from None
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    if INTEGER.fullmatch(word):
        return int(word)
    if FLOAT.fullmatch(word):
        return float(word)
    return word


def statement(word: str) -> str:
    """The statement: the word itself, standard input for `-`, a file for `@file.sql`."""
    try:
        if word == "-":
            return sys.stdin.read()
        if word.startswith("@"):
            return Path(word[1:]).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{word}: the statement is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"cannot read {word[1:] or word}: {error.strerror}") from None
    return word


def database(url: str | None, sql: str) -> str | None:
    """The URL to open: None asks the environment, and the path of a file is an SQLite database."""
    if url is None and (SCHEME.match(sql) or Path(sql).is_file()):
        raise UsageError(f"no SQL is given: {sql} is a database")
    if SCHEME.match(sql):
        raise UsageError("the URL comes before the SQL")
    if url is None or SCHEME.match(url):
        return url
    if url and Path(url).is_file():
        return "sqlite:///" + quote(str(Path(url).resolve()))
    raise UsageError(f"{url!r} is neither a URL (postgresql://..., sqlite:///file.db) nor a file")

"""What the command line's words mean: parameters, the statement, the database."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
# No leading zeros: 007 is somebody's code, and must not arrive as 7.
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
SQLITE = re.compile(r"sqlite:///([^?]*)\??(.*)", re.IGNORECASE | re.DOTALL)
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


def check_text(word: str, what: str) -> None:
    """Raise for what is not UTF-8, which Python keeps as surrogates; it may hold a password."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} is not UTF-8 text") from None


def database(url: str | None, sql: str) -> str | None:
    """The URL to open: None asks the environment, and the path of a file is an SQLite database."""
    if url is None and (SCHEME.match(sql) or is_file(sql)):
        raise UsageError(f"no SQL is given: {sql} is a database")
    if SCHEME.match(sql):
        raise UsageError("the URL comes before the SQL")
    if url is None or SCHEME.match(url):
        check_file(os.environ.get("DATABASE_URL", "") if url is None else url)
        return url
    if url and is_file(url):
        return file_url(url)
    raise UsageError(f"{url!r} is neither a URL (postgresql://..., sqlite:///file.db) nor a file")


def file_url(path: str) -> str:
    """The URL of an SQLite file."""
    return "sqlite:///" + quote(str(Path(path).resolve()))


def check_file(url: str) -> None:
    """Raise for an SQLite file that is not there: SQLite would make one of a misspelled name."""
    match = SQLITE.fullmatch(url)
    if match is None or "mode=rwc" in match[2].split("&"):
        return
    path = unquote(match[1])
    if path in {"", ":memory:"}:
        return
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"there is no file {path}; to make a new database, write 'sqlite:///{match[1]}?mode=rwc'"
        ) from None
    except (OSError, ValueError):
        return  # what else is wrong with it, opening it tells


def is_file(word: str) -> bool:
    """Whether the word is a file's name."""
    try:
        return Path(word).is_file()
    except OSError:  # a long statement is too long for a name
        return False

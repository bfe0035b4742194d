"""The formats a result can be written in, each taking one frame after the other."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rowmill._cli_arrow import Arrow, Parquet
from rowmill._cli_output import Output
from rowmill._cli_params import UsageError
from rowmill._cli_table import Style, Table
from rowmill._cli_text import text, tuples

if TYPE_CHECKING:
    import rowmill as rm

FORMATS = ("table", "json", "ndjson", "csv", "arrow", "parquet")
BINARY = ("arrow", "parquet")
SUFFIXES = {
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
}
# Rows of CSV encoded and written at a time.
LINES = 4_096
QUOTED = re.compile(r'[",\r\n]')


class Writer(Protocol):
    """Frames in, bytes out."""

    def write(self, frame: rm.Frame) -> None:
        """Write the rows of a frame."""

    def finish(self, rows: int, more: bool) -> None:
        """Write what ends the result; `more` says that rows were left out."""


def format_of(chosen: str | None, path: str | None) -> str:
    """The format asked for, or the one the file's name tells."""
    if chosen or path is None:
        return chosen or "table"
    suffix = Path(path).suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in {"", ".txt"}:
        return "table"
    raise UsageError(
        f"no format is known for a file that ends in {suffix}; name one with --format,"
        f" or end it in one of {', '.join(sorted(SUFFIXES))}"
    )


def writer(kind: str, out: Output, path: str | None) -> Writer:
    """The writer of a format."""
    if kind in BINARY:
        if out.terminal:
            raise UsageError(f"{kind} is binary: name a file with -o, or pipe it to a program")
        if kind == "parquet":
            return Parquet(out)
        return Arrow(out, stream=path is None or path.endswith(".arrows"))
    if kind == "table":
        style = Style.of(sys.stdout) if path is None else Style()
        encoding = sys.stdout.encoding if path is None else "utf-8"
        return Table(lambda s: out.write(s.encode(encoding, "backslashreplace")), style)
    texts: dict[str, Callable[[Output], Writer]] = {"json": Json, "ndjson": Ndjson, "csv": Csv}
    return texts[kind](out)


class Ndjson:
    """One JSON object a line."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def write(self, frame: rm.Frame) -> None:
        """One line for each row."""
        if len(frame):
            self._out.write(frame.to_json(orient="ndjson").rstrip(b"\n") + b"\n")

    def finish(self, rows: int, more: bool) -> None:
        """Nothing ends it."""


class Json:
    """One JSON array of objects, a row on each line."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._before = b"["

    def write(self, frame: rm.Frame) -> None:
        """One element for each row; a line break inside a JSON string is escaped, so each ends a row."""
        if len(frame):
            lines = frame.to_json(orient="ndjson").rstrip(b"\n")
            self._out.write(self._before)
            self._out.write(lines.replace(b"\n", b",\n"))
            self._before = b",\n"

    def finish(self, rows: int, more: bool) -> None:
        """Close the array."""
        self._out.write(b"[]\n" if self._before == b"[" else b"]\n")


class Csv:
    """Comma-separated values with a header, UTF-8: NULL is nothing, an empty text is `""`."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._begun = False

    def write(self, frame: rm.Frame) -> None:
        """One record for each row, after the header if they are the first."""
        if not self._begun:
            self._begun = True
            self._out.write((",".join(map(field, frame.columns)) + "\n").encode())
        rows = tuples(frame)
        while lines := [",".join(map(field, row)) for row in islice(rows, LINES)]:
            self._out.write(("\n".join(lines) + "\n").encode())

    def finish(self, rows: int, more: bool) -> None:
        """Nothing ends it."""


def field(value: Any) -> str:
    """One field of CSV, in quotes where it needs them."""
    if value is None:
        return ""
    string = text(value)
    if not string or QUOTED.search(string):
        return '"' + string.replace('"', '""') + '"'
    return string

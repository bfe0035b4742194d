"""A result as an aligned table that fits the terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from rowmill._cli_text import cells, cut, printable, text, tuples

if TYPE_CHECKING:
    import rowmill as rm

NARROWEST = 5
# Rows that decide the columns' widths; later rows are cut to them, so that a table of any length
# is printed while it arrives.
MEASURED = 1_000
# Text is looked at no further than this many characters: nobody reads a megabyte in a cell.
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Style:
    """What the output can show."""

    width: int | None = None
    colour: bool = False
    bar: str = "│"
    rule: str = "─"
    cross: str = "┼"
    ellipsis: str = "…"

    @classmethod
    def of(cls, out: TextIO) -> Style:
        """The style of a stream: colours and a width on a terminal, ASCII where it must be."""
        terminal = out.isatty()
        style = cls(
            width=shutil.get_terminal_size((100, 24)).columns if terminal else None,
            colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        )
        try:
            "│─┼…".encode(out.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return replace(style, bar="|", rule="-", cross="+", ellipsis="...")
        return style


class Table:
    """Prints frames one after the other as a single table."""

    def __init__(self, emit: Callable[[str], object], style: Style) -> None:
        self._emit = emit
        self._style = style
        self._names: list[str] = []
        self._widths: list[int] = []
        self._right: list[bool] = []
        self._hidden = 0
        self._begun = False

    def write(self, frame: rm.Frame) -> None:
        """Print the rows of a frame, after the header if they are the first."""
        rows = tuples(frame)
        if not self._begun:
            self._begun = True
            first = list(islice(rows, MEASURED))
            self._measure(list(frame.columns), first)
            self._header()
            self._rows(first)
        self._rows(rows)

    def finish(self, rows: int, more: bool) -> None:
        """Print the line that counts the rows."""
        counted = f"{rows:,} row{'' if rows == 1 else 's'}"
        if self._begun and not self._names:
            counted = "done, no columns"
        notes = [f"first {counted}; --limit 0 shows all" if more else counted]
        if self._hidden:
            notes.append(f"{self._hidden} columns do not fit")
        self._emit(self._dim(f"({'; '.join(notes)})") + "\n")

    def _measure(self, names: list[str], rows: Sequence[Sequence[Any]]) -> None:
        self._names = [printable(name) for name in names]
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
        self._right = [
            any(map(number, column)) and all(v is None or number(v) for v in column)
            for column in columns
        ]
        self._widths = [
            max([cells(name), *(cells(shown(value)) for value in column)])
            for name, column in zip(self._names, columns, strict=True)
        ]
        if self._style.width is not None:
            self._widths = fitted(self._widths, self._style.width)
            self._hidden = len(names) - len(self._widths)

    def _header(self) -> None:
        if not self._widths:
            return
        named = (
            self._bold(aligned(cut(name, width, self._style.ellipsis), width, right))
            for name, width, right in zip(self._names, self._widths, self._right, strict=False)
        )
        self._line(list(named))
        rule = self._style.rule
        self._emit(self._dim(self._style.cross.join(rule * (w + 2) for w in self._widths)) + "\n")

    def _rows(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self._line(
                [
                    self._cell(value, width, right)
                    for value, width, right in zip(row, self._widths, self._right, strict=False)
                ]
            )

    def _cell(self, value: Any, width: int, right: bool) -> str:
        padded = aligned(cut(shown(value), width, self._style.ellipsis), width, right)
        return self._dim(padded) if value is None else padded

    def _line(self, columns: list[str]) -> None:
        if columns:
            self._emit(f" {f' {self._style.bar} '.join(columns)}".rstrip() + "\n")

    def _bold(self, string: str) -> str:
        return f"\x1b[1m{string}\x1b[0m" if self._style.colour else string

    def _dim(self, string: str) -> str:
        return f"\x1b[2m{string}\x1b[0m" if self._style.colour else string


def number(value: Any) -> bool:
    """Whether a value is drawn to the right."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A value in one line; NULL as the bare word, a text of these letters in quotes."""
    if value is None:
        return "NULL"
    string = text(value)[:LONGEST]
    return '"NULL"' if string == "NULL" else printable(string)


def aligned(string: str, width: int, right: bool) -> str:
    """A text padded to a width."""
    pad = " " * (width - cells(string))
    return pad + string if right else string + pad


def fitted(widths: list[int], terminal: int) -> list[int]:
    """Widths that fit a terminal: the widest give first, and the last columns go at the end."""
    most = max(1, (terminal + 1) // (NARROWEST + 3))
    kept = widths[:most]
    room = terminal - 3 * len(kept) + 1
    excess = sum(kept) - room
    while excess > 0:
        widest = max(kept)
        if widest <= NARROWEST:
            break
        second = max((w for w in kept if w < widest), default=NARROWEST)
        many = kept.count(widest)
        step = max(1, min(widest - max(second, NARROWEST), -(-excess // many)))
        for at, width in enumerate(kept):
            if width == widest and excess > 0:
                taken = min(step, excess)
                kept[at] -= taken
                excess -= taken
    return kept

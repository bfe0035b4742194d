"""The standard library's sqlite3: tuples of what SQLite keeps, so times are text and booleans 0 and 1."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from typing import Any

from bench.irc import Row
from bench.peers.irc.texts import TEXTS, TextArm


class Arm(TextArm):
    """One connection and its cache of statements."""

    def __init__(self, url: str) -> None:
        sqlite3.register_adapter(datetime, lambda value: value.isoformat(" "))
        sqlite3.register_adapter(date, date.isoformat)
        self.connection = sqlite3.connect(url.removeprefix("sqlite:///"))

    def ask(self, kind: str, *parameters: Any) -> list[Row]:
        """fetchall."""
        return self.connection.execute(TEXTS[kind], parameters).fetchall()

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """Times and booleans made what they stand for."""
        at, flags = TYPED.get(kind, LOG)
        return [
            tuple(
                datetime.fromisoformat(value) if n in at else bool(value) if n in flags else value
                for n, value in enumerate(row)
            )
            for row in rows
        ]


LOG = ((2,), (5, 9))
TYPED: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "channel": ((), (5,)),
    "size": ((), ()),
    "top": ((4, 5), ()),
}
"""Which columns are times, and which booleans."""

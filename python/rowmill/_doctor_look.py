"""What a check looks through: rows of a statement, within the time that is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rowmill._doctor_limits import STATEMENT
from rowmill._rowmill import Database, Transaction


class Look:
    """Asks a database, until a deadline."""

    def __init__(self, on: Database | Transaction, deadline: float) -> None:
        self._on = on
        self._deadline = deadline
        # What could not be looked at: the check and why.
        self.skipped: list[tuple[str, str]] = []
        # Whether the role sees what other roles' sessions do.
        self.sees_sessions = True

    def left(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - time.monotonic()

    def rows(self, sql: str, *parameters: Any, whole: bool = False) -> list[dict[str, Any]]:
        """The rows as dicts. With `whole` the statement may take all the time that is left."""
        left = max(0.001, self.left())
        timeout = left if whole else min(left, STATEMENT)
        return [row.to_dict() for row in self._on.fetch(sql, *parameters, timeout=timeout).rows()]

    def stream(self, sql: str) -> Iterator[dict[str, Any]]:
        """The rows as they come, so that those before a failure are had, in all the time left."""
        with self._on.stream(sql, batch_rows=1, timeout=max(0.001, self.left())) as parts:
            for part in parts:
                yield from (row.to_dict() for row in part.rows())

    def value(self, sql: str, *parameters: Any) -> Any:
        """The first column of the first row."""
        rows = self.rows(sql, *parameters)
        return next(iter(rows[0].values())) if rows else None

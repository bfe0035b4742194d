"""Campaigns in memory that keep up with their table, and the answer to a request."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Any, NamedTuple, Self

import rowmill as rm

from .campaigns import ATTRIBUTES
from .store import MAKE, NotReadyError, Place, Store


class Bid(NamedTuple):
    """A campaign that may be shown, and what it pays for that."""

    id: int
    bid: float


class Service:
    """Answers requests while a thread asks the table what changed, every so many seconds.

    While the database is away it answers with the campaigns that it has. A campaign whose filter cannot be read is shown
    to nobody.
    """

    def __init__(self, url: str, *, every: float = 0.5) -> None:
        self.store = Store(url, read_only=True)
        self.matcher: rm.Matcher[int] = rm.Matcher(ATTRIBUTES, unknown="ignore", errors="skip")
        self.every = every
        self.changes = self.refused = self.failures = 0
        self.last_error: str | None = None
        self.place = Place(0, 0)
        self.read_at = time.monotonic()
        self._reading = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="campaigns", daemon=True)

    def __enter__(self) -> Self:
        try:
            frame, self.place = self._live()
        except BaseException:
            self.store.close()
            raise
        try:
            self.matcher.insert_many(frame)
        except rm.ProgrammingError:
            # One is at fault, and all the others are to be shown.
            for id, filter, bid in frame.to_tuples():
                self._put(id, filter, bid)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._over.set()
        self._thread.join()
        self.store.close()

    def answer(self, record: bytes | dict[str, Any], most: int = 3) -> list[Bid]:
        """The campaigns of the highest bids that may be shown, the highest first."""
        return [Bid(*one) for one in self.matcher.top(record, most)]

    def refresh(self) -> None:
        """Take in what changed in the table until now."""
        with self._reading:
            for change in self.store.changes(self.place):
                if change.live:
                    self._put(change.id, change.filter, change.bid)
                else:
                    self._drop(change.id)
                self.place = Place(change.version, change.id)
                self.changes += 1
            self.read_at = time.monotonic()

    def stats(self) -> dict[str, Any]:
        """How the service is doing."""
        return {
            "campaigns": len(self.matcher),
            "version": self.place.version,
            "behind_seconds": round(time.monotonic() - self.read_at, 3),
            "changes": self.changes,
            "refused": self.refused,
            "failures": self.failures,
            "last_error": self.last_error,
            "index_bytes": self.matcher.stats()["bytes"],
        }

    def _live(self) -> tuple[rm.Frame, Place]:
        try:
            return self.store.live()
        except rm.Error as error:
            if self.store.is_made():
                raise
            raise NotReadyError(f"{error.args[0]}; {MAKE}") from None

    def _follow(self) -> None:
        while not self._over.wait(self.every):
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next time may be better
                self.failures += 1
                why = error.args[0] if isinstance(error, rm.Error) else repr(error)
                self._tell(f"the table could not be read: {why}")

    def _put(self, id: int, filter: str, bid: float) -> None:
        try:
            self.matcher.replace(id, rm.Expr.from_json(filter), bid)
        except rm.ProgrammingError as error:
            self.refused += 1
            self._tell(f"campaign {id} is not shown: {error.args[0]}")
            self._drop(id)

    def _drop(self, id: int) -> None:
        with contextlib.suppress(KeyError):
            self.matcher.remove(id)

    def _tell(self, message: str) -> None:
        if message != self.last_error:
            print(f"targeting: {message}", file=sys.stderr)
        self.last_error = message

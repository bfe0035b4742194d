"""A conversation is held again and again, each time with a fault one byte further on.

After each fault: the right exception or the right answer, and never another; the same database
works at once; no descriptor, thread, reader of the event loop or session more than before. After
all of them: what the tables hold is what the callers were told.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import rowmill as rm
from tests.faults.conversations import PARTS, Attempt, Awaited, Conversation
from tests.faults.proxy import Fault, Kind, Proxy, Side
from tests.watch import descriptors, threads

UNKNOWN = "not known whether the transaction committed"
WORKERS = 4  # threads that the library may have at work, or keep for a while, at one connection
NUMBERS = itertools.count(1)
# Else a server learns that its client has gone when it has an answer for it, and not before.
NOTICE = "&options=-c%20client_connection_check_interval%3D20ms"


@dataclass
class Told:
    """What the callers were told about the rows they wrote."""

    done: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)

    def check(self, kept: list[tuple[int, int]]) -> None:
        """Compares with what is there: pairs of attempt and rows."""
        there = dict(kept)
        assert set(there.values()) <= {PARTS}, f"half of an attempt: {there}"
        assert self.done <= set(there), f"lost: {self.done - set(there)}"
        assert not self.failed & set(there), f"kept after all: {self.failed & set(there)}"
        assert set(there) <= self.done | self.unknown, "never asked for"


@dataclass
class World:
    """A database behind a proxy, of either kind, and what it may use."""

    db: Any
    kind: str
    proxy: Proxy
    another: Callable[[], Any]
    pause: Callable[[float], Awaitable[None]]
    loop: asyncio.AbstractEventLoop | None = None
    told: Told = field(default_factory=Told)

    async def begin(self) -> None:
        """Connects, and takes stock."""
        assert await self.db.fetch_value("select 1") == 1
        self._descriptors, self._threads = descriptors(), threads()
        self._readers = self._reader_count()

    async def sweep(
        self,
        conversation: Conversation,
        kind: Kind,
        side: Side,
        connection: int = 0,
        stride: int = 1,
    ) -> int:
        """Holds the conversation with the fault at every place (every `stride`-th), until it is
        over before the place is reached. Returns how many faults there were."""
        for count, at in enumerate(itertools.count(0, stride)):
            fault = Fault(kind, side, at, connection)
            try:
                if not await self.once(conversation, fault):
                    return count
            except BaseException as error:
                error.add_note(f"{conversation.name}, {self.kind}, {fault}")
                raise
        raise AssertionError

    async def once(self, conversation: Conversation, fault: Fault) -> bool:
        """Holds it once; whether the fault came about."""
        attempt = Attempt(next(NUMBERS), self.another)
        self.proxy.arm(fault)
        try:
            await conversation.hold(self.db, attempt)
        except rm.Error as error:
            # Its frames hold the database, and what that keeps open.
            raised: rm.Error | None = error.with_traceback(None)
        else:
            raised = None
        fired = self.proxy.fired
        self.proxy.arm(None)
        self._judge(conversation, fault, fired, attempt, raised)
        await self._works(fired and raised is None)
        await self._settles()
        return fired

    def _judge(
        self,
        conversation: Conversation,
        fault: Fault,
        fired: bool,
        attempt: Attempt,
        raised: rm.Error | None,
    ) -> None:
        if raised is None:
            harmless = not fired or fault.kind == "split" or fault.connection > 0
            assert harmless or conversation.may_succeed or fault.kind == "swap", "success"
            if conversation.writes:
                self.told.done.add(attempt.number)
            return
        assert fired, f"an error without a fault: {raised!r}"
        if fault.kind == "swap":
            expected: tuple[type[BaseException], ...] = (rm.InternalError,)
        else:
            assert fault.kind == "cut", repr(raised)
            expected = conversation.raises
        assert type(raised) in expected, repr(raised)
        says_unknown = UNKNOWN in str(raised)
        if conversation.name == "transaction":
            assert says_unknown == attempt.committing, str(raised)
        if conversation.writes:
            # A single statement that was cut off may have run: the class says so.
            unknown = says_unknown or not conversation.transaction
            (self.told.unknown if unknown else self.told.failed).add(attempt.number)

    async def _works(self, may_be_gone: bool) -> None:
        """The next statement is answered, at once; where nobody has heard of the cut, it may be
        the one that hears of it."""
        number = next(NUMBERS)
        if may_be_gone:
            with contextlib.suppress(rm.ConnectionLost):
                await self.db.fetch_value("select $1::int8", number)
        assert await self.db.fetch_value("select $1::int8", number) == number

    async def _settles(self) -> None:
        """As many descriptors, threads and readers as before, if not at once then soon."""
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            now = (descriptors(), self._reader_count())
            if now[0] <= self._descriptors and now[1] <= self._readers:
                break
            await self.pause(0.0005)
        else:
            raise AssertionError(
                f"{now} descriptors and readers, not {self._descriptors, self._readers}"
            )
        assert threads() <= self._threads + WORKERS

    def _reader_count(self) -> int:
        selector = getattr(self.loop, "_selector", None)  # uvloop keeps its own to itself
        return len(selector.get_map()) if selector is not None else 0


@contextlib.contextmanager
def blocking(url: str, login: str, proxy: Proxy) -> Iterator[World]:
    """A world for a `Database`; `login` is another URL of the same server."""

    async def pause(seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - there is no loop

    def another() -> Any:
        return Awaited(rm.Database(proxy.url(login + NOTICE)))

    with rm.Database(proxy.url(url + NOTICE), pool_size=1) as db:
        yield World(Awaited(db), "sync", proxy, another, pause)


@contextlib.asynccontextmanager
async def awaited(url: str, login: str, proxy: Proxy) -> AsyncIterator[World]:
    """A world for an `AsyncDatabase`; `login` is another URL of the same server."""

    def another() -> Any:
        return rm.AsyncDatabase(proxy.url(login + NOTICE))

    async with rm.AsyncDatabase(proxy.url(url + NOTICE), pool_size=1) as db:
        yield World(db, "async", proxy, another, asyncio.sleep, asyncio.get_running_loop())

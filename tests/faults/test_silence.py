"""A server that goes silent, and closes nothing: deadlines hold, and the database goes on."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rowmill as rm
from tests.faults.conversations import (
    Attempt,
    Awaited,
    Conversation,
    execute_many,
    finish,
    load,
    select,
    transaction,
)
from tests.faults.proxy import Fault, Proxy, Side
from tests.faults.sweep import UNKNOWN
from tests.postgres_server import PostgresServer
from tests.watch import HANG, eventually, sessions, within

# A cancelled statement has 5 s to end (limits::CANCEL_GRACE); all stalls wait for it side by side.
DEADLINE = 0.2
PLACES: list[tuple[Side, tuple[int, ...]]] = [("client", (0, 3, 120)), ("server", (0, 5, 60))]
STALLS = [Fault("stall", side, at) for side, places in PLACES for at in places]


async def silent_commit(db: Any, attempt: Attempt) -> None:
    """The silence begins with the COMMIT."""
    async with db.transaction() as tx:
        await tx.execute("insert into kept values ($1, 1)", attempt.number)
        attempt.another()
        attempt.committing = True


HELD = [
    Conversation("select", select),
    Conversation("transaction", transaction, transaction=True),
    Conversation("load", load, transaction=True),
    Conversation("execute_many", execute_many, transaction=True),
]
AT_COMMIT = Conversation("transaction", silent_commit, transaction=True)
CASES = [(fault, conversation) for fault in STALLS for conversation in HELD]
CASES += [(Fault("stall", "client", 0), AT_COMMIT)]
CASES += [(Fault("stall", "server", at), AT_COMMIT) for at in (0, 10)]


@pytest.fixture
def proxies(postgres: PostgresServer) -> Iterator[list[Proxy]]:
    """One for each stall and conversation, for they are held at once."""
    socket_file = postgres.socket_dir / f".s.PGSQL.{postgres.port}"
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Proxy(socket_file)) for _ in CASES]


def judged(attempt: Attempt, conversation: Conversation, raised: rm.Error | None) -> None:
    """The deadline was heeded, and what is not known is not said."""
    assert type(raised) in (rm.QueryTimeout, rm.ConnectionLost), repr(raised)
    if conversation.name == "transaction":
        assert (UNKNOWN in str(raised)) == attempt.committing, str(raised)


def test_silence(postgres: PostgresServer, url: str, proxies: list[Proxy]) -> None:
    def once(proxy: Proxy, fault: Fault, conversation: Conversation, number: int) -> None:
        with rm.Database(proxy.url(url), pool_size=1, timeout=DEADLINE) as db:
            assert db.fetch_value("select 1", timeout=HANG) == 1
            attempt, raised = Attempt(number, lambda: proxy.arm(fault)), None
            if conversation is not AT_COMMIT:
                proxy.arm(fault)
            began = time.monotonic()
            try:
                finish(conversation.hold(Awaited(db), attempt))  # type: ignore[arg-type]
            except rm.Error as error:
                raised = error
            assert time.monotonic() - began < HANG
            assert proxy.fired
            proxy.arm(None)
            judged(attempt, conversation, raised)
            assert db.fetch_value("select 2", timeout=HANG) == 2

    with concurrent.futures.ThreadPoolExecutor(len(proxies)) as executor:
        calls = [
            executor.submit(once, proxy, *case, number)
            for number, (proxy, case) in enumerate(zip(proxies, CASES, strict=True))
        ]
        for call, case in zip(calls, CASES, strict=True):
            assert call.exception() is None, case
    for proxy in proxies:
        proxy.hang_up()
    assert eventually(lambda: sessions(postgres) == 0)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})], ids=["uvloop"])
async def test_silence_async(postgres: PostgresServer, url: str, proxies: list[Proxy]) -> None:
    async def once(proxy: Proxy, fault: Fault, conversation: Conversation, number: int) -> None:
        async with rm.AsyncDatabase(proxy.url(url), pool_size=1, timeout=DEADLINE) as db:
            assert await db.fetch_value("select 1", timeout=HANG) == 1
            attempt, raised = Attempt(number, lambda: proxy.arm(fault)), None
            if conversation is not AT_COMMIT:
                proxy.arm(fault)
            try:
                await conversation.hold(db, attempt)
            except rm.Error as error:
                raised = error
            assert proxy.fired
            proxy.arm(None)
            judged(attempt, conversation, raised)
            # The connection is given up within the grace; until then this waits for it.
            assert await db.fetch_value("select 2", timeout=HANG) == 2

    async with asyncio.timeout(3 * HANG), asyncio.TaskGroup() as group:
        for number, (proxy, case) in enumerate(zip(proxies, CASES, strict=True)):
            group.create_task(once(proxy, *case, number), name=f"{case[1].name} {case[0]}")
    for proxy in proxies:
        proxy.hang_up()
    assert await asyncio.to_thread(eventually, lambda: sessions(postgres) == 0)


END_OF_PORTAL = Fault("stall", "client", 0, word=b"C\0\0\0")
"""Nothing is said after the last row: the portal stays open."""


@pytest.mark.parametrize("early", [False, True])
def test_silence_as_a_portal_is_closed(proxy: Proxy, url: str, early: bool) -> None:
    def read(db: rm.Database) -> None:
        with db.transaction() as tx:
            proxy.arm(END_OF_PORTAL)
            with tx.stream("select generate_series(1, 9)", batch_rows=2, timeout=DEADLINE) as parts:
                for _ in parts:
                    if early:
                        break

    with rm.Database(proxy.url(url), pool_size=1) as db:
        with pytest.raises((rm.QueryTimeout, rm.ConnectionLost)):
            within(HANG, lambda: read(db))
        assert proxy.fired
        proxy.arm(None)
        assert db.fetch_value("select 2", timeout=HANG) == 2
    proxy.hang_up()


async def test_silence_as_a_portal_is_closed_async(proxy: Proxy, url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(proxy.url(url), pool_size=1) as db:
        with pytest.raises((rm.QueryTimeout, rm.ConnectionLost)):
            async with db.transaction() as tx:
                proxy.arm(END_OF_PORTAL)
                async for _ in tx.stream("select 1", timeout=DEADLINE):
                    pass
        assert proxy.fired
        proxy.arm(None)
        assert await db.fetch_value("select 2") == 2
    proxy.hang_up()


def test_silence_as_a_snapshot_is_taken_on(proxy: Proxy, url: str) -> None:
    def read(db: rm.Database) -> int:
        # No part is over before the followers have joined.
        sql = "select n, pg_sleep(0.03)::text as slow from generate_series(1, 20) n"
        parts = db.stream(sql, partition=rm.Partition("n", parts=8), timeout=3)
        return sum(map(len, parts))

    with rm.Database(proxy.url(url), pool_size=4) as db:
        proxy.arm(Fault("stall", "client", 0, word=b"set transaction snapshot"))
        with contextlib.suppress(rm.QueryTimeout):
            assert within(HANG, lambda: read(db)) == 20
        assert proxy.fired
        proxy.arm(None)
        assert db.stats()["open"] == db.stats()["idle"]
    proxy.hang_up()


def test_a_portion_that_comes_late_costs_the_transaction_nothing(proxy: Proxy, url: str) -> None:
    sql = "select n from generate_series(1, 3000) n"
    with rm.Database(proxy.url(url), pool_size=1) as db:
        with db.transaction() as tx:
            assert len(list(tx.stream(sql, batch_rows=1000))) == 3
        with db.transaction() as tx:
            parts = tx.stream(sql, batch_rows=1000, timeout=DEADLINE)
            proxy.arm(Fault("split", "server", 5, seconds=3 * DEADLINE))
            with pytest.raises(rm.QueryTimeout):
                next(parts)
            assert proxy.fired
            proxy.arm(None)
            assert tx.fetch_value("select 1") == 1
        assert db.stats()["lost"] == 0


def test_a_rollback_gives_way_to_the_exception(postgres: PostgresServer) -> None:
    """Without any timeout, it has as long as a cancelled statement."""

    async def fail(proxy: Proxy) -> None:
        async with rm.AsyncDatabase(proxy.url(postgres.url), pool_size=1) as db, db.transaction():
            proxy.arm(Fault("stall", "client", 0))
            raise ZeroDivisionError

    socket_file = postgres.socket_dir / f".s.PGSQL.{postgres.port}"
    with Proxy(socket_file) as proxy, pytest.raises(ZeroDivisionError):
        within(HANG, lambda: asyncio.run(fail(proxy)))

"""A cancel that the server never heard, as one that came before its statement: it is asked again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rowmill as rm
from tests.faults.proxy import Fault, Proxy

SLEEP = "select 1 from pg_sleep(60)"
SECOND = Fault(
    "cut", "client", 0, connection=1
)  # the one that asks for the cancel, behind the statement's
SESSION = "select pg_backend_pid()"


def past_its_deadline(db: rm.Database) -> None:
    with pytest.raises(rm.QueryTimeout):
        db.fetch(SLEEP, timeout=0.05)


def left_early(db: rm.Database) -> None:
    # The server sends what fills its buffer, and then sleeps.
    row = "repeat('x', 9000), pg_sleep(case when n > 5 then 60 else 0 end) is null"
    sql = f"select {row} from generate_series(1, 10) as n"
    with db.stream(sql, batch_rows=1) as parts:
        assert len(next(iter(parts))) == 1


@pytest.mark.parametrize("given_up", [past_its_deadline, left_early])
def test_blocking(url: str, proxy: Proxy, given_up: Any) -> None:
    with rm.Database(proxy.url(url), pool_size=1) as db:
        session = db.fetch_value(SESSION)
        proxy.arm(SECOND)
        given_up(db)
        assert proxy.fired
        assert db.fetch_value(SESSION) == session


async def test_awaited(url: str, proxy: Proxy) -> None:
    async with rm.AsyncDatabase(proxy.url(url), pool_size=1) as db:
        session = await db.fetch_value(SESSION)
        proxy.arm(SECOND)
        with pytest.raises(rm.QueryTimeout):
            await db.fetch(SLEEP, timeout=0.05)
        assert await db.fetch_value(SESSION) == session
        assert proxy.fired


async def test_a_pipeline(url: str, proxy: Proxy) -> None:
    """Each of them is stopped."""
    async with rm.AsyncDatabase(proxy.url(url), pool_size=1) as db:
        session = await db.fetch_value(SESSION)
        proxy.arm(SECOND)
        both = [db.fetch(SLEEP, timeout=0.05) for _ in range(2)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert [type(answer) for answer in answers] == [rm.QueryTimeout] * 2
        assert await db.fetch_value(SESSION) == session
        assert proxy.fired


async def test_inside_a_transaction(url: str, proxy: Proxy) -> None:
    """Its ROLLBACK waits until the statement has stopped."""
    async with rm.AsyncDatabase(proxy.url(url), pool_size=1) as db:
        session = await db.fetch_value(SESSION)
        proxy.arm(SECOND)
        with pytest.raises(rm.QueryTimeout):
            async with db.transaction() as tx:
                await tx.fetch(SLEEP, timeout=0.05)
        assert await db.fetch_value(SESSION) == session
        assert proxy.fired


STALLED = Fault("stall", "client", 0, connection=1)
SHORT = "select 1 from pg_sleep(0.5)"  # it ends by itself, while its cancel is still on its way


def test_one_that_hangs(url: str, proxy: Proxy) -> None:
    """It could still arrive, and would hit what ran next on that connection."""
    with rm.Database(proxy.url(url), pool_size=1) as db:
        session = db.fetch_value(SESSION)
        proxy.arm(STALLED)
        with pytest.raises(rm.QueryTimeout):
            db.fetch(SHORT, timeout=0.05)
        assert db.fetch_value(SESSION) != session
        assert proxy.fired


async def test_one_that_hangs_awaited(url: str, proxy: Proxy) -> None:
    async with rm.AsyncDatabase(proxy.url(url), pool_size=1) as db:
        session = await db.fetch_value(SESSION)
        proxy.arm(STALLED)
        with pytest.raises(rm.QueryTimeout):
            await db.fetch(SHORT, timeout=0.05)
        assert await db.fetch_value(SESSION) != session
        assert proxy.fired

"""Loads beside other calls on one event loop: they share connections, transactions and deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer

ITEM = "create table item (id integer primary key, name text, price double precision not null)"


def some(start: int, count: int) -> dict[str, Any]:
    return {"id": range(start, start + count), "name": ["x"] * count, "price": [0.5] * count}


async def test_rows_arrive_in_and_out_of_transactions(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url, pool_size=2) as db:
        await db.execute_script(ITEM)
        assert await db.load("item", some(0, 5_000)) == 5_000
        assert await db.load("item", some(4_999, 2), on_conflict="nothing") == 1
        assert await db.load("item", some(0, 1), on_conflict="update", key="id") == 1
        async with db.transaction() as tx:
            assert await tx.load("item", some(10_000, 1)) == 1
            assert await tx.fetch_value("select count(*) from item") == 5_002
        with pytest.raises(KeyError):
            async with db.transaction() as tx:
                await tx.load("item", some(20_000, 1))
                raise KeyError
        assert await db.fetch_value("select count(*) from item") == 5_002
        with pytest.raises(rm.IntegrityError, match="row 1"):
            await db.load("item", {"id": [30_000, 1], "price": [1.0, 1.0]})
        with pytest.raises(rm.ProgrammingError):
            await db.load("nowhere", some(0, 1))
        with pytest.raises(rm.ProgrammingError, match="commit_each"):
            async with db.transaction() as tx:
                await tx.load("item", some(40_000, 1), commit_each=1)
        assert await db.fetch_value("select count(*) from item") == 5_002


async def test_many_loads_beside_queries(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url, pool_size=2) as db:
        await db.execute_script(ITEM)
        loads = [db.load("item", some(1_000 * at, 1_000)) for at in range(20)]
        queries = [db.fetch_value("select $1 + 1", at) for at in range(100)]
        answers = await asyncio.gather(*loads, *queries)
        assert answers == [1_000] * 20 + [at + 1 for at in range(100)]
        assert await db.fetch_value("select count(*) from item") == 20_000


async def test_calls_of_a_transaction_keep_their_order_around_a_load(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url) as db, db.transaction() as tx:
        await tx.execute_script("create temp table t (n int)")
        calls = [
            tx.execute("insert into t values (1)"),
            tx.fetch_value("select count(*) from t"),
            tx.load("t", {"n": range(1_000)}),
            tx.fetch_value("select count(*) from t"),
            tx.load("t", {"n": [1]}),
            tx.fetch_value("select count(*) from t"),
        ]
        assert await asyncio.gather(*calls) == [1, 1, 1_000, 1_001, 1, 1_002]
        async with tx.stream("select generate_series(1, 100000)", batch_rows=10) as stream:
            await anext(stream)
            assert await tx.load("t", {"n": [1]}) == 1
            assert len(await anext(stream)) == 10
        assert await tx.load("t", {"n": [1]}) == 1


SLOW = """
    create table slow (n int);
    create function wait() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return new; end';
    create trigger wait before insert on slow for each row execute function wait()"""


async def test_a_deadline_and_a_cancel_stop_a_load(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        async with rm.AsyncDatabase(url, pool_size=1) as db:
            await db.execute_script(SLOW)
            with pytest.raises(rm.QueryTimeout):
                await db.load("slow", {"n": range(10_000)}, timeout=0.2)
            task = asyncio.ensure_future(db.load("slow", {"n": range(10_000)}))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await db.fetch_value("select count(*) from slow", timeout=10) == 0
            waiting = asyncio.ensure_future(db.load("slow", {"n": range(100)}))
            queued = asyncio.ensure_future(db.load("slow", {"n": [1]}))
            await asyncio.sleep(0.1)
            queued.cancel()
            assert await waiting == 100
            assert await db.fetch_value("select count(*) from slow") == 100


async def test_an_iterator_is_read_part_by_part_and_its_exception_arrives(any_url: str) -> None:
    told: list[int] = []

    def parts(count: int) -> Iterator[Any]:
        for at in range(count):
            yield some(100 * at, 100)
        if count == 3:
            raise LookupError("no more")

    async with rm.AsyncDatabase(any_url) as db:
        await db.execute_script(ITEM)
        with pytest.raises(LookupError, match="no more"):
            await db.load("item", parts(3))
        assert await db.fetch_value("select count(*) from item") == 0
        assert await db.load("item", parts(10), progress=told.append) == 1_000
        assert told[-1] == 1_000

        def refuse(rows: int) -> None:
            raise LookupError(f"at {rows}")

        with pytest.raises(LookupError):
            await db.load("item", iter([some(5_000, 10)] * 2), progress=refuse)
        assert await db.fetch_value("select count(*) from item") == 1_000


async def test_a_server_that_goes_away_fails_the_load_and_not_the_next(
    postgres: PostgresServer,
) -> None:
    with postgres.fresh_database() as url:
        async with rm.AsyncDatabase(url, pool_size=1) as db:
            await db.execute_script(SLOW)
            task = asyncio.ensure_future(db.load("slow", {"n": range(10_000)}))
            await asyncio.sleep(0.3)
            with rm.Database(url) as other:
                other.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
            with pytest.raises(rm.OperationalError):
                await task
            assert await db.load("slow", {"n": [1]}) == 1

"""Savepoints, and transactions that are tried again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url, pool_size=3) as db:
        db.execute("create table t (n integer primary key)")
        yield db


def numbers(db: rm.Database | rm.Transaction) -> list[int]:
    found: list[int] = db.fetch("select n from t order by n")["n"].to_list()
    return found


def test_a_savepoint_fails_alone(db: rm.Database) -> None:
    with db.transaction() as tx:
        tx.execute("insert into t values (1)")
        with pytest.raises(rm.IntegrityError), tx.savepoint():
            tx.execute("insert into t values (2)")
            tx.execute("insert into t values (1)")
        assert numbers(tx) == [1]
        with tx.savepoint() as same:
            same.execute("insert into t values (3)")
            with pytest.raises(KeyError), tx.savepoint():
                tx.execute("insert into t values (4)")
                raise KeyError
            with tx.savepoint():
                tx.execute("insert into t values (5)")
        assert numbers(tx) == [1, 3, 5]
        with pytest.raises(KeyError), tx.savepoint():
            with tx.savepoint():
                tx.execute("insert into t values (6)")
            raise KeyError
    assert numbers(db) == [1, 3, 5]


async def test_a_savepoint_fails_alone_on_a_loop(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url) as db:
        await db.execute("create table t (n integer primary key)")
        async with db.transaction() as tx:
            async with tx.savepoint():
                await tx.execute("insert into t values (1)")
            with pytest.raises(rm.IntegrityError):
                async with tx.savepoint() as same:
                    await same.execute("insert into t values (2)")
                    await tx.execute("insert into t values (1)")
            await tx.execute("insert into t values (3)")
        assert (await db.fetch("select n from t order by n"))["n"].to_list() == [1, 3]


def test_a_savepoint_needs_an_open_transaction(db: rm.Database) -> None:
    with db.transaction() as tx:
        point = tx.savepoint()
    with pytest.raises(rm.InterfaceError), point:
        pytest.fail("it was entered")


def test_a_transaction_is_tried_again_when_it_ran_into_another(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url, rm.Database(url, pool_size=8) as db:
        db.execute_script("create table counter (n int); insert into counter values (0)")
        tries: list[int] = []

        def add(tx: rm.Transaction) -> int:
            tries.append(1)
            n: int = tx.fetch_value("select n from counter")
            tx.execute("update counter set n = $1", n + 1)
            return n + 1

        def work() -> None:
            for _ in range(10):
                db.transact(add, isolation="serializable", retry=1_000)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert db.fetch_value("select n from counter") == 60
        assert len(tries) >= 60


async def test_a_transaction_is_tried_again_on_a_loop(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        async with rm.AsyncDatabase(url, pool_size=4) as db:
            await db.execute_script("create table counter (n int); insert into counter values (0)")

            async def add(tx: rm.AsyncTransaction) -> None:
                n = await tx.fetch_value("select n from counter")
                await asyncio.sleep(0.001)
                await tx.execute("update counter set n = $1", n + 1)

            mode = {"isolation": "serializable", "retry": 1_000}
            await asyncio.gather(*(db.transact(add, **mode) for _ in range(20)))  # type: ignore[arg-type]
            assert await db.fetch_value("select n from counter") == 20


def test_other_errors_and_too_many_tries_end_it(db: rm.Database) -> None:
    tries = 0

    def fail(tx: rm.Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.execute("insert into t values ($1)", tries)
        raise rm.SerializationError("as the server would say")

    with pytest.raises(rm.SerializationError):
        db.transact(fail, retry=2)
    assert tries == 3

    def other(tx: rm.Transaction) -> None:
        nonlocal tries
        tries += 1
        raise rm.ConnectionLost("nobody knows")

    with pytest.raises(rm.ConnectionLost):
        db.transact(other)
    assert tries == 4
    assert numbers(db) == []
    assert db.transact(lambda tx: tx.execute("insert into t values (7)")) == 1
    assert numbers(db) == [7]


def test_a_deferrable_transaction(postgres: PostgresServer) -> None:
    with rm.Database(postgres.url) as db:
        with db.transaction(isolation="serializable", read_only=True, deferrable=True) as tx:
            assert tx.fetch_value("show transaction_deferrable") == "on"
        with db.transaction() as tx:
            assert tx.fetch_value("show transaction_deferrable") == "off"


WIDE = (
    "select repeat('x', case when n > 3000 then 100000 else 0 end) from generate_series(1, 3400) n"
)
"""Rows that turn out far wider than the first ones: the stream keeps the connection."""


def test_a_savepoint_that_cannot_be_undone_dooms_its_transaction(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("create table t (n int)")
        parts: list[rm.Stream] = []
        doomed = pytest.raises(rm.OperationalError, match="a savepoint in it could not be undone")
        with doomed, db.transaction() as tx:
            with pytest.raises(rm.InterfaceError, match="could not be undone"), tx.savepoint():
                tx.execute("insert into t values (1)")
                parts.append(tx.stream(WIDE))
                next(parts[0])
                raise KeyError
            parts[0].close()
            tx.execute("insert into t values (2)")
        assert db.fetch_value("select count(*) from t") == 0
        with db.transaction() as tx:
            tx.execute("insert into t values (3)")
            with pytest.raises(KeyError), tx.savepoint(), tx.stream(WIDE) as stream:
                tx.execute("insert into t values (4)")
                next(stream)
                raise KeyError
        assert db.fetch("select n from t")["n"].to_list() == [3]


async def test_a_savepoint_ends_its_streams_on_a_loop(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create table t (n int)")
        async with db.transaction() as tx:
            await tx.execute("insert into t values (1)")
            with pytest.raises(KeyError):
                async with tx.savepoint():
                    await tx.execute("insert into t values (2)")
                    async for _ in tx.stream(WIDE):
                        raise KeyError
            await tx.execute("insert into t values (3)")
        assert (await db.fetch("select n from t order by n"))["n"].to_list() == [1, 3]

"""What `stats()` says of the connections."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import eventually


def test_a_pool_of_blocking_callers(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url, rm.Database(url, pool_size=2) as db:
        assert db.stats() == {
            "size": 2,
            "open": 0,
            "idle": 0,
            "waiting": 0,
            "opened": 0,
            "lost": 0,
            "retired": 0,
        }
        db.fetch("select 1")
        assert db.stats() == {
            "size": 2,
            "open": 1,
            "idle": 1,
            "waiting": 0,
            "opened": 1,
            "lost": 0,
            "retired": 0,
        }
        with db.transaction(), db.transaction():
            assert (db.stats()["open"], db.stats()["idle"]) == (2, 0)
            waiter = threading.Thread(target=db.fetch, args=("select 1",))
            waiter.start()
            assert eventually(lambda: db.stats()["waiting"] == 1)
        waiter.join()
        assert db.stats()["waiting"] == 0
        with pytest.raises(rm.Error):
            db.fetch("select pg_terminate_backend(pg_backend_pid())")
        stats = db.stats()
        assert (stats["open"], stats["opened"], stats["lost"]) == (1, 2, 1)


async def test_a_pool_on_a_loop(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        async with rm.AsyncDatabase(url, pool_size=1) as db:
            assert db.stats()["open"] == 0
            await db.fetch("select 1")
            assert db.stats() == {
                "size": 1,
                "open": 1,
                "idle": 1,
                "waiting": 0,
                "opened": 1,
                "lost": 0,
                "retired": 0,
            }
            async with db.transaction():
                waiter = asyncio.ensure_future(db.fetch("select 1"))
                await asyncio.sleep(0.01)
                stats = db.stats()
                assert (stats["idle"], stats["waiting"]) == (0, 1)
            await waiter
            with pytest.raises(rm.Error):
                await db.fetch("select pg_terminate_backend(pg_backend_pid())")
            await db.fetch("select 1")
            stats = db.stats()
            assert (stats["open"], stats["opened"], stats["lost"]) == (1, 2, 1)


def test_sqlite(tmp_path: object) -> None:
    with rm.Database(f"sqlite:///{tmp_path}/stats.db", pool_size=2) as db:
        db.execute("create table t (n int)")
        db.fetch("select * from t")
        stats = db.stats()
        assert (stats["size"], stats["open"], stats["idle"], stats["waiting"]) == (3, 2, 2, 0)
        with db.transaction():
            waiter = threading.Thread(target=db.execute, args=("insert into t values (1)",))
            waiter.start()
            deadline = time.monotonic() + 5
            while db.stats()["waiting"] == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert db.stats()["waiting"] == 1
        waiter.join()

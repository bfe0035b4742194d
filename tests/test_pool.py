"""The pool: how many connections, who waits for how long, what comes back as it was lent."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import pickle
import threading
import time
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, eventually, sessions, within


def test_a_pool_opens_what_it_needs(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=4) as db:
        assert sessions(postgres) == 0  # the first call connects
        for _ in range(10):
            db.fetch_value("select 1")
        assert sessions(postgres) == 1
    assert eventually(lambda: sessions(postgres) == 0)


def test_a_pool_never_opens_more_than_its_size(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=3) as db:
        with concurrent.futures.ThreadPoolExecutor(16) as executor:
            sql = "select $1::int from pg_sleep(0.005)"
            calls = executor.map(lambda n: db.fetch_value(sql, n), range(200))
            assert within(2 * HANG, lambda: list(calls)) == list(range(200))
        assert sessions(postgres) == 3


def test_waiting_for_a_connection_ends(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=2, pool_timeout=0.2) as db:
        with db.transaction() as one, db.transaction() as two:
            assert (one.fetch_value("select 1"), two.fetch_value("select 2")) == (1, 2)
            with pytest.raises(rm.PoolTimeout) as caught:
                db.fetch("select 1")
            assert isinstance(caught.value, TimeoutError)
            assert "2" in str(caught.value)
            assert caught.value.hint
            # Its own deadline, where that comes first.
            with pytest.raises(TimeoutError):
                db.fetch("select 1", timeout=0.05)
        assert db.fetch_value("select 1") == 1


def test_waiting_for_a_connection_is_rewarded(pg_url: str) -> None:
    with (
        rm.Database(pg_url, pool_size=1) as db,
        concurrent.futures.ThreadPoolExecutor(1) as executor,
    ):
        with db.transaction() as tx:
            tx.execute("select 1")
            waiting = executor.submit(db.fetch_value, "select 2")
            time.sleep(0.1)
            assert not waiting.done()
        assert waiting.result(HANG) == 2


async def test_waiting_for_a_connection_ends_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1, pool_timeout=0.2) as db:
        async with db.transaction() as tx:
            assert await tx.fetch_value("select 1") == 1
            for call in (
                db.fetch("select 1"),
                db.execute("select 1"),
                db.execute_script("select 1"),
            ):
                with pytest.raises(rm.PoolTimeout) as caught:
                    await call
                assert isinstance(caught.value, TimeoutError)
                assert caught.value.hint
            with pytest.raises(rm.PoolTimeout):
                async with db.transaction():
                    pass
            with pytest.raises(rm.PoolTimeout):
                async for _ in db.stream("select 1"):
                    pass
            with pytest.raises(TimeoutError):
                await db.fetch("select 1", timeout=0.05)
        assert await db.fetch_value("select 1") == 1


async def test_cancelled_while_waiting_for_a_connection(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        async with db.transaction() as tx:
            calls = [asyncio.create_task(db.fetch_value("select $1::int", n)) for n in range(9)]
            await asyncio.sleep(0.02)
            for call in calls[::2]:
                call.cancel()
            assert await tx.fetch_value("select 1") == 1
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert results[1::2] == [1, 3, 5, 7]
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])


@pytest.mark.session("the server's session is not the connection")
def test_a_terminated_connection_is_replaced(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        postgres.psql(f"select pg_terminate_backend({pid})")
        assert eventually(lambda: sessions(postgres, "%pg_backend_pid%") == 0)
        with pytest.raises(rm.ConnectionLost) as caught:
            db.fetch("select 1")
        assert "terminat" in str(caught.value)
        assert db.fetch_value("select pg_backend_pid()") != pid


def test_an_idle_connection_that_ended_is_found_out(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        postgres.psql(f"select pg_terminate_backend({pid})")
        time.sleep(1.2)
        assert db.fetch_value("select pg_backend_pid()") != pid


async def test_a_terminated_connection_is_replaced_async(
    pg_url: str, postgres: PostgresServer
) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        for _ in range(3):
            pid = await db.fetch_value("select pg_backend_pid()")
            kill = f"select pg_terminate_backend({pid})"
            slow = asyncio.create_task(db.fetch("select pg_sleep(20)"))
            await asyncio.sleep(0.05)
            await asyncio.to_thread(postgres.psql, kill)
            with pytest.raises(rm.ConnectionLost) as caught:
                await slow
            assert caught.value.sqlstate == "57P01"
            other = await db.fetch_value("select pg_backend_pid()")
            assert other != pid
            # One that ends while idle is seen by the loop.
            await asyncio.to_thread(postgres.psql, f"select pg_terminate_backend({other})")
            await asyncio.sleep(0.1)
            assert await db.fetch_value("select pg_backend_pid()") != other


def test_an_open_transaction_does_not_come_back(pg_url: str) -> None:
    """BEGIN by hand: the connection is not lent to others with somebody's transaction open."""
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("create table t (n int)")
        with pytest.raises(rm.InterfaceError, match="transaction open"):
            db.execute_script("begin; insert into t values (1)")
        assert db.fetch_value("select count(*) from t") == 0


async def test_an_open_transaction_does_not_come_back_async(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create table t (n int)")
        with pytest.raises(rm.InterfaceError, match="transaction open"):
            await db.execute_script("begin; insert into t values (1)")
        assert await db.fetch_value("select count(*) from t") == 0


def test_closed(any_url: str) -> None:
    db = rm.Database(any_url)
    assert db.fetch_value("select 1") == 1
    stream = db.stream("select 1")
    db.close()
    db.close()
    assert db.closed
    for verb in (db.fetch, db.fetch_one, db.fetch_value, db.fetch_json, db.execute, db.stream):
        with pytest.raises(rm.InterfaceError, match="closed"):
            verb("select 1")
    with pytest.raises(rm.InterfaceError, match="closed"):
        db.execute_script("select 1")
    with pytest.raises(rm.InterfaceError, match="closed"), db.transaction():
        pass
    stream.close()


def test_closing_while_others_wait(pg_url: str) -> None:
    db = rm.Database(pg_url, pool_size=1)
    failed: list[BaseException] = []
    with db.transaction() as tx:

        def wait() -> None:
            try:
                db.fetch("select 1")
            except rm.Error as error:
                failed.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.1)
        db.close()
        waiting.join(HANG)
        assert [type(error) for error in failed] == [rm.InterfaceError]
        assert tx.fetch_value("select 1") == 1  # what is under way ends as it will


def test_nothing_here_can_be_copied_or_pickled(any_url: str) -> None:
    with rm.Database(any_url) as db, db.transaction() as tx, db.stream("select 1") as stream:
        things: list[Any] = [db, tx, stream, rm.AsyncDatabase(any_url)]
        for thing in things[:3]:
            with pytest.raises(TypeError):
                pickle.dumps(thing)
            with pytest.raises(TypeError):
                copy.deepcopy(thing)


def test_reprs_hide_the_password(postgres: PostgresServer) -> None:
    url = postgres.dsn(user="scram_user", password="pass%word")
    with rm.Database(url) as db:
        things: list[Any] = [db, rm.AsyncDatabase(url), db.transaction()]
        things += [rm.AsyncDatabase(url).transaction(), rm.AsyncDatabase(url).stream("select 1")]
        for thing in things:
            assert "rowmill" in repr(thing)
            assert "pass" not in repr(thing)
    assert "closed" in repr(db)


SETS = [
    "set timezone = 'Asia/Kathmandu'",
    "select set_config('app.tenant', 'ada', false)",
    "set role pg_monitor",
    "listen news",
    "do $$ begin perform set_config('app.tenant', 'eve', false); end $$",
]
STATE = """
    select current_setting('timezone') as zone, coalesce(current_setting('app.tenant', true), '') as tenant,
        current_user::text as "user", (select count(*) from pg_listening_channels()) as channels
"""


@pytest.mark.parametrize("sql", SETS)
@pytest.mark.session("what is set on a pooler's session is the pooler's to undo")
def test_what_was_set_is_gone_for_the_next(pg_url: str, sql: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        fresh = db.fetch(STATE)
        backend = db.fetch_value("select pg_backend_pid()")
        for run in (db.execute, db.fetch, db.execute_script):
            run(sql)
            assert db.fetch(STATE) == fresh
        with db.transaction() as tx:
            tx.execute(sql)
            # LISTEN begins with the commit.
            assert tx.fetch(STATE) != fresh or "listen" in sql
        assert db.fetch(STATE) == fresh
        assert db.fetch_value("select pg_backend_pid()") == backend


@pytest.mark.session("what is set on a pooler's session is the pooler's to undo")
async def test_what_was_set_is_gone_for_the_next_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        fresh = await db.fetch(STATE)
        for sql in SETS:
            await db.execute(sql)
            assert await db.fetch(STATE) == fresh
            async with db.transaction() as tx:
                await tx.execute(sql)
            assert await db.fetch(STATE) == fresh
            await asyncio.gather(*[db.execute(sql), *[db.fetch("select 1") for _ in range(5)]])
            assert await db.fetch(STATE) == fresh


@pytest.mark.direct("PgBouncer takes no options")
def test_what_the_url_sets_stays(pg_url: str) -> None:
    mark = "&" if "?" in pg_url else "?"
    url = f"{pg_url}{mark}options=-c%20timezone%3DAsia/Tokyo&application_name=shop"
    with rm.Database(url, pool_size=1) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set application_name = 'other'")
        assert db.fetch_value("show timezone") == "Asia/Tokyo"
        assert db.fetch_value("show application_name") == "shop"

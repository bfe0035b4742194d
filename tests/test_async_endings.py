"""How things end under asyncio: transactions, streams and databases left in the middle.

Each test ends by using the database again, with a pool of one: a connection that was lost to
whatever went before would show as a hang or an error.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import rowmill as rm

BIG = "select generate_series(1, 2000000) as i"


async def still_works(db: rm.AsyncDatabase) -> None:
    """The one connection is idle and in no transaction."""
    state = "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
    async with asyncio.timeout(20):
        # The server of a connection that was given up ends when it notices.
        while await db.fetch_value(f"{state} and datname = current_database()"):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def test_a_transaction_is_left_while_its_stream_is_open(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        async with db.transaction() as tx:
            async for _part in tx.stream(BIG, batch_rows=1000):
                break
        await still_works(db)


async def test_a_large_result_times_out_inside_a_transaction(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        with pytest.raises(rm.QueryTimeout):
            async with db.transaction() as tx:
                slow = f"select i, pg_sleep(0.0001) from ({BIG}) as big"
                await tx.fetch(slow, timeout=0.3)
        await still_works(db)


async def test_calls_of_one_transaction_wait_for_its_large_result(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        async with db.transaction() as tx:
            big, small = await asyncio.gather(tx.fetch(BIG), tx.fetch_value("select 7"))
            assert (len(big), small) == (2_000_000, 7)
        await still_works(db)


async def test_a_stream_waits_for_a_call_under_way(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        async with db.transaction() as tx:
            call = asyncio.create_task(tx.fetch_value("select 7 from pg_sleep(0.2)"))
            await asyncio.sleep(0.05)
            parts = [len(part) async for part in tx.stream("values (1), (2)")]
            assert call.done()
            assert (parts, await call) == ([2], 7)
        await still_works(db)


@pytest.mark.parametrize("wait", range(6))
async def test_a_task_is_cancelled_around_begin(pg_url: str, wait: int) -> None:
    async def work(db: rm.AsyncDatabase) -> None:
        async with db.transaction() as tx:
            await tx.fetch_value("select 1")

    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.fetch_value("select 1")
        for _ in range(20):
            task = asyncio.create_task(work(db))
            for _ in range(wait):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await still_works(db)


async def test_a_begin_of_ones_own_is_refused(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create table kept (x int)")
        with pytest.raises(rm.ProgrammingError, match="not begun or ended by a statement"):
            await db.execute("begin")
        with pytest.raises(rm.InterfaceError, match="left a transaction open"):
            await db.execute_script("begin; select 1")
        await still_works(db)
        await db.execute("insert into kept values (1)")
        assert await db.fetch_value("select count(*) from kept") == 1


async def test_a_cancelled_part_stops_the_server(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        stream = db.stream("select pg_sleep(60)")
        task = asyncio.create_task(anext(aiter(stream)))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await still_works(db)


async def test_a_part_whose_coroutine_is_closed_stops_the_server(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.fetch_value("select 1")
        stream = db.stream("select pg_sleep(60)")
        part = stream.__anext__()
        # As a task would, until it waits for the part itself.
        while stream._handle is None:
            part.send(None)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        part.close()
        await still_works(db)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_database_is_closed_inside_a_transaction(any_url: str, fails: bool) -> None:
    db = rm.AsyncDatabase(any_url, pool_size=1)
    with pytest.raises(ZeroDivisionError if fails else rm.InterfaceError):
        async with db.transaction() as tx:
            assert await tx.fetch_value("select 1") == 1
            await db.close()
            if fails:
                raise ZeroDivisionError


async def test_a_stream_is_asked_after_the_database_was_closed(pg_url: str) -> None:
    db = rm.AsyncDatabase(pg_url, pool_size=1)
    stream = db.stream(BIG, batch_rows=10)
    assert len(await anext(stream)) == 10
    await db.close()
    with pytest.raises(rm.InterfaceError, match="closed"):
        async with asyncio.timeout(20):
            await anext(stream)


@pytest.mark.direct("a pooler keeps the server's session for the next client")
async def test_closing_leaves_no_connection_behind(pg_url: str) -> None:
    db = rm.AsyncDatabase(pg_url, pool_size=3)
    tx = db.transaction()
    await tx.__aenter__()
    slow = [asyncio.create_task(db.fetch_value("select 1 from pg_sleep(0.2)")) for _ in range(4)]
    await asyncio.sleep(0)
    # Those that wait for a connection would be told that it is closed.
    while db.stats()["waiting"]:  # noqa: ASYNC110 - nothing tells when they have one
        await asyncio.sleep(0.01)
    await db.close()
    assert [await call for call in slow] == [1] * 4
    async with rm.AsyncDatabase(pg_url, pool_size=1) as other:
        count = (
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        for _ in range(100):
            if await other.fetch_value(count) == 0:
                break
            await asyncio.sleep(0.05)
        assert await other.fetch_value(count) == 0


async def test_a_stream_made_before_its_transaction_runs_inside_it(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=2) as db:
        await db.execute("create table seen (x int)")
        tx = db.transaction()
        stream = tx.stream("select count(*) as n from seen")
        async with tx:
            await tx.execute("insert into seen values (1)")
            assert [part["n"].to_list() async for part in stream] == [[1]]


async def test_a_transaction_is_entered_once(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        tx = db.transaction()
        entered = await asyncio.gather(tx.__aenter__(), tx.__aenter__(), return_exceptions=True)
        assert sorted(isinstance(one, rm.InterfaceError) for one in entered) == [False, True]
        await tx.__aexit__(None, None, None)
        await still_works(db)


async def test_a_wrong_timeout_sends_nothing(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url, pool_size=1) as db:
        await db.execute("create table empty (x int)")
        for timeout in (-1, 0, float("nan")):
            with pytest.raises(ValueError, match="timeout"):
                await db.execute("insert into empty values (1)", timeout=timeout)
        with pytest.raises(TypeError):
            await db.execute("insert into empty values (1)", timeout="5")  # type: ignore[arg-type]
        assert await db.fetch_value("select count(*) from empty") == 0


async def test_many_sqlite_transactions_take_turns(tmp_path: Path) -> None:
    async with rm.AsyncDatabase(f"sqlite:///{tmp_path}/turns.db", pool_size=2) as db:
        await db.execute("create table t (x integer)")

        async def add(x: int) -> None:
            async with db.transaction() as tx:
                await tx.execute("insert into t values ($1)", x)
                await asyncio.sleep(0)
                await tx.execute("update t set x = x + 1000 where x = $1", x)

        async with asyncio.timeout(30):
            await asyncio.gather(*(add(x) for x in range(40)))
        assert await db.fetch_value("select count(*) from t where x >= 1000") == 40

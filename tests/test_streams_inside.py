"""Streams inside a transaction of PostgreSQL: the connection is the transaction's between two parts."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time

import pytest

import rowmill as rm
from tests.watch import HANG, resident, within

MIB = 1 << 20
FAR = "select n, 1 / (50000 - n) as q from generate_series(1, 100000) n"
"""Fails at a row that is only computed if asked for."""


def test_other_statements_run_between_two_parts(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db, db.transaction() as tx:
        tx.execute("create temporary table seen (n integer)")
        numbers = []
        with tx.stream("select n from generate_series(1, 9) n", batch_rows=2) as parts:
            for part in parts:
                numbers += part["n"].to_list()
                tx.execute("insert into seen values ($1)", numbers[-1])
                assert tx.fetch_value("select max(n) from seen") == numbers[-1]
                tx.execute_script("select 1; select 2")
                tx.load("seen", {"n": [0]})
        assert numbers == list(range(1, 10))
        assert tx.fetch_value("select count(*) from seen") == 10


async def test_other_statements_run_between_two_parts_async(pg_url: str) -> None:
    async with (
        asyncio.timeout(HANG),
        rm.AsyncDatabase(pg_url, pool_size=1) as db,
        db.transaction() as tx,
    ):
        await tx.execute("create temporary table seen (n integer)")
        numbers = []
        async with tx.stream("select n from generate_series(1, 9) n", batch_rows=2) as parts:
            async for part in parts:
                numbers += part["n"].to_list()
                await tx.execute("insert into seen values ($1)", numbers[-1])
                assert await tx.fetch_value("select max(n) from seen") == numbers[-1]
                await tx.execute_script("select 1; select 2")
                await tx.load("seen", {"n": [0]})
        assert numbers == list(range(1, 10))
        assert await tx.fetch_value("select count(*) from seen") == 10


def test_two_streams_side_by_side(pg_url: str) -> None:
    sql = "select n from generate_series($1::int, $2::int) n"
    with rm.Database(pg_url, pool_size=1) as db, db.transaction() as tx:
        first, second = tx.stream(sql, 1, 7, batch_rows=2), tx.stream(sql, 11, 17, batch_rows=3)
        pairs = list(itertools.zip_longest(first, second))
    lengths = [(a and len(a), b and len(b)) for a, b in pairs]
    assert lengths == [(2, 3), (2, 3), (2, 1), (1, None)]


async def test_two_streams_side_by_side_async(pg_url: str) -> None:
    sql = "select n from generate_series($1::int, $2::int) n"
    async with (
        asyncio.timeout(HANG),
        rm.AsyncDatabase(pg_url, pool_size=1) as db,
        db.transaction() as tx,
    ):

        async def total(low: int, high: int) -> int:
            return sum([len(part) async for part in tx.stream(sql, low, high, batch_rows=100)])

        counts = [total(1, 1000), total(5, 2500), tx.fetch_value("select 7::bigint")]
        assert await asyncio.gather(*counts) == [1000, 2496, 7]


def test_what_nobody_asks_for_is_not_computed(pg_url: str) -> None:
    """Leaving early neither reads the rest nor fails the transaction by it."""
    with rm.Database(pg_url, pool_size=1) as db:
        for _ in range(3):
            with db.transaction() as tx:
                with tx.stream(FAR, batch_rows=500) as parts:
                    assert [len(next(parts)) for _ in range(4)] == [500] * 4
                assert tx.fetch_value("select 1") == 1
            with db.transaction() as tx:
                left = tx.stream(FAR, batch_rows=500)
                assert len(next(left)) == 500
            with pytest.raises(rm.InterfaceError, match="the transaction has ended"):
                next(left)
        with (
            pytest.raises(rm.DataError, match="division by zero"),
            db.transaction() as tx,
            tx.stream(FAR, batch_rows=500) as parts,
        ):
            assert sum(map(len, parts)) == -1


async def test_what_nobody_asks_for_is_not_computed_async(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        for _ in range(3):
            async with db.transaction() as tx:
                async with tx.stream(FAR, batch_rows=500) as parts:
                    assert len(await anext(parts)) == 500
                    assert len(await anext(parts)) == 500
                assert await tx.fetch_value("select 1") == 1
            async with db.transaction() as tx:
                left = tx.stream(FAR, batch_rows=500)
                assert len(await anext(left)) == 500
            with pytest.raises((rm.InterfaceError, StopAsyncIteration)):
                await anext(left)
        with pytest.raises(rm.DataError, match="division by zero"):
            async with db.transaction() as tx:
                async for _ in tx.stream(FAR, batch_rows=500):
                    pass
        assert await db.fetch_value("select 1") == 1


def test_a_table_is_free_once_its_stream_has_ended(pg_url: str) -> None:
    """The server lets nobody alter a table that an open portal reads."""
    with rm.Database(pg_url, pool_size=1) as db:
        for end in ("early", "at its end"):
            with db.transaction() as tx:
                tx.execute("create table held as select generate_series(1, 5000) n")
                with tx.stream("select n from held", batch_rows=10) as parts:
                    next(parts)
                    if end == "early":
                        with pytest.raises(rm.Error, match="active queries"), tx.savepoint():
                            tx.execute("drop table held")
                    else:
                        assert sum(map(len, parts)) == 4990
                        tx.execute("alter table held add column m integer")
                tx.execute("drop table held")


async def test_a_table_is_free_once_its_stream_has_ended_async(pg_url: str) -> None:
    async with (
        asyncio.timeout(HANG),
        rm.AsyncDatabase(pg_url, pool_size=1) as db,
        db.transaction() as tx,
    ):
        await tx.execute("create table held as select generate_series(1, 5000) n")
        async with tx.stream("select n from held", batch_rows=10) as parts:
            await anext(parts)
        await tx.execute("drop table held")


def test_statements_of_every_kind(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db, db.transaction() as tx:
        tx.execute("create temporary table t (n integer primary key)")
        insert = "insert into t select generate_series(1, 5) returning n"
        assert [len(part) for part in tx.stream(insert, batch_rows=2)] == [2, 2, 1]
        assert tx.fetch_value("select count(*) from t") == 5
        empty = list(tx.stream("select n, 'x' as x from t where n > 9"))
        assert [(len(part), part.columns) for part in empty] == [(0, ["n", "x"])]
        assert [len(part) for part in tx.stream("update t set n = n + 10")] == [0]
        assert [part.columns for part in tx.stream("show transaction_isolation")] == [
            ["transaction_isolation"]
        ]
        assert [len(part) for part in tx.stream("values (1), (2), (3), (4)", batch_rows=2)] == [
            2,
            2,
        ]
        changing = "with d as (delete from t returning n) select n from d order by n"
        parts = list(tx.stream(changing, batch_rows=4))
        assert [part["n"].to_list() for part in parts] == [[11, 12, 13, 14], [15]]


def test_a_portal_ends_with_its_savepoint(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db, db.transaction() as tx:
        sql = "select generate_series(1, 9) n"
        outer = tx.stream(sql, batch_rows=2)
        assert len(next(outer)) == 2
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            inner = tx.stream(sql, batch_rows=2)
            next(inner)
            raise ZeroDivisionError
        assert len(next(outer)) == 2
        with pytest.raises(rm.Error) as caught, tx.savepoint():
            next(inner)
        assert caught.value.sqlstate == "34000"
        assert sum(map(len, outer)) == 5


WIDER = (
    "select n, case when n > 3000 then repeat('x', 100000) else '' end as pad"
    " from generate_series(1, 6000) n"
)
"""300 MB behind rows that let expect 100 KB."""


@pytest.mark.parametrize("batch_rows", [100, 65536])
def test_rows_that_turn_out_far_wider(pg_url: str, batch_rows: int) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        before = resident()
        with db.transaction() as tx:
            rows, busy = 0, 0
            for part in tx.stream(WIDER, batch_rows=batch_rows):
                assert part.nbytes < 16 * MIB
                rows += len(part)
                try:
                    tx.fetch_value("select 1")
                except rm.InterfaceError as error:
                    busy += "busy with a stream" in str(error)
            assert rows == 6000
            assert bool(busy) == (batch_rows == 65536)
            with tx.stream(WIDER, batch_rows=batch_rows) as parts:
                for part in itertools.islice(parts, 2 if batch_rows > 3000 else 40):
                    rows += len(part)
            assert tx.fetch_value("select 1") == 1
        assert resident() - before < 100 * MIB


async def test_rows_that_turn_out_far_wider_async(pg_url: str) -> None:
    async with asyncio.timeout(5 * HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        before = resident()
        async with db.transaction() as tx:
            rows, busy = 0, 0
            async for part in tx.stream(WIDER):
                rows += len(part)
                try:
                    await tx.fetch_value("select 1")
                except rm.InterfaceError as error:
                    busy += "busy with a stream" in str(error)
            assert rows == 6000
            assert busy > 0
            async with tx.stream(WIDER) as parts:
                await anext(parts)
                await anext(parts)
            assert await tx.fetch_value("select 1") == 1
        assert resident() - before < 100 * MIB


@pytest.mark.parametrize("undo", [False, True])
def test_a_transaction_ends_while_rows_are_on_their_way(pg_url: str, undo: bool) -> None:
    """As under asyncio: the stream ends, and costs neither the work nor the connection."""
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute_script("drop table if exists ended; create table ended (n integer)")
        pid = db.fetch_value("select pg_backend_pid()")
        with contextlib.suppress(ZeroDivisionError), db.transaction() as tx:
            tx.execute("insert into ended values (7)")
            parts = tx.stream(WIDER)
            next(parts)
            with pytest.raises(rm.InterfaceError, match="busy with a stream"):
                tx.fetch_value("select 1")
            if undo:
                raise ZeroDivisionError
        with pytest.raises(rm.InterfaceError, match="the transaction has ended"):
            list(parts)
        assert db.fetch_value("select count(*) from ended") == (0 if undo else 1)
        assert db.fetch_value("select pg_backend_pid()") == pid
        db.execute("drop table ended")


LATE = (
    "select n, case when n > 3000 then repeat('x', 100000) else '' end as pad,"
    " case n when 3300 then pg_sleep(2)::text end as late from generate_series(1, 3400) n"
)
"""Some parts are there long before the last row of their portion."""


def test_a_part_that_is_there_in_time(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db, db.transaction() as tx:
        with tx.stream(LATE, timeout=1) as parts:
            next(parts)
        assert tx.fetch_value("select 1") == 1


KEEPS = "select repeat('x', 65536) as pad from generate_series(1, 6000) n"
"""Rows so wide from the first on that their stream keeps the connection."""


async def is_kept(tx: rm.AsyncTransaction) -> bool:
    """Whether a stream has the transaction's connection."""
    try:
        await tx.execute("select 1")
    except rm.InterfaceError as error:
        return "busy with a stream" in str(error)
    return False


async def test_the_late_end_of_a_stream_frees_no_other_streams_connection(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        before = db.stream("select 1 as a")
        assert len(await anext(before)) == 1
        async with db.transaction() as tx:
            wide = tx.stream(KEEPS)
            rows = len(await anext(wide))
            assert await is_kept(tx)
            with pytest.raises(StopAsyncIteration):
                await anext(before)
            assert await is_kept(tx)
            assert rows + sum([len(part) async for part in wide]) == 6000
            assert not await is_kept(tx)


@pytest.mark.parametrize("then", ["read", "close"])
async def test_a_stream_is_closed_while_another_keeps_the_connection(
    pg_url: str, then: str
) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        async with db.transaction() as tx:
            await tx.execute("create table held as select generate_series(1, 5000) n")
            narrow, wide = tx.stream("select n from held", batch_rows=100), tx.stream(KEEPS)
            assert len(await anext(narrow)) == 100
            rows = len(await anext(wide))
            await narrow.close()
            assert await is_kept(tx)
            if then == "read":
                assert rows + sum([len(part) async for part in wide]) == 6000
            else:
                await wide.close()
            await tx.execute("drop table held")
        assert await db.fetch_value("select 1") == 1


async def test_a_database_is_closed_while_one_stream_waits_for_another_to_end(pg_url: str) -> None:
    async with asyncio.timeout(HANG):
        db = rm.AsyncDatabase(pg_url, pool_size=1)
        tx = db.transaction()
        await tx.__aenter__()
        narrow = tx.stream("select generate_series(1, 5000) n", batch_rows=100)
        wide = tx.stream(KEEPS)
        await anext(narrow)
        await anext(wide)
        await narrow.close()
        await db.close()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_memory_is_bounded(pg_url: str, kind: str) -> None:
    """400 MB go through; a few parts' worth stays."""
    sql = "select n, repeat('x', 1000) as pad from generate_series(1, 400000) n"

    def blocking() -> int:
        with rm.Database(pg_url) as db, db.transaction() as tx:
            return sum(len(part) for part in tx.stream(sql))

    async def awaited() -> int:
        async with rm.AsyncDatabase(pg_url) as db, db.transaction() as tx:
            return sum([len(part) async for part in tx.stream(sql)])

    before = resident()
    run = blocking if kind == "sync" else lambda: asyncio.run(awaited())
    assert within(5 * HANG, run) == 400_000
    assert resident() - before < 100 * MIB


async def test_a_deadline_of_a_part(pg_url: str) -> None:
    slow = "select n, pg_sleep(case when n = 25 then 20 else 0 end) from generate_series(1, 50) n"
    with rm.Database(pg_url, pool_size=1) as db:
        with pytest.raises(rm.QueryTimeout), db.transaction() as tx:
            for _ in tx.stream(slow, batch_rows=10, timeout=0.2):
                pass
        assert db.fetch_value("select 1") == 1
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as adb:
        with pytest.raises(rm.QueryTimeout):
            async with adb.transaction() as tx:
                async for _ in tx.stream(slow, batch_rows=10, timeout=0.2):
                    pass
        assert await adb.fetch_value("select 1") == 1


async def test_a_cancelled_reader(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        started = asyncio.Event()

        async def read() -> None:
            async with db.transaction() as tx:
                parts = tx.stream(
                    "select n, pg_sleep(case n when 1 then 0 else 20 end)"
                    " from generate_series(1, 9) n",
                    batch_rows=1,
                )
                await anext(parts)
                started.set()
                await anext(parts)

        pid = await db.fetch_value("select pg_backend_pid()")
        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await db.fetch_value("select pg_backend_pid()") == pid


async def test_a_stream_left_by_a_break_ends_at_once(pg_url: str) -> None:
    async with (
        asyncio.timeout(HANG),
        rm.AsyncDatabase(pg_url, pool_size=1) as db,
        db.transaction() as tx,
    ):
        await tx.execute("create table held as select generate_series(1, 5000) n")
        async for part in tx.stream("select n from held", batch_rows=10):
            assert len(part) == 10
            break
        await tx.execute("drop table held")


async def test_a_reader_is_cancelled_just_as_its_part_comes(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")

        async def read() -> None:
            async with db.transaction() as tx:
                async for _ in tx.stream(KEEPS):
                    pass

        for seconds in (0.0, 0.05, 0.5):
            task = asyncio.create_task(read())
            while db.stats()["idle"]:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            await asyncio.sleep(0.005)
            # The part comes while the loop is busy: it hears of that after the cancel.
            time.sleep(seconds)  # noqa: ASYNC251
            task.cancel()
            await asyncio.wait([task])
            assert await db.fetch_value("select pg_backend_pid()") == pid

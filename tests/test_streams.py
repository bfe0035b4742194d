"""Streams: results in parts, with bounded memory, that can be left at any part."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, eventually, resident, running, within

MIB = 1 << 20
SERIES = (
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < {rows})"
    " select n{more} from r"
)


def series(rows: int, more: str = "") -> str:
    """A statement with the numbers from 1, on both databases."""
    return SERIES.format(rows=rows, more=more)


@pytest.mark.parametrize(
    ("rows", "batch_rows", "lengths"),
    [
        (0, 10, [0]),
        (1, 10, [1]),
        (9, 10, [9]),
        (10, 10, [10]),
        (11, 10, [10, 1]),
        (25, 10, [10, 10, 5]),
        (3, 1, [1, 1, 1]),
        (1000, 65536, [1000]),
    ],
)
async def test_parts(any_url: str, rows: int, batch_rows: int, lengths: list[int]) -> None:
    sql = f"select n, 'x' as pad from ({series(max(rows, 1))}) s where n <= $1"
    with rm.Database(any_url) as db, db.stream(sql, rows, batch_rows=batch_rows) as parts:
        blocking = list(parts)
        assert list(parts) == []
    async with rm.AsyncDatabase(any_url) as adb:
        awaited = [part async for part in adb.stream(sql, rows, batch_rows=batch_rows)]
    for frames in (blocking, awaited):
        assert [len(frame) for frame in frames] == lengths
        assert all(frame.columns == ["n", "pad"] for frame in frames)
        assert all(frame.schema == frames[0].schema for frame in frames)
        numbers = itertools.chain.from_iterable(frame["n"].to_list() for frame in frames)
        assert list(numbers) == list(range(1, rows + 1))


def test_a_part_ends_early_where_rows_are_wide(any_url: str) -> None:
    wide = (
        "replace(hex(zeroblob(50000)), '0', 'x')" if "sqlite" in any_url else "repeat('x', 100000)"
    )
    with rm.Database(any_url) as db:
        sizes = [part.nbytes for part in db.stream(series(400, f", {wide} as pad"))]
    assert len(sizes) > 2
    assert max(sizes) < 16 * MIB
    assert sum(sizes) > 400 * 100_000


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_memory_is_bounded(pg_url: str, kind: str) -> None:
    """400 MB go through; a few parts' worth stays."""
    sql = "select n, repeat('x', 1000) as pad from generate_series(1, 400000) n"

    def blocking() -> int:
        with rm.Database(pg_url) as db:
            return sum(len(part) for part in db.stream(sql, batch_rows=2000))

    async def awaited() -> int:
        async with rm.AsyncDatabase(pg_url) as db:
            return sum([len(part) async for part in db.stream(sql, batch_rows=2000)])

    before = resident()
    run = blocking if kind == "sync" else lambda: asyncio.run(awaited())
    assert within(5 * HANG, run) == 400_000
    assert resident() - before < 100 * MIB


def test_leaving_early(pg_url: str, postgres: PostgresServer) -> None:
    sql = "select generate_series(1, 100000000) n, repeat('x', 100) -- left"
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        for _ in range(3):
            with db.stream(sql, batch_rows=100) as parts:
                for part in parts:
                    assert len(part) == 100
                    break
            assert not running(postgres, "%left")
            assert db.fetch_value("select pg_backend_pid()") == pid
        stream = db.stream(sql, batch_rows=100)
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
        assert db.fetch_value("select pg_backend_pid()") == pid
        for part in db.stream(sql, batch_rows=100):  # without `with`: when it is collected
            assert len(part) == 100
            break
        gc.collect()
        assert db.fetch_value("select pg_backend_pid()") == pid


async def test_leaving_early_async(pg_url: str, postgres: PostgresServer) -> None:
    sql = "select generate_series(1, 100000000) n, repeat('x', 100) -- left"
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")
        for _ in range(3):
            async with db.stream(sql, batch_rows=100) as parts:
                async for part in parts:
                    assert len(part) == 100
                    break
            assert await db.fetch_value("select pg_backend_pid()") == pid
            assert not await asyncio.to_thread(running, postgres, "%left")
        async for part in db.stream(sql, batch_rows=100):
            assert len(part) == 100
            break
        gc.collect()
        assert await db.fetch_value("select pg_backend_pid()") == pid
        stream = db.stream(sql)
        await stream.close()  # before it began
        await stream.close()
        assert [part async for part in stream] == []


async def test_a_cancelled_reader(pg_url: str, postgres: PostgresServer) -> None:
    """The task that waits for a part is cancelled: the server stops, the connection comes back."""
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")

        async def read() -> None:
            async with db.stream("select n, pg_sleep(5) from generate_series(1, 9) n -- gone") as s:
                async for _ in s:
                    pass

        task = asyncio.create_task(read())
        assert await asyncio.to_thread(eventually, lambda: running(postgres, "%gone"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(eventually, lambda: not running(postgres, "%gone"), 4)
        assert await db.fetch_value("select pg_backend_pid()") == pid


def test_a_deadline_for_each_part(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        parts = db.stream("select pg_sleep(20)", timeout=0.15)
        with pytest.raises(rm.QueryTimeout):
            next(parts)
        assert list(parts) == []
        assert db.fetch_value("select pg_backend_pid()") == pid
        slow = "select n, pg_sleep(0.01) from generate_series(1, 50) n"
        assert sum(map(len, db.stream(slow, batch_rows=5, timeout=10))) == 50


async def test_a_deadline_for_each_part_async(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")
        with pytest.raises(rm.QueryTimeout) as caught:
            async for _ in db.stream("select pg_sleep(20)", timeout=0.15):
                pass
        assert caught.value.query == "select pg_sleep(20)"
        assert await db.fetch_value("select pg_backend_pid()") == pid


def test_a_deadline_on_sqlite(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        endless = series(10**12).replace("select n from", "select max(n) from")
        with pytest.raises(rm.QueryTimeout):
            within(HANG, lambda: list(db.stream(endless, timeout=0.15)))
        assert db.fetch_value("select 1") == 1


async def test_errors(any_url: str) -> None:
    late = series(5000, ", 1 / (4000 - n) as a")
    with rm.Database(any_url, pool_size=1) as db:
        for sql in ("select nonexistent", "select 1 +"):
            with pytest.raises(rm.ProgrammingError) as caught, db.stream(sql) as parts:
                list(parts)
            assert caught.value.query == sql
        with pytest.raises(rm.ProgrammingError):
            db.stream("select $1")
        if "sqlite" not in any_url:
            rows = 0
            with pytest.raises(rm.DataError) as late_error:
                for part in db.stream(late, batch_rows=100):
                    rows += len(part)
            assert late_error.value.sqlstate == "22012"
            assert rows <= 4000
        assert db.fetch_value("select 1") == 1
    async with rm.AsyncDatabase(any_url, pool_size=1) as adb:
        for sql in ("select nonexistent", "select 1 +"):
            with pytest.raises(rm.ProgrammingError) as caught:
                async for _ in adb.stream(sql):
                    pass
            assert caught.value.query == sql
        assert await adb.fetch_value("select 1") == 1


def test_inside_a_transaction(any_url: str) -> None:
    with rm.Database(any_url, pool_size=1) as db:
        db.execute("create table t (n integer)")
        with db.transaction() as tx:
            tx.execute("insert into t values (1), (2), (3)")
            with tx.stream("select n from t order by n", batch_rows=1) as parts:
                assert next(parts)["n"].to_list() == [1]
                assert tx.fetch_value("select 1") == 1
            assert tx.fetch_value("select count(*) from t") == 3
            assert [len(part) for part in tx.stream("select n from t")] == [3]
        assert db.fetch_value("select count(*) from t") == 3


async def test_inside_a_transaction_async(any_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(any_url, pool_size=1) as db:
        await db.execute("create table t (n integer)")
        async with db.transaction() as tx:
            await tx.execute("insert into t values (1), (2), (3)")
            async with tx.stream("select n from t order by n", batch_rows=1) as parts:
                async for part in parts:
                    assert part["n"].to_list() == [1]
                    assert await tx.fetch_value("select 1") == 1
                    break
            assert await tx.fetch_value("select count(*) from t") == 3
        assert await db.fetch_value("select count(*) from t") == 3


async def test_many_streams_at_once(any_url: str) -> None:
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(any_url, pool_size=3) as db:

        async def read(n: int) -> Any:
            rows = 0
            async for part in db.stream(series(1000 + n), batch_rows=300):
                rows += len(part)
            return rows

        calls = [read(n) for n in range(12)] + [
            db.fetch_value("select $1", str(n)) for n in range(9)
        ]
        assert await asyncio.gather(*calls) == [1000 + n for n in range(12)] + list("012345678")

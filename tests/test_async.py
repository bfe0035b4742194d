"""AsyncDatabase: many tasks on few connections, loops that come and go, what a loop is spared."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import time
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, descriptors, eventually, running, sessions, threads, within

BIG = "select n, repeat('x', 500) as pad from generate_series(1, 2000) n"  # 1 MB: a worker's


async def test_the_verbs(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url) as db:
        await db.execute_script("create table t (id integer primary key, name text); select 1")
        assert await db.execute("insert into t values ($1, $2), (2, null)", 1, "Ada") == 2
        assert (await db.fetch("select * from t order by id")).to_dict() == {
            "id": [1, 2],
            "name": ["Ada", None],
        }
        row = await db.fetch_one("select * from t where id = :id", id=1)
        assert row is not None
        assert (row.id, row.name) == (1, "Ada")
        assert await db.fetch_one("select * from t where id = 3") is None
        assert await db.fetch_value("select name from t where id = :id", {"id": 1}) == "Ada"
        assert await db.fetch_value("select name from t where id = 3") is None
        records = [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}]
        sql = "select * from t order by id"
        assert json.loads(await db.fetch_json(sql)) == records
        columns = json.loads(await db.fetch_json(sql, orient="columns"))
        assert columns == {"id": [1, 2], "name": ["Ada", None]}
        lines = (await db.fetch_json(sql, orient="ndjson")).splitlines()
        assert [json.loads(line) for line in lines] == records
        with pytest.raises((ValueError, rm.ProgrammingError), match="records"):
            await db.fetch_json(sql, orient="rows")  # type: ignore[arg-type]


@pytest.mark.parametrize("pool_size", [1, 3])
async def test_a_thousand_tasks_on_few_connections(
    pg_url: str, postgres: PostgresServer, pool_size: int
) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=pool_size) as db:

        async def ask(n: int) -> Any:
            match n % 5:
                case 0:
                    return await db.fetch_value("select $1::int", n)
                case 1:
                    return (await db.fetch("select $1::int as a, 'x' as b", n))["a"][0]
                case 2:
                    row = await db.fetch_one("select :n::int as n", n=n)
                    return row and row.n
                case 3:
                    with pytest.raises(rm.DataError):
                        await db.fetch("select 1 / ($1::int - $1::int)", n)
                    return n
                case _:
                    return json.loads(await db.fetch_json("select $1::int as n", n))[0]["n"]

        async with asyncio.timeout(2 * HANG):
            assert await asyncio.gather(*map(ask, range(1000))) == list(range(1000))
        assert await asyncio.to_thread(sessions, postgres, "select%") <= pool_size
    assert await asyncio.to_thread(eventually, lambda: sessions(postgres, "select%") == 0)


async def test_a_thousand_tasks_on_sqlite(sqlite_url: str) -> None:
    async with rm.AsyncDatabase(sqlite_url) as db:
        await db.execute("create table t (n integer primary key)")

        async def write_and_read(n: int) -> Any:
            await db.execute("insert into t values ($1)", n)
            return await db.fetch_value("select n from t where n = $1", n)

        async with asyncio.timeout(2 * HANG):
            results = await asyncio.gather(*map(write_and_read, range(1000)))
        assert results == list(range(1000))
        assert await db.fetch_value("select count(*) from t") == 1000


async def test_big_and_small_results_on_the_same_pool(pg_url: str) -> None:
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg_url, pool_size=2) as db:

        async def big(n: int) -> Any:
            frame = await db.fetch(BIG.replace("2000", str(2000 + n)))
            return frame["n"].to_list() == list(range(1, 2001 + n)) and frame["pad"][n] == "x" * 500

        async def small(n: int) -> Any:
            return await db.fetch_value("select $1::int", n) == n

        calls = [big(n) if n % 10 == 0 else small(n) for n in range(200)]
        assert all(await asyncio.gather(*calls))


async def test_big_parameters(pg_url: str) -> None:
    """More than a socket takes at once: the loop waits until it can write on."""
    text = "ü" * (4 << 20)
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        calls = [db.fetch_value("select length($1::text)", text) for _ in range(4)]
        calls += [db.fetch_value("select $1::int", n) for n in range(4)]
        assert await asyncio.gather(*calls) == [len(text)] * 4 + [0, 1, 2, 3]
        assert await db.fetch_value("select $1::text", text) == text


async def test_a_ticker_goes_on_while_a_big_result_arrives(pg_url: str) -> None:
    late = 0.0

    async def tick() -> None:
        nonlocal late
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.001)
            late = max(late, time.monotonic() - begun)

    async with rm.AsyncDatabase(pg_url) as db:
        await db.fetch_value("select 1")
        ticker = asyncio.create_task(tick())
        frame = await db.fetch(BIG.replace("2000", "100000"))
        ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticker
    assert len(frame) == 100_000
    assert late < 1.0  # only that it is not stalled for the whole of it


async def test_closed(any_url: str) -> None:
    db = rm.AsyncDatabase(any_url)
    assert await db.fetch_value("select 1") == 1
    assert not repr(db).endswith("(closed)>")
    await db.close()
    await db.close()
    assert db.closed
    with pytest.raises(rm.InterfaceError, match="closed"):
        await db.fetch("select 1")
    with pytest.raises(rm.InterfaceError, match="closed"):
        async with db.transaction():
            pass
    with pytest.raises(rm.InterfaceError, match="closed"):
        async for _ in db.stream("select 1"):
            pass


async def test_closing_lets_calls_under_way_end(pg_url: str) -> None:
    db = rm.AsyncDatabase(pg_url, pool_size=1)
    assert await db.fetch_value("select 1") == 1
    calls = [
        asyncio.create_task(db.fetch_value("select $1::int from pg_sleep(0.05)", n))
        for n in range(4)
    ]
    await asyncio.sleep(0.02)
    async with asyncio.timeout(HANG):
        await db.close()
        assert await asyncio.gather(*calls) == [0, 1, 2, 3]


@pytest.mark.parametrize("uvloop", [False, True])
def test_one_loop_after_the_other(any_url: str, postgres: PostgresServer, uvloop: bool) -> None:
    """A loop that ends takes its connections along; the next one opens its own."""
    run = __import__("uvloop").run if uvloop else asyncio.run
    db = rm.AsyncDatabase(any_url, pool_size=2)

    async def main() -> Any:
        return await asyncio.gather(*(db.fetch_value("select $1", str(n)) for n in range(5)))

    assert within(HANG, lambda: run(main())) == list("01234")
    before = descriptors()
    for _ in range(10):
        assert within(HANG, lambda: run(main())) == list("01234")
    gc.collect()
    assert eventually(lambda: sessions(postgres, "select $1%") <= 2)
    assert eventually(lambda: descriptors() <= before + 8), (before, descriptors())


@pytest.mark.parametrize("uvloop", [False, True])
def test_a_loop_closed_with_calls_in_flight(
    pg_url: str, postgres: PostgresServer, uvloop: bool
) -> None:
    run = __import__("uvloop").run if uvloop else asyncio.run
    db = rm.AsyncDatabase(pg_url, pool_size=2)
    left: list[asyncio.Task[Any]] = []

    async def leave() -> None:
        assert await db.fetch_value("select 1") == 1
        slow = "select pg_sleep(20) -- left"
        left.extend(asyncio.ensure_future(db.fetch(slow)) for _ in range(5))
        left.append(asyncio.ensure_future(db.fetch(BIG)))
        await asyncio.sleep(0.05)

    async def main() -> Any:
        return await db.fetch_value("select 2")

    for _ in range(3):
        within(HANG, lambda: run(leave()))
        assert within(HANG, lambda: run(main())) == 2
    left.clear()
    gc.collect()
    assert eventually(lambda: not running(postgres, "%left"))


def test_two_loops_at_once(any_url: str) -> None:
    db = rm.AsyncDatabase(any_url)

    async def elsewhere() -> Any:
        return await db.fetch_value("select 2")

    async def main() -> None:
        assert await db.fetch_value("select 1") == 1
        with pytest.raises(rm.InterfaceError, match="event loop") as caught:
            await asyncio.to_thread(asyncio.run, elsewhere())
        assert caught.value.hint
        assert await db.fetch_value("select 1") == 1
        await db.close()

    within(HANG, lambda: asyncio.run(main()))


def test_no_loop() -> None:
    db = rm.AsyncDatabase("sqlite://")
    with pytest.raises(RuntimeError):
        db.fetch("select 1").send(None)


@pytest.mark.direct("a pooler keeps the server's session for the next client")
async def test_a_database_that_nobody_holds_ends(pg_url: str, postgres: PostgresServer) -> None:
    async def forgotten() -> None:
        db = rm.AsyncDatabase(pg_url, pool_size=2)
        assert await asyncio.gather(db.fetch_value("select 1"), db.fetch_value("select 2"))

    before = descriptors()
    with pytest.warns(ResourceWarning, match="AsyncDatabase .* was not closed"):
        await forgotten()
    async with asyncio.timeout(HANG):
        while await asyncio.to_thread(sessions, postgres):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert descriptors() <= before + 2


async def test_nothing_leaks(pg_url: str, postgres: PostgresServer) -> None:
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg_url, pool_size=3) as db:
        await asyncio.gather(*(db.fetch(BIG) for _ in range(6)))
        before = descriptors(), await asyncio.to_thread(sessions, postgres), threads()
        for _ in range(30):
            calls = [db.fetch("select nonexistent"), db.fetch("select pg_sleep(9)", timeout=0.01)]
            await asyncio.gather(*calls, db.fetch_value("select 1"), return_exceptions=True)
        assert await db.fetch_value("select 1") == 1
        after = descriptors(), await asyncio.to_thread(sessions, postgres)
        assert after[0] <= before[0] + 4
        assert after[1] <= 3
    # Idle workers end by themselves after a while.
    assert await asyncio.to_thread(eventually, lambda: threads() <= before[2] + 2, 30)

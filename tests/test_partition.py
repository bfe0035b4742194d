"""`partition=`: one result, read side by side by several connections on one snapshot."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import threading
from typing import Any, Literal

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, eventually, resident, running, sessions, threads, within

MIB = 1 << 20
NUMBERS = "select n as id, 'x' || n as name from ({}) s"
SERIES = (
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5000) select n from r"
)


def ids(frames: Any) -> list[Any]:
    return list(itertools.chain.from_iterable(frame["id"].to_list() for frame in frames))


@pytest.fixture
def pg(pg_url: str) -> str:
    """A table of 20,000 rows, with NULLs in each column but `id`."""
    with rm.Database(pg_url) as db:
        db.execute_script("""
            create table item as select n::int as id,
                nullif(n % 1000, 7)::bigint as many,
                nullif(n / 7.0, 7)::float8 as f,
                nullif(n * 1.25, 25)::numeric(12, 2) as price,
                nullif('name ' || n, 'name 9') as name,
                timestamptz '2024-01-01' + nullif(n, 5) * interval '1 hour' as at,
                timestamp '2024-01-01' + nullif(n, 5) * interval '1 hour' as local,
                date '2024-01-01' + nullif(n, 5) % 365 as day,
                time '00:00' + nullif(n, 5) % 1440 * interval '1 minute' as clock,
                md5(nullif(n, 5)::text)::uuid as key
            from generate_series(1, 20000) n;
            create index on item (id);
            analyze item""")
    return pg_url


@pytest.mark.parametrize("parts", [1, 2, 5, 40])
@pytest.mark.parametrize(
    "on", ["id", "many", "f", "price", "name", "at", "local", "day", "clock", "key"]
)
def test_all_rows_once_whatever_the_column(pg: str, on: str, parts: int) -> None:
    by: Literal["range", "rows"] = "rows" if on == "name" else "range"
    with rm.Database(pg, pool_size=4) as db:
        partition = rm.Partition(on, parts=parts, by=by)
        frames = list(db.stream("select * from item", partition=partition))
        assert sorted(ids(frames)) == list(range(1, 20_001))
        ordered = rm.Partition(on, parts=parts, by="rows", ordered=True)
        given = db.stream(f"select {on} from item", partition=ordered)
        values = [value for frame in given for value in frame[on].to_list()]
        assert values == db.fetch(f"select {on} from item order by {on}")[on].to_list()


async def test_all_rows_once_async(pg: str) -> None:
    sql = "select id, name from item where id > $1 and many <> :not"
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg, pool_size=4) as db:
        named = sql.replace("$1", ":low")
        expected = await db.fetch(f"{named} order by id", low=500, **{"not": 3})
        by_id = rm.Partition("id", parts=9, ordered=True)
        frames = [
            part
            async for part in db.stream(
                named, low=500, **{"not": 3}, batch_rows=100, partition=by_id
            )
        ]
        assert ids(frames) == expected["id"].to_list()
        assert max(map(len, frames)) <= 100
        frames = [part async for part in db.stream("select * from item", partition="id")]
        assert sorted(ids(frames)) == list(range(1, 20_001))
        assert (await db.fetch_value("select count(*) from item")) == 20_000
        stats = db.stats()
        assert stats["open"] == stats["idle"] <= 4


def test_order_is_that_of_the_whole(pg: str) -> None:
    sql = "select id, price from item where price <> $1 -- with a comment"
    with rm.Database(pg, pool_size=5) as db:
        whole = db.fetch("select id, price from item where price <> $1 order by id", 50)
        for parts, batch_rows in ((3, 65_536), (16, 700), (200, 50)):
            partition = rm.Partition("id", parts=parts, ordered=True)
            with db.stream(sql, 50, batch_rows=batch_rows, partition=partition) as frames:
                got = [row.to_tuple() for frame in frames for row in frame.rows()]
            assert got == [row.to_tuple() for row in whole.rows()]


def test_a_table_goes_by_its_pages(pg: str) -> None:
    with rm.Database(pg, pool_size=4) as db:
        db.execute_script('create schema "a b"; create table "a b"."it\'s" as select * from item')
        for table in ("item", '"a b".it\'s', '"a b"."it\'s"'):
            frames = list(db.stream(table, partition=rm.Partition("ctid", parts=6)))
            assert sorted(ids(frames)) == list(range(1, 20_001))
        frames = list(db.stream("item", partition=rm.Partition("ctid", parts=6, ordered=True)))
        assert ids(frames) == list(range(1, 20_001))
        db.execute("create table empty (id int)")
        assert [frame.columns for frame in db.stream("empty", partition="ctid")] == [["id"]]
        with pytest.raises(rm.ProgrammingError, match="no table's name"):
            list(db.stream("select * from a.b.c", partition="ctid"))
        with pytest.raises(rm.ProgrammingError, match="item; drop"):
            list(db.stream("item; drop table item", partition="ctid"))


@pytest.mark.parametrize("ordered", [False, True])
def test_a_writer_in_between_is_not_seen(pg: str, ordered: bool) -> None:
    """The rows are those that were there when the first part was asked for."""
    with rm.Database(pg, pool_size=5) as db, rm.Database(pg, pool_size=1) as other:
        partition = rm.Partition("id", parts=40, ordered=ordered)
        frames = db.stream("select id, many from item", batch_rows=10, partition=partition)
        first = next(frames)
        other.execute("delete from item where id % 2 = 0")
        other.execute("update item set id = id + 1000000, many = -1")
        other.execute("insert into item (id, many) select n, -2 from generate_series(1, 9000) n")
        rest = list(frames)
        assert sorted(ids([first, *rest])) == list(range(1, 20_001))
        assert all(min(filter(None, part["many"].to_list()), default=0) >= 0 for part in rest)
        assert db.fetch_value("select count(*) from item where id <= 20000") == 9_000


def test_several_connections_read_at_once(pg: str, postgres: PostgresServer) -> None:
    slow = "select id, pg_sleep(0.01) from item where id <= 100 -- together"
    with rm.Database(pg, pool_size=4) as db:
        frames = db.stream(slow, partition=rm.Partition("id", parts=6))
        reader = threading.Thread(target=lambda: list(frames))
        reader.start()
        # One of the pool's stays free, for what the reader does meanwhile.
        assert eventually(lambda: sessions(postgres, "%together%", state="active") == 3)
        assert db.fetch_value("select 7", timeout=5) == 7
        reader.join(HANG)
        with db.stream(slow, batch_rows=1, partition="id") as others:
            next(others)
            assert db.fetch_value("select 7", timeout=5) == 7
        assert eventually(lambda: not running(postgres, "%together%"))


def test_one_connection_is_enough(pg: str) -> None:
    with rm.Database(pg, pool_size=1) as db:
        frames = list(db.stream("select id from item", partition=rm.Partition("id", parts=7)))
        assert sorted(ids(frames)) == list(range(1, 20_001))
        assert db.stats()["open"] == db.stats()["idle"] == 1
    with rm.Database(pg, pool_size=3) as db, db.transaction() as one, db.transaction() as two:
        one.fetch("select 1")
        two.fetch("select 1")
        frames = list(db.stream("select id from item", partition=rm.Partition("id", parts=7)))
        assert sorted(ids(frames)) == list(range(1, 20_001))


@pytest.mark.parametrize("ordered", [False, True])
def test_leaving_early_stops_all_and_gives_them_back(
    pg: str, postgres: PostgresServer, ordered: bool
) -> None:
    sql = "select id, repeat('x', 100000) as pad from item -- leaves"
    with rm.Database(pg, pool_size=4) as db:
        partition = rm.Partition("id", ordered=ordered)
        before = threads()
        for _ in range(3):
            with db.stream(sql, batch_rows=100, partition=partition) as frames:
                assert len(next(frames)) > 0
            assert not running(postgres, "%leaves%")
            stats = db.stats()
            assert (stats["lost"], stats["open"]) == (0, stats["idle"])
        stream = db.stream(sql, partition=partition)
        stream.close()
        assert list(stream) == []
        assert eventually(lambda: threads() <= before)
        assert db.fetch_value("select 1") == 1


async def test_leaving_early_async(pg: str, postgres: PostgresServer) -> None:
    sql = "select id, repeat('x', 100000) as pad from item -- leaves"
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg, pool_size=4) as db:
        for _ in range(3):
            async with db.stream(sql, batch_rows=100, partition="id") as frames:
                assert len(await anext(frames)) > 0
            gone = await asyncio.to_thread(eventually, lambda: not running(postgres, "%leaves%"))
            assert gone
            assert await asyncio.gather(*(db.fetch_value("select 1") for _ in range(9))) == [1] * 9
        task = asyncio.create_task(
            anext(db.stream("select id, pg_sleep(9) from item", partition="id"))
        )
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(eventually, lambda: not running(postgres, "%pg_sleep%"))
        stats = db.stats()
        assert stats["lost"] == 0


@pytest.mark.parametrize("ordered", [False, True])
def test_an_error_in_one_part_ends_the_others(
    pg: str, postgres: PostgresServer, ordered: bool
) -> None:
    sql = "select id, 1 / (id - 19000) as q, pg_sleep(0) as fails from item"
    with rm.Database(pg, pool_size=4) as db:
        partition = rm.Partition("id", parts=4, ordered=ordered)
        frames = db.stream(sql, batch_rows=100, partition=partition)
        with pytest.raises(rm.DataError, match="division by zero") as caught:
            within(HANG, lambda: list(frames))
        assert caught.value.query is not None
        assert "where part" in caught.value.query
        assert list(frames) == []
        assert not running(postgres, "%fails%")
        stats = db.stats()
        assert (stats["lost"], stats["open"]) == (0, stats["idle"])


async def test_an_error_in_one_part_async(pg: str) -> None:
    sql = "select id, 1 / (id - 19000) as q from item"
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg, pool_size=4) as db:
        with pytest.raises(rm.DataError, match="division by zero"):
            async for _ in db.stream(sql, batch_rows=100, partition="id"):
                pass
        assert await db.fetch_value("select 1") == 1


@pytest.mark.direct("it kills one of the servers that it reads by")
def test_a_deadline_and_a_killed_connection(pg: str, postgres: PostgresServer) -> None:
    with rm.Database(pg, pool_size=4) as db:
        slow = "select id, pg_sleep(9) as s from item -- slowly"
        with pytest.raises(rm.QueryTimeout):
            within(HANG, lambda: list(db.stream(slow, partition="id", timeout=0.3)))
        assert not running(postgres, "%slowly%")
        with db.stream(
            "select id, repeat('x', 100000) as pad from item -- killed",
            batch_rows=1,
            partition="id",
        ) as parts:
            next(parts)
            postgres.psql(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where query like '%killed%' and pid <> pg_backend_pid() limit 1"
            )
            with pytest.raises(rm.ConnectionLost):
                within(HANG, lambda: list(parts))
        assert db.fetch_value("select 1") == 1
        assert db.stats()["open"] == db.stats()["idle"]


def test_what_cannot_be_cut(pg: str) -> None:
    with rm.Database(pg, pool_size=3) as db:
        with pytest.raises(rm.ProgrammingError, match='"name"') as caught:
            list(db.stream("select id, name from item", partition="name"))
        assert 'by="rows"' in str(caught.value.hint)
        with pytest.raises(rm.ProgrammingError, match="nowhere"):
            list(db.stream("select id from item", partition="nowhere"))
        with pytest.raises(rm.ProgrammingError, match="ambiguous"):
            list(db.stream("select a.id, b.id from item a, item b", partition="id"))
        quoted = 'id" < 5 or part."id'
        with pytest.raises(rm.ProgrammingError, match="does not exist"):
            list(db.stream("select id from item", partition=quoted))
        with pytest.raises(rm.Error) as writes:
            list(db.stream("select id, nextval('s') from item", partition="id"))
        assert writes.value.sqlstate in ("25006", "42P01")
        with pytest.raises(rm.ProgrammingError, match="takes"):
            db.stream("select id from item where id > $1", partition="id")
        for nothing in ("where false", "where many is null", "where id = 5"):
            frames = list(db.stream(f"select id, many, at from item {nothing}", partition="many"))
            assert [frame.columns for frame in frames] == [["id", "many", "at"]]
        db.close()
        with pytest.raises(rm.InterfaceError):
            db.stream("select id from item", partition="id")


def test_the_partition_itself() -> None:
    partition = rm.Partition("id", parts=8, by="rows", ordered=True)
    assert repr(partition) == 'Partition("id", parts=8, by="rows", ordered=True)'
    assert (partition.on, partition.parts, partition.by, partition.ordered) == (
        "id",
        8,
        "rows",
        True,
    )
    assert partition == rm.Partition("id", parts=8, by="rows", ordered=True)
    assert partition != rm.Partition("id", parts=9, by="rows", ordered=True)
    wrong: Any
    for wrong in ({"parts": 0}, {"parts": 10_001}, {"by": "hash"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            rm.Partition("id", **wrong)
    with pytest.raises(ValueError, match="column"):
        rm.Partition("")
    with rm.Database("sqlite://") as db, pytest.raises(TypeError, match="partition"):
        db.stream("select 1", partition=5)  # type: ignore[arg-type]


async def test_sqlite_reads_the_same_on_one_connection(any_url: str) -> None:
    sql = NUMBERS.format(SERIES) + " where n <> $1"
    ordered = rm.Partition("id", parts=3, ordered=True)
    with rm.Database(any_url, pool_size=3) as db:
        assert ids(db.stream(sql, 9, partition=ordered)) == [n for n in range(1, 5001) if n != 9]
        assert len(ids(db.stream(sql, 9, partition="id"))) == 4999
        last = "select 1 as id union all select null union all select 0"
        assert ids(db.stream(last, partition=ordered)) == [0, 1, None]
    async with rm.AsyncDatabase(any_url, pool_size=3) as adb:
        frames = [part async for part in adb.stream(sql, 9, partition=ordered)]
        assert ids(frames) == [n for n in range(1, 5001) if n != 9]
    if "sqlite" in any_url:
        with rm.Database(any_url) as db:
            with pytest.raises(rm.NotSupportedError, match="ctid"):
                db.stream("item", partition="ctid")
            with pytest.raises(rm.ProgrammingError, match="nowhere"):
                list(db.stream(sql, 9, partition=rm.Partition("nowhere", ordered=True)))


@pytest.mark.parametrize("ordered", [False, True])
def test_memory_is_bounded_for_all_parts_together(pg_url: str, ordered: bool) -> None:
    """400 MB by four connections, each ahead of a slow reader as far as it may be."""
    sql = "select n as id, repeat('x', 1000) as pad from generate_series(1, 400000) n"
    with rm.Database(pg_url, pool_size=5) as db:
        before = resident()
        most, rows = 0, 0
        partition = rm.Partition("id", ordered=ordered)
        for at, part in enumerate(db.stream(sql, partition=partition)):
            rows += len(part)
            if at < 8:
                threading.Event().wait(0.05)
            most = max(most, resident())
        assert rows == 400_000
        assert most - before < 100 * MIB


def test_dates_that_are_infinite_are_cut_by_rows(pg: str) -> None:
    sql = "select id, day from item where id < 100"
    with rm.Database(pg) as db:
        frames = db.stream(sql, partition=rm.Partition("day", by="rows", parts=3))
        days = [day for frame in frames for day in frame["day"].to_list()]
        assert days.count(None) == 1
        assert min(filter(None, days)) == dt.date(2024, 1, 2)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", ["1e-200", "0", "1e200", "7"]),
        ("date", ["-infinity", "2020-01-01", "infinity", "2024-01-01"]),
        ("timestamptz", ["-infinity", "2020-01-01", "infinity"]),
        ("text", ["it's", "a\\b", "", "zoë"]),
        ("interval", ["1 day", "1 month"]),
        ("inet", ["1.1.1.1", "2.2.2.2"]),
    ],
)
def test_rows_are_counted_whatever_the_values(pg: str, kind: str, values: list[str]) -> None:
    """The cuts are the server's own values, which need not fit into a column here."""
    with rm.Database(pg, pool_size=3) as db:
        db.execute_script(f"drop table if exists odd; create table odd (id integer, v {kind})")
        for n, value in enumerate([*values, None]):
            db.execute(f"insert into odd values ($1, $2::text::{kind})", n, value)
        partition = rm.Partition("v", by="rows", parts=3)
        sql = "select id, v from odd where id > $1"
        if kind in ("date", "timestamptz"):  # which a frame cannot hold
            with pytest.raises(rm.Error, match=r"\bv\b"):
                list(db.stream(sql, -1, partition=partition))
            return
        found = ids(db.stream(sql, -1, partition=partition))
        assert sorted(found) == list(range(len(values) + 1))


async def test_a_table_that_changed_between_two_reads(pg: str) -> None:
    """What a connection knows of a statement is of the table as it was."""
    sql, partition = "select * from changing", rm.Partition("n", parts=3)
    async with rm.AsyncDatabase(pg, pool_size=3) as adb:
        with rm.Database(pg, pool_size=3) as db:
            db.execute_script(
                "drop table if exists changing;"
                "create table changing as select generate_series(1, 90) n"
            )
            for change in ("add column c text", "alter column n type bigint", "drop column c"):
                frames = list(db.stream(sql, partition=partition))
                frames += [frame async for frame in adb.stream(sql, partition=partition)]
                columns = db.fetch(sql).columns
                assert sum(map(len, frames)) == 180
                assert {tuple(frame.columns) for frame in frames} == {tuple(columns)}
                db.execute_script(f"alter table changing {change}")
            assert sum(map(len, db.stream(sql, partition=partition))) == 90

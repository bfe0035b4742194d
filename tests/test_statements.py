"""Prepared statements: kept, evicted, outlived by their tables; and noise between the answers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, resident


@pytest.mark.parametrize("statement_cache", [1, 2, 256])
async def test_many_distinct_statements(any_url: str, statement_cache: int) -> None:
    texts = [f"select {n} as a, $1 as b" for n in range(320)]
    with rm.Database(any_url, pool_size=1, statement_cache=statement_cache) as db:
        for _ in range(2):
            for n, sql in enumerate(texts):
                assert db.fetch(sql, str(n)).to_dict() == {"a": [n], "b": [str(n)]}
        if "sqlite" not in any_url and "pooler" not in any_url:  # a pooler keeps its own
            kept = db.fetch_value("select count(*) from pg_prepared_statements")
            assert kept <= statement_cache + 1
    async with rm.AsyncDatabase(any_url, pool_size=1, statement_cache=statement_cache) as adb:
        async with asyncio.timeout(2 * HANG):
            frames = await asyncio.gather(*(adb.fetch(sql, str(n)) for n, sql in enumerate(texts)))
        assert [frame["a"][0] for frame in frames] == list(range(320))
        assert [frame["b"][0] for frame in frames] == [str(n) for n in range(320)]


async def test_a_table_that_changes(any_url: str) -> None:
    """`select *` of a table that was altered gives the new columns, at once and on every lane."""
    with rm.Database(any_url, pool_size=1) as db:
        db.execute("create table t (n integer)")
        db.execute("insert into t values (1)")
        for _ in range(3):
            assert db.fetch("select * from t").to_dict() == {"n": [1]}
        db.execute("alter table t add column name text default 'x'")
        for _ in range(3):
            assert db.fetch("select * from t").to_dict() == {"n": [1], "name": ["x"]}
        db.execute("alter table t rename column name to label")
        assert db.fetch("select * from t").columns == ["n", "label"]
    async with asyncio.timeout(HANG), rm.AsyncDatabase(any_url, pool_size=3) as adb:
        await asyncio.gather(*(adb.fetch("select * from t") for _ in range(9)))
        await adb.execute("alter table t drop column label")
        frames = await asyncio.gather(*(adb.fetch("select * from t") for _ in range(9)))
        assert all(frame.to_dict() == {"n": [1]} for frame in frames)


async def test_a_column_whose_type_changes(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=2) as db:
        db.execute_script("create table t (n int); insert into t values (1)")
        for _ in range(3):
            assert db.fetch("select n from t").to_dict() == {"n": [1]}
        db.execute("alter table t alter column n type text")
        assert db.fetch("select n from t").to_dict() == {"n": ["1"]}
        db.execute("alter table t alter column n type float8 using n::float8")
        assert db.fetch_value("select n from t where n = $1", 1.0) == 1.0
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=2) as adb:
        for kind, value in (("int", 1), ("text", "1"), ("int", 1)):
            await adb.execute(f"alter table t alter column n type {kind} using n::{kind}")
            values = await asyncio.gather(*(adb.fetch_value("select n from t") for _ in range(6)))
            assert values == [value] * 6


def test_a_change_inside_a_transaction(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute_script("create table t (n int); insert into t values (1)")
        db.fetch("select * from t")
        # The server refuses the old plan; what it cannot do is prepare anew in a failed block.
        with contextlib.suppress(rm.NotSupportedError), db.transaction() as tx:
            tx.execute("alter table t add column m int default 2")
            assert tx.fetch("select * from t").columns == ["n", "m"]


@pytest.mark.parametrize("sql", ["deallocate all", "discard all"])
async def test_statements_that_are_gone(pg_url: str, sql: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        for _ in range(3):
            assert db.fetch_value("select $1::int", 7) == 7
            db.execute_script(sql) if sql == "discard all" else db.execute(sql)
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as adb:
        for _ in range(3):
            assert await adb.fetch_value("select $1::int", 7) == 7
            await adb.execute_script(sql)


def test_new_types(pg_url: str) -> None:
    """Types made after the connection was; an enum that grows; a type remade under its name."""
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("create type mood as enum ('sad', 'ok')")
        assert db.fetch_value("select 'ok'::mood") == "ok"
        assert db.fetch_value("select array['ok', 'sad']::mood[]") == ["ok", "sad"]
        db.execute("alter type mood add value 'happy'")
        assert db.fetch_value("select 'happy'::mood") == "happy"
        db.execute_script("drop type mood; create type mood as (n int, word text)")
        assert db.fetch_value("select (1, 'x')::mood::text") == "(1,x)"
        db.execute("create domain positive as int check (value > 0)")
        assert db.fetch_value("select 7::positive") == 7
        with pytest.raises(rm.IntegrityError):
            db.fetch_value("select (-7)::positive")


def test_notices_and_notifications_in_between(pg_url: str, postgres: PostgresServer) -> None:
    database = pg_url.rpartition("/fresh")[2].partition("?")[0]
    noisy = "do $$ begin for n in 1..200 loop raise notice 'n %', n; perform pg_notify('news', n::text); end loop; end $$"
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("listen news")
        for n in range(5):
            db.execute(noisy)
            postgres.psql(f"notify news, 'from outside {n}'", database=f"fresh{database}")
            assert db.fetch_value("select $1::int", n) == n
            db.execute(f"set timezone = 'Etc/GMT+{n + 1}'")
        assert len(db.fetch("select n from generate_series(1, 5000) n")) == 5000


async def test_notices_and_notifications_in_between_async(pg_url: str) -> None:
    noisy = "do $$ begin for n in 1..200 loop raise notice 'n %', n; perform pg_notify('news', n::text); end loop; end $$"
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("listen news")
        calls = []
        for n in range(20):
            calls += [db.execute(noisy), db.fetch_value("select $1::int", n)]
        assert (await asyncio.gather(*calls))[1::2] == list(range(20))


@pytest.mark.parametrize("sql", ["copy (select 1) to stdout", "copy t from stdin"])
async def test_copy_is_not_of_this_interface(pg_url: str, sql: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("create table t (n int)")
        pid = db.fetch_value("select pg_backend_pid()")
        for verb in (db.fetch, db.execute, db.execute_script):
            with pytest.raises(rm.NotSupportedError):
                verb(sql, timeout=10)
        assert db.fetch_value("select pg_backend_pid()") == pid
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as adb:
        answers = await asyncio.gather(
            adb.fetch_value("select 1"),
            adb.fetch(sql),
            adb.fetch_value("select 2"),
            adb.fetch_value("select 3"),
            return_exceptions=True,
        )
        assert isinstance(answers[1], rm.NotSupportedError)
        assert [answers[0], *answers[2:]] == [1, 2, 3]


async def test_scripts(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute_script("create table t (n int); insert into t values (1); select * from t;")
        with pytest.raises(rm.ProgrammingError) as caught:
            db.execute_script("insert into t values (2);\nselect nonexistent;")
        assert caught.value.position is not None
        assert db.fetch_value("select count(*) from t") == 1  # one script, one transaction
        for nothing in ("", ";", "-- nothing"):
            db.execute_script(nothing)
    async with rm.AsyncDatabase(pg_url, pool_size=1) as adb:
        await adb.execute_script("insert into t values (2); insert into t values (3)")
        with pytest.raises(rm.ProgrammingError) as caught:
            await adb.execute_script("select 1; select nonexistent")
        assert caught.value.query == "select 1; select nonexistent"
        assert await adb.fetch_value("select count(*) from t") == 3


def test_columns_of_one_name_and_of_none(any_url: str) -> None:
    with rm.Database(any_url) as db:
        frame = db.fetch("select 1 as a, 2 as a")
        assert frame.columns == ["a", "a"]
        assert frame.rows().__next__().to_tuple() == (1, 2)
        if "sqlite" not in any_url:
            assert db.fetch("select from generate_series(1, 3)").shape == (3, 0)
            assert len(db.fetch("select " + ", ".join(map(str, range(1600)))).columns) == 1600


def test_long_texts_are_not_kept(any_url: str) -> None:
    """75 MB of distinct SQL, each of which is seen once."""
    with rm.Database(any_url, pool_size=1) as db:
        db.fetch_value("select 1")
        before = resident()
        for number in range(150):
            assert db.fetch_value(f"select {number} /* {'x' * 500_000} */") == number
        assert resident() - before < 40 << 20

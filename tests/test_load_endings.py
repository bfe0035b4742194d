"""How a load ends when something goes wrong: soon, truly told, and nobody else the worse for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import within


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url, pool_size=2) as db:
        db.execute_script("create table item (id integer primary key, name text)")
        yield db


@pytest.fixture
def pg(postgres: PostgresServer) -> Iterator[rm.Database]:
    with postgres.fresh_database() as url, rm.Database(url, pool_size=2) as db:
        yield db


def parts(count: int, rows: int = 4, then: BaseException | None = None) -> Iterator[dict[str, Any]]:
    for at in range(count):
        yield {"id": range(rows * at, rows * at + rows), "name": ["x"] * rows}
    if then is not None:
        raise then


def count(db: rm.Database) -> Any:
    return db.fetch_value("select count(*) from item")


def test_a_deadline_in_any_phase_leaves_all_usable(pg: rm.Database) -> None:
    pg.execute_script("create table item (id int, name text)")
    for timeout in (1e-9, 1e-5, 1e-4, 2e-4, 4e-4, 8e-4, 2e-3):
        started = time.monotonic()
        try:
            pg.load("item", {"id": range(50_000)}, timeout=timeout)
        except rm.QueryTimeout:
            assert count(pg) == 0
        pg.execute("truncate item")
        # A transaction that failed says so, at once, to whatever is asked of it, its commit too.
        with contextlib.suppress(rm.Error), pg.transaction() as tx:
            with contextlib.suppress(rm.QueryTimeout):
                tx.load("item", {"id": range(50_000)}, timeout=timeout)
            tx.fetch_value("select 1")
        pg.execute("truncate item")
        assert time.monotonic() - started < 4
    assert within(5, lambda: pg.fetch_value("select 1")) == 1


def test_a_source_that_fails_does_not_wait_for_a_slow_table(pg: rm.Database) -> None:
    pg.execute_script("""
        create table slow (id int, name text);
        create function wait() returns trigger language plpgsql as
            'begin perform pg_sleep(0.05); return new; end';
        create trigger wait before insert on slow for each row execute function wait()""")
    started = time.monotonic()
    with pytest.raises(KeyError):
        pg.load("slow", parts(100, then=KeyError()))
    assert time.monotonic() - started < 3
    with pytest.raises(KeyError), pg.transaction() as tx:
        tx.load("slow", parts(100, then=KeyError()))
    assert time.monotonic() - started < 6
    assert pg.fetch_value("select count(*) from slow") == 0


def test_the_servers_error_is_heard_while_rows_come(pg: rm.Database) -> None:
    pg.execute_script(
        "create table item (id int primary key, name text); insert into item values (0)"
    )
    made = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal made
        while True:
            made += 1
            time.sleep(0.001)
            yield {"id": range(1_000), "name": ["x" * 50] * 1_000}

    with pytest.raises(rm.IntegrityError, match="row 0"):
        within(20, lambda: pg.load("item", endless()))
    assert made < 1_000


def test_a_table_of_the_name_that_a_load_could_want(pg: rm.Database) -> None:
    pg.execute_script("create table rowmill_load (id int primary key)")
    assert pg.load("rowmill_load", {"id": [1, 2]}, on_conflict="nothing") == 2
    assert pg.fetch_value("select count(*) from rowmill_load") == 2
    with pg.transaction() as tx:
        tx.execute_script("create temp table rowmill_load_0 (id int)")
        assert tx.load("public.rowmill_load", {"id": [2, 3]}, on_conflict="nothing") == 1


def test_a_stream_of_the_same_transaction_is_a_source() -> None:
    with rm.Database("sqlite://") as db:
        db.execute_script("create table a (n int); create table b (n int)")
        db.load("a", {"n": range(1_000)})
        with db.transaction() as tx:
            copied = within(10, lambda: tx.load("b", tx.stream("select n from a", batch_rows=100)))
            assert copied == 1_000


def test_what_was_committed_is_told_with_the_exception(db: rm.Database) -> None:
    with pytest.raises(KeyError) as caught:
        db.load("item", parts(3, then=KeyError("gone")), commit_each=4)
    committed = count(db)
    assert f"{committed} rows were committed" in caught.value.__notes__[0]
    db.execute("delete from item")
    other: list[Any] = [{"id": [1, 2], "name": ["a", "b"]}, {"id": [3]}]
    with pytest.raises(rm.ProgrammingError, match="2 rows were committed before"):
        db.load("item", iter(other), commit_each=1)
    assert count(db) == 2


def test_iterators_of_all_kinds(db: rm.Database) -> None:
    class Bare:
        left = 3

        def __next__(self) -> dict[str, Any]:
            if self.left == 0:
                raise StopIteration
            self.left -= 1
            return {"id": [self.left]}

    class Restarting(Bare):
        def __iter__(self) -> Restarting:
            self.left = 3
            return self

    bare: Any = Bare()
    assert db.load("item", bare) == 3
    db.execute("delete from item")
    assert db.load("item", Restarting()) == 3
    assert db.load("item", []) == 0
    some: list[Any] = [[], {"id": [7]}, []]
    assert db.load("item", iter(some)) == 1


async def test_stop_iteration_of_a_callback_ends_the_call(any_url: str) -> None:
    def stop(rows: int) -> None:
        raise StopIteration

    async with rm.AsyncDatabase(any_url) as db:
        await db.execute_script("create table item (id integer primary key, name text)")
        with pytest.raises(RuntimeError, match="StopIteration"):
            await db.load("item", {"id": [1]}, progress=stop)
        assert await db.fetch_value("select count(*) from item") == 0


def test_names_and_keys_that_cannot_be_meant(db: rm.Database) -> None:
    with pytest.raises(rm.ProgrammingError, match='no column "id"'):
        db.load("item", {"name": ["a"]}, on_conflict="update")
    if db.fetch_value("select 'x' || 1") and "sqlite" in repr(db):
        with pytest.raises(rm.ProgrammingError, match="one column"):
            db.load("item", {"id": [1], "ID": [2]})
    assert count(db) == 0


def test_a_primary_key_that_includes_more(pg: rm.Database) -> None:
    pg.execute_script(
        "create table t (id int, n int, primary key (id) include (n)); insert into t values (1, 1)"
    )
    assert pg.load("t", {"id": [1, 2], "n": [5, 6]}, on_conflict="update") == 2
    assert pg.fetch("select * from t order by id")["n"].to_list() == [5, 6]


def test_no_number_becomes_an_infinity(pg: rm.Database) -> None:
    pg.execute_script("create table t (at timestamp, day date)")
    least = np.array(
        [-(2**63) + (datetime(2000, 1, 1) - datetime(1970, 1, 1)) // timedelta(microseconds=1)]
    )
    with pytest.raises(rm.DataError, match="out of range"):
        pg.load("t", {"at": least.view("datetime64[us]")})
    assert pg.load("t", {"day": [date.min, date.max]}) == 2


def test_rows_that_are_wide_or_long(pg: rm.Database) -> None:
    names = [f"c{at}" for at in range(1_500)]
    pg.execute_script(f"create table wide ({', '.join(f'{name} smallint' for name in names)})")
    assert pg.load("wide", {name: [1] * 500 for name in names}) == 500
    assert pg.fetch_value("select sum(c0 + c1499) from wide") == 1_000
    pg.execute_script("create table long (a text, b bytea)")
    assert pg.load("long", {"a": ["é" * 40_000, None] * 50, "b": [b"x" * 70_000] * 100}) == 100
    assert (
        pg.fetch_value("select sum(length(a) + length(b)) from long where a is not null")
        == 50 * 110_000
    )

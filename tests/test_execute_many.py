"""One statement for many rows: all or none, in few round trips."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url, pool_size=2) as db:
        db.execute("create table t (id integer primary key, name text)")
        yield db


INSERT = "insert into t values ($1, $2)"


def count(db: rm.Database) -> Any:
    return db.fetch_value("select count(*) from t")


def test_rows_of_every_form(db: rm.Database) -> None:
    assert db.execute_many(INSERT, [(1, "a"), [2, None]]) == 2
    assert db.execute_many("insert into t values (:id, :name)", [{"id": 3, "name": "c"}]) == 1
    assert db.execute_many(INSERT, ((id, "x") for id in range(10, 1_010))) == 1_000
    assert (
        db.execute_many("update t set name = $2 where id >= $1", [(1_000, "y"), (1_005, "z")]) == 15
    )
    assert db.execute_many(INSERT, []) == 0
    assert count(db) == 1_003
    assert db.fetch_value("select count(*) from t where name = 'z'") == 5


def test_one_failure_undoes_all(db: rm.Database) -> None:
    rows = [(id, "x") for id in range(500)]
    rows[321] = (7, "twice")
    with pytest.raises(rm.IntegrityError, match="row 321"):
        db.execute_many(INSERT, rows)
    assert count(db) == 0
    with pytest.raises(rm.ProgrammingError, match="row 1"):
        db.execute_many(INSERT, [(1, "a"), (2,)])
    with pytest.raises(rm.ProgrammingError):
        db.execute_many("insert into nowhere values ($1)", [(1,)])
    wrong: list[Any] = [["ab"], [5]]
    for given in wrong:
        with pytest.raises(TypeError, match="row 0"):
            db.execute_many(INSERT, given)
    with pytest.raises(TypeError):
        db.execute_many(INSERT, 5)  # type: ignore[arg-type]
    assert count(db) == 0
    assert db.execute_many(INSERT, [(1, "a")]) == 1


def test_within_a_transaction(db: rm.Database) -> None:
    with pytest.raises(KeyError), db.transaction() as tx:
        assert tx.execute_many(INSERT, [(1, "a"), (2, "b")]) == 2
        assert tx.fetch_value("select count(*) from t") == 2
        raise KeyError
    assert count(db) == 0
    with db.transaction() as tx:
        tx.execute_many(INSERT, [(1, "a")])
        with pytest.raises(rm.IntegrityError), tx.savepoint():
            tx.execute_many(INSERT, [(2, "b"), (1, "c")])
        tx.execute_many(INSERT, [(3, "c")])
    assert count(db) == 2


def test_a_failure_within_a_transaction_undoes_itself_alone(db: rm.Database) -> None:
    """A value that does not fit is found here on PostgreSQL, where the server hears nothing of it."""
    numbers = [(2,), (2**70,), (4,)]
    with db.transaction() as tx:
        tx.execute("insert into t values (1, 'kept')")
        with pytest.raises(rm.DataError, match="row 1"):
            tx.execute_many("insert into t (id) values ($1)", numbers)
        with pytest.raises(rm.IntegrityError, match="row 1"):
            tx.execute_many(INSERT, [(5, "a"), (1, "b"), (6, "c")])
        assert tx.execute_many(INSERT, [(7, "kept")]) == 1
    assert [row.id for row in db.fetch("select id from t order by id")] == [1, 7]


async def test_a_failure_within_a_transaction_undoes_itself_alone_async(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url) as db:
        await db.execute("create table t (id integer primary key, name text)")
        async with db.transaction() as tx:
            await tx.execute("insert into t values (1, 'kept')")
            with pytest.raises(rm.DataError, match="row 1"):
                await tx.execute_many("insert into t (id) values ($1)", [(2,), (2**70,), (4,)])
        assert await db.fetch_value("select count(*) from t") == 1


@dataclass
class Named:
    id: int
    name: str | None


def test_rows_of_a_frame_and_records(db: rm.Database) -> None:
    frame = rm.Frame({"id": [1, 2], "name": ["a", None]})
    assert db.execute_many(INSERT, frame) == 2
    assert db.execute_many("insert into t (id, name) values (:id, :name)", [Named(3, "c")]) == 1
    assert db.execute_many("insert into t (name, id) values (:name, :id + 10)", frame) == 2
    rows = [tuple(row) for row in db.fetch("select id, name from t order by id")]
    assert rows == [(1, "a"), (2, None), (3, "c"), (11, "a"), (12, None)]


def test_a_value_that_does_not_fit_names_row_and_parameter(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create table n (a int4)")
        with pytest.raises(rm.DataError, match=r"row 200: parameter \$1 \(int4\)"):
            db.execute_many("insert into n values ($1)", [(at,) for at in range(200)] + [(2**40,)])
        assert db.fetch_value("select count(*) from n") == 0


def test_a_deadline(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url, rm.Database(url) as db:
        db.execute("create table n (a int)")
        with pytest.raises(rm.QueryTimeout):
            db.execute_many(
                "insert into n select 1 from pg_sleep($1)", [(0.05,)] * 200, timeout=0.3
            )
        assert db.fetch_value("select count(*) from n") == 0


async def test_on_a_loop(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url, pool_size=2) as db:
        await db.execute("create table t (id integer primary key, name text)")
        many = [
            db.execute_many(INSERT, [(100 * at + n, "x") for n in range(100)]) for at in range(10)
        ]
        assert await asyncio.gather(*many) == [100] * 10
        with pytest.raises(rm.IntegrityError, match="row 1"):
            await db.execute_many(INSERT, [(5_000, "x"), (5, "x")])
        async with db.transaction() as tx:
            assert await tx.execute_many(INSERT, [(6_000, "x")]) == 1
            assert await tx.fetch_value("select count(*) from t") == 1_001
        assert await db.fetch_value("select count(*) from t") == 1_001


class Thing(rm.Table, name="things"):
    id: rm.Col[int] = rm.pk()


@rm.query
def by_id(id: int) -> rm.Select:
    return rm.select(Thing).where(Thing.id == id)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            rm.insert(Thing),
            r"not rowmill.Insert; all rows go into one insert, execute\(rm.insert\(T\).values\(rows\)\)",
        ),
        (
            rm.delete(Thing).all_rows(),
            r"not rowmill.Delete; a query holds its values: execute\(\) runs it",
        ),
        (by_id(1), "not rowmill.Call; a query holds its values"),
        (b"select 1", "not bytes$"),
        (None, "not NoneType$"),
    ],
)
async def test_what_is_no_sql(any_url: str, asked: Any, said: str) -> None:
    said = rf"execute_many\(\) takes SQL as a str, {said}"
    with rm.Database(any_url) as db, db.transaction() as tx:
        for on in (db, tx):
            with pytest.raises(TypeError, match=said):
                on.execute_many(asked, [(1,)])
    async with rm.AsyncDatabase(any_url) as adb:
        with pytest.raises(TypeError, match=said):
            await adb.execute_many(asked, [(1,)])


async def test_what_is_no_tables_name(any_url: str) -> None:
    asked: Any = Thing
    with rm.Database(any_url) as db, db.transaction() as tx:
        for on in (db, tx):
            with pytest.raises(TypeError, match='name as a str, not a table\'s class: "things"'):
                on.load(asked, [])
            with pytest.raises(TypeError, match=r"name as a str, not rowmill\.Select"):
                on.load(wrong(rm.select(Thing)), [])
    async with rm.AsyncDatabase(any_url) as adb:
        with pytest.raises(TypeError, match="name as a str, not a table's class"):
            await adb.load(asked, [])


def wrong(value: object) -> Any:
    """What a type checker would not let pass."""
    return value

"""Composite types that are altered, dropped and made anew while they are in use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rowmill as rm


@pytest.fixture
def db(pg_url: str) -> Iterator[rm.Database]:
    with rm.Database(pg_url) as database:
        database.execute_script(
            "create type pair as (a int, b text); create table m (x int, y int)"
        )
        yield database


def test_an_attribute_more(db: rm.Database) -> None:
    """By name, in order, as a result: each at once, on every connection, where we altered it."""
    with db.transaction() as tx:  # another connection that knows the statement
        assert tx.fetch_value("select $1::pair", {"a": 1, "b": "x"}) == {"a": 1, "b": "x"}
        assert db.fetch_value("select $1::pair", {"a": 1, "b": "x"}) == {"a": 1, "b": "x"}
    db.execute_script("alter type pair add attribute c int")
    value = {"a": 1, "b": "x", "c": 2}
    with db.transaction() as tx:
        assert tx.fetch_value("select $1::pair", value) == value
        assert db.fetch_value("select $1::pair", value) == value
    assert db.fetch_value("select $1::pair", (1, "x", 2)) == value


def test_what_others_altered_is_found_out(db: rm.Database, pg_url: str) -> None:
    assert db.fetch_value("select $1::pair", {"a": 1, "b": "x"}) == {"a": 1, "b": "x"}
    with rm.Database(pg_url) as other:
        other.execute("alter type pair add attribute c int")
    value = {"a": 1, "b": "x", "c": 2}
    assert db.fetch_value("select $1::pair", value) == value
    assert db.fetch_value("select row(1, 'x', 2)::pair") == value
    with rm.Database(pg_url) as other:
        other.execute("alter type pair drop attribute b")
    with pytest.raises(rm.DataError, match=r"altered.*run the statement again"):
        db.fetch("select row(1, 2)::pair as p")
    assert db.fetch_value("select row(1, 2)::pair as p") == {"a": 1, "c": 2}


def test_attributes_that_change_places(db: rm.Database) -> None:
    """As many attributes of the same types as before, under other names."""
    insert = "insert into m select ($1::m).*"
    assert db.execute(insert, {"x": 2, "y": 3}) == 1
    db.execute("alter table m drop column x")
    db.execute("alter table m add column x int")
    assert db.execute(insert, {"x": 20, "y": 30}) == 1
    assert [row.to_dict() for row in db.fetch("select x, y from m order by y").rows()] == [
        {"x": None, "y": 3},
        {"x": 20, "y": 30},
    ]
    assert db.fetch_value("select m from m where y = 30") == {"y": 30, "x": 20}
    db.execute_script(
        "alter table m rename x to t; alter table m rename y to x; alter table m rename t to y"
    )
    assert db.fetch_value("select m from m where x = 30") == {"x": 30, "y": 20}


def test_what_a_transaction_alters(db: rm.Database) -> None:
    """Others look up what was before, until it commits."""
    assert db.fetch_value("select $1::pair", (1, "x")) == {"a": 1, "b": "x"}
    with db.transaction() as tx:
        tx.execute("alter type pair rename attribute b to c")
        assert tx.fetch_value("select row(1, 'x')::pair") == {"a": 1, "c": "x"}
    assert db.fetch_value("select row(1, 'x')::pair") == {"a": 1, "c": "x"}


def test_a_type_that_is_made_anew(db: rm.Database) -> None:
    sql = "select $1::pair as p"
    assert db.fetch_value(sql, (1, "x")) == {"a": 1, "b": "x"}
    db.execute_script("drop type pair; create type pair as (z int)")
    for value in ({"z": 1}, (1,)):
        assert db.fetch_value(sql, value) == {"z": 1}


def test_an_unrelated_error_forgets_nothing(db: rm.Database) -> None:
    """A number that no decimal is says nothing of composites."""
    db.execute("create type numbered as (n numeric)")
    log = []
    for _ in range(3):
        with pytest.raises(rm.DataError, match="NaN"):
            db.fetch("select row('NaN')::numbered")
        log.append(db.fetch_value("select count(*) from pg_prepared_statements"))
    assert log[1] == log[2]


async def test_pipelined_requests_of_an_altered_composite(pg_url: str) -> None:
    import asyncio

    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create type pair as (a int, b text)")
        sql = "select $1::pair as p"
        for value in ({"a": 1, "b": "x"}, {"a": 1, "b": "x", "c": 2}):
            got = await asyncio.wait_for(
                asyncio.gather(*(db.fetch_value(sql, value) for _ in range(20))), 20
            )
            assert got == [value] * 20
            if "c" not in value:
                await db.execute("alter type pair add attribute c int")

"""What is computed is of the type that its kind says, also on SQLite, which has no such types."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm

WHEN = dt.datetime(2024, 2, 29, 12, 30, 0, 500)
KEY = uuid.UUID("8f14e45f-ceea-467f-a8c4-0123456789ab")


class Event(rm.Table, name="events"):
    id: rm.Col[int] = rm.pk()
    at: rm.Col[dt.datetime | None] = rm.column(naive=True)
    seen: rm.Col[dt.datetime | None]
    day: rm.Col[dt.date | None]
    clock: rm.Col[dt.time | None]
    price: rm.Col[Decimal | None]
    key: rm.Col[uuid.UUID | None]
    document: rm.Col[dict[str, Any] | None]
    flag: rm.Col[bool | None]


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        db.execute(
            "create table events (id bigint primary key, at timestamp, seen timestamptz, day date, clock time, "
            "price numeric(12, 2), key uuid, document json, flag boolean)"
        )
        row = {"id": 1, "at": WHEN, "seen": WHEN.replace(tzinfo=dt.UTC), "day": WHEN.date()}
        row |= {"clock": WHEN.time(), "price": Decimal("2.50"), "key": KEY, "flag": True}
        db.execute(rm.insert(Event).values(**row, document={"a": [1]}))
        db.execute(rm.insert(Event).values(id=2))
        yield db


E = Event
ALL: list[tuple[Callable[[], rm.Expr[Any]], str, Any]] = [
    (lambda: E.id > 1, "bool", False),
    (lambda: E.flag & (E.id == 1), "bool", True),
    (lambda: E.at.is_null(), "bool", False),
    (lambda: rm.coalesce(E.flag, False), "bool", True),
    (lambda: rm.lit(True), "bool", True),
    (lambda: rm.exists(rm.select(E.id).where(E.id == 2)), "bool", True),
    (lambda: rm.coalesce(E.at, E.at), "timestamp", WHEN),
    (lambda: E.at.trunc("month"), "timestamp", dt.datetime(2024, 2, 1)),
    (lambda: E.at.max().over(partition_by=E.id), "timestamp", WHEN),
    (lambda: rm.case((E.id == 1, E.seen)), "timestamp[utc]", WHEN.replace(tzinfo=dt.UTC)),
    (lambda: rm.greatest(E.day, dt.date(2020, 1, 1)), "date", WHEN.date()),
    (lambda: rm.least(E.clock, dt.time(23)), "time", WHEN.time()),
    (lambda: rm.coalesce(E.key, rm.lit(KEY)), "uuid", KEY),
    (lambda: rm.case((E.id == 1, E.document)), "json", '{"a": [1]}'),
]


@pytest.mark.parametrize(("of", "kind", "value"), ALL)
def test_an_expression_has_the_type_of_its_kind(
    db: rm.Database, of: Callable[[], rm.Expr[Any]], kind: str, value: Any
) -> None:
    found = db.fetch(rm.select(v=of()).from_(Event).where(Event.id == 1))
    assert found.schema["v"] == kind
    [shown] = found["v"].to_list()
    assert (type(shown), str(shown).replace(" ", "")) == (type(value), str(value).replace(" ", ""))
    row = db.fetch_one(rm.select(v=of()).from_(Event).where(Event.id == 1))
    assert row is not None
    assert type(row.v) is type(value)
    # The type is the same where there is no row, and where a stream's first part has no value.
    assert db.fetch(rm.select(v=of()).from_(Event).where(Event.id == 3)).schema["v"] == kind
    parts = list(db.stream(rm.select(v=of()).from_(Event).order_by(-Event.id), batch_rows=1))
    assert {part.schema["v"] for part in parts} == {kind}


def test_decimals_are_floats_on_sqlite_as_its_columns_of_them_are(db: rm.Database) -> None:
    plain = db.fetch(rm.select(Event.price)).schema["price"]
    found = db.fetch(rm.select(v=rm.coalesce(Event.price, Decimal(0))))
    assert found["v"].to_list() == [2.5, 0.0]
    assert found.schema["v"].startswith(plain.partition("(")[0])


def test_what_stands_under_a_name_keeps_its_type(db: rm.Database) -> None:
    inner = rm.select(Event.id, late=Event.id > 1, month=Event.at.trunc("month")).subquery("s")
    found = db.fetch(rm.select(inner.late, inner.month).order_by(inner.id))
    assert found.schema.types == ["bool", "timestamp"]
    both = rm.select(v=Event.id > 1).union_all(rm.select(Event.flag))
    assert db.fetch(both).schema.types == ["bool"]
    returned = (
        rm.update(Event).set(flag=False).where(Event.id == 1).returning((Event.id == 1).label("v"))
    )
    assert db.fetch(returned)["v"].to_list() == [True]


def test_sql_of_ones_own_is_read_as_before(db: rm.Database) -> None:
    query = rm.select(v=Event.id > 0).order_by(Event.id)
    text, values = query.sql("sqlite" if "sqlite" in repr(db) else "postgresql")
    assert db.fetch(query)["v"].to_list() == [True, True]
    own = db.fetch(text, *values)["v"].to_list()
    assert own == ([1, 1] if "sqlite" in repr(db) else [True, True])
    assert type(own[0]) is (int if "sqlite" in repr(db) else bool)
    assert db.fetch(query)["v"].to_list() == [True, True]


def test_partitions_are_of_the_same_types(db: rm.Database) -> None:
    partition = rm.Partition("id", ordered=True)
    query = rm.select(Event.id, v=Event.id > 1)
    parts = list(db.stream(query, partition=partition))
    assert [value for part in parts for value in part["v"].to_list()] == [False, True]
    assert {part.schema["v"] for part in parts} == {"bool"}


def test_one_table_declared_in_two_ways(sqlite_url: str) -> None:
    class Other(rm.Table, name="events"):
        id: rm.Col[int] = rm.pk()
        at: rm.Col[dt.datetime | None]

    naive = rm.select(v=Event.at.max())
    zoned = rm.select(v=Other.at.max())
    with rm.Database(sqlite_url) as db:
        db.execute("create table events (id integer primary key, at timestamp)")
        for _ in range(2):
            assert db.fetch(naive).schema["v"] == "timestamp"
            assert db.fetch(zoned).schema["v"] == "timestamp[utc]"

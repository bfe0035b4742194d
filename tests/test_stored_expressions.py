"""Expressions as JSON: what a database keeps of them."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer


class Person(rm.Table, name="people"):
    id: rm.Col[int] = rm.pk()
    age: rm.Col[int]


class Pet(rm.Table, name="pets"):
    id: rm.Col[int] = rm.pk()
    age: rm.Col[int]


VALUES: list[Any] = [
    None,
    True,
    -(2**63),
    0.1,
    math.inf,
    -0.0,
    decimal.Decimal("1.50"),
    'it\'s "é"\n\0',
    b"\0\xff",
    dt.date(1, 1, 1),
    dt.time(23, 59, 59, 999999),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
    dt.datetime(2024, 2, 29, tzinfo=dt.UTC),
    rm.Interval(months=1, days=2, microseconds=3),
    uuid.UUID(int=7),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_read_back(value: Any) -> None:
    frame = rm.Frame({"one": [1]})
    stored = rm.lit(value).to_json()
    [[back]] = frame.select(v=rm.Expr.from_json(stored)).to_tuples()
    [[same]] = frame.select(v=rm.lit(value)).to_tuples()
    assert back == same
    assert str(back) == str(same)  # -0.0


def test_what_jsonb_makes_of_it_means_the_same(postgres: PostgresServer) -> None:
    score = rm.col("score")
    stored = (
        (score > 1e100)
        | (score == 1e19)
        | (score == 1.0)
        | (score == -0.0) & rm.col("at").is_null()
    )
    with postgres.fresh_database() as url, rm.Database(url) as db:
        [text] = db.fetch_one("select $1::jsonb::text as text", stored.to_json()) or [""]
    assert text != stored.to_json()  # 1e100 is written out
    assert rm.Expr.from_json(text).to_json() == stored.to_json()
    frame = rm.Frame({"score": [1e101, 1.0, 0.0, 2.0], "at": [None, None, None, 1]})
    assert frame.filter(rm.Expr.from_json(text))["score"].to_list() == [1e101, 1.0, 0.0]


def test_columns_are_kept_by_name() -> None:
    assert rm.Expr.from_json((Person.age > 3).to_json()).to_json() == (rm.col("age") > 3).to_json()


def test_columns_of_two_tables_are_refused() -> None:
    with pytest.raises(rm.ProgrammingError, match="of another table than the column before"):
        (Person.age > Pet.age).to_json()


def test_a_query_is_refused() -> None:
    with pytest.raises(rm.ProgrammingError, match="for a database alone"):
        Person.id.in_(rm.select(Pet.id)).to_json()


def test_an_unknown_operator_is_named_with_the_nearest() -> None:
    with pytest.raises(rm.ProgrammingError, match='no operator "graeter"; is "greater" meant'):
        rm.Expr.from_json('["graeter", ["column", "age"], 3]')


def test_operands_are_checked_when_they_are_read() -> None:
    with pytest.raises(rm.ProgrammingError, match=r"like"):
        rm.Expr.from_json('["like", 1, "a%"]')

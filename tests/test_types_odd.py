"""Nested types in odd shapes: names of extensions, lists that may be rows, literals, dicts that change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from tests.type_cases import Both


@pytest.fixture
def db(pg_url: str) -> Iterator[rm.Database]:
    with rm.Database(pg_url) as database:
        database.execute_script("create type pair as (a int, b int)")
        yield database


def test_lists_of_nothing_are_no_guess(db: rm.Database) -> None:
    for nothing in ([[None, None]], [(None, None)]):
        with pytest.raises(rm.DataError, match="give composites by their attributes' names"):
            db.fetch("select $1::pair[]", nothing)
    assert db.fetch_value("select $1::pair[]", [None, None]) == [None, None]
    mixed = [[None, {"a": 1, "b": 2}]]
    assert db.fetch_value("select $1::pair[]", mixed) == mixed
    assert db.fetch_value("select ($1::pair[])::text", [{"a": None, "b": None}]) == '{"(,)"}'


def test_rows_whose_first_member_is_nested(db: rm.Database) -> None:
    db.execute_script(
        "create type ranged as (r int4range, n int); create type outer_ as (p pair, n int)"
    )
    value: list[Any] = [{"r": rm.Range(1, 2), "n": 3}]
    assert db.fetch_value("select $1::ranged[]", [(rm.Range(1, 2), 3)]) == value
    value = [{"p": {"a": 1, "b": 2}, "n": 3}]
    assert db.fetch_value("select $1::outer_[]", [({"a": 1, "b": 2}, 3)]) == value


def test_arrays_of_arrays_by_a_domain(db: rm.Database) -> None:
    db.execute_script("create domain numbers as int[]")
    value = db.fetch_value("select array[array[1, 2]::numbers, array[3]::numbers]")
    assert value == [[1, 2], [3]]
    assert db.fetch_value("select $1::numbers[]", value) == value


@pytest.mark.parametrize("name", ["vector", "hstore", "halfvec"])
def test_types_that_are_called_like_an_extensions(db: rm.Database, name: str) -> None:
    """A base type of somebody's own, which has no form of that kind."""
    db.execute_script(
        f"""create schema w; create type w.{name};
        create function w.read(cstring) returns w.{name} language internal immutable strict as 'textin';
        create function w.print(w.{name}) returns cstring language internal immutable strict as 'textout';
        create type w.{name} (input = w.read, output = w.print, like = text);
        create type w.holder as (v w.{name})"""
    )
    assert db.fetch_value(f"select 'abc'::w.{name}") == "abc"
    assert db.fetch_value(f"select array['abc'::w.{name}]") == ["abc"]
    assert db.fetch_value("select row('abc')::w.holder") == "(abc)"
    assert db.fetch_value(f"select $1::w.{name}", "abc") == "abc"


def test_ranges_of_ranges_are_text(db: rm.Database) -> None:
    db.execute_script("create type doubled as range (subtype = int4range)")
    assert db.fetch_value("select doubled('[1,2)', '[3,4)')") == '["[1,2)","[3,4)")'


def test_a_composite_like_a_range_is_none(db: rm.Database) -> None:
    db.execute("create type likely as (lower int, upper int, bounds int)")
    assert db.fetch_value("select row(1, 2, 3)::likely") == {"lower": 1, "upper": 2, "bounds": 3}


def test_literals_are_not_loaded_as_bytes(db: rm.Database) -> None:
    db.execute("create table t (r int4range, p pair)")
    for column, value in (("r", "[1,5)"), ("r", "\x01"), ("p", "(1,2)")):
        with pytest.raises(rm.DatabaseError, match=f'column "{column}".*row 0'):
            db.load("t", {column: [value]})
    assert db.load("t", {"r": [rm.Range(1, 5)]}) == 1
    assert db.fetch_value("select r from t") == rm.Range(1, 5)


class Shrinking(dt.tzinfo):
    """Changes the dict that holds it."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
        self.held.clear()
        return dt.timedelta(0)

    dst = utcoffset

    def tzname(self, moment: dt.datetime | None) -> str:
        return "shrinking"


def test_dicts_as_json(any_url: str) -> None:
    with rm.Database(any_url) as db:
        sql = "select $1" if any_url.startswith("sqlite") else "select $1::json"
        changing: dict[str, Any] = {}
        changing["a"] = dt.datetime(2024, 1, 1, tzinfo=Shrinking(changing))
        changing["b"] = 1
        assert "2024-01-01" in db.fetch_value(sql, changing)
        assert changing == {}
        keys: dict[Any, Any] = {1: 2, None: 3, 0.5: 5}
        assert db.fetch_value(sql, keys) == '{"1":2,"null":3,"0.5":5}'
        assert db.fetch_value(sql, {True: 1, False: 2}) == '{"true":1,"false":2}'
        assert db.fetch_value(sql, {"a": 2**70}) == '{"a":1180591620717411303424}'
        assert db.fetch_value(sql, {"a": Decimal("1.50")}) == '{"a":1.50}'
        deep: Any = {}
        for _ in range(100):
            deep = {"a": deep}
        assert db.fetch_value(sql, deep).count("a") == 100
        for _ in range(100):
            deep = {"a": deep}
        with pytest.raises(rm.ProgrammingError, match="nested more than 128 deep"):
            db.fetch(sql, deep)
        for wrong, told in (
            ({"a": "\ud800"}, "surrogate"),
            ({"\ud800": 1}, "surrogate"),
            ({(1, 2): 1}, "keys are"),
            ({"a": object()}, "object"),
        ):
            with pytest.raises(rm.ProgrammingError, match=told):
                db.fetch(sql, wrong)
        with pytest.raises(rm.DatabaseError, match=r"\$1"):
            db.fetch(sql, {"a": b"x"})


def test_many_vectors_of_null_take_no_gigabytes(pg_url: str) -> None:
    """A declared length that no vector has is not believed."""
    both = Both(pg_url)
    try:
        if not both.texts("select 1 from pg_available_extensions where name = 'vector'"):
            pytest.skip("this PostgreSQL comes without vector")
        both.oracle.execute("create extension vector")
        frame = both.db.fetch("select null::vector(16000) as v from generate_series(1, 100)")
        assert frame["v"].null_count == 100
    finally:
        both.close()

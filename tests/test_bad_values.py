"""Values that go in and do not fit, and values that come out and cannot be represented."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

import rowmill as rm


@pytest.mark.parametrize(
    ("sql", "positional", "named", "told"),
    [
        ("select $1, $2", (1,), {}, "2 parameters"),
        ("select $1, $2", (1, 2, 3), {}, "3 given"),
        ("select $1, $2", (), {}, "0 given"),
        ("select $1", (), {"a": 1}, ":a"),
        ("select :a, :b", (), {"a": 1}, ":b"),
        ("select :a", (), {"a": 1, "c": 2}, ":c"),
        ("select :a, :b", (1, 2), {}, ":a, :b"),
        ("select :a, :b", (), {}, ":a"),
        ("select :a", (1,), {"a": 1}, "not both"),
        ("select :a, $1", (1,), {}, "mixes"),
        ("select $0", (1,), {}, "$0"),
        ("select $65536", (1,), {}, "65"),
    ],
)
def test_a_wrong_number_of_parameters(
    any_url: str, sql: str, positional: tuple[Any, ...], named: dict[str, Any], told: str
) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.ProgrammingError) as caught:
            db.fetch(sql, *positional, **named)
        assert type(caught.value) is rm.ProgrammingError
        assert told in str(caught.value)
        assert db.fetch_value("select 1") == 1


def test_parameters_where_none_are_asked_for(any_url: str) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.ProgrammingError):
            db.fetch("select 1", 2)
        with pytest.raises(rm.ProgrammingError, match=":a"):
            db.fetch("select 1", a=2)
        assert db.fetch_value("select 1") == 1


class Unknown:
    """No database takes one."""


class Unzoned(dt.tzinfo):
    """A zone whose offset depends on the date."""

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        return dt.timedelta(hours=1) if moment else None

    dst = utcoffset

    def tzname(self, moment: dt.datetime | None) -> str:
        return "somewhere"


@pytest.mark.parametrize("value", [Unknown(), object, 1j, dt.time(1, tzinfo=Unzoned())])
def test_a_parameter_of_no_known_type_is_named(any_url: str, value: object) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.ProgrammingError, match=r"\$2"):
            db.fetch("select $1, $2", 1, value)
        with pytest.raises(rm.ProgrammingError, match=":größe"):
            db.fetch("select :a, :größe", a=1, größe=value)
        assert db.fetch_value("select 1") == 1


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("int2", 1 << 15),
        ("int4", 1 << 31),
        ("int8", 1 << 63),
        ("int4", "seven"),
        ("int4", 1.5),
        ("bool", "maybe"),
        ("uuid", "not one"),
        ("date", 7),
        ("timestamptz", dt.datetime(2024, 1, 1)),
        ("bytea", 7),
        ("int4[]", [1, "two"]),
        ("int4", [1]),
        ("text", "nul\0byte"),
        ("float8", Unknown),
    ],
)
def test_a_parameter_that_does_not_fit_its_type_is_named(
    pg_url: str, target: str, value: object
) -> None:
    with rm.Database(pg_url) as db:
        for given in ({}, {"named": True}):
            with pytest.raises((rm.ProgrammingError, rm.DataError)) as caught:
                if given:
                    db.fetch(f"select :one::int, :größe::{target}", one=1, größe=value)
                else:
                    db.fetch(f"select $1::int, $2::{target}", 1, value)
            assert (":größe" if given else "$2") in str(caught.value)
        assert db.fetch_value("select 1") == 1


async def test_a_parameter_that_does_not_fit_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url) as db:
        with pytest.raises(rm.DataError, match=r"\$1"):
            await db.fetch("select $1::int4", "seven")
        with pytest.raises(rm.DataError, match=":größe"):
            await db.fetch("select :größe::int4", größe="seven")
        assert await db.fetch_value("select 1") == 1


UNREPRESENTABLE = [
    ("timestamp 'infinity'", "timestamp"),
    ("timestamptz '-infinity'", "timestamptz"),
    ("date 'infinity'", "date"),
    ("'NaN'::numeric(10, 2)", "numeric"),
    ("'Infinity'::numeric", "numeric"),
    ("timestamp '294276-12-31' + interval '1 day' * 0", "timestamp"),
]


@pytest.mark.parametrize(("expression", "kind"), UNREPRESENTABLE)
def test_a_value_that_cannot_be_represented(pg_url: str, expression: str, kind: str) -> None:
    """Told by column, row and type, with the way out; or mapped to what means the same."""
    sql = f"select n, case when n = 3 then {expression} end as moment from generate_series(1, 5) n"
    with rm.Database(pg_url) as db:
        text = db.fetch_value(f"select ({expression})::text")
        try:
            frame = db.fetch(sql)
        except rm.DataError as error:
            told = f"{error}"
            assert type(error) is rm.DataError  # noqa: PT017
            for part in ('"moment"', kind, "row 2", "::text"):
                assert part in told, told
        else:
            assert frame["moment"].to_list()[2] is not None
            assert frame["moment"].to_list()[:2] == [None, None]
            assert str(frame["moment"].to_list()[2]).lower().startswith(text[:3].lower())
        assert db.fetch_value(f"select ({expression})::text") == text


async def test_a_value_that_cannot_be_represented_async(pg_url: str) -> None:
    sql = "select n, 'NaN'::numeric(10, 2) as share from generate_series(1, 5) n"
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")
        with pytest.raises(rm.DataError, match='"share"'):
            await db.fetch(sql)
        assert await db.fetch_value("select pg_backend_pid()") == pid


def test_arrays_of_mixed_dimensions(pg_url: str) -> None:
    sql = "select a from (values ('{1,2}'::int[]), ('{{1,2},{3,4}}')) t (a)"
    with rm.Database(pg_url) as db:
        with pytest.raises(rm.DataError) as caught:
            db.fetch(sql)
        for part in ('"a"', "row 1", "int4[]", "::text"):
            assert part in str(caught.value)
        assert db.fetch(sql.replace("select a", "select a::text as a"))["a"].to_list() == [
            "{1,2}",
            "{{1,2},{3,4}}",
        ]


def test_a_numeric_beyond_every_decimal_stays_exact_or_is_refused(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        try:
            value = db.fetch_value("select 1e100::numeric + 0.1")
        except rm.DataError as error:
            assert "numeric" in str(error)  # noqa: PT017
        else:
            assert str(value) == "1" + "0" * 100 + ".1"


@pytest.mark.parametrize(
    ("declared", "value", "kind"),
    [
        ("integer", "'seven'", "int"),
        ("integer", "1.5", "int"),
        ("boolean", "7", "bool"),
        ("date", "'yesterday'", "date"),
        ("date", "'2024-02-30'", "date"),
        ("timestamp", "'noon'", "timestamp"),
        ("real", "'x'", "float"),
        ("text", "x'41'", "text"),
        ("uuid", "'nope'", "uuid"),
        ("json", "'{'", "json"),
        ("blob", "'text'", "bytes"),
    ],
)
def test_an_sqlite_cell_that_does_not_fit(
    sqlite_url: str, declared: str, value: str, kind: str
) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script(f"create table t (id integer primary key, größe {declared})")
        db.execute_script(f"insert into t (größe) values (null), (null), ({value}), (null)")
        with pytest.raises(rm.DataError) as caught:
            db.fetch("select * from t order by id")
        told = str(caught.value)
        assert type(caught.value) is rm.DataError
        for part in ('"größe"', kind):
            assert part in told.lower(), told
        assert re.search(r"row [23]\b", told), told  # counted from 0 or from 1
        assert "cast" in told.lower(), told  # the way out
        with pytest.raises(rm.DataError, match="größe"), db.stream("select * from t") as parts:
            list(parts)
        assert db.fetch("select cast(größe as text) as a from t")["a"].to_list()[2] is not None


def test_sqlite_text_that_is_not_utf8(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        with pytest.raises(rm.DataError) as caught:
            db.fetch("select 1 as n, cast(x'ff' as text) as word")
        assert '"word"' in str(caught.value)
        assert db.fetch_value("select 1") == 1


def test_values_after_an_error_in_one_row(pg_url: str) -> None:
    """An error of the server half way through the rows leaves the connection good."""
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        for _ in range(3):
            with pytest.raises(rm.DataError) as caught:
                db.fetch("select 1 / (5000 - n) from generate_series(1, 10000) n")
            assert caught.value.sqlstate == "22012"
        assert db.fetch_value("select pg_backend_pid()") == pid

"""Rows into tables: all or none, exactly, on both databases."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_strategies import TEXT, examples

PG_TABLE = """create table every (
    i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(12, 2), b boolean,
    t text, v varchar(40), y bytea, d date, c time, ts timestamp, tz timestamptz, iv interval, u uuid,
    j json, jb jsonb, mood mood, ints int[], texts text[], nums numeric[])"""
EVERY: dict[str, Any] = {
    "i2": -(2**15),
    "i4": 2**31 - 1,
    "i8": -(2**63),
    "f4": 1.5,
    "f8": 0.1,
    "n": Decimal("-12345678901234567890.000000012340"),
    "n2": Decimal("12.50"),
    "b": True,
    "t": 'é "quoted"\n\t\\',
    "v": "",
    "y": b"\x00\xff",
    "d": date(1, 1, 1),
    "c": time(23, 59, 59, 999999),
    "ts": datetime(1999, 12, 31, 23, 59, 59, 1),
    "tz": datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
    "iv": rm.Interval(1, -2, 3),
    "u": uuid.UUID(int=1),
    "j": '{"a": 1}',
    "jb": '{"b": [null, 2]}',
    "mood": "sad",
    "ints": [1, None, -3],
    "texts": ["a,b", 'c"d', None, ""],
    "nums": [Decimal("1.10"), None],
}


@pytest.fixture
def pg(postgres: PostgresServer) -> Iterator[rm.Database]:
    with postgres.fresh_database() as url, rm.Database(url) as db:
        db.execute_script("create type mood as enum ('sad', 'ok', 'happy')")
        db.execute_script(PG_TABLE)
        yield db


@pytest.fixture(params=["postgresql", "sqlite"])
def db(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path: Path
) -> Iterator[rm.Database]:
    """A table of a key and two values."""
    sql = "create table item (id integer primary key, name text unique, price double precision not null)"
    if request.param == "sqlite":
        with rm.Database(f"sqlite:///{tmp_path / 'load.db'}") as database:
            database.execute_script(sql)
            yield database
        return
    with postgres.fresh_database() as url, rm.Database(url) as database:
        database.execute_script(sql)
        yield database


def rows(db: rm.Database) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.fetch("select * from item order by id").rows()]


def test_every_type_arrives_as_it_was_sent(pg: rm.Database) -> None:
    missing = dict.fromkeys(EVERY)
    assert pg.load("every", [EVERY, missing, EVERY]) == 3
    names = ", ".join(EVERY)
    frame = pg.fetch(f"select {names}, jb::text as jb_text from every")
    for at in (0, 2):
        row = frame[at]
        for name, value in EVERY.items():
            got = row[name]
            assert got == value or name in ("j", "jb"), name
        assert row["j"] == EVERY["j"]
        assert row["jb_text"] == '{"b": [null, 2]}'
    assert set(frame[1]) == {None}
    # The server agrees, in its own words.
    assert (
        pg.fetch_value("select n::text from every limit 1") == "-12345678901234567890.000000012340"
    )


def test_what_was_fetched_can_be_loaded(pg: rm.Database) -> None:
    pg.load("every", [EVERY] * 100)
    frame = pg.fetch("select * from every")
    pg.execute_script("create table copy (like every)")
    assert pg.load("copy", frame) == 100
    same = "select count(*) from (select every::text from every except all select copy::text from copy) x"
    assert pg.fetch_value(same) == 0


def test_a_table_in_a_schema_and_names_that_need_quotes(pg: rm.Database) -> None:
    pg.execute_script(
        'create schema "My.Shop"; create table "My.Shop"."Or""der" ("Id" int, "a b" text)'
    )
    assert pg.load('"My.Shop"."Or""der"', {"Id": [1], "a b": ["x"]}) == 1
    with pytest.raises(rm.ProgrammingError):
        pg.load('every"; drop table every; --', {"i4": [1]})
    assert pg.fetch_value("select count(*) from every") == 0


@pytest.mark.parametrize(
    "kind", ["dict", "rows", "dataclasses", "frame", "pandas", "polars", "pyarrow"]
)
def test_from_whatever_holds_rows(db: rm.Database, kind: str) -> None:
    columns = {"id": [1, 2], "name": ["a", None], "price": [1.5, 2.0]}
    data: Any = columns
    if kind == "rows":
        data = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    elif kind == "dataclasses":
        item = dataclasses.make_dataclass("item", list(columns))
        data = [item(*row) for row in zip(*columns.values(), strict=True)]
    elif kind == "frame":
        data = rm.Frame(columns)
    elif kind == "pandas":
        data = pytest.importorskip("pandas").DataFrame(columns)
    elif kind == "polars":
        data = pytest.importorskip("polars").DataFrame(columns)
    elif kind == "pyarrow":
        data = pytest.importorskip("pyarrow").table(columns)
    assert db.load("item", data) == 2
    assert rows(db) == [(1, "a", 1.5), (2, None, 2.0)]


def test_many_rows_and_none(db: rm.Database) -> None:
    count = 70_000
    data = {"id": range(count), "name": [f"n{at}" for at in range(count)], "price": [0.5] * count}
    assert db.load("item", rm.Frame(data)[:0]) == 0
    assert db.load("item", data) == count
    assert db.fetch_value("select count(*) from item where name = 'n' || id") == count


def test_rows_that_are_there(db: rm.Database) -> None:
    db.load("item", {"id": [1, 2], "name": ["a", "b"], "price": [1.0, 2.0]})
    more = {"id": [2, 3], "name": ["B", "c"], "price": [2.5, 3.0]}
    assert db.load("item", more, on_conflict="nothing") == 1
    assert rows(db) == [(1, "a", 1.0), (2, "b", 2.0), (3, "c", 3.0)]
    assert db.load("item", more, on_conflict="update") == 2
    assert rows(db)[1] == (2, "B", 2.5)
    other = {"id": [7], "name": ["a"], "price": [9.0]}
    assert db.load("item", other, on_conflict="update", key=["name"]) == 1
    assert rows(db)[-1] == (7, "a", 9.0)
    with pytest.raises(ValueError, match="on_conflict"):
        db.load("item", more, on_conflict="replace")  # type: ignore[call-overload]


def test_a_row_that_breaks_a_constraint_is_named_and_nothing_stays(db: rm.Database) -> None:
    data = {"id": [1, 2, 3, 2], "name": list("abcd"), "price": [1.0] * 4}
    with pytest.raises(rm.IntegrityError, match="row 3"):
        db.load("item", data)
    data["id"], prices = [1, 2, 3, 4], [1.0, 2.0, None, 4.0]
    with pytest.raises(rm.IntegrityError, match=r"row 2.*price"):
        db.load("item", data | {"price": prices})
    assert rows(db) == []
    assert db.load("item", data) == 4


def test_a_transaction_survives_a_load_that_failed_on_sqlite(tmp_path: Path) -> None:
    with rm.Database(f"sqlite:///{tmp_path / 'tx.db'}") as db:
        db.execute_script("create table item (id integer primary key)")
        with db.transaction() as tx:
            tx.load("item", {"id": [1]})
            with pytest.raises(rm.IntegrityError):
                tx.load("item", {"id": [2, 1]})
            assert tx.load("item", {"id": [3]}) == 1
        assert db.fetch("select id from item order by id")["id"].to_list() == [1, 3]


def test_within_a_transaction(db: rm.Database) -> None:
    with pytest.raises(KeyError), db.transaction() as tx:
        tx.load("item", {"id": [1], "name": ["a"], "price": [1.0]})
        tx.load("item", {"id": [1], "name": ["b"], "price": [2.0]}, on_conflict="update")
        assert tx.fetch_value("select name from item") == "b"
        raise KeyError
    assert rows(db) == []


MISFITS = [
    ("i2", [1, 40_000], "row 1", "40000"),
    ("i4", [2**31], "row 0", "int4"),
    ("i4", [1.5], "row 0", "integer"),
    ("f8", [2**53 + 1], "row 0", "float8"),
    ("t", ["a", "b\x00c"], "row 1", "NUL"),
    ("t", [5], "row 0", "text"),
    ("u", ["x"], "row 0", "UUID"),
    ("tz", [datetime(2024, 1, 1)], "row 0", "zone"),
    ("ts", [datetime(2024, 1, 1, tzinfo=UTC)], "row 0", "zone"),
    ("b", [1], "row 0", "bool"),
    ("ints", [[[1]], [[1, 2], [3]]], "row 1", "differ"),
]


@pytest.mark.parametrize(("column", "values", "place", "words"), MISFITS)
def test_a_value_that_does_not_fit_is_named_and_nothing_stays(
    pg: rm.Database, column: str, values: list[Any], place: str, words: str
) -> None:
    with pytest.raises(rm.DataError) as caught:
        pg.load("every", {column: values})
    message = str(caught.value)
    assert column in message
    assert place in message
    assert words in message
    assert pg.fetch_value("select count(*) from every") == 0


def test_what_the_server_refuses_names_row_and_column(pg: rm.Database) -> None:
    refused: list[tuple[dict[str, Any], list[str]]] = [
        ({"mood": ["ok", "bored"]}, ["row 1", "mood", "bored"]),
        ({"jb": ["{}", "{"]}, ["row 1", "jb"]),
        ({"v": ["x" * 41]}, ["row 0", "v"]),
        ({"n2": [Decimal("1e11")]}, ["row 0", "n2", "overflow"]),
    ]
    for data, words in refused:
        with pytest.raises(rm.DatabaseError) as caught:
            pg.load("every", data)
        assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
        assert pg.fetch_value("select 1") == 1
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("nowhere", {"a": [1]}),
        ("every", {"nowhere": [1]}),
    ]
    for table, rows in wrong:
        with pytest.raises(rm.ProgrammingError):
            pg.load(table, rows)


NET = """
    create domain flags as bit(3);
    create domain more_flags as flags check (value <> b'000');
    create table net (id int primary key, a inet, "N n" cidr[], b more_flags, p point, t timetz, m money, c "char")
"""
NET_ROWS: dict[str, Any] = {
    "id": [1, 2, 3],
    "a": ["10.0.0.1", None, "::1/64"],
    "N n": [["10.0.0.0/8", None], [], None],
    "b": ["101", "111", None],
    "p": ["(1,2.5)", None, "(0,0)"],
    "t": ["12:30:00+02", None, "00:00:00-08:30"],
    "m": ["$1.50", "$0.00", None],
    "c": ["x", "", None],
}


def net_rows(db: rm.Database) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in db.fetch('select id, a, "N n", b, p, t, m, c from net order by id')
    ]


def test_types_that_text_is_exchanged_for(pg: rm.Database) -> None:
    pg.execute_script(NET)
    assert pg.load("net", NET_ROWS) == 3
    loaded = net_rows(pg)
    assert loaded[0] == (
        1,
        "10.0.0.1",
        ["10.0.0.0/8", None],
        "101",
        "(1,2.5)",
        "12:30:00+02",
        "$1.50",
        "x",
    )
    assert loaded[1] == (2, None, [], "111", None, None, "$0.00", "")
    fetched = pg.fetch("select * from net")
    returned = pg.load("net", fetched, on_conflict="update", returning=["id", "a", "p"])
    assert returned["a"].to_list() == NET_ROWS["a"]
    assert pg.load("net", fetched, on_conflict="nothing") == 0
    with pg.transaction() as tx:
        tx.execute("delete from net")
        assert tx.load("net", fetched) == 3
    assert net_rows(pg) == loaded


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("a", "10.0.0.0.1", '(?s)invalid input syntax for type inet: "10.0.0.0.1".*: "a"$'),
        ("b", "1011", "bit string length 4 does not match type bit"),
        ("b", "000", "violates check constraint"),
        ("b", 5, 'column "b" .*row 0: wants text'),
        ("c", "xy", "wants one character"),
    ],
)
def test_texts_that_are_none_of_the_type(
    pg: rm.Database, column: str, value: Any, message: str
) -> None:
    pg.execute_script(NET)
    with pytest.raises(rm.DatabaseError, match=message):
        pg.load("net", {"id": [1], column: [value]})
    assert net_rows(pg) == []


async def test_types_that_text_is_exchanged_for_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url) as db:
        await db.execute_script(NET)
        assert await db.load("net", NET_ROWS, commit_each=2) == 3
        assert await db.fetch_value("select count(*) from net where p is null") == 1


def test_a_deadline_stops_a_load(pg: rm.Database) -> None:
    pg.execute_script("""
        create table slow (n int);
        create function wait() returns trigger language plpgsql as
            'begin perform pg_sleep(0.05); return new; end';
        create trigger wait before insert on slow for each row execute function wait()""")
    with pytest.raises(rm.QueryTimeout):
        pg.load("slow", {"n": range(1_000)}, timeout=0.3)
    assert pg.fetch_value("select count(*) from slow") == 0


def test_rows_of_other_columns_are_refused() -> None:
    for data, words in [
        ([{"a": 1}, {"b": 1}], "row 1 has no column 'a'"),
        ([{"a": 1}, {"a": 1, "b": 2}], "row 1 has a column 'b'"),
    ]:
        with pytest.raises(rm.ProgrammingError, match=words):
            rm.Frame(data)
    with pytest.raises(TypeError, match="row 1"):
        rm.Frame([{"a": 1}, 5])


@settings(max_examples=examples(60))
@given(
    data=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.none(),
            st.floats(allow_nan=False) | st.none(),
            st.decimals(allow_nan=False, allow_infinity=False, places=9) | st.none(),
            TEXT | st.none(),
            st.binary(max_size=30) | st.none(),
        ),
        max_size=30,
    )
)
def test_any_rows_come_back(any_table: rm.Database, data: list[tuple[Any, ...]]) -> None:
    any_table.execute("truncate t")
    columns = {name: [row[at] for row in data] for at, name in enumerate("ifntb")}
    assert any_table.load("t", columns) == len(data)
    found = any_table.fetch("select i, f, n, t, b from t")
    assert [tuple(row) for row in found.rows()] == data


@pytest.fixture(scope="module")
def any_table(postgres: PostgresServer) -> Iterator[rm.Database]:
    with postgres.fresh_database() as url, rm.Database(url) as db:
        db.execute_script("create table t (i int8, f float8, n numeric, t text, b bytea)")
        yield db


DECLARED = """
    create table u (id integer, n int, f real, d numeric(9, 2), ok boolean, s text, b blob, day date, at timestamp,
        clock time, u uuid, j json, free)
"""
UNREADABLE: list[tuple[str, Any, str]] = [
    ("n", 2.5, r'column "n" \(declared INT\), row 0: a float \(2.5\) is not an integer'),
    ("n", "5", 'the text "5" is not an integer'),
    ("f", "x", 'the text "x" is not a float'),
    ("f", 2**53 + 1, "is not a float, or an integer that a float holds exactly"),
    ("ok", 17, r"an integer \(17\) is not 0 or 1"),
    ("s", 5, "is not text"),
    ("s", b"x", "is not text"),
    ("b", "x", 'the text "x" is not bytes'),
    ("day", "not a date", 'the text "not a date" is not a date such as'),
    ("day", datetime(2024, 1, 1, 5), "is not a date"),
    ("at", 5, "is not a timestamp"),
    ("clock", "25:00", 'the text "25:00" is not a time'),
    ("u", "no", 'the text "no" is not a UUID'),
    ("j", "{bad", 'the text "{bad" is not JSON'),
]


@pytest.mark.parametrize(("column", "value", "message"), UNREADABLE)
def test_what_sqlite_would_take_and_not_give_back(column: str, value: Any, message: str) -> None:
    with rm.Database("sqlite://") as db:
        db.execute(DECLARED)
        with pytest.raises(rm.DataError, match=message):
            db.load("u", {"id": [1], column: [value]})
        with pytest.raises(rm.DataError, match="row 1"):
            db.load("u", {column: [None, value]})
        assert db.fetch_value("select count(*) from u") == 0


def test_what_sqlite_takes_and_gives_back() -> None:
    rows: dict[str, Any] = {
        "n": [True, 2],
        "f": [1, 2.5],
        "d": [Decimal("1.25"), None],
        "ok": [0, True],
        "s": ["a", None],
        "day": ["2024-01-31", date(2024, 1, 31)],
        "at": [datetime(2024, 1, 31, 5), None],
        "u": ["00000000-0000-0000-0000-000000000001", None],
        "j": ['{"a": 1}', None],
        "free": [b"x", None],
    }
    with rm.Database("sqlite://") as db:
        db.execute(DECLARED)
        for column, values in rows.items():
            for value in values:
                assert db.load("u", {column: [value]}) == 1
        assert len(db.fetch("select * from u")) == 20
        assert (
            db.fetch("select day from u where day is not null")["day"].to_list()
            == [date(2024, 1, 31)] * 2
        )


def test_calls_that_make_no_sense(db: rm.Database) -> None:
    async def tell(_: int) -> None: ...

    async def parts() -> AsyncIterator[Any]:
        yield {"id": [1]}

    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ([{}], {}, "row 0 has no columns"),
        (
            [{"id": 1}, {"id": 2, "b": 3}],
            {},
            "has a column 'b' that row 0 has not; all rows have the same",
        ),
        (
            [{"id": 1}, {}],
            {},
            "row 1 has no column 'id'; all rows have the same columns, and None is NULL",
        ),
        ({"id": 1}, {}, "must be a list.*one row is given as a list of it"),
        ({"id": [1]}, {"key": "id"}, "key says what on_conflict goes by"),
        ({"id": [1]}, {"returning": "*"}, "must be a column's name, or a list of names"),
        ({"id": [1]}, {"commit_each": -1}, "commit_each is at least 1, not -1"),
        ({"id": [1]}, {"progress": tell}, "a plain function"),
        (parts(), {}, "plain iterator"),
        ([5], {}, "row 0 must be a dict"),
        ({"": [1]}, {}, "a column of the rows has no name"),
    ]
    for data, options, message in wrong:
        with pytest.raises((rm.Error, TypeError, ValueError), match=message):
            db.load("item", data, **options)
    assert rows(db) == []

"""`rowmill copy`: every way between PostgreSQL, SQLite and files, and what becomes of the values."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.cli import COUNTING, rowmill
from tests.postgres_server import PostgresServer

pytest.importorskip("pyarrow")

# Columns of PostgreSQL, and two values of each; a row of NULLs comes between them. Decimals have the
# same number of digits after the point, as a column of Arrow has.
COLUMNS = {
    "i2": ("smallint", "-32768", "1"),
    "i8": ("bigint", "9223372036854775807", "-1"),
    "f4": ("real", "0.1", "-3.5e30"),
    "f8": ("double precision", "0.1", "-1.7976931348623157e308"),
    "n": ("numeric", "-12345678901234567890.000000012340", "1.500000000000"),
    "n2": ("numeric(12, 2)", "0.10", "-9999999999.99"),
    "b": ("boolean", "true", "false"),
    "t": ("text", 'a, "quoted"\r\n\tline\\ é 🐍', ""),
    "null": ("text", "NULL", " 007 "),
    "y": ("bytea", "\\x00ff", "\\x"),
    "d": ("date", "0001-01-01", "2026-01-31"),
    "c": ("time", "23:59:59.999999", "00:00:00"),
    "ts": ("timestamp", "1969-12-31 23:59:59.999999", "2026-01-31 10:00:00"),
    "tz": ("timestamptz", "2026-01-31 10:00:00.5+02", "9999-12-31 23:59:59.999999+00"),
    "iv": ("interval", "14 mons -3 days 1.5 seconds", "-0.5 seconds"),
    "u": ("uuid", "01020304-0506-0708-090a-0b0c0d0e0000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "j": ("json", ' {"a":  1.50, "b": "x\\"y"}', "1.50"),
    "jb": ("jsonb", '{"b": [null, 2]}', '"text"'),
    "mood": ("mood", "sad", 'very "happy", ok'),
    "ints": ("int[]", "{1,NULL,-3}", "{}"),
    "deep": ("int[]", "{{1,2},{3,4}}", "{{5,6}}"),
    "texts": ("text[]", '{"a,b","c\\"d",NULL,""}', "{1,true}"),
    "nums": ("numeric[]", "{1.10,NULL}", "{12345678901234567890.50}"),
    "days": ("date[]", "{2026-01-31,NULL}", "{}"),
}
MIDDLES = ["postgresql", "sqlite", "parquet", "arrow", "arrows", "csv"]
FILES = ["parquet", "arrow", "csv"]


@pytest.fixture
def pg(postgres: PostgresServer) -> Iterator[tuple[str, rm.Database]]:
    """A database with the types the tests want, and its URL."""
    with postgres.fresh_database() as url, rm.Database(url) as db:
        db.execute_script("create type mood as enum ('sad', 'very \"happy\", ok')")
        yield url, db


def fill(db: rm.Database, names: list[str]) -> None:
    """A table `every` of these columns, and an empty one like it, `back`."""
    declared = ", ".join(f'"{name}" {COLUMNS[name][0]}' for name in names)
    db.execute_script(f"create table every (id int primary key, {declared})")
    for at, values in enumerate(
        [[COLUMNS[n][1] for n in names], None, [COLUMNS[n][2] for n in names]]
    ):
        quoted = ["null"] * len(names)
        if values is not None:
            quoted = ["'" + value.replace("'", "''") + "'" for value in values]
        db.execute_script(f"insert into every values ({at}, {', '.join(quoted)})")
    db.execute_script("create table back (like every)")


def differences(db: rm.Database) -> list[tuple[Any, ...]]:
    """Where `back` is not as `every`, in the server's own words: the row, the column, both values."""
    ours, theirs = (
        f"(select id, key, value from {name}, json_each_text(row_to_json({name})))"
        for name in ("every", "back")
    )
    sql = f"select id, key, a.value, b.value from {ours} a full join {theirs} b using (id, key)"
    where = "a.value is distinct from b.value or (a.key is null) <> (b.key is null)"
    return [tuple(row) for row in db.fetch(f"{sql} where {where}").rows()]


def names_for(*kinds: str) -> list[str]:
    """The columns that these formats can hold: Parquet has no intervals."""
    return [name for name in COLUMNS if not (name == "iv" and "parquet" in kinds)]


@pytest.mark.parametrize("middle", MIDDLES)
def test_from_postgres_and_back(pg: tuple[str, rm.Database], tmp_path: Path, middle: str) -> None:
    url, db = pg
    fill(db, names_for(middle))
    path = str(tmp_path / f"middle.{middle}")
    table: tuple[str, ...] = ()
    there: tuple[str, ...] = (url, path)
    if middle in ("postgresql", "sqlite"):
        path = url if middle == "postgresql" else f"sqlite:///{path}?mode=rwc"
        there, table = (url, path, "--into", "middle", "--create"), ("--table", "middle")
    assert rowmill("copy", *there, "--table", "every").stderr == "3 rows copied\n"
    assert rowmill("copy", path, url, *table, "--into", "back").stderr == "3 rows copied\n"
    assert differences(db) == []


@pytest.mark.parametrize("second", FILES)
@pytest.mark.parametrize("first", FILES)
def test_from_file_to_file(
    pg: tuple[str, rm.Database], tmp_path: Path, first: str, second: str
) -> None:
    url, db = pg
    fill(db, names_for(first, second))
    files = [str(tmp_path / f"1.{first}"), str(tmp_path / f"2.{second}")]
    rowmill("copy", url, files[0], "--table", "every")
    done = rowmill("copy", *files)
    is_text = first == "csv" and second != "csv"
    note = ", each value as text: CSV has no types" if is_text else ""
    assert done.stderr == f"3 rows copied{note}\n"
    rowmill("copy", files[1], url, "--into", "back")
    assert differences(db) == []


@pytest.mark.parametrize("middle", MIDDLES)
def test_from_sqlite_and_back(pg: tuple[str, rm.Database], tmp_path: Path, middle: str) -> None:
    url, db = pg
    fill(db, list(COLUMNS))
    shop = str(tmp_path / "shop.db")
    rowmill("copy", url, f"sqlite:///{shop}?mode=rwc", "--table", "every", "--create")
    path = str(tmp_path / f"middle.{middle}")
    there: tuple[str, ...] = (shop, path)
    table: tuple[str, ...] = ()
    if middle in ("postgresql", "sqlite"):
        path = url if middle == "postgresql" else f"sqlite:///{path}?mode=rwc"
        there, table = (shop, path, "--into", "middle", "--create"), ("--table", "middle")
    with rm.Database(f"sqlite:///{shop}") as lite:
        made = lite.fetch_value("select sql from sqlite_master where name = 'every'")
        lite.execute_script(made.replace('"every"', '"back"', 1))
        rowmill("copy", *there, "--table", "every")
        rowmill("copy", path, shop, *table, "--into", "back")
        every, back = (
            lite.fetch(f"select * from {name} order by id") for name in ("every", "back")
        )
        assert every.to_dict() == back.to_dict()
        assert every.schema == back.schema


def test_a_query_with_parameters_into_json(pg: tuple[str, rm.Database], tmp_path: Path) -> None:
    url, _ = pg
    out = tmp_path / "o.ndjson"
    sql = "select i, null as n from generate_series(1, 5) i where i > $1"
    rowmill("copy", url, str(out), "--query", sql, "--param", "3")
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        *({"i": 4, "n": None}, {"i": 5, "n": None})
    ]
    words = ("copy", url, str(out), "-q", "-", "-p", "most=2")
    rowmill(*words, given="select i from generate_series(1, 5) i where i <= :most")
    assert out.read_text() == '{"i":1}\n{"i":2}\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, rm.Database]]:
    """An SQLite file with a table, and its path."""
    path = tmp_path / "shop.db"
    with rm.Database(f"sqlite:///{path}") as db:
        db.execute_script("create table item (id integer primary key, name text, price real)")
        db.load("item", {"id": [1, 2], "name": ["a", None], "price": [1.5, 2.0]})
        yield str(path), db


def test_no_rows_still_have_columns(shop: tuple[str, rm.Database], tmp_path: Path) -> None:
    path, db = shop
    db.execute("delete from item")
    for at, suffix in enumerate(("parquet", "arrow", "arrows", "csv")):
        out = str(tmp_path / f"o.{suffix}")
        assert rowmill("copy", path, out, "-t", "item").stderr == "0 rows copied\n"
        rowmill("copy", out, path, "--into", f"made{at}", "--create")
        assert db.fetch(f"select * from made{at}").columns == ["id", "name", "price"]


def test_rows_that_are_there(shop: tuple[str, rm.Database], tmp_path: Path) -> None:
    path, db = shop
    new = tmp_path / "new.csv"
    new.write_text("id,name,price\n2,b,2.5\n3,c,\n")
    words = ("copy", str(new), path, "--into", "item")
    assert "row 0" in rowmill(*words, status=1).stderr
    assert rowmill(*words, "--on-conflict", "nothing").stderr == "1 of 2 rows copied\n"
    assert rowmill(*words, "--on-conflict", "update", "--key", "id").stderr == "2 rows copied\n"
    rows = [tuple(row) for row in db.fetch("select * from item order by id").rows()]
    assert rows == [(1, "a", 1.5), (2, "b", 2.5), (3, "c", None)]
    assert rowmill(*words, "--replace").stderr == "2 rows copied\n"
    assert db.fetch("select id from item order by id")["id"].to_list() == [2, 3]


def test_a_table_is_made_once_with_its_key(
    shop: tuple[str, rm.Database], pg: tuple[str, rm.Database]
) -> None:
    path, lite = shop
    url, db = pg
    words = ("copy", path, url, "-t", "item", "--create", "--on-conflict", "update", "--key", "id")
    for name in ("a", "b"):
        lite.execute("update item set name = $1", name)
        assert rowmill(*words).stderr == "2 rows copied\n"
        assert db.fetch("select distinct name from item")["name"].to_list() == [name]


def test_within_one_database(any_url: str) -> None:
    url = f"{any_url}?mode=rwc" if any_url.startswith("sqlite") else any_url
    sql = COUNTING.format(30_000)
    rowmill("copy", url, url, "--query", sql, "--into", "Some Table", "--create")
    words = ("copy", url, url, "--table", "Some Table", "--batch-rows", "1000")
    assert rowmill(*words, "--into", "other", "--create").stderr == "30,000 rows copied\n"
    # A table is replaced by what a query makes of it.
    half = 'select i, name from "Some Table" where i % 2 = 0'
    rowmill("copy", url, url, "--query", half, "--into", "Some Table", "--replace")
    with rm.Database(url) as db:
        assert db.fetch_value('select count(*) from "Some Table"') == 15_000


def test_commits_on_the_way(shop: tuple[str, rm.Database], tmp_path: Path) -> None:
    path, db = shop
    new = tmp_path / "new.csv"
    new.write_text("id,name\n" + "".join(f"{at},x\n" for at in (11, 12, 13, 14, 1, 15)))
    words = ("copy", str(new), path, "--into", "item", "--commit-each", "2")
    said = rowmill(*words, status=1).stderr
    assert "row 4" in said
    assert "committed" in said
    assert db.fetch_value("select count(*) from item where id > 10") == 4


def test_csv_of_one_column_keeps_its_nulls(shop: tuple[str, rm.Database], tmp_path: Path) -> None:
    path, db = shop
    out = tmp_path / "o.csv"
    rowmill("copy", path, str(out), "-q", "select name from item order by id desc")
    assert out.read_text() == "name\n\na\n"
    rowmill("copy", str(out), path, "--into", "item")
    assert db.fetch("select name from item order by id")["name"].to_list() == ["a", None, None, "a"]


def test_csv_without_a_table_is_text(shop: tuple[str, rm.Database], tmp_path: Path) -> None:
    path, db = shop
    new = tmp_path / "new.csv"
    new.write_text('\ufeffcode,"two\nlines"\n007,""\n,"x, ""y"""\n')
    rowmill("copy", str(new), path, "--into", "made", "--create")
    assert db.fetch("select * from made").to_dict() == {
        "code": ["007", None],
        "two\nlines": ["", 'x, "y"'],
    }
    rowmill("copy", path, str(tmp_path / "again.csv"), "-t", "made")
    with (tmp_path / "again.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["code", "two\nlines"], ["007", ""], ["", 'x, "y"']]

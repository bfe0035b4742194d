"""Names of tables and columns that come from data: whatever is in them, they stay names."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rowmill as rm
from tests.cli import rowmill

# Half of them made of what SQL is made of.
PIECES = st.sampled_from(
    [
        '"',
        "'",
        '""',
        ".",
        ";",
        "--",
        "/*",
        "*/",
        "$1",
        ":a",
        "?",
        "\\",
        "\n",
        " ",
        "%s",
        "é",
        "表",
        "😀",
        "drop table canary",
        "select",
        ") values (1); drop table canary; --",
        "pg_temp",
    ]
)
Mode = Literal["nothing", "update"] | None
NAMES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=6).map("".join),
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
    ),
).filter(lambda name: len(name.encode()) <= 60)  # a name is cut after 63 bytes


def quoted(name: str) -> str:
    """The other side's word for it, to compare with."""
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest) -> Iterator[rm.Database]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")
    with rm.Database(url) as db:
        db.execute("create table canary (n integer)")
        db.execute("insert into canary values (1)")
        yield db


def tables(db: rm.Database) -> list[str]:
    sql = "select name from sqlite_master where type = 'table'"
    if "postgres" in repr(db):
        sql = "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    return sorted(db.fetch(sql)[0 : 1 << 20].to_dict().popitem()[1])


@settings(max_examples=150)
@given(table=NAMES, column=NAMES, mode=st.sampled_from([None, "nothing", "update"]))
@example(
    table='x"; drop table canary; --', column='n") values (1); drop table canary; --', mode=None
)
@example(table='a"b', column='"', mode="update")
@example(table="a.b", column="a.b", mode="nothing")
def test_load(db: rm.Database, table: str, column: str, mode: Mode) -> None:
    name = quoted(table)
    if "sqlite" in repr(db) and table.lower().startswith("sqlite_"):
        return
    before = tables(db)
    db.execute_script(f"create table {name} ({quoted(column)} integer primary key)")
    try:
        kept = tables(db)
        assert db.load(name, {column: [1, 2]}, on_conflict=mode) == 2
        if mode:  # the key is all there is, so that an update has nothing to do
            assert db.load(name, {column: [1, 2, 3]}, on_conflict=mode) == 1
        assert db.fetch_value(f"select count(*) from {name}") == (3 if mode else 2)
        assert tables(db) == kept
        assert db.fetch_value("select count(*) from canary") == 1
    finally:
        db.execute_script(f"drop table {name}")
    assert tables(db) == before


@settings(max_examples=150)
@given(name=NAMES)
def test_a_name_that_is_not_there_is_an_error_and_nothing_else(db: rm.Database, name: str) -> None:
    before = tables(db)
    if name.strip('"') == "canary":
        return
    for table, column in ((name, "n"), ("canary", f"{name}?")):
        with pytest.raises(rm.Error) as caught:
            db.load(table, {column: [1]})
        assert isinstance(caught.value, rm.ProgrammingError | rm.OperationalError), repr(
            caught.value
        )
    assert tables(db) == before
    assert db.fetch_value("select count(*) from canary") == 1


@pytest.mark.parametrize("name", ["a\0b", "\0", 'x\0"; drop table canary; --'])
def test_a_nul_is_refused(db: rm.Database, name: str) -> None:
    for table, column in ((name, "n"), (quoted(name), "n"), ("canary", name)):
        with pytest.raises(rm.Error):
            db.load(table, {column: [1]})
    assert tables(db) == ["canary"]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ('x"; drop table canary; --', 'n") values (1); drop table canary; --'),
        ("a'b;--", "c'd"),
        ("schön 表", "😀 / * */"),
        ("with.point", "also.one"),
    ],
)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_command(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, table: str, column: str
) -> None:
    url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "pg_url")
    source = tmp_path / "rows.csv"
    source.write_text(f'"{column.replace(chr(34), chr(34) * 2)}"\n1\n2\n')
    with rm.Database(url) as db:
        db.execute("create table canary (n integer)")
        rowmill("copy", str(source), url, "--into", quoted(table), "--create")
        assert tables(db) == sorted(["canary", table])
        assert db.fetch(f"select * from {quoted(table)}").columns == [column]
    out = tmp_path / "out.csv"
    rowmill("copy", url, str(out), "--table", quoted(table))
    with out.open(newline="") as lines:
        assert list(csv.reader(lines)) == [[column], ["1"], ["2"]]

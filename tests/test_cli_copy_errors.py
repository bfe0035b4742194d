"""`rowmill copy` when something is wrong: what it says, its exit status, what it leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import rowmill as rm
from tests.cli import rowmill

pytest.importorskip("pyarrow")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a database with a table, and the table as CSV."""
    monkeypatch.chdir(tmp_path)
    with rm.Database("sqlite:///shop.db") as db:
        db.execute_script("create table item (id integer primary key, day date, name text)")
        db.load("item", {"id": [1], "name": ["old"]})
    (tmp_path / "item.csv").write_text("id,day,name\n1,2026-01-31,new\n2,,\n")
    return tmp_path


def items(url: str = "sqlite:///shop.db") -> list[str]:
    """The names in the table."""
    with rm.Database(url) as db:
        return list(db.fetch("select name from item order by id")["name"].to_list())


def one_line(said: str) -> str:
    """The error, which is all that is said."""
    assert said.startswith("rowmill: error: ")
    assert said.count("\n") == 1, said
    return said


# Wrong usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("no.csv shop.db --into item", "cannot read no.csv: No such file"),
        ("no.db o.csv --table item", "there is no file no.db"),
        ("sqlite:///no.db o.csv --table item", "there is no file no.db"),
        ("item.csv new.db --into item", "'sqlite:///new.db?mode=rwc'"),
        ("item.xlsx shop.db --into item", "'item.xlsx' is neither a database"),
        ("shop.db o.xlsx --table item", ".ndjson, .parquet"),
        ("o.json shop.db --into item", "json can be written but not read"),
        ("mysql://ada:opensesame@h/d o.csv -t item", "mysql:// is not a database"),
        ("shop.db mysql://ada:opensesame@h/d -t item", "mysql:// is not a database"),
        ("shop.db o.csv", "either --table NAME or --query SQL"),
        ("shop.db o.csv -t item -q select", "either --table NAME or --query SQL"),
        ("shop.db o.csv -t item -p 1", "--param is for --query"),
        ("shop.db o.csv -t a.b.c", "is no table's name"),
        ("shop.db o.csv -q @no.sql", "cannot read no.sql"),
        ("shop.db shop.db -q select", "--into TABLE"),
        ("item.csv shop.db", "--into TABLE"),
        ("item.csv shop.db -t item", "the table to copy into is --into"),
        ("item.csv o.parquet --create", "--create is for a database, and o.parquet is a file"),
        ("item.csv o.parquet --commit-each 5", "--commit-each is for a database"),
        ("item.csv ../{}/item.csv", "the same file"),
        ("shop.db sqlite:///shop.db -t item", "the same table"),
        ('shop.db shop.db -t item --into "item"', "the same table"),
        ("item.csv shop.db --into item --replace --commit-each 5", "exclude each other"),
        ("item.csv shop.db --into item --key id", "--key is for --on-conflict"),
        ("shop.db o.csv -t \udcff", "is not UTF-8"),
    ],
)
def test_wrong_usage_is_status_2(place: Path, words: str, said: str) -> None:
    before = sorted(place.iterdir())
    done = rowmill("copy", *words.format(place.name).split(), status=2)
    assert done.stderr.startswith("rowmill: error: ")
    assert said in done.stderr
    assert "opensesame" not in done.stderr
    assert sorted(place.iterdir()) == before


def test_wrong_words_show_the_usage(place: Path) -> None:
    for words in ("shop.db", "a b c", "shop.db o.csv -t item --on-conflict replace"):
        assert "usage: rowmill copy" in rowmill("copy", *words.split(), status=2).stderr
    text = rowmill("copy", "--help").stdout
    for part in ("examples", "--create", "130 interrupted"):
        assert part in text
    assert "copy SRC DST" in rowmill("--help").stdout


# What fails later


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("item.csv shop.db --into nowhere", "no table nowhere in the destination; --create makes"),
        ("shop.db o.csv -t nowhere", "no such table: nowhere"),
        ("shop.db no/o.csv -t item", "cannot write no/o.csv"),
        ("item.csv shop.db --into made --create --key nope", "no column 'nope' for the key"),
        ("postgresql://ada:opensesame@127.0.0.1:1/d o.csv -t item", "127.0.0.1"),
        ("shop.db postgresql://ada:opensesame@127.0.0.1:1/d -t item", "127.0.0.1"),
    ],
)
def test_a_copy_that_fails_is_status_1(place: Path, words: str, said: str) -> None:
    before = sorted(place.iterdir())
    done = rowmill("copy", *words.split(), status=1)
    assert done.stderr.startswith("rowmill: error: ")
    assert said in done.stderr
    assert "opensesame" not in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(place.iterdir()) == before
    assert items() == ["old"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,day,name\n5,,x\nsix,,y\n", "column 'id', row 1: CSV conversion error to int64"),
        ("id,day,name\n5,2026-02-31,x\n", "column 'day', row 0: "),
        ("id,day,name\n5,,x\n5,,y\n", "row 1"),
        ("id,nope\n5,x\n", "nope"),
        ("id,id\n5,5\n", "two columns of the rows are named"),
        ("id,name\n5,x\n6\n", "Expected 2 columns, got 1"),
        ('id,name\n5,"x\n' + "y\n" * 2_000_000, "a quote is not closed"),
        ("", "Empty CSV file"),
        ("id,name\n5,\udcff\n", "codec can't decode"),
        ("id,\udcff\n5,x\n", "codec can't decode"),
    ],
)
def test_a_bad_csv_leaves_the_table(place: Path, text: str, said: str) -> None:
    (place / "bad.csv").write_bytes(text.encode(errors="surrogateescape"))
    done = rowmill("copy", "bad.csv", "shop.db", "--into", "item", "--replace", status=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert items() == ["old"]


def test_a_value_that_does_not_fit(place: Path, pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("create table item (id smallint, day date, name varchar(3))")
        db.execute("insert into item values (0, null, 'old')")
    for values, said in [
        ("select 1 as id union all select 40000", ['column "id"', "row 1", "40000"]),
        ("select 1.5 as id", ['column "id"', "row 0"]),
        ("select 'soon' as day", ["column 'day', row 0: 'soon' is not a value of date"]),
        ("select 'long' as name", ["row 0", "name"]),
        ("select 1 as nope", ["nope"]),
    ]:
        done = rowmill("copy", "shop.db", pg_url, "-q", values, "--into", "item", status=1)
        assert [word for word in said if word not in done.stderr] == [], done.stderr
    assert items(pg_url) == ["old"]


def test_a_column_no_database_has(place: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    feather = pytest.importorskip("pyarrow.feather")
    feather.write_feather(pa.table({"a": pa.array([1], pa.duration("s"))}), "o.feather")
    done = rowmill("copy", "o.feather", "shop.db", "--into", "made", "--create", status=1)
    assert "column 'a': no SQL type is known for Duration" in one_line(done.stderr)


def test_a_file_that_is_not_what_it_is_called(place: Path) -> None:
    for name in ("o.parquet", "o.arrow", "o.arrows"):
        (place / name).write_bytes(b"something else, of some length")
        done = rowmill("copy", name, "shop.db", "--into", "item", status=1)
        assert f"cannot read {name}: " in one_line(done.stderr)
    (place / "o.db").write_bytes(b"something else, of some length")
    done = rowmill("copy", "o.db", "o.csv", "-t", "item", status=1)
    assert "not an SQLite database" in one_line(done.stderr)
    assert items() == ["old"]


def test_pyarrow_missing_is_said(place: Path) -> None:
    (place / "pyarrow.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    for words in ("item.csv shop.db --into item", "shop.db o.parquet -t item"):
        done = rowmill("copy", *words.split(), status=1, PYTHONPATH=path)
        assert "pip install 'rowmill[arrow]'" in one_line(done.stderr)
    rowmill("copy", "shop.db", "o.csv", "-t", "item", PYTHONPATH=path)
    rowmill("copy", "shop.db", "shop.db", "-t", "item", "-i", "x", "--create", PYTHONPATH=path)


def test_parquet_has_no_intervals(pg_url: str, place: Path) -> None:
    sql = "select interval '1 day' as v"
    done = rowmill("copy", pg_url, "o.parquet", "--query", sql, status=1)
    assert "column 'v' (interval)" in one_line(done.stderr)
    assert "or use a file that ends in .arrow" in done.stderr
    assert not (place / "o.parquet").exists()

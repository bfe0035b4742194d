"""The command line when something is wrong: what it says, its exit status, what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import rowmill

# SQLite parses JSON row by row: the 150th row fails, long after the first ones were written.
BREAKS = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)"
    " select i, json(case when i = 150 then '{' else '1' end) as j from n"
)


def one_line(said: str) -> str:
    """The error, which is all that is said."""
    assert said.startswith("rowmill: error: ")
    assert said.endswith("\n")
    assert said.count("\n") == 1, said
    return said


# Where the output cannot hold the result


@pytest.mark.parametrize(
    ("value", "kind"),
    [("interval '1 day'", "interval"), ("array[interval '1 day']", "list[interval]")],
)
def test_parquet_has_no_intervals(pg_url: str, tmp_path: Path, value: str, kind: str) -> None:
    pytest.importorskip("pyarrow")
    sql = f"select 1 as a, {value} as v, {value} as w"
    done = rowmill("query", pg_url, sql, "-o", str(tmp_path / "o.parquet"), status=1)
    said = one_line(done.stderr)
    assert f"column 'v' ({kind})" in said
    assert "cast(x as text)" in said
    assert "--format arrow" in said
    assert list(tmp_path.iterdir()) == []
    rowmill("query", pg_url, sql, "-o", str(tmp_path / "o.arrow"))


def test_arrow_file_has_one_set_of_labels(pg_url: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rowmill("query", pg_url, "create type mood as enum ('sad', 'ok')")
    sql = "select i, (case when i < 5 then 'sad' else 'ok' end)::mood as m from generate_series(1, 9) i"
    words = ("query", pg_url, sql, "--batch-rows", "2", "-o")
    done = rowmill(*words, str(tmp_path / "o.arrow"), status=1)
    assert "column 'm' (enum)" in one_line(done.stderr)
    assert list(tmp_path.iterdir()) == []
    rowmill(*words, str(tmp_path / "o.parquet"))


def test_failure_in_the_middle(tmp_path: Path) -> None:
    words = ("query", "sqlite://", BREAKS, "--batch-rows", "10")
    done = rowmill(*words, "-f", "json", status=1)
    assert "malformed JSON" in one_line(done.stderr)
    assert '{"i":1,' in done.stdout
    with pytest.raises(json.JSONDecodeError):
        json.loads(done.stdout)
    for name in ("o.json", "o.csv", "o.parquet"):
        rowmill(*words, "-o", str(tmp_path / name), status=1)
    assert list(tmp_path.iterdir()) == []


# Where the command line itself is wrong


def test_missing_sqlite_file_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "ty po.db"
    url = "sqlite:///" + str(path).replace(" ", "%20")
    for bad in (url, f"{url}?mode=ro", f"{url}/under", url.replace("sqlite:", "SQLite:")):
        said = one_line(rowmill("query", bad, "select 1", status=2).stderr)
        assert str(path) in said
        assert "?mode=rwc'" in said
    said = rowmill("query", "select 1", status=2, DATABASE_URL=url).stderr
    assert f"'{url}?mode=rwc'" in one_line(said)
    assert not path.exists()
    rowmill("query", f"{url}?mode=rwc", "create table t (a integer)")
    rowmill("query", url, "select * from t")
    rowmill("query", f"{url}?mode=ro", "insert into t values (1)", status=1)
    for memory in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
        rowmill("query", memory, "select 1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("select 1",), "no database was named"),
        (("mysql://ada:opensesame@h/db", "select 1"), "mysql:// is not a database"),
        (("sqlite://shop.db", "select 1"), "names a host"),
        (("sqlite://?mode=fast", "select 1"), "mode=fast"),
        (("postgresql://h:port/d", "select 1"), "is not a number from 1 to 65535"),
        (("no-such.db", "select 1"), "neither a URL"),
        (("sqlite:///no-such.db", "select 1"), "there is no file no-such.db"),
        (("sqlite://", "select $1", "-p", "date:soon"), "is not a date"),
        (("sqlite://", "select $1", "-p", "\udcff"), "a --param is not UTF-8"),
        (("postgresql://a:opensesame\udcff@h/d", "select 1"), "the URL is not UTF-8"),
        (("sqlite://", "select '\udcff'"), "the statement is not UTF-8"),
        (("sqlite://", "@no-such.sql"), "cannot read no-such.sql"),
        (("sqlite://", "select 1", "-o", "o.xlsx"), "no format is known"),
    ],
)
def test_wrong_usage_is_status_2(words: tuple[str, ...], said: str) -> None:
    done = rowmill("query", *words, status=2)
    assert done.stderr.startswith("rowmill: error: ")
    assert said in done.stderr
    assert "opensesame" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("sqlite://", "select nope"),
        ("sqlite://", "select $1"),
        ("postgresql://u@127.0.0.1:1/d", "select 1"),
        ("sqlite://", "select 1", "-o", "/no/such/place.csv"),
    ],
)
def test_what_fails_later_is_status_1(words: tuple[str, ...]) -> None:
    assert rowmill("query", *words, status=1).stderr.startswith("rowmill: error: ")


def test_a_file_that_is_no_database_is_status_1(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database " * 100)
    assert (
        "not an SQLite database"
        in rowmill("query", f"sqlite:///{path}", "select 1", status=1).stderr
    )


def test_help_tells_of_modes_and_statuses() -> None:
    text = rowmill("query", "--help").stdout
    for part in ("mode=ro", "mode=rwc", "2 wrong usage", "1 the statement, the database"):
        assert part in text


def test_a_statement_too_long_for_a_name() -> None:
    sql = f"select 1 as one -- {'long ' * 2000}"
    assert "(1 row)" in rowmill("query", sql, DATABASE_URL="sqlite://").stdout

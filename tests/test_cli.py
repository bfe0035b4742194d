"""The command line, run as its users run it: in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli import COUNTING, rowmill


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """An SQLite file with three orders."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table orders (id integer, name text, total real)")
        connection.executemany(
            "insert into orders values (?, ?, ?)",
            [(1, "Ada", 9.5), (2, None, 120.25), (3, 'say "hi",\nthen\x1b[31m go', 3.0)],
        )
    connection.close()
    return str(path)


# What is written


def test_table(shop: str) -> None:
    out = rowmill("query", shop, "select * from orders order by id").stdout
    assert out.splitlines() == [
        " id │ name                       │  total",
        "────┼────────────────────────────┼────────",
        "  1 │ Ada                        │    9.5",
        "  2 │ NULL                       │ 120.25",
        r'  3 │ say "hi",\nthen\x1b[31m go │    3.0',
        "(3 rows)",
    ]


def test_table_in_ascii_and_limited(shop: str) -> None:
    out = rowmill("query", shop, "select id from orders", "-n", "2", PYTHONIOENCODING="ascii")
    assert out.stdout.splitlines() == [
        *(" id", "----", "  1", "  2", "(first 2 rows; --limit 0 shows all)")
    ]
    exact = rowmill("query", shop, "select id from orders", "-n", "3").stdout
    assert exact.endswith("(3 rows)\n")


def test_null_and_its_letters_differ(shop: str) -> None:
    out = rowmill("query", shop, "select null as a, 'NULL' as b").stdout
    assert ' NULL │ "NULL"' in out


def test_json(shop: str) -> None:
    sql = "select * from orders order by id"
    rows = json.loads(rowmill("query", shop, sql, "-f", "json").stdout)
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert rows[1]["name"] is None
    parts = rowmill("query", shop, sql, "-f", "json", "--batch-rows", "1").stdout
    assert json.loads(parts) == rows
    lines = rowmill("query", shop, sql, "-f", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == rows


def test_nothing_found(shop: str) -> None:
    sql = "select * from orders where id > 9"
    assert json.loads(rowmill("query", shop, sql, "-f", "json").stdout) == []
    assert rowmill("query", shop, sql, "-f", "ndjson").stdout == ""
    assert rowmill("query", shop, sql, "-f", "csv").stdout == "id,name,total\n"
    assert rowmill("query", shop, sql).stdout.endswith("(0 rows)\n")


def test_csv_tells_null_from_empty(shop: str) -> None:
    out = rowmill("query", shop, "select null as a, '' as b, 'x,\"y\"' as c", "-f", "csv").stdout
    assert out == 'a,b,c\n,"","x,""y"""\n'
    long = rowmill("query", shop, COUNTING.format(10_000), "-f", "csv", "--batch-rows", "999")
    rows = list(csv.reader(long.stdout.splitlines()))
    assert rows[0] == ["i", "name"]
    assert rows[1:] == [[str(i), f"row {i}"] for i in range(1, 10_001)]


def test_arrow_and_parquet(shop: str, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    ipc = pytest.importorskip("pyarrow.ipc")
    parquet = pytest.importorskip("pyarrow.parquet")
    sql = COUNTING.format(1000)
    tables = []
    for name in ("o.arrow", "o.parquet", "o.arrows"):
        path = tmp_path / name
        rowmill("query", shop, sql, "-o", str(path), "--batch-rows", "300")
        if name == "o.parquet":
            tables.append(parquet.read_table(path))
        else:
            opened = ipc.open_file if name == "o.arrow" else ipc.open_stream
            with pa.OSFile(str(path)) as file:
                tables.append(opened(file).read_all())
    for table in tables:
        assert table.column("i").to_pylist() == list(range(1, 1001))


def test_pyarrow_missing_is_said(shop: str, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    out = tmp_path / "o.parquet"
    done = rowmill("query", shop, "select 1", "-o", str(out), status=1, PYTHONPATH=path)
    assert "pip install 'rowmill[arrow]'" in done.stderr
    assert done.stderr.count("\n") == 1, "more than the error"
    assert not out.exists()


def test_output_is_whole_or_absent(shop: str, tmp_path: Path) -> None:
    path = tmp_path / "out" / "o.csv"
    path.parent.mkdir()
    path.write_text("before")
    path.chmod(0o640)
    rowmill("query", shop, "select nope", "-o", str(path), status=1)
    assert path.read_text() == "before"
    rowmill("query", shop, "select 1 as one", "-o", str(path))
    assert path.read_text() == "one\n1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]
    missing = rowmill("query", shop, "select 1", "-o", str(tmp_path / "no" / "o"), status=1)
    assert "cannot write" in missing.stderr


def test_sql_from_input_and_file(shop: str, tmp_path: Path) -> None:
    assert "(1 row)" in rowmill("query", shop, "-", given="select 1 as one").stdout
    file = tmp_path / "q.sql"
    file.write_text("-- the orders\nselect id from orders where name = :name\n")
    done = rowmill("query", shop, f"@{file}", "-p", "name=Ada", "-f", "json")
    assert json.loads(done.stdout) == [{"id": 1}]
    assert "cannot read" in rowmill("query", shop, "@/nowhere.sql", status=2).stderr


def test_parameters_reach_the_database(shop: str) -> None:
    sql = "select $1 + 1 as a, $2 as b, $3 as c"
    # Options may stand anywhere.
    words = ("query", shop, "-f", "json", sql, "-p", "-5", "-p", "text:7", "--param", "null")
    assert json.loads(rowmill(*words).stdout) == [{"a": -4, "b": "7", "c": None}]
    named = rowmill("query", shop, "select :timeout as t", "-p", "timeout=3", "-f", "json")
    assert json.loads(named.stdout) == [{"t": 3}]


def test_url_from_the_environment(shop: str) -> None:
    done = rowmill("query", "select count(*) as n from orders", DATABASE_URL=f"sqlite:///{shop}")
    assert "(1 row)" in done.stdout


# What goes wrong


def test_usage_errors(shop: str) -> None:
    assert "no SQL is given" in rowmill("query", shop, status=2).stderr
    assert "no SQL is given" in rowmill("query", "sqlite:///x.db", status=2).stderr
    assert "comes before" in rowmill("query", "select 1", f"sqlite:///{shop}", status=2).stderr
    assert "neither a URL" in rowmill("query", "no-such-file", "select 1", status=2).stderr
    assert "is empty" in rowmill("query", shop, "  ", status=2).stderr
    assert "invalid choice" in rowmill("query", shop, "select 1", "-f", "xml", status=2).stderr
    assert "invalid choice" in rowmill("frobnicate", status=2).stderr
    assert "usage: rowmill query" in rowmill("query", "--help").stdout


def test_sql_error_shows_the_place(shop: str) -> None:
    done = rowmill("query", shop, "select id,\n  nope\nfrom orders", status=1)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("rowmill: error: ")
    assert "nope" in lines[0]
    assert lines[1:3] == ["  line 2:   nope", " " * 12 + "^"]
    assert "Traceback" not in done.stderr


def test_password_is_not_shown() -> None:
    url = "postgresql://ada:opensesame@127.0.0.1:1/db"
    done = rowmill("query", url, "select 1", status=1)
    assert done.stderr.startswith("rowmill: error: ")
    assert "opensesame" not in done.stderr


def test_version() -> None:
    script = Path(sys.executable).with_name("rowmill")
    out = subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout
    assert out.startswith("rowmill 0.")


# PostgreSQL


def test_postgres_types_in_csv(pg_url: str) -> None:
    sql = """
        select 1::int8 as i, true as b, 1.50::numeric(10, 2) as n, '\\x00ff'::bytea as y,
               date '2026-01-31' as d, timestamptz '2026-01-31 10:00:00.5+02' as t,
               interval '14 months 3 days 1.5 seconds' as v, array[1, null, 3] as a,
               '{"a":  1}'::json as j, '00000000-0000-0000-0000-000000000001'::uuid as u
    """
    header, values = csv.reader(rowmill("query", pg_url, sql, "-f", "csv").stdout.splitlines())
    assert header == list("ibnydtvaju")
    assert values == [
        *("1", "true", "1.50", "\\x00ff", "2026-01-31", "2026-01-31 08:00:00.500000+00:00"),
        *("P14M3DT1.5S", "[1, null, 3]", '{"a":  1}', str(UUID(int=1))),
    ]


def test_postgres_error_with_hint(pg_url: str) -> None:
    done = rowmill("query", pg_url, "select * from (select 1 as name) t where nmae = 1", status=1)
    assert "[42703]" in done.stderr
    assert "hint: " in done.stderr
    line, caret = done.stderr.splitlines()[1:3]
    assert line[caret.index("^") :].startswith("nmae = 1")


def test_postgres_timeout_and_typed_parameters(pg_url: str) -> None:
    done = rowmill("query", pg_url, "select pg_sleep(20)", "--timeout", "0.3", status=1)
    assert done.stderr.startswith("rowmill: error: ")
    sql = "select $1::date + 1 as d, $2::numeric as n"
    words = ("query", pg_url, sql, "-p", "date:2026-01-31", "-p", "decimal:9.90", "-f", "csv")
    assert rowmill(*words).stdout == "d,n\n2026-02-01,9.90\n"

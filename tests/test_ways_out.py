"""Errors say what to do: what newcomers try first, and what they are told."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer

MESSAGES: list[tuple[str, tuple[Any, ...], str]] = [
    ("select * from t where id = %s", (1,), r"\$1, \$2 or :name"),
    ("select * from t where id = ?", (1,), r"\$1, \$2 or :name"),
    ("select $1", (5,), r"\$1::int8"),
    ("select now() - $1", (rm.Interval(0, 1, 0),), r"\$1::interval"),
    ("select 1; select 2", (), "execute_script"),
    ("select * from t where id = $1", ((1,),), "one by one"),
    ("select * from t where id = $1", ([1, 2],), r"any\(\$1\)"),
]


@pytest.mark.parametrize(("sql", "parameters", "hint"), MESSAGES)
def test_postgresql_says_what_to_write(
    pg_url: str, sql: str, parameters: tuple[Any, ...], hint: str
) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("create table if not exists t (id int)")
        with pytest.raises((rm.ProgrammingError, rm.DataError)) as caught:
            db.fetch(sql, *parameters)
        assert re.search(hint, str(caught.value)), str(caught.value)


def test_a_list_where_sqlite_wants_a_value() -> None:
    with rm.Database("sqlite://") as db:
        db.execute_script("create table t (id integer, tags text); insert into t values (1, null)")
        for sql in ("select * from t where id = $1", "insert into t (tags) values ($1)"):
            for value in ([1], (1,)):
                with pytest.raises(rm.ProgrammingError, match=r"json_each\(\$1\)"):
                    db.fetch(sql, value)
        found = db.fetch("select id from t where id in (select value from json_each($1))", [1, 2])
        assert found["id"].to_list() == [1]
        assert db.execute("update t set tags = json($1)", ["a"]) == 1


def test_names_that_repeat_have_no_json(any_url: str) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.DataError, match=r'"a".*AS'):
            db.fetch_json("select 1 as a, 2 as a")
        with pytest.raises(rm.DataError, match=r'"a".*AS'):
            db.fetch("select 1 as a, 2 as a").to_json()
        assert db.fetch_json("select 1 as a, 2 as b") == b'[{"a":1,"b":2}]'


def test_urls_of_other_libraries() -> None:
    for url, hint in [
        ("postgresql+psycopg://x/y", "write postgresql://"),
        ("sqlite+aiosqlite:///x.db", "write sqlite://"),
        ("mysql://x/y", "mysql:// is not"),
        ("shop.db", "sqlite:///shop.db"),
        ("/srv/shop.sqlite", "sqlite:////srv/shop.sqlite"),
        ("secret@host.db", "starts with"),
    ]:
        with pytest.raises(rm.InterfaceError, match=hint):
            rm.Database(url)


def test_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "odd ?%41# name.db"
    with rm.Database(path) as db:
        db.execute_script("create table t (id integer)")
    assert path.exists()
    with rm.Database(path) as db:
        assert db.fetch("select * from t").shape == (0, 1)


async def test_a_file_by_its_path_on_a_loop(tmp_path: Path) -> None:
    async with rm.AsyncDatabase(tmp_path / "x.db") as db:
        assert await db.fetch_value("select 1") == 1


def test_a_whole_price_does_not_make_a_column_of_integers() -> None:
    with rm.Database("sqlite://") as db:
        db.execute_script("create table p (price numeric(10, 2))")
        assert db.fetch("select * from p").schema.types == ["float64"]
        db.load("p", {"price": [10.0] * 1_000 + [2.5]})
        parts = list(db.stream("select price from p", batch_rows=100))
        assert {*(kind for part in parts for kind in part.schema.types)} == {"float64"}
        assert sum(sum(part["price"].to_list()) for part in parts) == 10_002.5


def test_one_lost_connection_has_the_idle_ones_looked_at(postgres: PostgresServer) -> None:
    with (
        postgres.fresh_database() as url,
        rm.Database(url, pool_size=4) as db,
        rm.Database(url) as other,
    ):
        transactions = [db.transaction() for _ in range(4)]
        for transaction in transactions:
            transaction.__enter__()
            transaction.fetch_value("select 1")
        for transaction in transactions:
            transaction.__exit__(None, None, None)
        other.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        time.sleep(0.1)
        failures = 0
        for _ in range(4):
            try:
                assert db.fetch_value("select 1") == 1
            except rm.ConnectionLost:
                failures += 1
        assert failures <= 1


@pytest.mark.parametrize(
    ("verb", "package"),
    [
        ("numpy", "numpy"),
        ("pandas", "rowmill[pandas]"),
        ("polars", "rowmill[polars]"),
        ("arrow", "rowmill[arrow]"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_installs_it(verb: str, package: str) -> None:
    # -S leaves installed packages out.
    program = f"""
import sys; sys.path.append({str(Path(rm.__file__).parent.parent)!r})
import rowmill
try:
    rowmill.Frame({{"a": [1]}}).to_{verb}()
except ImportError as error:
    print(error)"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert "is not installed: pip install" in done.stdout
    assert package in done.stdout


async def test_streams_tell_their_state(any_url: str) -> None:
    with rm.Database(any_url) as db, db.stream("select 1") as stream:
        assert repr(stream) == "<rowmill.Stream open>"
        stream.close()
        assert repr(stream) == "<rowmill.Stream closed>"
    async with rm.AsyncDatabase(any_url) as adb, adb.stream("select 1") as parts:
        assert repr(parts) == "<rowmill.AsyncStream not begun>"
        await anext(parts)
        await parts.close()
        assert repr(parts) == "<rowmill.AsyncStream closed>"

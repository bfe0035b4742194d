"""What is wrong before a statement runs, or with what it says: URLs, logins, SQL, parameters."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PASSWORD, ROLES, PostgresServer
from tests.watch import HANG

SECRET = "hunter2"

WRONG_URLS = [
    ("", "URL"),
    ("nonsense", "URL"),
    ("/tmp/data.db", "URL"),
    (f"mysql://ann:{SECRET}@host/db", "mysql"),
    (f"http://ann:{SECRET}@host/db", "http"),
    (f"postgresql://ann:{SECRET}@host:port/db", "port"),
    (f"postgresql://ann:{SECRET}@host:0/db", "port"),
    (f"postgresql://ann:{SECRET}@host:65536/db", "65536"),
    (f"postgresql://ann:{SECRET}@host:-1/db", "port"),
    (f"postgresql://ann:{SECRET}@[::1/db", "host"),
    (f"postgresql://ann:{SECRET}@/db?host=one,,two", "commas"),
    (f"postgresql://ann:{SECRET}@host/db?sslmode=maybe", "sslmode"),
    (f"postgresql://ann:{SECRET}@host/db?sslmdoe=require", "sslmdoe"),
    (f"postgresql://ann:{SECRET}@host/db?connect_timeout=soon", "connect_timeout"),
    (f"postgresql://ann:{SECRET}@host/db%zz", "%"),
    (f"postgresql://ann:{SECRET}%@host/db", "%"),
    (f"postgresql://ann:{SECRET}@host/%ff", "%"),
    ("sqlite://data.db", "data.db"),
    ("sqlite:///data.db?cache=shared", "cache"),
    ("sqlite:///data.db?mode=rw+", "mode"),
]


@pytest.mark.parametrize("kind", [rm.Database, rm.AsyncDatabase])
@pytest.mark.parametrize(("url", "part"), WRONG_URLS)
def test_a_wrong_url_names_the_part_and_hides_the_password(
    kind: type[rm.Database] | type[rm.AsyncDatabase], url: str, part: str
) -> None:
    with pytest.raises(rm.InterfaceError) as caught:
        kind(url)
    assert type(caught.value) is rm.InterfaceError
    assert part in str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value!r}"


def test_a_password_with_odd_characters_is_never_shown_where_the_host_is_wrong() -> None:
    with pytest.raises(rm.InterfaceError) as caught:
        rm.Database(f"postgresql://ann:{SECRET}@{SECRET}@host:x/db")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pool_size": 0},
        {"pool_size": -1},
        {"timeout": 0},
        {"timeout": -1.0},
        {"timeout": float("nan")},
        {"connect_timeout": 0},
        {"connect_timeout": float("nan")},
        {"pool_timeout": -1},
        {"statement_cache": 0},
    ],
)
@pytest.mark.parametrize("kind", [rm.Database, rm.AsyncDatabase])
def test_a_wrong_option_is_named(kind: Any, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises((ValueError, OverflowError)) as caught:
        kind("sqlite://", **wrong)
    if isinstance(caught.value, ValueError):
        assert name in str(caught.value)


WAITS = ["timeout", "connect_timeout", "pool_timeout", "pool_idle", "pool_lifetime"]


@pytest.mark.parametrize("seconds", [1e19, 1e300, float("inf")])
async def test_waits_of_any_length(pg_url: str, seconds: float) -> None:
    for option in WAITS:
        options: Any = {option: seconds, "pool_size": 1}
        with rm.Database(pg_url, **options) as db:
            assert db.fetch_value("select 1") == 1
            with concurrent.futures.ThreadPoolExecutor() as threads:
                other = threads.submit(db.fetch_value, "select 2 from pg_sleep(0.1)")
                assert db.fetch_value("select 3") == 3
                assert other.result(HANG) == 2
        async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, **options) as adb:
            assert await adb.fetch_value("select 1") == 1


def test_no_url_and_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "PGHOST", "PGDATABASE", "PGUSER", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(rm.InterfaceError, match="DATABASE_URL"):
        rm.Database()


def test_the_environment_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite://")
    with rm.Database() as db:
        assert db.fetch_value("select 1") == 1


def test_nobody_listens_on_tcp() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with (
            rm.Database(f"postgresql://ann:{SECRET}@127.0.0.1:{port}/shop") as db,
            pytest.raises(rm.ConnectError) as caught,
        ):
            db.fetch("select 1")
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.hint


def test_no_socket(tmp_path: Path) -> None:
    with (
        rm.Database(f"postgresql://ann@/shop?host={tmp_path}") as db,
        pytest.raises(rm.ConnectError, match=str(tmp_path)),
    ):
        db.fetch("select 1")


def test_no_such_host() -> None:
    with (
        rm.Database("postgresql://ann@no-such-host.invalid/shop") as db,
        pytest.raises(rm.ConnectError, match="no-such-host"),
    ):
        db.fetch("select 1")


async def test_nobody_listens_async(tmp_path: Path) -> None:
    async with rm.AsyncDatabase(f"postgresql://ann@/shop?host={tmp_path}") as db:
        for _ in range(3):
            with pytest.raises(rm.ConnectError, match=str(tmp_path)):
                await db.fetch("select 1")


@pytest.mark.direct("a pooler refuses a login in its own words and with its own code")
@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("role", ROLES)
def test_passwords(postgres: PostgresServer, role: str, tcp: bool) -> None:
    with rm.Database(postgres.dsn(user=role, tcp=tcp)) as db:
        assert db.fetch_value("select current_user") == role
        assert PASSWORD not in repr(db)
    with rm.Database(postgres.dsn(user=role, password="not it", tcp=tcp)) as db:
        with pytest.raises(rm.ConnectError) as caught:
            db.fetch("select 1")
        assert caught.value.sqlstate == "28P01"
        assert role in str(caught.value)
        assert "not it" not in str(caught.value)


@pytest.mark.direct("a pooler refuses a login in its own words and with its own code")
@pytest.mark.parametrize("role", ROLES)
async def test_passwords_async(postgres: PostgresServer, role: str) -> None:
    async with rm.AsyncDatabase(postgres.dsn(user=role)) as db:
        assert await db.fetch_value("select current_user") == role
    async with rm.AsyncDatabase(postgres.dsn(user=role, password="not it")) as db:
        with pytest.raises(rm.ConnectError) as caught:
            await db.fetch("select 1")
        assert caught.value.sqlstate == "28P01"


def test_no_password_where_one_is_asked_for(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with (
        rm.Database(postgres.dsn(user="scram_user", password="")) as db,
        pytest.raises(rm.ConnectError, match="password"),
    ):
        db.fetch("select 1")


def test_a_password_from_the_environment(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with rm.Database(postgres.dsn(user="scram_user", password="")) as db:
        assert db.fetch_value("select 1") == 1


@pytest.mark.direct("a pooler refuses a login in its own words and with its own code")
def test_unknown_database(postgres: PostgresServer) -> None:
    with (
        rm.Database(postgres.dsn(database="nowhere")) as db,
        pytest.raises(rm.ConnectError, match="nowhere") as caught,
    ):
        db.fetch("select 1")
    assert caught.value.sqlstate == "3D000"


def caret(error: rm.Error) -> tuple[str, str]:
    """The line of SQL an error shows, and what stands above its caret."""
    lines = str(error).splitlines()
    at = next(at for at, line in enumerate(lines) if line.strip() == "^")
    return lines[at - 1], lines[at - 1][len(lines[at]) - 1 :]


WRONG_SQL = [
    ("select 1 + , 2", ", 2"),
    ("select nonexistent", "nonexistent"),
    ("select 1,\n  'ü✓𝄞', nonexistent", "nonexistent"),
    ("select 1 from missing_table", "missing_table"),
]


@pytest.mark.parametrize(("sql", "place"), WRONG_SQL)
def test_a_caret_shows_the_place(any_url: str, sql: str, place: str) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.ProgrammingError) as caught:
            db.fetch(sql)
        assert caught.value.query == sql
        if any_url.startswith("sqlite") and "missing_table" in sql:
            assert "missing_table" in str(caught.value)  # SQLite says no place
        else:
            assert caught.value.position is not None
            assert sql[caught.value.position - 1 :] == caret(caught.value)[1] == place
        if any_url.startswith("postgresql"):
            assert caught.value.sqlstate is not None
            assert caught.value.sqlstate[:2] == "42"
        assert db.fetch_value("select 1") == 1


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("select :größe, 'ü', :b, :größe, nonexistent", {"größe": "1", "b": "2"}),
        (
            "select 'ü✓' || :a, :a_much_longer_name, nonexistent",
            {"a": "1", "a_much_longer_name": "x"},
        ),
    ],
)
def test_a_caret_counts_in_the_callers_own_text(any_url: str, sql: str, values: Any) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(rm.ProgrammingError) as caught:
            db.fetch(sql, **values)
        assert caught.value.query == sql
        assert caught.value.position == sql.index("nonexistent") + 1


async def test_a_caret_async(any_url: str) -> None:
    sql = "select 'ü', :a, nonexistent"
    async with rm.AsyncDatabase(any_url) as db:
        with pytest.raises(rm.ProgrammingError) as caught:
            await db.fetch(sql, a="1")
        assert (caught.value.query, caught.value.position) == (sql, sql.index("nonex") + 1)
        assert await db.fetch_value("select 1") == 1


def test_errors_by_class(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("create table t (n int primary key, m int check (m > 0))")
        db.execute("insert into t values (1, 1)")
        for sql, kind, state in [
            ("insert into t values (1, 1)", rm.IntegrityError, "23505"),
            ("insert into t values (2, -1)", rm.IntegrityError, "23514"),
            ("select 1 / 0", rm.DataError, "22012"),
            ("select 'x'::int", rm.DataError, "22P02"),
            ("select pg_read_file('/nowhere')", rm.OperationalError, "58P01"),
            ("create index concurrently on (t)", rm.ProgrammingError, "42601"),
            ("do $$ begin raise sqlstate '40001'; end $$", rm.SerializationError, "40001"),
            ("do $$ begin raise sqlstate 'XX000'; end $$", rm.InternalError, "XX000"),
            ("do $$ begin raise sqlstate '0A000'; end $$", rm.NotSupportedError, "0A000"),
        ]:
            with pytest.raises(kind) as caught:
                db.execute(sql)
            assert type(caught.value) is kind
            assert caught.value.sqlstate == state
            assert caught.value.query == sql
        with pytest.raises(rm.IntegrityError) as caught:
            db.execute("insert into t values ($1, $2)", 1, 1)
        assert "already exists" in (caught.value.detail or "")


@pytest.mark.parametrize("sql", ["select 1\0", "select '\0'"])
def test_sql_that_cannot_be_sent(any_url: str, sql: str) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises((rm.ProgrammingError, rm.NotSupportedError)):
            db.fetch(sql)
        assert db.fetch_value("select 1") == 1


@pytest.mark.parametrize("sql", ["", "   ", "-- nothing", ";"])
def test_sql_that_says_nothing(any_url: str, sql: str) -> None:
    with rm.Database(any_url) as db:
        with contextlib.suppress(rm.ProgrammingError):
            assert db.fetch(sql).shape == (0, 0)
        assert db.fetch_value("select 1") == 1


def test_sql_that_is_no_text(any_url: str) -> None:
    with rm.Database(any_url) as db:
        with pytest.raises(TypeError):
            db.fetch(b"select 1")  # type: ignore[arg-type]
        with pytest.raises(rm.ProgrammingError, match="has a surrogate"):
            db.fetch("select '\udc80'")
        assert db.fetch_value("select 1") == 1

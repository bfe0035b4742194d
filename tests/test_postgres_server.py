"""The harness itself: what the other tests stand on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.console import APPLICATION
from tests.postgres_server import (
    MEMORY,
    PASSWORD,
    ROLES,
    PostgresServer,
    ServerUnavailableError,
    find_binaries,
)

# A pooler in between would be what is tested.
pytestmark = pytest.mark.direct("the server's own harness")

KILLED = """
import os, signal, sys
from tests.postgres_server import PostgresServer
server = PostgresServer(in_memory=sys.argv[1] == "in memory")
server.start()
data = server.socket_dir / "data"
print(server.socket_dir, data.resolve() if data.is_symlink() else "", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("way", ["socket", "tcp", "tls"])
def test_roles_log_in_with_their_password_only(
    request: pytest.FixtureRequest, role: str, way: str
) -> None:
    tcp, tls = way != "socket", way == "tls"
    postgres: PostgresServer = request.getfixturevalue("postgres_tls" if tls else "postgres")
    with psycopg.connect(postgres.dsn(user=role, tcp=tcp, tls=tls)) as connection:
        assert connection.execute("select current_user").fetchone() == (role,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.dsn(user=role, password=PASSWORD[:-1], tcp=tcp, tls=tls))


def test_tls_role_is_let_in_over_tls(postgres_tls: PostgresServer) -> None:
    with psycopg.connect(postgres_tls.dsn(user="tls_user", tls="require")) as connection:
        assert connection.execute("select current_user").fetchone() == ("tls_user",)


def test_tls_role_is_refused_without_tls(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="reject"):
        psycopg.connect(postgres.dsn(user="tls_user", tcp=True))


def test_fresh_databases_are_apart_and_dropped(postgres: PostgresServer) -> None:
    names = "select count(*) from pg_database where datname like 'fresh%'"
    before = postgres.psql(names)
    with postgres.fresh_database() as one, postgres.fresh_database() as two:
        with psycopg.connect(one) as connection:
            connection.execute("create table t ()")
        with psycopg.connect(two) as connection:
            assert connection.execute("select to_regclass('t')").fetchone() == (None,)
    assert postgres.psql(names) == before


def test_psql_raises_the_servers_message(postgres: PostgresServer) -> None:
    with pytest.raises(RuntimeError, match="syntax error"):
        postgres.psql("selec 1")


@pytest.mark.parametrize("in_memory", [False, True])
def test_bad_setting_is_reported_and_cleaned_up(in_memory: bool) -> None:
    of_mine = f"rowmill-pg-{os.getpid()}-*"
    before = set(MEMORY.glob(of_mine))
    server = PostgresServer(in_memory=in_memory, settings={"max_connections": "many"})
    with pytest.raises(ServerUnavailableError, match="max_connections"):
        server.start()
    _wait_until_gone(server.socket_dir)
    assert set(MEMORY.glob(of_mine)) == before


@pytest.mark.parametrize("place", ["on disk", "in memory"])
def test_server_does_not_outlive_a_killed_parent(place: str) -> None:
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", KILLED, place]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    directories = done.stdout.split()
    assert len(directories) == 1 or place == "in memory"
    for directory in directories:
        _wait_until_gone(Path(directory))


def test_fresh_databases_come_after_a_session_was_ended(postgres: PostgresServer) -> None:
    with postgres.fresh_database():
        postgres.psql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where application_name = '{APPLICATION}'"
        )
        with postgres.fresh_database() as url, psycopg.connect(url):
            pass


def test_missing_binaries_are_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROWMILL_PG_BIN", os.devnull)
    with pytest.raises(ServerUnavailableError, match=r"\./dev setup"):
        find_binaries()


def _wait_until_gone(directory: Path) -> None:
    deadline = time.monotonic() + 10
    while directory.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not directory.exists()

"""Which server a URL leads to, and by which password, service and certificate."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import CERTIFIED_ROLE, PASSWORD, PostgresServer
from tests.watch import within

PORT = "select current_setting('port')::int"


@pytest.fixture(scope="module")
def read_only() -> Iterator[PostgresServer]:
    """A server whose sessions may not write unless they ask for it."""
    with PostgresServer(tcp=True) as server:
        server.psql("alter system set default_transaction_read_only = on; select pg_reload_conf()")
        yield server


@pytest.fixture
def dead() -> Iterator[int]:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def url(*places: object, **options: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in {"sslmode": "disable", **options}.items())
    hosts = ",".join(f"localhost:{place}" for place in places)
    return f"postgresql://rowmill@{hosts}/postgres?{query}"


async def answers(address: str) -> int:
    """The port of the server that answers, alike in both worlds."""
    with rm.Database(address) as db:
        port: int = db.fetch_value(PORT)
    async with rm.AsyncDatabase(address) as adb:
        assert await adb.fetch_value(PORT) == port
    return port


async def test_the_first_server_that_answers(postgres: PostgresServer, dead: int) -> None:
    assert await answers(url(dead, postgres.port)) == postgres.port
    assert await answers(url(postgres.port, dead)) == postgres.port
    by_list = f"postgresql://rowmill@/postgres?host=localhost,localhost&port={dead},{postgres.port}&sslmode=disable"
    assert await answers(by_list) == postgres.port
    socket_last = f"postgresql://rowmill@/postgres?host=localhost,{postgres.socket_dir}&port={dead},{postgres.port}"
    assert await answers(socket_last) == postgres.port
    with (
        rm.Database(url(dead, dead)) as db,
        pytest.raises(rm.ConnectError, match=f"localhost:{dead}"),
    ):
        db.fetch("select 1")


def test_a_silent_server_does_not_use_up_the_time_of_the_next(postgres: PostgresServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = url(silent.getsockname()[1], postgres.port)
        with rm.Database(address, connect_timeout=2) as db:
            assert within(10, lambda: db.fetch_value(PORT)) == postgres.port


async def test_a_server_of_the_kind_that_is_wanted(
    postgres: PostgresServer, read_only: PostgresServer
) -> None:
    both = (read_only.port, postgres.port)
    for target, expected in [
        ("any", read_only),
        ("read-write", postgres),
        ("read-only", read_only),
        ("primary", read_only),
        ("prefer-standby", read_only),
    ]:
        assert await answers(url(*both, target_session_attrs=target)) == expected.port, target
    with (
        rm.Database(url(*both, target_session_attrs="standby")) as db,
        pytest.raises(rm.ConnectError, match="is not a standby"),
    ):
        db.fetch("select 1")
    with (
        rm.Database(url(read_only.port, target_session_attrs="read-write")) as db,
        pytest.raises(rm.ConnectError, match="is read-only"),
    ):
        db.fetch("select 1")


def test_hosts_in_random_order(postgres: PostgresServer, read_only: PostgresServer) -> None:
    address = url(postgres.port, read_only.port, load_balance_hosts="random")
    ports = set()
    for _ in range(40):
        with rm.Database(address) as db:
            ports.add(db.fetch_value(PORT))
    assert ports == {postgres.port, read_only.port}


def test_a_refused_password_is_not_tried_elsewhere(
    postgres: PostgresServer, read_only: PostgresServer
) -> None:
    address = url(postgres.port, read_only.port).replace("rowmill@", "scram_user:wrong@")
    with rm.Database(address) as db, pytest.raises(rm.ConnectError, match="password") as caught:
        db.fetch("select 1")
    assert caught.value.sqlstate == "28P01"


def test_a_cancel_goes_to_the_server_that_answered(postgres: PostgresServer, dead: int) -> None:
    with rm.Database(url(dead, postgres.port)) as db:
        with pytest.raises(rm.QueryTimeout):
            db.fetch("select pg_sleep(30)", timeout=0.2)
        assert within(5, lambda: db.fetch_value("select 1")) == 1


def test_passwords_from_a_file(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "passwords"
    file.write_text(
        "# of nobody\nelsewhere:*:*:scram_user:wrong\n"
        f"localhost:{postgres.port}:*:scram_user:{PASSWORD}\n*:*:*:*:wrong\n"
    )
    file.chmod(0o600)
    address = url(postgres.port, passfile=str(file)).replace("rowmill@", "scram_user@")
    with rm.Database(address) as db:
        assert db.fetch_value("select current_user") == "scram_user"
        assert PASSWORD not in repr(db)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with rm.Database(url(postgres.port).replace("rowmill@", "scram_user@")) as db:
        assert db.fetch_value("select 1") == 1
    # What others may read is no secret: it is passed over, as by libpq.
    file.chmod(0o644)
    with rm.Database(address) as db, pytest.raises(rm.Error, match="password"):
        db.fetch("select 1")


def test_a_service(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services"
    file.write_text(
        "[other]\nhost=nowhere\n\n[mine]\n# ours\nhost=localhost\n"
        f"port={postgres.port}\nuser=scram_user\npassword={PASSWORD}\ndbname=postgres\nsslmode=disable\n"
        "[broken]\nspeed=fast\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    with rm.Database("postgresql://?service=mine") as db:
        assert db.fetch_value("select current_user") == "scram_user"
        assert PASSWORD not in repr(db)
    with rm.Database("postgresql://rowmill@/?service=mine") as db:
        assert db.fetch_value("select current_user") == "rowmill"
    monkeypatch.setenv("PGSERVICE", "mine")
    with rm.Database() as db:
        assert db.fetch_value("select 1") == 1
    with pytest.raises(rm.InterfaceError, match="nowhere"):
        rm.Database("postgresql://?service=nowhere")
    with pytest.raises(rm.InterfaceError, match="speed"):
        rm.Database("postgresql://?service=broken")


def test_a_client_certificate(postgres_tls: PostgresServer, tmp_path: Path) -> None:
    own: dict[str, Any] = {
        "sslcert": str(postgres_tls.client_certificate),
        "sslkey": str(postgres_tls.client_key),
    }
    address = postgres_tls.dsn(user=CERTIFIED_ROLE, tls=True, **own)
    with rm.Database(address) as db:
        assert db.fetch_value("select current_user") == CERTIFIED_ROLE
    with (
        rm.Database(postgres_tls.dsn(user=CERTIFIED_ROLE, tls=True)) as db,
        pytest.raises(rm.ConnectError, match="certificate"),
    ):
        db.fetch("select 1")
    junk = tmp_path / "junk.key"
    junk.write_text("nothing")
    junk.chmod(0o600)
    for option, words in [("sslkey", "sslkey"), ("sslcert", "sslcert")]:
        wrong = postgres_tls.dsn(tls=True, **(own | {option: str(junk)}))
        with rm.Database(wrong) as db, pytest.raises(rm.InterfaceError, match=words):
            db.fetch("select 1")

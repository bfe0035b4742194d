"""TLS: what each sslmode accepts, and that everything else works the same inside it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import rowmill as rm
from tests.hostile_server import HostileServer
from tests.postgres_server import PostgresServer
from tests.watch import HANG, within

IN_USE = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


@pytest.mark.parametrize(
    ("mode", "encrypted"),
    [("disable", False), ("prefer", True), ("allow", True), ("require", True)],
)
def test_modes_without_a_certificate(
    postgres_tls: PostgresServer, mode: str, encrypted: bool
) -> None:
    with rm.Database(postgres_tls.dsn(tls=mode)) as db:
        assert db.fetch_value(IN_USE) is encrypted


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_modes_with_the_right_certificate(postgres_tls: PostgresServer, mode: str) -> None:
    url = postgres_tls.dsn(tls=mode, sslrootcert=str(postgres_tls.ca_file))
    with rm.Database(url) as db:
        assert db.fetch_value(IN_USE) is True


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_modes_with_the_wrong_certificate(postgres_tls: PostgresServer, mode: str) -> None:
    url = postgres_tls.dsn(tls=mode, sslrootcert=str(postgres_tls.other_ca_file))
    with rm.Database(url) as db, pytest.raises(rm.ConnectError) as caught:
        db.fetch("select 1")
    assert "certificate" in str(caught.value)
    async with rm.AsyncDatabase(url) as adb:
        with pytest.raises(rm.ConnectError, match="certificate"):
            await adb.fetch("select 1")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
@pytest.mark.parametrize(("mode", "accepted"), [("verify-ca", True), ("verify-full", False)])
def test_a_certificate_for_another_host(
    postgres_tls: PostgresServer, mode: str, accepted: bool
) -> None:
    url = postgres_tls.dsn(tls=mode, sslrootcert=str(postgres_tls.ca_file))
    # The certificate names localhost and its usual addresses, and no other of the loopback's.
    with forwarded(postgres_tls.port) as port, rm.Database(at_another_host(url, port)) as db:
        if accepted:
            assert db.fetch_value("select 1") == 1
        else:
            with pytest.raises(rm.ConnectError, match="certificate"):
                db.fetch("select 1")


def at_another_host(url: str, port: int) -> str:
    """The URL with 127.0.0.2 and this port for its host and port."""
    before, _, after = url.partition("@localhost:")
    return f"{before}@127.0.0.2:{port}/{after.partition('/')[2]}"


@contextlib.contextmanager
def forwarded(port: int) -> Iterator[int]:
    """A port of 127.0.0.2 whose one connection goes on to this port of localhost."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        client, _ = listener.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            copy(client, server)
            back.join(HANG)

    with socket.create_server(("127.0.0.2", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


CANCEL_REQUEST = (80877102).to_bytes(4, "big")


@contextlib.contextmanager
def recorded(port: int) -> Iterator[tuple[int, list[bytearray]]]:
    """A port that goes on to this one of localhost, and what was said on each of its connections."""
    said: list[bytearray] = []

    def copy(source: socket.socket, target: socket.socket, record: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                record += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def connect(client: socket.socket, record: bytearray) -> None:
        with client, socket.create_connection(("localhost", port)) as server:
            ends = (server, client, bytearray())
            back = threading.Thread(target=copy, args=ends, daemon=True)
            back.start()
            copy(client, server, record)
            back.join(HANG)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                said.append(bytearray())
                connections.append(threading.Thread(target=connect, args=(client, said[-1])))
                connections[-1].start()

    connections: list[threading.Thread] = []
    with socket.create_server(("localhost", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        try:
            yield listener.getsockname()[1], said
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (server, *connections):
                thread.join(HANG)


async def test_a_cancel_is_encrypted_as_its_connection_is(postgres_tls: PostgresServer) -> None:
    """Whoever reads its key can stop what runs."""
    url = postgres_tls.dsn(tls="verify-full", sslrootcert=str(postgres_tls.ca_file))
    with recorded(postgres_tls.port) as (port, said):
        url = url.replace(f"@localhost:{postgres_tls.port}", f"@localhost:{port}")
        with rm.Database(url, pool_size=1) as db:
            pid = db.fetch_value("select pg_backend_pid()")
            with pytest.raises(rm.QueryTimeout):
                db.fetch("select pg_sleep(30)", timeout=0.2)
            assert within(HANG, lambda: db.fetch_value("select pg_backend_pid()")) == pid
        async with asyncio.timeout(HANG), rm.AsyncDatabase(url, pool_size=1) as adb:
            pid = await adb.fetch_value("select pg_backend_pid()")
            with pytest.raises(rm.QueryTimeout):
                await adb.fetch("select pg_sleep(30)", timeout=0.2)
            assert await adb.fetch_value("select pg_backend_pid()") == pid
    assert len(said) >= 4
    assert not [record for record in said if CANCEL_REQUEST in record]


def test_the_authorities_of_the_system_do_not_vouch_for_a_private_one(
    postgres_tls: PostgresServer,
) -> None:
    url = postgres_tls.dsn(tls="verify-full", sslrootcert="system")
    with rm.Database(url) as db, pytest.raises((rm.InterfaceError, rm.ConnectError)) as caught:
        db.fetch("select 1")
    assert "certificate" in str(caught.value)


def test_verify_ca_names_its_authority(postgres_tls: PostgresServer) -> None:
    with pytest.raises(rm.InterfaceError, match="needs sslrootcert"):
        rm.Database(postgres_tls.dsn(tls="verify-ca"))


def test_a_certificate_file_that_is_none(postgres_tls: PostgresServer, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (tmp_path / "missing.pem", empty):
        url = postgres_tls.dsn(tls="verify-full", sslrootcert=str(path))
        with pytest.raises((rm.InterfaceError, rm.ConnectError), match=path.name):
            rm.Database(url).fetch("select 1")


@pytest.mark.direct("a pooler refuses a login in its own words and with its own code")
def test_a_login_that_only_tls_opens(postgres_tls: PostgresServer) -> None:
    with rm.Database(postgres_tls.dsn(user="tls_user", tls="require")) as db:
        assert db.fetch_value("select current_user") == "tls_user"
    with rm.Database(postgres_tls.dsn(user="tls_user", tcp=True)) as db:
        with pytest.raises(rm.ConnectError) as caught:
            db.fetch("select 1")
        assert caught.value.sqlstate == "28000"


@pytest.mark.parametrize("role", ["password_user", "md5_user", "scram_user"])
def test_passwords_inside_tls(postgres_tls: PostgresServer, role: str) -> None:
    with rm.Database(postgres_tls.dsn(user=role, tls=True)) as db:
        assert db.fetch_value("select current_user") == role


def test_a_server_without_tls(tmp_path: Path) -> None:
    """It says no: an error where TLS is asked for, never a silent fall back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(b"N")
                connection.recv(1)

        threading.Thread(target=refuse, daemon=True).start()
        port = listener.getsockname()[1]
        url = f"postgresql://ann@127.0.0.1:{port}/shop?sslmode=require"
        with rm.Database(url) as db, pytest.raises(rm.ConnectError, match="TLS"):
            within(HANG, lambda: db.fetch("select 1"))


@pytest.mark.parametrize(
    "answer", [b"SHTTP/1.1 400 Bad Request\r\n\r\n", b"S", b"H", b"", b"E\0\0"]
)
def test_garbage_instead_of_a_handshake(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(answer)

        threading.Thread(target=speak, daemon=True).start()
        port = listener.getsockname()[1]
        url = f"postgresql://ann@127.0.0.1:{port}/shop?sslmode=prefer"
        with rm.Database(url, connect_timeout=2) as db, pytest.raises(rm.ConnectError):
            within(HANG, lambda: db.fetch("select 1"))


def test_a_unix_socket_needs_none() -> None:
    with HostileServer() as server, rm.Database(f"{server.url}&sslmode=prefer") as db:
        assert len(db.fetch("select 1")) == 3


async def test_large_results_and_parameters(postgres_tls: PostgresServer) -> None:
    url = postgres_tls.dsn(tls=True)
    sql = "select n, repeat('x', 100) as pad from generate_series(1, 100000) n"
    text = "ü" * (4 << 20)
    with rm.Database(url) as db:
        assert len(db.fetch(sql)) == 100_000
        assert db.fetch_value("select $1::text", text) == text
        assert sum(map(len, db.stream(sql, batch_rows=1000))) == 100_000
        with db.stream(sql, batch_rows=10) as parts:
            next(parts)
        with pytest.raises(rm.QueryTimeout):
            db.fetch("select pg_sleep(20)", timeout=0.1)
        assert db.fetch_value("select 1") == 1
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(url, pool_size=2) as adb:
        calls = [adb.fetch_value("select $1::int", n) for n in range(100)]
        frame, echoed, *numbers = await asyncio.gather(
            adb.fetch(sql), adb.fetch_value("select $1::text", text), *calls
        )
        assert len(frame) == 100_000
        assert echoed == text
        assert numbers == list(range(100))
        assert sum([len(part) async for part in adb.stream(sql, batch_rows=1000)]) == 100_000
        with pytest.raises(rm.QueryTimeout):
            await adb.fetch("select pg_sleep(20)", timeout=0.1)
        assert await adb.fetch_value("select 1") == 1

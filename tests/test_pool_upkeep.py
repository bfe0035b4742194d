"""How long connections are kept, how many are opened ahead, and what happens while a server is away."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.hostile_server import HostileServer, error
from tests.postgres_server import PostgresServer
from tests.watch import HANG, eventually

PID = "select pg_backend_pid()"
STARTING = error("57P03", "the database system is starting up", "FATAL")


def test_connections_are_opened_ahead(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=4, pool_min=3) as db:
        assert db.stats()["open"] == 0
        db.fetch("select 1")
        assert eventually(lambda: (db.stats()["open"], db.stats()["idle"]) == (3, 3))
        assert db.stats()["opened"] == 3


async def test_connections_are_opened_ahead_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=4, pool_min=3) as db:
        await db.fetch("select 1")
        async with asyncio.timeout(HANG):
            while db.stats()["idle"] < 3:  # noqa: ASYNC110 - others open them
                await asyncio.sleep(0.01)
        assert (db.stats()["open"], db.stats()["opened"]) == (3, 3)


def test_idle_connections_are_closed_but_for_the_fewest(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=4, pool_min=2, pool_idle=0.2) as db:
        with db.transaction(), db.transaction(), db.transaction(), db.transaction():
            assert db.stats()["open"] == 4

        def settled() -> bool:
            db.fetch("select 1")
            return db.stats()["open"] == 2

        assert eventually(settled)
        assert db.stats()["retired"] == 2
        time.sleep(0.3)
        db.fetch("select 1")
        assert (db.stats()["open"], db.stats()["lost"]) == (2, 0)


async def test_idle_connections_are_closed_but_for_the_fewest_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=4, pool_min=2, pool_idle=0.2) as db:
        async with db.transaction(), db.transaction(), db.transaction(), db.transaction():
            assert db.stats()["open"] == 4
        async with asyncio.timeout(HANG):
            while db.stats()["open"] > 2:
                await db.fetch("select 1")
                await asyncio.sleep(0.05)
        assert (db.stats()["retired"], db.stats()["lost"]) == (2, 0)


@pytest.mark.direct("tells connections apart by the server's sessions")
def test_an_old_connection_is_replaced_when_nothing_runs_on_it(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1, pool_lifetime=1) as db:
        with db.transaction() as tx:
            pid = tx.fetch_value(PID)
            time.sleep(1.5)
            assert tx.fetch_value(PID) == pid
        assert db.fetch_value(PID) != pid
        assert (db.stats()["retired"], db.stats()["lost"]) == (1, 0)


@pytest.mark.direct("tells connections apart by the server's sessions")
async def test_an_old_connection_is_replaced_while_it_is_busy(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=2, pool_lifetime=0.3) as db:

        async def work() -> int:
            done = 0
            while db.stats()["retired"] < 3:
                assert await db.fetch_value("select $1::int8", done) == done
                done += 1
            return done

        async with asyncio.timeout(HANG):
            assert all(await asyncio.gather(*(work() for _ in range(8))))
            async with db.transaction() as tx:
                pid = await tx.fetch_value(PID)
                await asyncio.sleep(1.2)
                assert await tx.fetch_value(PID) == pid
        assert db.stats()["lost"] == 0


@pytest.mark.direct("tells connections apart by the server's sessions")
def test_none_keeps_connections(pg_url: str) -> None:
    with rm.Database(pg_url, pool_idle=None, pool_lifetime=None) as db:
        assert db.fetch_value(PID) == db.fetch_value(PID)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pool_idle": 0}, "pool_idle"),
        ({"pool_lifetime": -1}, "pool_lifetime"),
        ({"pool_size": 2, "pool_min": 3}, "pool_min is 3, and pool_size 2"),
    ],
)
def test_bad_keywords_are_named(wrong: dict[str, Any], message: str) -> None:
    for make in (rm.Database, rm.AsyncDatabase):
        with pytest.raises(ValueError, match=message):
            make("postgresql://ann@localhost/shop", **wrong)


def test_a_server_that_starts_is_waited_for() -> None:
    with HostileServer() as server, rm.Database(server.url) as db:
        server.spoil(connections=2, greeting=STARTING)
        assert len(db.fetch("select n, word from numbers")) == 3
        assert server.logins == 3


async def test_a_server_that_starts_is_waited_for_async() -> None:
    with HostileServer() as server:
        async with asyncio.timeout(HANG), rm.AsyncDatabase(server.url) as db:
            server.spoil(connections=2, greeting=STARTING)
            assert len(await db.fetch("select n, word from numbers")) == 3
            assert server.logins == 3


def test_a_server_that_went_away_is_waited_for() -> None:
    with HostileServer() as server, rm.Database(server.url) as db:
        server.spoil(cut_at=0)
        with pytest.raises(rm.ConnectError):  # it was never there: the address may be wrong
            db.fetch("select n, word from numbers")
        assert server.logins == 1
        server.spoil(hang_up=True)
        db.fetch("select n, word from numbers")
        server.spoil(connections=3, cut_at=0)
        with pytest.raises(rm.ConnectionLost):
            db.fetch("select n, word from numbers")
        assert len(db.fetch("select n, word from numbers")) == 3
        assert server.logins == 6


@pytest.mark.direct("a pooler has its own connections")
async def test_connections_are_refused_while_others_are_open(
    pg_url: str, postgres: PostgresServer
) -> None:
    refused = 'too many connections for role "few"'
    # No superuser: those are not counted.
    few = pg_url.replace(f"//{postgres.user}@", "//few@")
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as admin:
        before = postgres.log_file.read_text().count(refused)
        await admin.execute_script("create role few login connection limit 2")
        try:
            async with rm.AsyncDatabase(few, pool_size=5) as db:

                async def third() -> int:
                    async with db.transaction() as tx:
                        pid: int = await tx.fetch_value(PID)
                        return pid

                async with db.transaction() as one, db.transaction() as two:
                    pids = {await one.fetch_value(PID), await two.fetch_value(PID)}
                    waiting = asyncio.create_task(third())
                    await asyncio.sleep(1.0)
                    # After pauses of 50, 100, 200 and 400 ms.
                    tries = postgres.log_file.read_text().count(refused) - before
                    assert 2 <= tries <= 8
                    await admin.execute("alter role few connection limit 3")
                    assert await waiting not in pids
        finally:
            await admin.execute("drop role few")


def test_a_deadline_ends_the_wait() -> None:
    with HostileServer() as server:
        server.spoil(connections=1000, greeting=STARTING)
        with rm.Database(server.url) as db, pytest.raises(rm.Error) as caught:
            db.fetch("select n, word from numbers", timeout=0.3)
        assert "starting up" in str(caught.value)
        with rm.Database(server.url, connect_timeout=0.3) as db, pytest.raises(rm.ConnectError):
            db.fetch("select n, word from numbers")


def test_a_wrong_password_is_not_tried_again() -> None:
    with HostileServer() as server, rm.Database(server.url) as db:
        server.spoil(greeting=error("28P01", "password authentication failed", "FATAL"))
        with pytest.raises(rm.ConnectError):
            db.fetch("select n, word from numbers")
        assert server.logins == 1


@pytest.mark.skipif(sys.platform != "linux", reason="finds its own socket as Linux shows it")
def test_keepalives_are_set(postgres: PostgresServer) -> None:
    url = postgres.dsn(
        tcp=True,
        keepalives_idle="31",
        keepalives_interval="7",
        keepalives_count="5",
        tcp_user_timeout="12000",
    )
    port = int(url.split("@localhost:")[1].split("/")[0])
    before = local_names(sockets_to(port))
    with rm.Database(url) as db:
        db.fetch("select 1")
        with new_socket(port, before) as own:
            assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 31
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 7
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 5
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 12000
    with rm.Database(postgres.dsn(tcp=True, keepalives="0")) as db:
        db.fetch("select 1")
        with new_socket(port, before) as own:
            assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def new_socket(port: int, before: set[Any]) -> socket.socket:
    """A duplicate of this process's one TCP connection to a port that was not there before."""
    own: socket.socket | None = None
    for found in sockets_to(port):
        if own is None and found.getsockname() not in before:
            own = found
        else:
            found.close()
    assert own is not None
    return own


def local_names(sockets: list[socket.socket]) -> set[Any]:
    names = set()
    for found in sockets:
        with found:
            names.add(found.getsockname())
    return names


def sockets_to(port: int) -> list[socket.socket]:
    """Duplicates of this process's TCP connections to a port."""
    found = []
    for path in list(Path("/proc/self/fd").iterdir()):
        if not path.is_socket():
            continue
        candidate = socket.socket(fileno=os.dup(int(path.name)))
        try:
            peer: Any = candidate.getpeername()
        except OSError:
            peer = None
        if isinstance(peer, tuple) and peer[1:2] == (port,):
            found.append(candidate)
        else:
            candidate.close()
    return found


@pytest.mark.parametrize(
    "option", ["keepalives=2", "keepalives_idle=soon", "keepalives_count=1.5", "tcp_user_timeout=x"]
)
def test_bad_keepalives_are_named(option: str) -> None:
    with pytest.raises(rm.InterfaceError, match=option):
        rm.Database(f"postgresql://ann@localhost/shop?{option}")

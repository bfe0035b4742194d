"""A server that never ends, or never begins: deadlines hold, memory is bounded, nothing leaks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
from collections.abc import Iterable, Iterator

import pytest

import rowmill as rm
from tests import hostile_server as say
from tests.hostile_server import ANSWER, BOUND, EXPECTED, GREETING, KEY, READY, HostileServer
from tests.test_hostile_server import SQL
from tests.watch import HANG, descriptors, eventually, resident, threads, within

MIB = 1 << 20
ROW = say.data_row(say.int8(1), b"x" * 1000)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def endless(what: bytes) -> Iterable[bytes]:
    """The same without end, in pieces of about 64 KiB."""
    return itertools.repeat(what * (65536 // len(what) + 1))


CHATTER = {
    "notices": say.notice("still here"),
    "notifications": say.notification("news", "nothing new"),
    "parameters": say.parameter_status("TimeZone", "UTC"),
    "parameters of new names": b"".join(
        say.parameter_status(f"name.{at}", "x" * 100) for at in range(1000)
    ),
}


@pytest.mark.parametrize("what", CHATTER.values(), ids=CHATTER)
def test_endless_chatter(server: HostileServer, what: bytes) -> None:
    server.spoil(answer=BOUND, then=lambda: endless(what))
    with rm.Database(server.url, pool_size=1) as db:
        before = resident()
        with pytest.raises((rm.QueryTimeout, rm.InternalError)):
            within(HANG, lambda: db.fetch(SQL, timeout=0.5))
        assert resident() - before < 64 * MIB
        assert within(HANG, lambda: db.fetch(SQL).to_dict()) == EXPECTED


@pytest.mark.parametrize("what", CHATTER.values(), ids=CHATTER)
def test_endless_chatter_async(server: HostileServer, what: bytes) -> None:
    """The loop goes on meanwhile: a deadline is one of its timers."""
    server.spoil(answer=BOUND, then=lambda: endless(what))

    async def main() -> None:
        async with rm.AsyncDatabase(server.url, pool_size=1) as db:
            with pytest.raises((rm.QueryTimeout, rm.InternalError)):
                await db.fetch(SQL, timeout=0.5)

    before = resident()
    try:
        within(HANG, lambda: asyncio.run(main()))
    finally:
        server.__exit__()
    assert resident() - before < 64 * MIB


def test_endless_chatter_during_the_login(server: HostileServer) -> None:
    greeting = GREETING.removesuffix(READY)
    noise = say.notice("patience") * 1000
    server.spoil(greeting=greeting + noise * 100)
    before = resident()
    with (
        rm.Database(server.url, connect_timeout=0.5) as db,
        pytest.raises((rm.ConnectError, rm.InternalError)),
    ):
        within(HANG, lambda: db.fetch(SQL))
    assert resident() - before < 64 * MIB


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_endless_rows_in_a_stream(server: HostileServer, kind: str) -> None:
    """Only one part is held at a time, and leaving early does not read on for ever."""
    server.spoil(answer=BOUND, then=lambda: endless(ROW))
    before = resident()

    async def main() -> int:
        async with rm.AsyncDatabase(server.url, pool_size=1) as db:
            async with db.stream(SQL, batch_rows=1000) as parts:
                rows = 0
                async for part in parts:
                    rows += len(part)
                    if rows >= 200_000:
                        break
            return rows

    def blocking() -> int:
        with rm.Database(server.url, pool_size=1) as db, db.stream(SQL, batch_rows=1000) as parts:
            rows = 0
            for part in parts:
                rows += len(part)
                if rows >= 200_000:
                    break
            return rows

    def run() -> int:
        return asyncio.run(main()) if kind == "async" else blocking()

    assert within(HANG, run) == 200_000
    assert resident() - before < 64 * MIB


@pytest.mark.parametrize("when", ["login", "statement"])
def test_a_server_that_never_answers(server: HostileServer, when: str) -> None:
    if when == "login":
        server.spoil(greeting=b"")
    else:
        server.spoil(silent=True)
    with rm.Database(server.url, pool_size=1, connect_timeout=0.3) as db:
        kind = rm.ConnectError if when == "login" else rm.QueryTimeout
        with pytest.raises(kind) as caught:
            within(HANG, lambda: db.fetch(SQL, timeout=0.5))
        assert isinstance(caught.value, TimeoutError) == (when == "statement")
        assert within(HANG, lambda: db.fetch(SQL).to_dict()) == EXPECTED
    # It is asked again, ever more slowly, until its time is up.
    assert 1 < server.cancels < 10 if when == "statement" else server.cancels == 0


@pytest.mark.parametrize("when", ["login", "statement", "statement without a key"])
async def test_a_server_that_never_answers_async(server: HostileServer, when: str) -> None:
    """The connection that went deaf is given up: the pool is not stuck with it."""
    if when == "login":
        server.spoil(greeting=b"")
    elif when == "statement":
        server.spoil(silent=True)
    else:  # no cancel can be asked for
        server.spoil(silent=True, greeting=GREETING.replace(KEY, b""))
    kind = rm.ConnectError if when == "login" else rm.QueryTimeout
    async with (
        asyncio.timeout(HANG),
        rm.AsyncDatabase(server.url, pool_size=1, connect_timeout=0.3) as db,
    ):
        with pytest.raises(kind):
            await db.fetch(SQL, timeout=0.5)
        assert (await db.fetch(SQL, timeout=15)).to_dict() == EXPECTED


async def test_a_cancelled_task_on_a_server_that_never_answers(server: HostileServer) -> None:
    server.spoil(silent=True)
    async with asyncio.timeout(HANG), rm.AsyncDatabase(server.url, pool_size=1) as db:
        task = asyncio.create_task(db.fetch(SQL))
        while server.logins == 0:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await db.fetch(SQL, timeout=15)).to_dict() == EXPECTED


def test_closing_does_not_wait_for_ever_on_a_server_that_never_answers(
    server: HostileServer,
) -> None:
    server.spoil(silent=True)

    async def main() -> None:
        async with rm.AsyncDatabase(server.url, pool_size=1) as db:
            with pytest.raises(rm.QueryTimeout):
                await db.fetch(SQL, timeout=0.2)

    within(HANG, lambda: asyncio.run(main()))


def test_noise_between_the_messages_changes_nothing(server: HostileServer) -> None:
    noise = b"".join(CHATTER[name] for name in ("notices", "notifications", "parameters"))
    answer = noise + BOUND + noise + ROW + noise + ROW + noise + say.complete("SELECT 2") + noise
    server.spoil(greeting=GREETING + noise, answer=answer + READY + noise)
    with rm.Database(server.url, pool_size=1) as db:
        for _ in range(3):
            assert db.fetch(SQL)["n"].to_list() == [1, 1]
    assert server.logins == 1


def test_an_error_and_a_farewell(server: HostileServer) -> None:
    """The server's last words are the error; the next statement finds a new connection."""
    last = say.error("57P01", "terminating connection due to administrator command", "FATAL")
    server.spoil(answer=BOUND + ROW + last, hang_up=True)
    with rm.Database(server.url, pool_size=1) as db:
        with pytest.raises(rm.ConnectionLost, match="administrator") as caught:
            db.fetch(SQL)
        assert caught.value.sqlstate == "57P01"
        assert caught.value.query == SQL
        assert db.fetch(SQL).to_dict() == EXPECTED


def test_nothing_leaks(server: HostileServer) -> None:
    spoils = [
        say.Spoil(cut_at=len(GREETING) + 40),
        say.Spoil(answer=BOUND + say.bomb(b"D", 1 << 30, b"\0\2"), hang_up=True),
        say.Spoil(greeting=b"garbage garbage garbage"),
        say.Spoil(answer=ANSWER + READY, hang_up=True),
    ]

    def once(spoil: say.Spoil) -> None:
        server.spoil(spoil=spoil)
        with (
            rm.Database(server.url, pool_size=2, connect_timeout=1) as db,
            contextlib.suppress(rm.Error),
        ):
            db.fetch(SQL, timeout=5)

    async def once_async(spoil: say.Spoil) -> None:
        server.spoil(spoil=spoil)
        async with rm.AsyncDatabase(server.url, pool_size=2, connect_timeout=1) as db:
            with contextlib.suppress(rm.Error):
                await db.fetch(SQL, timeout=5)

    def repeat(times: int) -> None:
        for _ in range(times):
            for spoil in spoils:
                once(spoil)
                asyncio.run(once_async(spoil))

    within(HANG, lambda: repeat(3))
    gc.collect()
    before, before_threads, memory = descriptors(), threads(), resident()
    within(4 * HANG, lambda: repeat(25))
    gc.collect()
    assert eventually(lambda: descriptors() <= before + 4), (before, descriptors())
    # Idle workers end by themselves after a while.
    assert eventually(lambda: threads() <= before_threads + 8, 30), (before_threads, threads())
    assert resident() - memory < 32 * MIB

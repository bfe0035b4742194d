"""A server that breaks off, lies or talks nonsense: one clear error, no hang, bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

import rowmill as rm
from tests import hostile_server as say
from tests.hostile_server import COLUMNS, CONVERSATION, EXPECTED, GREETING, READY, HostileServer
from tests.watch import HANG, resident, within

SQL = "select n, word from numbers"
MIB = 1 << 20


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def is_usable(db: rm.Database) -> None:
    """A later statement is answered rightly; one connection that had ended may be found out."""
    with contextlib.suppress(rm.ConnectionLost):
        assert db.fetch(SQL + " where 1 = 1").to_dict() == EXPECTED
        return
    assert db.fetch(SQL + " where 1 = 1").to_dict() == EXPECTED


async def fetch_async(url: str) -> dict[str, list[Any]]:
    """The rows, over asyncio; then a second statement, which must be answered rightly."""
    async with rm.AsyncDatabase(url, pool_size=1, connect_timeout=2) as db:
        try:
            return (await db.fetch(SQL, timeout=2)).to_dict()
        finally:
            for attempt in range(2):
                try:
                    assert (await db.fetch(f"{SQL} -- again", timeout=5)).to_dict() == EXPECTED
                    break
                except rm.ConnectionLost:
                    assert attempt == 0


def test_a_good_conversation(server: HostileServer) -> None:
    with rm.Database(server.url) as db:
        assert db.fetch(SQL).to_dict() == EXPECTED
        assert db.fetch(SQL).to_dict() == EXPECTED
    assert server.logins == 1


def test_a_conversation_cut_anywhere(server: HostileServer) -> None:
    def cut(at: int) -> None:
        server.spoil(cut_at=at)
        with rm.Database(server.url, connect_timeout=5) as db:
            kind = rm.ConnectError if at <= len(GREETING) - 1 else rm.ConnectionLost
            with pytest.raises(kind) as caught:
                db.fetch(SQL, timeout=5)
            assert type(caught.value) is kind
            is_usable(db)

    # The whole greeting gets through at its own length: what comes next is missing.
    for at in range(len(CONVERSATION)):
        within(HANG, lambda at=at: cut(at))  # type: ignore[misc]


@pytest.mark.parametrize("uvloop", [False, True])
def test_a_conversation_cut_anywhere_async(server: HostileServer, uvloop: bool) -> None:
    run = __import__("uvloop").run if uvloop else asyncio.run
    for at in range(0, len(CONVERSATION), 3):
        server.spoil(cut_at=at)
        kind = rm.ConnectError if at < len(GREETING) else rm.ConnectionLost
        with pytest.raises(kind):
            within(HANG, lambda: run(fetch_async(server.url)))


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits(server: HostileServer, seed: int) -> None:
    """Any error of the tree, or a result: never a hang, never another exception."""
    chance = random.Random(seed)

    def once() -> None:
        flips = {
            chance.randrange(len(CONVERSATION)): chance.randrange(1, 256)
            for _ in range(chance.randint(1, 4))
        }
        server.spoil(flips=flips, hang_up=True)
        with rm.Database(server.url, pool_size=1, connect_timeout=0.3) as db:
            with contextlib.suppress(rm.Error):
                assert len(db.fetch(SQL, timeout=0.3)) <= 3
            is_usable(db)

    for _ in range(100):
        within(HANG, once)


def test_flipped_bits_async(server: HostileServer) -> None:
    chance = random.Random(99)
    for _ in range(100):
        at, bits = chance.randrange(len(CONVERSATION)), chance.randrange(1, 256)
        server.spoil(flips={at: bits}, hang_up=True)

        async def once() -> None:
            async with rm.AsyncDatabase(server.url, pool_size=1, connect_timeout=0.3) as db:
                with contextlib.suppress(rm.Error):
                    assert len(await db.fetch(SQL, timeout=0.3)) <= 3

        within(HANG, lambda: asyncio.run(once()))


GARBAGE = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6p1\r\n",
    "a web server": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "zeros": bytes(4096),
    "a length bomb": say.bomb(b"R", 0x7FFFFFFF),
    "a negative length": say.bomb(b"R", 0xFFFFFFFF),
    "a length below itself": say.bomb(b"R", 3),
    "an unknown method": say.message(b"R", struct.pack("!I", 99)),
    "a cut method": say.message(b"R", b"\0\0"),
    "ready before it is accepted": READY,
    "rows at once": say.data_row(b"x"),
    "a cut error": say.message(b"E", b"SFATAL"),
    "a second proof": say.message(b"R", struct.pack("!I", 12) + b"v=forged"),
    "a cut key": say.message(b"R", bytes(4)) + say.message(b"K", b"\0\0") + READY,
    "an unknown state": say.message(b"R", bytes(4)) + say.message(b"Z", b"?"),
}


@pytest.mark.parametrize("greeting", GARBAGE.values(), ids=GARBAGE)
def test_garbage_instead_of_a_greeting(server: HostileServer, greeting: bytes) -> None:
    server.spoil(greeting=greeting)
    before = resident()
    with rm.Database(server.url, connect_timeout=2) as db:
        with pytest.raises((rm.InternalError, rm.ConnectError)):
            within(HANG, lambda: db.fetch(SQL))
        is_usable(db)
    assert resident() - before < 64 * MIB


def test_a_refusal_in_the_servers_own_words(server: HostileServer) -> None:
    server.spoil(greeting=say.error("53300", "sorry, too many clients already", "FATAL"))
    with rm.Database(server.url) as db:
        with pytest.raises(rm.ConnectError, match="too many clients") as caught:
            db.fetch(SQL)
        assert caught.value.sqlstate == "53300"
        is_usable(db)


ROW = say.data_row(say.int8(1), b"one")
END = say.complete("SELECT 1") + READY
CELLS = struct.pack("!h", 2) + struct.pack("!i", 8) + say.int8(1)
NONSENSE = {
    "a row of 2 GiB": say.bomb(b"D", 0x7FFFFFFF, CELLS),
    "a row of 1 GiB": say.bomb(b"D", 1 << 30, CELLS),
    "a row of negative length": say.bomb(b"D", 0xFFFFFFFF, CELLS),
    "a row shorter than its header": say.bomb(b"D", 3),
    "a cell of 2 GiB": say.message(b"D", CELLS + struct.pack("!i", 0x7FFFFFFF) + b"x"),
    "a cell of negative length": say.message(b"D", CELLS + struct.pack("!i", -2)),
    "a cut cell": say.message(b"D", CELLS + struct.pack("!i", 9) + b"short"),
    "a row that goes on": say.message(b"D", CELLS + struct.pack("!i", 1) + b"xyz"),
    "an integer of three bytes": say.data_row(b"\0\0\1", b"one"),
    "too few cells": say.data_row(say.int8(1)),
    "too many cells": say.data_row(say.int8(1), b"one", b"two"),
    "a negative count": say.data_row(say.int8(1), b"one", count=-1),
    "a large count": say.data_row(say.int8(1), b"one", count=0x7FFF),
    "an unknown message": say.message(b"!", b"what"),
    "a description of 1 GiB": say.bomb(b"T", 1 << 30, COLUMNS[5:]),
    "an error of 1 GiB": say.bomb(b"E", 1 << 30, b"SERROR\0"),
    "another description": COLUMNS + ROW,
    "a second greeting": GREETING,
    "completion twice": say.complete("SELECT 1") + say.complete("SELECT 1"),
    "ready in the middle": ROW + READY + ROW,
    "copy out of nothing": say.message(b"c"),
    "an endless tag": say.message(b"C", b"x" * 100_000),
    "a tag of 1 GiB": say.bomb(b"C", 1 << 30, b"SELECT"),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_nonsense_among_the_rows(server: HostileServer, nonsense: bytes, kind: str) -> None:
    server.spoil(answer=say.BOUND + ROW + nonsense + END, hang_up=True)
    before = resident()
    with pytest.raises(rm.Error) as caught:
        if kind == "async":
            within(HANG, lambda: asyncio.run(fetch_async(server.url)))
        else:
            with rm.Database(server.url) as db:
                try:
                    within(HANG, lambda: db.fetch(SQL, timeout=5))
                finally:
                    is_usable(db)
    # What waits for bytes that never come ends when the server hangs up.
    assert isinstance(caught.value, rm.InternalError | rm.DataError | rm.ConnectionLost)
    assert resident() - before < 64 * MIB


@pytest.mark.parametrize(
    "described",
    [
        COLUMNS + READY,
        say.PARSED + COLUMNS + READY,
        say.PARSED + say.NO_PARAMETERS + READY,
        say.PARSED + say.NO_PARAMETERS + say.row_description(("n", 20), count=7) + READY,
        say.PARSED + say.NO_PARAMETERS + say.row_description(("n", 20), count=0xFFFF) + READY,
        say.PARSED + say.message(b"t", b"\xff\xff") + COLUMNS + READY,
        say.PARSED + say.message(b"t", b"\0\1") + COLUMNS + READY,
        say.PARSED + say.bomb(b"T", 1 << 30, b"\0\2n\0"),
        say.PARSED + say.NO_PARAMETERS + say.message(b"T", b"\0\1unending") + READY,
        say.PARSED + say.NO_PARAMETERS + ROW + READY,
        ROW + say.PARSED + say.NO_PARAMETERS + COLUMNS + READY,
    ],
)
def test_a_false_description(server: HostileServer, described: bytes) -> None:
    server.spoil(described=described, cut_at=len(GREETING) + len(described))
    before = resident()
    with rm.Database(server.url) as db:
        with pytest.raises((rm.InternalError, rm.ConnectionLost)):
            within(HANG, lambda: db.fetch(SQL, timeout=5))
        is_usable(db)
    assert resident() - before < 64 * MIB

"""Every byte of every conversation, from either side: cut there, and split there."""

from __future__ import annotations

import asyncio
import os

import pytest

import rowmill as rm
from tests.faults.conversations import CONVERSATIONS, Conversation, finish
from tests.faults.proxy import Kind, Proxy, Side
from tests.faults.sweep import Told, awaited, blocking
from tests.postgres_server import PostgresServer
from tests.watch import eventually, sessions, within

SWEEP = 60.0  # seconds; most take one
LEAST = 20  # faults that a sweep must have had
# Blocking calls are cut at every byte. The rest shares most of its code with them, and has samples, or
# every byte too with ROWMILL_FAULTS_FULL=1, which takes some minutes.
FULL = os.environ.get("ROWMILL_FAULTS_FULL", "") not in ("", "0")
STRIDES = {
    ("cut", "blocking"): 1,
    ("split", "blocking"): 2,
    ("cut", "asyncio"): 3,
    ("split", "asyncio"): 7,
    ("cut", "uvloop"): 11,
    ("split", "uvloop"): 23,
}
ON_BLOCKING = [pytest.param(c, id=c.name) for c in CONVERSATIONS if "sync" in c.kinds]
ON_LOOPS = [pytest.param(c, id=c.name) for c in CONVERSATIONS]
both_ways = pytest.mark.parametrize(
    ("kind", "side"),
    [("cut", "client"), ("cut", "server"), ("split", "client"), ("split", "server")],
)


def settled(postgres: PostgresServer, url: str, told: Told) -> None:
    """No session is left behind, and the table holds what was told."""
    assert eventually(lambda: sessions(postgres) == 0)
    with rm.Database(url) as db:
        kept = db.fetch("select attempt, count(*)::int as parts from kept group by 1")
    told.check([(row.attempt, row.parts) for row in kept.rows()])


@pytest.mark.parametrize("conversation", ON_BLOCKING)
@both_ways
def test_every_byte(
    postgres: PostgresServer,
    proxy: Proxy,
    url: str,
    conversation: Conversation,
    kind: Kind,
    side: Side,
) -> None:
    stride = 1 if FULL else STRIDES[kind, "blocking"]
    with blocking(url, postgres.dsn(user="scram_user"), proxy) as world:

        async def run() -> int:
            await world.begin()
            return await world.sweep(conversation, kind, side, stride=stride)

        assert within(SWEEP, lambda: finish(run())) >= LEAST / stride
    settled(postgres, url, world.told)


@pytest.mark.parametrize("conversation", ON_LOOPS)
@both_ways
async def test_every_byte_async(
    postgres: PostgresServer,
    proxy: Proxy,
    url: str,
    conversation: Conversation,
    kind: Kind,
    side: Side,
    anyio_backend: tuple[str, dict[str, bool]],
) -> None:
    loop = "uvloop" if anyio_backend[1]["use_uvloop"] else "asyncio"
    stride = 1 if FULL else STRIDES[kind, loop]
    login = postgres.dsn(user="scram_user")
    async with asyncio.timeout(SWEEP), awaited(url, login, proxy) as world:
        await world.begin()
        assert await world.sweep(conversation, kind, side, stride=stride) >= LEAST / stride
    await asyncio.to_thread(settled, postgres, url, world.told)

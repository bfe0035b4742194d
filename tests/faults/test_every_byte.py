"""Every byte of every conversation, from either side: cut there, and split there."""

from __future__ import annotations

import asyncio

import pytest

import rowmill as rm
from tests.faults.conversations import CONVERSATIONS, Conversation, finish
from tests.faults.proxy import Kind, Proxy, Side
from tests.faults.sweep import Told, awaited, blocking
from tests.postgres_server import PostgresServer
from tests.watch import eventually, sessions, within

SWEEP = 60.0  # seconds; most take one
LEAST = 20  # faults that a sweep must have had
# Every byte is cut at on blocking calls and on asyncio, and split at on blocking calls. The rest is the
# same code on another loop, and has samples.
STRIDES = {("cut", False): 1, ("split", False): 3, ("cut", True): 7, ("split", True): 13}
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
    with blocking(url, postgres.dsn(user="scram_user"), proxy) as world:

        async def run() -> int:
            await world.begin()
            return await world.sweep(conversation, kind, side)

        assert within(SWEEP, lambda: finish(run())) >= LEAST
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
    stride = STRIDES[kind, anyio_backend[1]["use_uvloop"]]
    login = postgres.dsn(user="scram_user")
    async with asyncio.timeout(SWEEP), awaited(url, login, proxy) as world:
        await world.begin()
        assert await world.sweep(conversation, kind, side, stride=stride) >= LEAST / stride
    await asyncio.to_thread(settled, postgres, url, world.told)

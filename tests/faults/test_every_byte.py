"""Every byte of every conversation, from either side: cut there, and split there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import rowmill as rm
from tests.faults.conversations import CONVERSATIONS, TABLE, Conversation, finish
from tests.faults.proxy import Proxy, Side
from tests.faults.sweep import World, awaited, blocking
from tests.postgres_server import PostgresServer
from tests.watch import eventually, sessions, within

SWEEP = 60.0  # seconds; one takes two or three
SIDES: list[Side] = ["client", "server"]
NAMES = [pytest.param(c, id=c.name) for c in CONVERSATIONS]
BLOCKING = [pytest.param(c, id=c.name) for c in CONVERSATIONS if "sync" in c.kinds]


@pytest.fixture(scope="module")
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    with Proxy(postgres.socket_dir / f".s.PGSQL.{postgres.port}") as proxy:
        yield proxy


@pytest.fixture
def url(postgres: PostgresServer, pg_url: str) -> str:
    with rm.Database(pg_url) as db:
        db.execute_script(TABLE)
    return pg_url


def settled(postgres: PostgresServer, url: str, world: World) -> None:
    """No session is left behind, and the table holds what was told."""
    assert eventually(lambda: sessions(postgres) == 0)
    with rm.Database(url) as db:
        kept = db.fetch("select attempt, count(*)::int as parts from kept group by 1")
    world.told.check([(row.attempt, row.parts) for row in kept.rows()])


@pytest.mark.parametrize("conversation", BLOCKING)
@pytest.mark.parametrize("side", SIDES)
def test_cut(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation, side: Side
) -> None:
    with blocking(url, proxy) as world:

        async def run() -> int:
            await world.begin()
            return await world.sweep(conversation, "cut", side)

        assert within(SWEEP, lambda: finish(run())) > 30
    settled(postgres, url, world)


@pytest.mark.parametrize("conversation", NAMES)
@pytest.mark.parametrize("side", SIDES)
async def test_cut_async(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation, side: Side
) -> None:
    async with asyncio.timeout(SWEEP), awaited(url, proxy) as world:
        await world.begin()
        assert await world.sweep(conversation, "cut", side) > 30
    await asyncio.to_thread(settled, postgres, url, world)


@pytest.mark.parametrize("conversation", BLOCKING)
@pytest.mark.parametrize("side", SIDES)
def test_split(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation, side: Side
) -> None:
    with blocking(url, proxy) as world:

        async def run() -> int:
            await world.begin()
            return await world.sweep(conversation, "split", side)

        assert within(SWEEP, lambda: finish(run())) > 30
    settled(postgres, url, world)


@pytest.mark.parametrize("conversation", NAMES)
@pytest.mark.parametrize("side", SIDES)
async def test_split_async(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation, side: Side
) -> None:
    async with asyncio.timeout(SWEEP), awaited(url, proxy) as world:
        await world.begin()
        assert await world.sweep(conversation, "split", side) > 30
    await asyncio.to_thread(settled, postgres, url, world)

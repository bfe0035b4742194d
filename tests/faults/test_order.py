"""Messages of the server that come in another order: reported, never believed."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.conversations import CONVERSATIONS, Conversation, finish
from tests.faults.proxy import Proxy
from tests.faults.sweep import awaited, blocking
from tests.postgres_server import PostgresServer
from tests.watch import within

# Not those in which two rows could change places, which nobody can see.
NAMES = ["select", "script", "execute", "transaction", "execute_many", "pipelined"]
CHOSEN = [pytest.param(c, id=c.name) for c in CONVERSATIONS if c.name in NAMES]


@pytest.mark.parametrize("conversation", [c for c in CHOSEN if c.id != "pipelined"])
def test_messages_change_places(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation
) -> None:
    with blocking(url, url, proxy) as world:

        async def run() -> int:
            await world.begin()
            return await world.sweep(conversation, "swap", "server")

        assert within(60, lambda: finish(run())) >= 2


@pytest.mark.parametrize("conversation", CHOSEN)
async def test_messages_change_places_async(
    postgres: PostgresServer, proxy: Proxy, url: str, conversation: Conversation
) -> None:
    async with asyncio.timeout(60), awaited(url, url, proxy) as world:
        await world.begin()
        assert await world.sweep(conversation, "swap", "server") >= 2

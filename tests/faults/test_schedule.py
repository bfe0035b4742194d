"""Faults of all kinds, drawn from a seed: conversations one after the other on one database."""

from __future__ import annotations

import asyncio
import os
import random

from tests.faults.conversations import CONVERSATIONS, finish
from tests.faults.proxy import Fault, Kind, Proxy, Side
from tests.faults.sweep import World, awaited, blocking
from tests.faults.test_every_byte import settled
from tests.faults.test_order import NAMES
from tests.postgres_server import PostgresServer
from tests.watch import within

SEED = int(os.environ.get("ROWMILL_FAULTS_SEED", "1"))
ROUNDS = int(os.environ.get("ROWMILL_FAULTS_ROUNDS", "300"))
LATEST = 900  # bytes; most conversations are over before
PAUSES = (0.0, 0.001, 0.01)  # seconds: less than a deadline, about one, and more


async def play(world: World, seed: int) -> None:
    """Holds `ROUNDS` conversations, each with a fault that the seed draws."""
    chance = random.Random(seed)
    await world.begin()
    for _ in range(ROUNDS):
        conversation = chance.choice([c for c in CONVERSATIONS if world.kind in c.kinds])
        kinds: list[Kind] = ["cut", "cut", "split", "split"]
        if conversation.name in NAMES:
            kinds.append("swap")
        kind, side = chance.choice(kinds), chance.choice(SIDES)
        place = chance.randrange(20) if kind == "swap" else chance.randrange(LATEST)
        speaker = int(chance.random() < 0.02)  # seldom the one that asks for a cancel: 5 s pass
        fault = Fault(kind, side, place, speaker, chance.choice(PAUSES))
        if kind == "swap":
            fault = Fault(kind, "server", place)
        try:
            await world.once(conversation, fault)
        except BaseException as error:
            error.add_note(f"{conversation.name}, {world.kind}, {fault}")
            error.add_note(
                f"to see it again: ROWMILL_FAULTS_SEED={seed} ROWMILL_FAULTS_ROUNDS={ROUNDS}"
                " ./dev test tests/faults/test_schedule.py"
            )
            raise


SIDES: list[Side] = ["client", "server"]


def test_schedule(postgres: PostgresServer, proxy: Proxy, url: str) -> None:
    with blocking(url, postgres.dsn(user="scram_user"), proxy) as world:
        within(120, lambda: finish(play(world, SEED)))
    settled(postgres, url, world.told)


async def test_schedule_async(postgres: PostgresServer, proxy: Proxy, url: str) -> None:
    login = postgres.dsn(user="scram_user")
    async with asyncio.timeout(120), awaited(url, login, proxy) as world:
        await play(world, SEED)
    await asyncio.to_thread(settled, postgres, url, world.told)

"""Statements of one connection that nobody waits for any more: all of them are stopped."""

from __future__ import annotations

import asyncio

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import eventually, running

SLEEP = "select 1 from pg_sleep(60) -- abandoned"


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_a_pipeline_past_its_deadline(pg_url: str, count: int) -> None:
    async with asyncio.timeout(10), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        assert await db.fetch_value("select 1") == 1
        calls = [db.fetch(SLEEP, timeout=0.05) for _ in range(count)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(answer) for answer in answers] == [rm.QueryTimeout] * count
        assert await db.fetch_value("select 2") == 2
        assert db.stats()["lost"] == 0


@pytest.mark.parametrize("first_to_go", [0, -1])
async def test_a_pipeline_whose_tasks_are_cancelled(
    postgres: PostgresServer, pg_url: str, first_to_go: int
) -> None:
    async with asyncio.timeout(10), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        assert await db.fetch_value("select 1") == 1
        calls = [asyncio.create_task(db.fetch(SLEEP)) for _ in range(3)]
        await asyncio.sleep(0.1)
        calls.pop(first_to_go).cancel()
        await asyncio.sleep(0.05)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert await db.fetch_value("select 2") == 2
        assert await asyncio.to_thread(eventually, lambda: not running(postgres, "%pg_sleep(60)%"))

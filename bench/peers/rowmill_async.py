"""Rowmill on an event loop."""

from __future__ import annotations

import rowmill as rm
from bench.loops import drive_async
from bench.measure import Job, Measure, run
from bench.ticker import Ticker

POOL = 8


def arrow(job: Job) -> Measure:
    """Query to Arrow data."""
    return run(fetch(job, to_pandas=False))


def pandas(job: Job) -> Measure:
    """Query to DataFrame."""
    return run(fetch(job, to_pandas=True))


async def fetch(job: Job, to_pandas: bool) -> Measure:
    """Fetches once on a warm connection."""
    async with rm.AsyncDatabase(job.url) as db:
        frame = await db.fetch(job.warm)
        if to_pandas:
            frame.to_pandas()
        with Measure() as m:
            frame = await db.fetch(job.sql)
            if to_pandas:
                m.received()
                frame.to_pandas()
        m.rows = len(frame)
    return m


def point(job: Job) -> Measure:
    """Single rows by key, from one or many tasks."""

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url, pool_size=POOL) as db:

            async def ask(key: int) -> rm.Row | None:
                return await db.fetch_one(job.sql, key)

            return await drive_async(ask, job)

    return run(main())


def ticker(job: Job) -> Measure:
    """A ticker beside one fetch."""

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url) as db:
            await db.fetch(job.warm)
            with Measure() as m:
                async with Ticker() as t:
                    frame = await db.fetch(job.sql)
            m.rows = len(frame)
            m.extra |= t.figures()
        return m

    return run(main())


def ticker_pandas(job: Job) -> Measure:
    """A ticker beside one fetch and its conversion to a DataFrame."""

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url) as db:
            (await db.fetch(job.warm)).to_pandas()
            with Measure() as m:
                async with Ticker() as t:
                    result = (await db.fetch(job.sql)).to_pandas()
            m.rows = len(result)
            m.extra |= t.figures()
        return m

    return run(main())

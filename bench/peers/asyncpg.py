"""asyncpg, on uvloop."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

from bench.loops import drive_async
from bench.measure import Job, Measure, run
from bench.ticker import Ticker

POOL = 8


def pandas(job: Job) -> Measure:
    """Records to a DataFrame."""
    import pandas as pd

    async def main() -> Measure:
        connection = await asyncpg.connect(job.url)
        pd.DataFrame(await connection.fetch(job.warm))
        statement = await connection.prepare(job.sql)
        names = [a.name for a in statement.get_attributes()]
        with Measure() as m:
            records = await connection.fetch(job.sql)
            m.received()
            frame = pd.DataFrame(records, columns=names)
        m.rows = len(frame)
        await connection.close()
        return m

    return run(main())


def point(job: Job) -> Measure:
    """One task on one connection, several on a pool."""

    async def main() -> Measure:
        if job.tasks == 1:
            connection = await asyncpg.connect(job.url)
            m = await drive_async(lambda key: connection.fetchrow(job.sql, key), job)
            await connection.close()
            return m
        async with asyncpg.create_pool(job.url, min_size=POOL, max_size=POOL) as pool:
            return await drive_async(lambda key: pool.fetchrow(job.sql, key), job)

    return run(main())


async def json_connection(url: str) -> Any:
    """A connection that hands jsonb to orjson as it is, neither parsed nor quoted."""
    connection = await asyncpg.connect(url)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=str, decoder=orjson.Fragment, format="text"
    )
    return connection


def encode(records: list[Any]) -> bytes:
    """What an API server writes; `default` is for asyncpg's own UUID class."""
    text: bytes = orjson.dumps([dict(record) for record in records], default=str)
    return text


def json(job: Job) -> Measure:
    """Records to dicts to orjson."""

    async def main() -> Measure:
        connection = await json_connection(job.url)
        encode(await connection.fetch(job.warm))
        with Measure() as m:
            for _ in range(job.count):
                text = encode(await connection.fetch(job.sql))
        m.extra["json_bytes"] = len(text)
        await connection.close()
        return m

    return run(main())


def ticker(job: Job) -> Measure:
    """A ticker beside one fetch."""

    async def main() -> Measure:
        connection = await asyncpg.connect(job.url)
        await connection.fetch(job.warm)
        with Measure() as m:
            async with Ticker() as t:
                records = await connection.fetch(job.sql)
        m.rows = len(records)
        m.extra |= t.figures()
        await connection.close()
        return m

    return run(main())


def ticker_pandas(job: Job) -> Measure:
    """A ticker beside one fetch and its conversion to a DataFrame."""
    import pandas as pd

    async def main() -> Measure:
        connection = await asyncpg.connect(job.url)
        pd.DataFrame(await connection.fetch(job.warm))
        with Measure() as m:
            async with Ticker() as t:
                frame = pd.DataFrame(await connection.fetch(job.sql))
        m.rows = len(frame)
        m.extra |= t.figures()
        await connection.close()
        return m

    return run(main())

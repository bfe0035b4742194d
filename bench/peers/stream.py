"""A result in parts, each dropped once its rows are counted."""

from __future__ import annotations

import rowmill as rm
from bench.measure import Job, Measure, run


def rowmill(job: Job) -> Measure:
    """Outside of a transaction: the socket is read as parts are asked for."""
    with rm.Database(job.url) as db:
        db.fetch(job.warm)
        with Measure() as m:
            m.rows = sum(map(len, db.stream(job.sql)))
    return m


def rowmill_inside(job: Job) -> Measure:
    """In a transaction: a portal is asked for each part."""
    with rm.Database(job.url) as db, db.transaction() as tx:
        tx.fetch(job.warm)
        with Measure() as m:
            m.rows = sum(map(len, tx.stream(job.sql)))
    return m


def rowmill_async(job: Job) -> Measure:
    """On an event loop."""

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url) as db:
            await db.fetch(job.warm)
            with Measure() as m:
                m.rows = sum([len(part) async for part in db.stream(job.sql)])
        return m

    return run(main())


def rowmill_async_inside(job: Job) -> Measure:
    """On an event loop, in a transaction."""

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url) as db, db.transaction() as tx:
            await tx.fetch(job.warm)
            with Measure() as m:
                m.rows = sum([len(part) async for part in tx.stream(job.sql)])
        return m

    return run(main())


def adbc(job: Job) -> Measure:
    """Record batches of COPY."""
    import adbc_driver_postgresql.dbapi

    with adbc_driver_postgresql.dbapi.connect(job.url) as connection:
        with connection.cursor() as cursor:
            cursor.execute(job.warm)
            cursor.fetch_arrow_table()
        with connection.cursor() as cursor, Measure() as m:
            cursor.execute(job.sql)
            m.rows = sum(batch.num_rows for batch in cursor.fetch_record_batch())
    return m


def psycopg(job: Job) -> Measure:
    """A named cursor, rows as tuples."""
    import psycopg

    with psycopg.connect(job.url) as connection:
        connection.execute(job.warm).fetchall()
        with connection.cursor("bench", binary=True) as cursor, Measure() as m:
            cursor.itersize = 65_536
            cursor.execute(job.sql)
            m.rows = sum(1 for _ in cursor)
    return m


def asyncpg(job: Job) -> Measure:
    """A cursor in a transaction, rows as records."""
    import asyncpg

    async def main() -> Measure:
        connection = await asyncpg.connect(job.url)
        await connection.fetch(job.warm)
        with Measure() as m:
            async with connection.transaction():
                async for _ in connection.cursor(job.sql, prefetch=65_536):
                    m.rows += 1
        await connection.close()
        return m

    return run(main())

"""aiosqlite: one thread per connection, a hop per call."""

from __future__ import annotations

from typing import Any

import aiosqlite

from bench.loops import drive_async
from bench.measure import Job, Measure, run


def point(job: Job) -> Measure:
    """Single rows by key; all tasks share one connection, which measures best."""
    sql = job.sql.replace("$1", "?")

    async def main() -> Measure:
        async with aiosqlite.connect(job.file) as connection:

            async def ask(key: int) -> Any:
                async with connection.execute(sql, (key,)) as cursor:
                    return await cursor.fetchone()

            return await drive_async(ask, job)

    return run(main())

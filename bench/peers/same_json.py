"""Are Rowmill's JSON and asyncpg's through orjson the same values? Timestamps are parsed first."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import rowmill as rm
from bench.measure import Job, Measure, run
from bench.peers import asyncpg

STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def normal(value: Any) -> Any:
    """An instant instead of one of its spellings (`Z`, `+00:00`, `T` or a space)."""
    if isinstance(value, str) and STAMP.match(value):
        return datetime.fromisoformat(value)
    return value


def compare(job: Job) -> Measure:
    """Raises at the first difference."""

    async def theirs() -> bytes:
        connection = await asyncpg.json_connection(job.url)
        records = await connection.fetch(job.sql)
        await connection.close()
        return asyncpg.encode(records)

    with rm.Database(job.url) as db, Measure() as m:
        ours = json.loads(db.fetch_json(job.sql))
    expected = json.loads(run(theirs()))
    m.rows = len(ours)
    for n, (a, b) in enumerate(zip(ours, expected, strict=True)):
        if list(a) != list(b):
            raise AssertionError(f"row {n}: keys {list(a)} instead of {list(b)}")
        for key in b:
            if normal(a[key]) != normal(b[key]):
                raise AssertionError(f"row {n}, {key}: {a[key]!r} instead of {b[key]!r}")
    m.extra["same"] = 1
    return m

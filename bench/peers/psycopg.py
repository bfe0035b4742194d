"""psycopg 3 (binary wheel: its C implementation), binary results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from bench.loops import drive, drive_async
from bench.measure import Job, Measure, run


def pandas(job: Job) -> Measure:
    """Tuples to a DataFrame."""
    import pandas as pd

    with psycopg.connect(job.url) as connection:
        cursor = connection.cursor(binary=True)
        pd.DataFrame(cursor.execute(job.warm).fetchall())
        with Measure() as m:
            cursor.execute(job.sql)
            rows = cursor.fetchall()
            m.received()
            names = [c.name for c in cursor.description or ()]
            frame = pd.DataFrame(rows, columns=names)
        m.rows = len(frame)
    return m


def point(job: Job) -> Measure:
    """Prepared by psycopg itself after five runs."""
    with psycopg.connect(job.url, autocommit=True) as connection:
        cursor = connection.cursor(binary=True)
        sql: Any = job.sql.replace("$1", "%s")
        return drive(lambda key: cursor.execute(sql, (key,)).fetchone(), job)


def point_async(job: Job) -> Measure:
    """The same, awaited."""

    async def main() -> Measure:
        connection = await psycopg.AsyncConnection.connect(job.url, autocommit=True)
        cursor = connection.cursor(binary=True)
        sql: Any = job.sql.replace("$1", "%s")

        async def ask(key: int) -> tuple[Any, ...] | None:
            await cursor.execute(sql, (key,))
            return await cursor.fetchone()

        m = await drive_async(ask, job)
        await connection.close()
        return m

    return run(main())


def repeated(job: Job, encode: Callable[[str], bytes]) -> Measure:
    """`job.count` answers as bytes."""
    encode(job.warm)
    with Measure() as m:
        for _ in range(job.count):
            text = encode(job.sql)
    m.extra["json_bytes"] = len(text)
    return m


def json(job: Job) -> Measure:
    """Dicts to orjson; jsonb is passed on unparsed."""
    with psycopg.connect(job.url, autocommit=True) as connection:
        set_json_loads(orjson.Fragment, connection)
        cursor = connection.cursor(binary=True, row_factory=dict_row)
        return repeated(job, lambda sql: orjson.dumps(cursor.execute(sql.encode()).fetchall()))


def as_bytes(text: str | bytes) -> bytes:
    """JSON as the server sent it."""
    return text.encode() if isinstance(text, str) else bytes(text)


def json_agg(job: Job) -> Measure:
    """The server writes the JSON."""
    with psycopg.connect(job.url, autocommit=True) as connection:
        set_json_loads(as_bytes, connection)
        cursor = connection.cursor()

        def encode(sql: str) -> bytes:
            query = f"select json_agg(answer) from ({sql}) answer".encode()
            row: Any = cursor.execute(query).fetchone()
            text: bytes = row[0]
            return text

        return repeated(job, encode)

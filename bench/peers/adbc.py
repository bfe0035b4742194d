"""ADBC's PostgreSQL driver."""

from __future__ import annotations

from typing import Any

import adbc_driver_postgresql.dbapi as dbapi

from bench.loops import drive
from bench.measure import Job, Measure


def arrow(job: Job) -> Measure:
    """Query to pyarrow.Table."""
    with dbapi.connect(job.url) as connection, connection.cursor() as cursor:
        cursor.execute(job.warm)
        cursor.fetch_arrow_table()
        with Measure() as m:
            cursor.execute(job.sql)
            table = cursor.fetch_arrow_table()
        m.rows = table.num_rows
    return m


def pandas(job: Job) -> Measure:
    """Query to pyarrow.Table to DataFrame."""
    with dbapi.connect(job.url) as connection, connection.cursor() as cursor:
        cursor.execute(job.warm)
        cursor.fetch_arrow_table().to_pandas()
        with Measure() as m:
            cursor.execute(job.sql)
            table = cursor.fetch_arrow_table()
            m.received()
            frame = table.to_pandas()
        m.rows = len(frame)
    return m


def point(job: Job) -> Measure:
    """Single rows by key."""
    with dbapi.connect(job.url, autocommit=True) as connection, connection.cursor() as cursor:

        def ask(key: int) -> tuple[Any, ...] | None:
            cursor.execute(job.sql, (key,))
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

        return drive(ask, job)


def json(job: Job) -> Measure:
    """Through Polars, which has no uuid and no jsonb: both cast to text, so the values differ."""
    import polars as pl

    with dbapi.connect(job.url) as connection, connection.cursor() as cursor:

        def encode(sql: str) -> bytes:
            cursor.execute(sql)
            frame = pl.from_arrow(cursor.fetch_arrow_table())
            assert isinstance(frame, pl.DataFrame)
            return frame.write_json().encode()

        encode(job.warm)
        with Measure() as m:
            for _ in range(job.count):
                text = encode(job.sql)
    m.extra["json_bytes"] = len(text)
    return m

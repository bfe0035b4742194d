"""Rows into a table, by everyone. The rows are an Arrow table in memory; the table is empty."""

from __future__ import annotations

import json
import sqlite3 as standard
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.ipc

import rowmill as rm
from bench.data import ITEMS
from bench.measure import Job, Measure, run

ROOT = Path(__file__).parent.parent.parent


def table(job: Job) -> pa.Table:
    """The rows."""
    with pa.ipc.open_file(job.file) as file:
        return file.read_all()


def emptied(job: Job) -> None:
    """A table as it was before any load."""
    with psycopg.connect(job.url, autocommit=True) as connection:
        connection.execute(f"truncate {job.sql}")
        connection.execute("checkpoint")


def new_file(job: Job) -> str:
    """A new SQLite file with an empty table."""
    for suffix in ("", "-wal", "-shm"):
        Path(job.url + suffix).unlink(missing_ok=True)
    connection = standard.connect(job.url)
    connection.execute("pragma journal_mode = wal")
    connection.execute(ITEMS.format(table=job.sql))
    connection.close()
    return job.url


def told(command: list[str], stdin: Path | None = None) -> Measure:
    """What a program says of itself."""
    with Measure() as m, (stdin or Path("/dev/null")).open("rb") as rows:
        done = subprocess.run(command, cwd=ROOT, stdin=rows, capture_output=True, check=True)
    m.extra = {"cpu": None, "rss_mb": None} | json.loads(done.stdout)
    return m


def send_floor(job: Job) -> Measure:
    """Bytes made beforehand, sent by a program in C."""
    emptied(job)
    return told(job.command, Path(job.other))


def server_copy(job: Job) -> Measure:
    """The server reads a file of its own: no client at all."""
    emptied(job)
    with psycopg.connect(job.url, autocommit=True) as connection, Measure() as m:
        m.rows = connection.execute(f"copy {job.sql} from '{job.other}' (format binary)").rowcount
    return m


def rowmill(job: Job) -> Measure:
    """Database.load."""
    data = table(job)
    emptied(job)
    with rm.Database(job.url) as db:
        db.fetch(f"select * from {job.sql}")
        with Measure() as m:
            m.rows = db.load(job.sql, data)
    return m


def rowmill_async(job: Job) -> Measure:
    """AsyncDatabase.load."""
    data = table(job)
    emptied(job)

    async def main() -> Measure:
        async with rm.AsyncDatabase(job.url) as db:
            await db.fetch(f"select * from {job.sql}")
            with Measure() as m:
                m.rows = await db.load(job.sql, data)
        return m

    return run(main())


def pgpq(job: Job) -> Measure:
    """Its encoder, and psycopg's COPY."""
    from pgpq import ArrowToPostgresBinaryEncoder

    data = table(job)
    emptied(job)
    with psycopg.connect(job.url, autocommit=True) as connection, Measure() as m:
        encoder = ArrowToPostgresBinaryEncoder(data.schema)
        cursor = connection.cursor()
        with cursor.copy(f"copy {job.sql} from stdin (format binary)") as copy:
            copy.write(encoder.write_header())
            for batch in data.to_batches(max_chunksize=10_000):
                copy.write(encoder.write_batch(batch))
            copy.write(encoder.finish())
        m.rows = cursor.rowcount
    return m


def adbc(job: Job) -> Measure:
    """adbc_ingest, which is a COPY."""
    import adbc_driver_postgresql.dbapi as dbapi

    data = table(job)
    emptied(job)
    with dbapi.connect(job.url) as connection, connection.cursor() as cursor, Measure() as m:
        m.rows = cursor.adbc_ingest(job.sql, data, mode="append")
        connection.commit()
    return m


def asyncpg(job: Job) -> Measure:
    """copy_records_to_table of tuples, made from the columns as a program would have to."""
    import asyncpg as driver

    data = table(job)
    emptied(job)

    async def main() -> Measure:
        connection = await driver.connect(job.url)
        with Measure() as m:
            records = zip(*(column.to_pylist() for column in data.columns), strict=True)
            done: str = await connection.copy_records_to_table(job.sql, records=records)
        await connection.close()
        m.rows = int(done.split()[1])
        return m

    return run(main())


def insert_floor(job: Job) -> Measure:
    """One prepared insert in Rust, the values at hand."""
    for suffix in ("", "-wal", "-shm"):
        Path(job.url + suffix).unlink(missing_ok=True)
    return told([*job.command, job.other, job.url, job.sql])


def rowmill_sqlite(job: Job) -> Measure:
    """Database.load."""
    data = table(job)
    with rm.Database(f"sqlite:///{new_file(job)}") as db:
        db.fetch(f"select * from {job.sql}")
        with Measure() as m:
            m.rows = db.load(job.sql, data)
    return m


def sqlite3(job: Job) -> Measure:
    """executemany of tuples, made from the columns; dates by the text that SQLite keeps them as."""
    data = table(job)
    connection = standard.connect(new_file(job))
    connection.execute("pragma synchronous = normal")
    with Measure() as m:
        rows: Any = zip(*(column.to_pylist() for column in data.columns), strict=True)
        marks = ", ".join("?" * data.num_columns)
        m.rows = connection.executemany(f"insert into {job.sql} values ({marks})", rows).rowcount
        connection.commit()
    return m


def sqlite3_tuples(job: Job) -> Measure:
    """executemany of tuples that are there, of types that SQLite has."""
    data = table(job)
    texts = {"at", "day"}
    columns = [
        [value and value.isoformat() for value in column.to_pylist()]
        if name in texts
        else column.to_pylist()
        for name, column in zip(data.column_names, data.columns, strict=True)
    ]
    rows = list(zip(*columns, strict=True))
    connection = standard.connect(new_file(job))
    connection.execute("pragma synchronous = normal")
    with Measure() as m:
        marks = ", ".join("?" * data.num_columns)
        m.rows = connection.executemany(f"insert into {job.sql} values ({marks})", rows).rowcount
        connection.commit()
    return m


def adbc_sqlite(job: Job) -> Measure:
    """adbc_ingest."""
    import adbc_driver_sqlite.dbapi as dbapi

    data = table(job)
    with dbapi.connect(new_file(job)) as connection, connection.cursor() as cursor:
        cursor.execute("pragma synchronous = normal")
        with Measure() as m:
            m.rows = cursor.adbc_ingest(job.sql, data, mode="append")
            connection.commit()
    return m

"""What pandas and Polars offer themselves."""

from __future__ import annotations

import sqlite3

from bench.measure import Job, Measure


def polars_postgres(job: Job) -> Measure:
    """polars.read_database over ADBC."""
    import adbc_driver_postgresql.dbapi as dbapi
    import polars as pl

    with dbapi.connect(job.url) as connection:
        pl.read_database(job.warm, connection)
        with Measure() as m:
            frame = pl.read_database(job.sql, connection)
    m.rows = frame.height
    return m


def pandas_postgres(job: Job) -> Measure:
    """pandas.read_sql over ADBC."""
    import adbc_driver_postgresql.dbapi as dbapi
    import pandas as pd

    with dbapi.connect(job.url) as connection:
        pd.read_sql(job.warm, connection)
        with Measure() as m:
            frame = pd.read_sql(job.sql, connection)
    m.rows = len(frame)
    return m


def polars_sqlite(job: Job) -> Measure:
    """polars.read_database over sqlite3."""
    import polars as pl

    connection = sqlite3.connect(job.file)
    pl.read_database(job.warm, connection)
    with Measure() as m:
        frame = pl.read_database(job.sql, connection)
    m.rows = frame.height
    return m


def pandas_sqlite(job: Job) -> Measure:
    """pandas.read_sql over sqlite3."""
    import pandas as pd

    connection = sqlite3.connect(job.file)
    pd.read_sql(job.warm, connection)
    with Measure() as m:
        frame = pd.read_sql(job.sql, connection)
    m.rows = len(frame)
    return m


def adbc_sqlite(job: Job) -> Measure:
    """ADBC's SQLite driver to pyarrow.Table."""
    import adbc_driver_sqlite.dbapi as dbapi

    with dbapi.connect(job.file) as connection, connection.cursor() as cursor:
        cursor.execute(job.warm)
        cursor.fetch_arrow_table()
        with Measure() as m:
            cursor.execute(job.sql)
            table = cursor.fetch_arrow_table()
        m.rows = table.num_rows
    return m

"""Whole tables to Arrow and to pandas."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, encoded_url, simple
from bench.harness import Case
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "rss_mb", "after_ms", "convert_ms", "rate")


def run(context: Context) -> None:
    """wide and narrow, each to Arrow and to pandas."""
    for name, rows in (("wide", context.sizes.wide), ("narrow", context.sizes.narrow)):
        server = context.postgres(name)
        sql = f"select * from bench_{name}"
        job = Job("", "", url=server.url, sql=sql, warm=f"{sql} limit 100", rows=rows)
        encoded = replace(job, url=encoded_url(server))
        context.run("fetch", f"{name} to Arrow", arrow_cases(context, job, encoded))
        context.run("fetch", f"{name} to pandas", pandas_cases(context, job, encoded))


def arrow_cases(context: Context, job: Job, encoded: Job) -> list[Case]:
    """The floors, and whoever makes Arrow data."""
    clock = context.last_byte
    return [
        context.floor("drain", 1, job.sql),
        context.floor("gather", 1, job.sql),
        context.floor("decode", 1, job.sql),
        simple("rowmill", "rowmill", "arrow", job, clock),
        simple("rowmill async", "rowmill_async", "arrow", job, clock),
        simple("adbc", "adbc", "arrow", job, clock),
        simple("connectorx", "connectorx", "arrow", encoded, clock),
        simple("polars", "readers", "polars_postgres", job, clock),
    ]


def pandas_cases(context: Context, job: Job, encoded: Job) -> list[Case]:
    """The drain floor, and whoever makes a DataFrame."""
    clock = context.last_byte
    python, missing = context.rkt if context.wants("asyncpg-rkt") else ("", "not asked for")
    rkt = replace(job, peer="asyncpg_rkt", task="pandas")
    return [
        context.floor("drain", 1, job.sql),
        context.floor("gather", 1, job.sql),
        simple("rowmill", "rowmill", "pandas", job, clock),
        simple("rowmill async", "rowmill_async", "pandas", job, clock),
        simple("adbc", "adbc", "pandas", job, clock),
        simple("connectorx", "connectorx", "pandas", encoded, clock),
        simple("pandas", "readers", "pandas_postgres", job, clock),
        Case("asyncpg-rkt", rkt, python=python, missing=missing, preload=clock),
        simple("psycopg", "psycopg", "pandas", job, clock),
        simple("asyncpg", "asyncpg", "pandas", job, clock),
    ]

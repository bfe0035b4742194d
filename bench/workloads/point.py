"""Single rows by key from pgbench's accounts."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, per, simple
from bench.harness import Case
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "p50_us", "p99_us", "rate")


def run(context: Context) -> None:
    """Synchronous, one asyncio task, and 32 tasks over 8 connections."""
    server = context.postgres("accounts")
    sql = "select * from pgbench_accounts where aid = $1"
    count = context.sizes.points
    job = Job("", "", url=server.url, sql=sql, count=count)
    many = replace(job, tasks=32)
    floor = context.floor("point", count, sql)
    tasks = {
        "sync": [
            floor,
            simple("rowmill", "rowmill", "point", job),
            simple("psycopg", "psycopg", "point", job),
            simple("adbc", "adbc", "point", job),
        ],
        "1 task": [
            floor,
            simple("rowmill async", "rowmill_async", "point", job),
            simple("asyncpg", "asyncpg", "point", job),
            simple("psycopg async", "psycopg", "point_async", job),
        ],
        "32 tasks": [
            simple("rowmill async", "rowmill_async", "point", many),
            simple("asyncpg pool", "asyncpg", "point", many),
        ],
    }
    for task, cases in tasks.items():
        context.run("point", f"point, {task}", [scaled(c, count) for c in cases])


def scaled(case: Case, count: int) -> Case:
    """Figures per query."""
    return replace(case, scale=per(count))

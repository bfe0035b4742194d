"""SQLite: a whole table to columns, and single rows by key."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, per, simple
from bench.measure import Job

NEEDS_POSTGRES = False
COLUMNS = ("wall", "cpu", "rss_mb", "p50_us", "p99_us", "rate")


def run(context: Context) -> None:
    """1M rows x 6 columns; point reads from one thread and on an event loop."""
    file = str(context.sqlite_file)
    url, rows = f"sqlite:///{file}", context.sizes.sqlite
    sql = "select * from item"
    job = Job("", "", url=url, sql=sql, warm=f"{sql} limit 100", rows=rows, file=file)
    context.run(
        "sqlite",
        "SQLite to columns",
        [
            simple("rowmill", "rowmill", "arrow", job),
            simple("connectorx", "connectorx", "arrow", replace(job, url=f"sqlite://{file}")),
            simple("adbc", "readers", "adbc_sqlite", job),
            simple("polars over sqlite3", "readers", "polars_sqlite", job),
            simple("pandas over sqlite3", "readers", "pandas_sqlite", job),
            simple("apsw tuples", "apsw", "tuples", job),
            simple("sqlite3 tuples", "sqlite3", "tuples", job),
        ],
    )
    count = context.sizes.sqlite_points
    point = replace(job, sql=f"{sql} where id = $1", count=count, rows=0, keys=rows)
    eight = replace(point, tasks=8)
    tasks = {
        "1 thread": [
            simple("rowmill", "rowmill", "point", point),
            simple("apsw", "apsw", "point", point),
            simple("sqlite3", "sqlite3", "point", point),
        ],
        "1 task": [
            simple("rowmill async", "rowmill_async", "point", point),
            simple("aiosqlite", "aiosqlite", "point", point),
        ],
        "8 tasks": [
            simple("rowmill async", "rowmill_async", "point", eight),
            simple("aiosqlite", "aiosqlite", "point", eight),
        ],
    }
    for task, cases in tasks.items():
        scaled = [replace(c, scale=per(count)) for c in cases]
        context.run("sqlite", f"SQLite point, {task}", scaled)

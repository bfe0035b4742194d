"""Rows into a table: an Arrow table of 8 columns to PostgreSQL and to SQLite."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pyarrow as pa

import rowmill as rm
from bench.context import Context, simple
from bench.data import ITEMS, items
from bench.harness import progress
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "rss_mb", "rate")
TABLE = "bench_load"
INSERT_FLOOR = ["--quiet", "--release", "--package", "rowmill", "--example", "insert_floor"]


def run(context: Context) -> None:
    """1M rows x 8 columns in memory; each peer starts with an empty table."""
    assert context.server
    server, rows = context.server, context.sizes.load
    arrow, sqlite = context.directory / "load.arrow", context.directory / "load.db"
    binary = server.socket_dir / "load.bin"
    progress("making the rows to load")
    with rm.Database(server.url) as db, rm.Database(f"sqlite:///{sqlite}") as lite:
        table = db.fetch(items(rows)).to_arrow()
        with pa.ipc.new_file(arrow, table.schema) as file:
            file.write_table(table)
        for each in (db, lite):
            each.execute_script(ITEMS.format(table=TABLE))
            each.load(TABLE, table)
        db.execute_script(f"copy {TABLE} to '{binary}' (format binary)")
    subprocess.run(["cargo", "build", *INSERT_FLOOR], check=True)

    job = Job("", "", url=server.url, sql=TABLE, rows=rows, file=str(arrow), other=str(binary))
    floor = context.floor("copy", 60 << 10, f"copy {TABLE} from stdin (format binary)")
    context.run(
        "load",
        "load to PostgreSQL",
        [
            simple("send floor", "load", "send_floor", replace(job, command=floor.command, rows=0)),
            simple("server's COPY of a file", "load", "server_copy", job),
            simple("rowmill", "load", "rowmill", job),
            simple("rowmill async", "load", "rowmill_async", job),
            simple("pgpq + psycopg", "load", "pgpq", job),
            simple("adbc", "load", "adbc", job),
            simple("asyncpg", "load", "asyncpg", job),
        ],
    )
    job = replace(job, url=str(context.directory / "loaded.db"), other=str(sqlite))
    inserting = replace(job, command=["cargo", "run", *INSERT_FLOOR, "--"])
    context.run(
        "load",
        "load to SQLite",
        [
            simple("insert floor", "load", "insert_floor", inserting),
            simple("rowmill", "load", "rowmill_sqlite", job),
            simple("sqlite3 executemany", "load", "sqlite3", job),
            simple("the same, tuples at hand", "load", "sqlite3_tuples", job),
            simple("adbc", "load", "adbc_sqlite", job),
        ],
    )

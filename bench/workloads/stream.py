"""A result that no memory holds, in parts; beside it one fetch of a tenth of the same rows."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, simple
from bench.harness import Case
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "rss_mb", "rows")

SQL = (
    "select n::int8 as id, n * 0.5::float8 as total, timestamptz '2024-01-01' as at,"
    " repeat('x', 45) || n as label from (select generate_series(1, {rows}) as n) as s"
)
"""100 bytes a row on the wire, made as they are sent: they cost the server no disk."""


def run(context: Context) -> None:
    """Seconds are those of a million rows, so that results of different sizes compare."""
    assert context.server
    rows = context.sizes.stream
    job = Job("", "", url=context.server.url, sql=SQL.format(rows=rows), rows=rows)
    job = replace(job, warm=SQL.format(rows=100))
    few = replace(job, sql=SQL.format(rows=rows // 10), rows=rows // 10)
    # A tenth of the slow ones' rows tells as much: nothing of theirs grows with them.
    context.run(
        "stream",
        "stream",
        [
            scaled(simple("one fetch", "rowmill", "arrow", few)),
            scaled(simple("one fetch async", "rowmill_async", "arrow", few)),
            scaled(simple("rowmill", "stream", "rowmill", job)),
            scaled(simple("rowmill async", "stream", "rowmill_async", job)),
            scaled(simple("rowmill in a transaction", "stream", "rowmill_inside", job)),
            scaled(simple("rowmill async in a transaction", "stream", "rowmill_async_inside", job)),
            scaled(simple("adbc", "stream", "adbc", job)),
            scaled(simple("psycopg server cursor", "stream", "psycopg", few)),
            scaled(simple("asyncpg cursor", "stream", "asyncpg", few)),
        ],
    )


def scaled(case: Case) -> Case:
    """The case with its seconds made those of a million rows."""
    assert case.job
    factor = 1e6 / case.job.rows
    return replace(case, scale={"wall": factor, "cpu": factor})

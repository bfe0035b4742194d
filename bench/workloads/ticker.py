"""How late a 1 ms ticker is served while a big fetch runs on the same event loop."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "ticks", "late_p50_ms", "late_p99_ms", "late_max_ms")


def run(context: Context) -> None:
    """The controls say what the machine alone does to the ticker."""
    server = context.postgres("wide")
    sql = "select * from bench_wide"
    rows = context.sizes.wide
    job = Job("", "", url=server.url, sql=sql, warm=f"{sql} limit 100", rows=rows)
    context.run(
        "ticker",
        "ticker",
        [
            simple("idle", "nothing", "ticker_idle", job),
            simple("elsewhere", "nothing", "ticker_elsewhere", job),
            simple("rowmill async", "rowmill_async", "ticker", job),
            simple("rowmill async to pandas", "rowmill_async", "ticker_pandas", job),
            simple("asyncpg", "asyncpg", "ticker", job),
            simple("asyncpg to pandas", "asyncpg", "ticker_pandas", job),
        ],
    )

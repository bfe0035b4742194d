"""A list of objects as JSON bytes, as an API server answers it."""

from __future__ import annotations

from dataclasses import replace

from bench.context import Context, per, simple
from bench.measure import Job

NEEDS_POSTGRES = True
COLUMNS = ("wall", "cpu", "rss_mb", "json_bytes", "same", "rate")


def run(context: Context) -> None:
    """5,000 rows x 20 columns; then whether Rowmill's values are asyncpg's."""
    server = context.postgres("json")
    count, sql = context.sizes.json_repeats, "select * from bench_json"
    job = Job("", "", url=server.url, sql=sql, warm=f"{sql} limit 10", count=count)
    # What Polars cannot write, as text.
    columns = "id, l1, l2, f1, f2, f3, b1, b2, t1, t2, d1, s1, s2, s3, s4, n1, n2, a1"
    cast = f"select {columns}, u1::text as u1, j1::text as j1 from bench_json"
    polars = replace(job, sql=cast, warm=f"{cast} limit 10")
    cases = [
        context.floor("drain", count, sql),
        context.floor("decode", count, sql),
        simple("rowmill", "rowmill", "json", job),
        simple("asyncpg + orjson", "asyncpg", "json", job),
        simple("psycopg + orjson", "psycopg", "json", job),
        simple("json_agg", "psycopg", "json_agg", job),
        simple("adbc + polars", "adbc", "json", polars),
    ]
    context.run("json", "JSON", [replace(c, scale=per(count)) for c in cases])
    if context.wants("rowmill"):
        whole = replace(job, rows=context.sizes.json)
        once = replace(context, rounds=1)
        once.run("json", "same values", [simple("rowmill", "same_json", "compare", whole)])

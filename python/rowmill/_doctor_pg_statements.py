"""The statements that take the server's time, where pg_stat_statements counts them."""

from __future__ import annotations

from collections.abc import Iterator

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, concluded, evidence

SCHEMA = """
select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
 where e.extname = 'pg_stat_statements'
"""

# The worst by all their time, by the mean and by calls, each once.
STATEMENTS = """
with counted as (
    select queryid, sum(calls)::bigint as calls, sum(total_exec_time) as total_ms, sum(rows)::bigint as rows,
           left(max(query), 300) as query
      from {}.pg_stat_statements
     where dbid = (select oid from pg_database where datname = current_database())
     group by queryid
), ranked as (
    select *, total_ms / calls as mean_ms, total_ms / nullif(sum(total_ms) over (), 0) as share,
           row_number() over (order by total_ms desc) as by_total,
           row_number() over (order by total_ms / calls desc) as by_mean,
           row_number() over (order by calls desc) as by_calls
      from counted where calls > 0
)
select round(total_ms)::bigint as total_ms, round(coalesce(share, 0)::numeric, 3)::float8 as share, calls,
       round(mean_ms::numeric, 2)::float8 as mean_ms, rows, query,
       concat_ws(', ', case when by_total <= $1 then 'total' end, case when by_mean <= $1 then 'mean' end,
                 case when by_calls <= $1 then 'calls' end) as top_by
  from ranked where least(by_total, by_mean, by_calls) <= $1
 order by ranked.total_ms desc
"""


def slow_statements(look: Look) -> Iterator[Finding]:
    """The worst statements, by total time, mean time and calls."""
    schema = look.value(SCHEMA)
    if schema is None:
        yield Finding(
            check="slow-statements",
            severity="note",
            title="slow statements are not counted",
            meaning="Without pg_stat_statements nobody knows what takes the server's time.",
            advice="Add it to shared_preload_libraries, restart, then make the extension.",
            statements=("create extension pg_stat_statements",),
        )
        return
    rows = look.rows(STATEMENTS.format(schema), limits.TOP)
    slow = [
        row
        for row in rows
        if row["mean_ms"] >= limits.SLOW_MS
        and row["share"] >= limits.SLOW_SHARE
        and row["calls"] >= limits.SLOW_CALLS
    ]
    if slow:
        yield concluded(
            "slow-statements",
            slow,
            fine="",
            severity="warning",
            title="{slow statement takes|slow statements take} much of the time",
            meaning=f"Each takes {limits.SLOW_MS:g} ms or more in the mean, and"
            f" {limits.SLOW_SHARE:.0%} or more of all time.",
            advice="db.explain(sql, analyze=True) shows where a statement's time goes.",
        )
    rest = [row for row in rows if row not in slow]
    yield Finding(
        check="slow-statements",
        severity="ok",
        title=f"{len(rest)} {'other ' if slow else ''}statements at the top, by total time, mean or calls",
        evidence=evidence(rest),
    )

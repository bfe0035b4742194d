"""Tables and sequences: space that holds nothing, rows that are dead, numbers that run out."""

from __future__ import annotations

from collections.abc import Iterator

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, Severity, concluded

# The usual estimate: rows times their mean width, of the statistics, against the pages there are. A
# row is 4 bytes of pointer, 24 of header and its values, rounded up to 8.
TABLE_BLOAT = """
select format('%I.%I', n.nspname, c.relname) as "table", c.reltuples::bigint as rows,
       c.relpages::bigint * bs as size_bytes, (c.relpages - need.pages)::bigint * bs as wasted_bytes,
       round(100 * (1 - need.pages / c.relpages))::int as wasted_percent,
       format('vacuum (full, analyze) %I.%I', n.nspname, c.relname) as statement
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select current_setting('block_size')::int as bs) block
  cross join lateral (
      select coalesce(substring(array_to_string(c.reloptions, ' ') from 'fillfactor=([0-9]+)')::int, 100) as fill
  ) options
  join lateral (
      select count(*) as columns, sum((1 - s.null_frac) * s.avg_width)::float8 as width
        from pg_stats s where s.schemaname = n.nspname and s.tablename = c.relname and not s.inherited
  ) wide on wide.columns = (select count(*) from pg_attribute a
                             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
  cross join lateral (
      select greatest(1, ceil(c.reltuples * (28 + 8 * ceil(wide.width / 8)) / ((bs - 24) * fill / 100.0)))::float8 as pages
  ) need
 where c.relkind in ('r', 'm') and c.relpages > 0 and c.reltuples >= 0
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and (c.relpages - need.pages) * bs >= $1 and c.relpages - need.pages >= $2::float8 * c.relpages
 order by 4 desc limit $3
"""

# Of a b-tree: 8 bytes of header, 4 of pointer and the keys, in pages that are nine tenths full. Keys
# that repeat are kept once, so that an index may be smaller than this.
INDEX_BLOAT = """
select format('%I.%I', n.nspname, t.relname) as "table", c.relname as index,
       c.relpages::bigint * bs as size_bytes, (c.relpages - need.pages)::bigint * bs as wasted_bytes,
       round(100 * (1 - need.pages / c.relpages))::int as wasted_percent,
       format('reindex index concurrently %I.%I', n.nspname, c.relname) as statement
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_am m on m.oid = c.relam and m.amname = 'btree'
  cross join lateral (select current_setting('block_size')::int as bs) block
  cross join lateral (
      select coalesce(substring(array_to_string(c.reloptions, ' ') from 'fillfactor=([0-9]+)')::int, 90) as fill
  ) options
  join lateral (
      select count(*) as columns, sum((1 - s.null_frac) * s.avg_width)::float8 as width
        from pg_attribute a
        join pg_stats s on s.schemaname = n.nspname and s.tablename = t.relname and s.attname = a.attname
                       and not s.inherited
       where a.attrelid = t.oid and a.attnum = any (i.indkey::int2[])
  ) wide on wide.columns = i.indnatts
  cross join lateral (
      select 1 + greatest(1, ceil(c.reltuples * (12 + 8 * ceil(wide.width / 8)) / ((bs - 40) * fill / 100.0)))::float8 as pages
  ) need
 where c.relkind = 'i' and i.indisvalid and i.indexprs is null and c.relpages > 0 and c.reltuples >= 0
   and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and (c.relpages - need.pages) * bs >= $1 and c.relpages - need.pages >= $2::float8 * c.relpages
 order by 4 desc limit $3
"""

ESTIMATE = "This is an estimate from the statistics of the columns; pgstattuple measures."


def table_bloat(look: Look) -> Iterator[Finding]:
    """Tables that are far larger than their rows."""
    rows = look.rows(TABLE_BLOAT, limits.BLOAT_BYTES, limits.BLOAT_SHARE, limits.EVIDENCE)
    yield concluded(
        "table-bloat",
        rows,
        fine="no table is bloated, by the estimate",
        severity="warning",
        title="{table is|tables are} mostly empty space",
        meaning=f"Scans read it all, and it fills the cache. {ESTIMATE}",
        advice="`vacuum full` locks everybody out while it copies the table; pg_repack does not.",
    )


def index_bloat(look: Look) -> Iterator[Finding]:
    """Indexes that are far larger than their keys."""
    rows = look.rows(INDEX_BLOAT, limits.BLOAT_BYTES, limits.BLOAT_SHARE, limits.EVIDENCE)
    yield concluded(
        "index-bloat",
        rows,
        fine="no index is bloated, by the estimate",
        severity="warning",
        title="{index is|indexes are} mostly empty space",
        meaning=f"Look-ups read more pages than they need. {ESTIMATE}",
    )


DEAD = """
select format('%I.%I', s.schemaname, s.relname) as "table", s.n_live_tup as live_rows, s.n_dead_tup as dead_rows,
       greatest(s.last_vacuum, s.last_autovacuum)::text as last_vacuum,
       coalesce('autovacuum_enabled=false' = any (c.reloptions)
                or 'autovacuum_enabled=off' = any (c.reloptions), false) as autovacuum_is_off,
       format('vacuum (analyze) %I.%I', s.schemaname, s.relname) as statement
  from pg_stat_user_tables s join pg_class c on c.oid = s.relid
 where s.n_dead_tup >= $1 and s.n_dead_tup >= $2::float8 * (s.n_live_tup + s.n_dead_tup)
 order by s.n_dead_tup desc limit $3
"""


def dead_rows(look: Look) -> Iterator[Finding]:
    """Tables that autovacuum does not keep up with."""
    yield concluded(
        "dead-rows",
        look.rows(DEAD, limits.DEAD_ROWS, limits.DEAD_SHARE, limits.EVIDENCE),
        fine="autovacuum keeps up with dead rows",
        severity="warning",
        title="{table is|tables are} full of dead rows",
        meaning="Rows that were updated or deleted stay until vacuum finds that nobody sees them any more.",
        advice="Where a vacuum does not help, something holds them: see long-transactions,"
        " prepared-transactions and replication-slots.",
    )


NEVER_ANALYZED = """
select format('%I.%I', s.schemaname, s.relname) as "table", s.n_live_tup as rows,
       format('analyze %I.%I', s.schemaname, s.relname) as statement
  from pg_stat_user_tables s
 where s.last_analyze is null and s.last_autoanalyze is null and s.n_mod_since_analyze >= $1
 order by s.n_live_tup desc, 1 limit $2
"""


def never_analyzed(look: Look) -> Iterator[Finding]:
    """Tables of which the planner knows nothing."""
    yield concluded(
        "never-analyzed",
        look.rows(NEVER_ANALYZED, limits.NEVER_ANALYZED_ROWS, limits.EVIDENCE),
        fine="every table was analyzed",
        severity="note",
        title="{table was|tables were} never analyzed",
        meaning="The planner guesses what is in them. (A server that was just upgraded or restored is so.)",
    )


# A sequence that fills an integer column ends with the column.
SEQUENCES = """
select format('%I.%I', s.schemaname, s.sequencename) as sequence,
       case when t.oid is not null then format('%I.%I', tn.nspname, t.relname) end as "table",
       quote_ident(a.attname) as column,
       s.last_value, top.value as ends_at, s.last_value::float8 / top.value as used,
       case when a.atttypid in ('int2'::regtype, 'int4'::regtype) then
           format('alter table %I.%I alter column %I type bigint', tn.nspname, t.relname, a.attname) end as statement,
       case when s.max_value < 9223372036854775807 then
           format('alter sequence %I.%I as bigint maxvalue 9223372036854775807', s.schemaname, s.sequencename) end as wider
  from pg_sequences s
  join pg_namespace n on n.nspname = s.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = s.sequencename and c.relkind = 'S'
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
   and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
  left join pg_class t on t.oid = d.refobjid
  left join pg_namespace tn on tn.oid = t.relnamespace
  left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  cross join lateral (
      select least(s.max_value, case a.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647
                                else 9223372036854775807 end) as value
  ) top
 where not s.cycle and s.increment_by > 0 and s.last_value >= $1::float8 * top.value
 order by 6 desc, 1 limit $2
"""


def sequences(look: Look) -> Iterator[Finding]:
    """Sequences, and the columns they fill, that are near their end."""
    rows = look.rows(SEQUENCES, limits.SEQUENCE_WARNING, limits.EVIDENCE)
    worst = max((row["used"] for row in rows), default=0.0)
    severity: Severity = "problem" if worst >= limits.SEQUENCE_PROBLEM else "warning"
    for row in rows:
        row["statement"] = [s for s in (row["statement"], row.pop("wider")) if s]
        row["used"] = round(row["used"], 4)
    yield concluded(
        "sequences",
        rows,
        fine="no sequence is near its end",
        severity=severity,
        title="{sequence is|sequences are} near the end of the numbers",
        meaning="At the end every insert fails.",
        advice="A column's type is changed by writing its table anew, which locks everybody out: plan it.",
    )
    hidden = look.value(
        "select count(*) from pg_class c where"
        " case when c.relkind = 'S' then not has_sequence_privilege(c.oid, 'usage, select') end"
    )
    if hidden:
        look.skipped.append(
            ("sequences", f"the last value of {hidden:,} that this role may not use")
        )

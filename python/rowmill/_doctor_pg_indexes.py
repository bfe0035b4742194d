"""Indexes that are of no use, twice there, broken, or missing."""

from __future__ import annotations

from collections.abc import Iterator

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, concluded

# Every index of a user's table that can be used. `keys` is what it is sorted by, `shape` all that
# must be equal for one to do the other's work.
INDEXES = """
with indexes as (
    select i.indexrelid as oid, i.indrelid, c.relname, i.indisunique, i.indnkeyatts, c.relpages,
           format('%I.%I', n.nspname, t.relname) as "table", format('%I.%I', n.nspname, c.relname) as name,
           (i.indkey::int2[])[0:i.indnkeyatts - 1] as keys,
           array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ' ') as columns,
           array_to_string((i.indclass::oid[])[0:i.indnkeyatts - 1], ' ') as classes,
           array_to_string((i.indcollation::oid[])[0:i.indnkeyatts - 1], ' ') as collations,
           array_to_string((i.indoption::int2[])[0:i.indnkeyatts - 1], ' ') as options,
           i.indnatts > i.indnkeyatts as has_more,
           coalesce(i.indexprs::text, '') as expressions, coalesce(i.indpred::text, '') as condition,
           a.amname, i.indisprimary or i.indisreplident
             or exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
             as is_kept,
           exists (select from pg_inherits h where h.inhrelid = i.indexrelid) as is_part,
           c.relpages::bigint * current_setting('block_size')::int as bytes
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_class t on t.oid = i.indrelid
      join pg_namespace n on n.oid = c.relnamespace
      join pg_am a on a.oid = c.relam
     where i.indisvalid and c.relkind = 'i' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
)
"""

UNUSED = (
    INDEXES
    + """
select x."table", x.relname as index, s.idx_scan as scans, x.bytes as size_bytes,
       format('drop index concurrently %s', x.name) as statement
  from indexes x join pg_stat_user_indexes s on s.indexrelid = x.oid
 where s.idx_scan = 0 and not x.indisunique and not x.is_kept and not x.is_part and x.relpages >= $1
   -- What a foreign key is looked up by is used when rows are deleted elsewhere.
   and not exists (select from pg_constraint f where f.contype = 'f' and f.conrelid = x.indrelid
                      and x.keys[1:cardinality(f.conkey)] @> f.conkey)
 order by x.bytes desc limit $2
"""
)

SINCE = """
select extract(epoch from now() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 / 86400
  from pg_stat_database where datname = current_database()
"""


def unused(look: Look) -> Iterator[Finding]:
    """Indexes that no query read since the statistics began."""
    rows = look.rows(UNUSED, limits.INDEX_PAGES, limits.EVIDENCE)
    days = look.value(SINCE)
    young = days < limits.STATISTICS_DAYS
    yield concluded(
        "unused-indexes",
        rows,
        fine="every index is used",
        severity="note" if young else "warning",
        title="{index|indexes} that nobody reads",
        meaning="Each costs a write for every row that changes, and cache."
        f" The statistics are {days:,.0f} days old"
        + (", which is too young to tell." if young else "."),
        advice="Ask the replicas too before you drop one: their reads are not counted here.",
    )


DUPLICATES = (
    INDEXES
    + """
select distinct on (x.bytes, x.oid) x."table", x.relname as index, y.relname as same_as, x.bytes as size_bytes,
       format('drop index concurrently %s', x.name) as statement
  from indexes x
  join indexes y on y.indrelid = x.indrelid and y.oid <> x.oid and y.amname = x.amname
   and (y.columns, y.classes, y.collations, y.options, y.expressions, y.condition)
     = (x.columns, x.classes, x.collations, x.options, x.expressions, x.condition)
 where not x.is_kept and not x.has_more and not x.is_part and (y.indisunique or not x.indisunique)
   -- Of two that are alike the younger goes.
   and (y.is_kept or y.has_more or y.indisunique > x.indisunique or y.oid < x.oid)
 order by x.bytes desc, x.oid, y.oid limit $1
"""
)

OVERLAPPING = (
    INDEXES
    + """
select distinct on (x.bytes, x.oid) x."table", x.relname as index, y.relname as begins_with_it, x.bytes as size_bytes,
       format('drop index concurrently %s', x.name) as statement
  from indexes x
  join indexes y on y.indrelid = x.indrelid and y.oid <> x.oid and y.indnkeyatts > x.indnkeyatts
   and y.amname = 'btree' and x.amname = 'btree'
   and starts_with(y.columns, x.columns || ' ') and starts_with(y.classes, x.classes || ' ')
   and starts_with(y.collations, x.collations || ' ') and starts_with(y.options, x.options || ' ')
   and y.condition = x.condition
 where not x.indisunique and not x.is_kept and not x.has_more and not x.is_part
   and x.expressions = '' and x.relpages >= $2
 order by x.bytes desc, x.oid, y.oid limit $1
"""
)


def duplicates(look: Look) -> Iterator[Finding]:
    """Indexes whose work another does."""
    yield concluded(
        "duplicate-indexes",
        look.rows(DUPLICATES, limits.EVIDENCE),
        fine="no index is there twice",
        severity="warning",
        title="{index is|indexes are} there twice",
        meaning="The other one does the same; each costs a write for every row that changes.",
    )
    overlapping = look.rows(OVERLAPPING, limits.EVIDENCE, limits.INDEX_PAGES)
    if overlapping:
        yield concluded(
            "duplicate-indexes",
            overlapping,
            fine="",
            severity="note",
            title="{index|indexes} that another begins with",
            meaning="The longer one can do the same look-ups, a little slower as it is larger.",
        )


FOREIGN_KEYS = """
select format('%I.%I', n.nspname, t.relname) as "table", k.conname as foreign_key,
       (select string_agg(quote_ident(a.attname), ', ' order by at)
          from unnest(k.conkey) with ordinality as c(attnum, at)
          join pg_attribute a on a.attrelid = t.oid and a.attnum = c.attnum) as columns,
       format('%I.%I', rn.nspname, r.relname) as "references", greatest(t.reltuples, 0)::bigint as rows,
       t.relkind = 'p' as is_partitioned
  from pg_constraint k
  join pg_class t on t.oid = k.conrelid
  join pg_namespace n on n.oid = t.relnamespace
  join pg_class r on r.oid = k.confrelid
  join pg_namespace rn on rn.oid = r.relnamespace
 where k.contype = 'f' and k.conparentid = 0
   and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
                      and cardinality(k.conkey) <= i.indnkeyatts
                      and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
 order by t.reltuples desc, 1, 2 limit $1
"""


def foreign_keys(look: Look) -> Iterator[Finding]:
    """Foreign keys whose referencing side has no index."""
    rows = look.rows(FOREIGN_KEYS, limits.EVIDENCE)
    large = False
    for row in rows:
        # A partitioned table's index cannot be made without holding writers up.
        how = "create index" if row.pop("is_partitioned") else "create index concurrently"
        row["statement"] = f"{how} on {row['table']} ({row['columns']})"
        large = large or row["rows"] >= limits.TABLE_ROWS
    yield concluded(
        "foreign-keys-without-index",
        rows,
        fine="every foreign key has an index",
        severity="warning" if large else "note",
        title="{foreign key|foreign keys} without an index",
        meaning="Each delete from the referenced table, and each change of its key, reads the whole of the"
        " referencing one.",
    )


MISSING = """
select format('%I.%I', s.schemaname, s.relname) as "table", s.seq_scan as whole_scans,
       (s.seq_tup_read / s.seq_scan)::bigint as rows_a_scan, coalesce(s.idx_scan, 0)::bigint as index_scans,
       s.n_live_tup as rows
  from pg_stat_user_tables s
 where s.seq_scan >= $1 and s.seq_tup_read / s.seq_scan >= $2 and s.seq_scan > coalesce(s.idx_scan, 0)
 order by s.seq_tup_read desc limit $3
"""


def missing(look: Look) -> Iterator[Finding]:
    """Tables that are read as a whole again and again."""
    yield concluded(
        "missing-indexes",
        look.rows(MISSING, limits.SCANS, limits.TABLE_ROWS, limits.EVIDENCE),
        fine="no large table is read as a whole again and again",
        severity="warning",
        title="{table is|tables are} read as a whole again and again",
        meaning="An index may be missing. (Reports that want all rows look the same from here.)",
        advice="Find the statements (slow-statements) and look at their plans:"
        " db.explain(sql, analyze=True) tells what a filter took away.",
    )


INVALID = """
select format('%I.%I', n.nspname, t.relname) as "table", c.relname as index,
       c.relpages::bigint * current_setting('block_size')::int as size_bytes,
       format('reindex index concurrently %I.%I', n.nspname, c.relname) as statement
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
 where not i.indisvalid and c.relkind = 'i'
   and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)
 order by 1, 2 limit $1
"""


def invalid(look: Look) -> Iterator[Finding]:
    """Indexes that were not finished."""
    yield concluded(
        "invalid-indexes",
        look.rows(INVALID, limits.EVIDENCE),
        fine="every index is whole",
        severity="warning",
        title="{index was|indexes were} never finished",
        meaning="A `create index concurrently` failed: they are written, and never read. One that was to be"
        " unique does not keep anybody from anything.",
        advice="Make each anew, or drop it.",
    )

"""The tables and indexes of an SQLite database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, concluded

WITHOUT_KEY = """
select t.name as "table" from pragma_table_list t
 where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'
   and not exists (select 1 from pragma_table_info(t.name) c where c.pk > 0)
 order by 1 limit $1
"""


def without_key(look: Look) -> Iterator[Finding]:
    """Tables without a primary key."""
    yield concluded(
        "tables-without-key",
        look.rows(WITHOUT_KEY, limits.EVIDENCE),
        fine="every table has a primary key",
        severity="note",
        title="{table|tables} without a primary key",
        meaning="Nothing keeps a row from being there twice, and no other table can refer to one.",
        advice="A key is given when a table is made: make a new one, move the rows, rename it.",
    )


class Index(NamedTuple):
    """An index: what it is sorted by, and what else sets it apart."""

    name: str
    is_unique: bool
    # Made by `create index`, and not by a constraint.
    is_own: bool
    is_partial: bool
    # Column, collation, whether descending; a column without a name is an expression.
    keys: tuple[tuple[str | None, str, int], ...]


INDEXES = """
select t.name as "table", i.name as index_name, i."unique" as is_unique, i.origin, i.partial, x.name as column,
       x.coll as collation, x."desc" as descending
  from pragma_table_list t
  join pragma_index_list(t.name) i
  join pragma_index_xinfo(i.name) x
 where t.schema = 'main' and t.type = 'table' and x.key
 order by 1, i.seq desc, x.seqno
"""


def indexes(look: Look) -> dict[str, list[Index]]:
    """The indexes of each table, the oldest first."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in look.rows(INDEXES):
        found.setdefault((row["table"], row["index_name"]), []).append(row)
    tables: dict[str, list[Index]] = {}
    for (table, name), rows in found.items():
        first = rows[0]
        keys = tuple((row["column"], row["collation"], row["descending"]) for row in rows)
        index = Index(
            name, bool(first["is_unique"]), first["origin"] == "c", bool(first["partial"]), keys
        )
        tables.setdefault(table, []).append(index)
    return tables


FOREIGN_KEYS = """
select t.name as "table", f.id, f."from" as column, f."table" as "references"
  from pragma_table_list t join pragma_foreign_key_list(t.name) f
 where t.schema = 'main' and t.type = 'table'
 order by 1, f.id, f.seq
"""
# A column of this kind is the row's number, which the table itself is sorted by.
ROW_NUMBERS = """
select t.name as "table", c.name as column from pragma_table_list t join pragma_table_info(t.name) c
 where t.schema = 'main' and t.type = 'table' and not t.wr and c.pk = 1 and lower(c.type) = 'integer'
   and not exists (select 1 from pragma_table_info(t.name) o where o.pk > 1)
"""


def foreign_keys(look: Look) -> Iterator[Finding]:
    """Foreign keys whose referencing side has no index."""
    keys: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in look.rows(FOREIGN_KEYS):
        keys.setdefault((row["table"], row["id"]), []).append(row)
    numbers = {(row["table"], row["column"]) for row in look.rows(ROW_NUMBERS)}
    there = indexes(look)
    missing = []
    for (table, _), rows in keys.items():
        columns = [row["column"] for row in rows]
        if len(columns) == 1 and (table, columns[0]) in numbers:
            continue
        if any(_leads(index, columns) for index in there.get(table, ())):
            continue
        listed = ", ".join(map(quoted, columns))
        name = quoted("_".join([table, *columns, "idx"]))
        missing.append(
            {
                "table": table,
                "columns": listed,
                "references": rows[0]["references"],
                "statement": f"create index {name} on {quoted(table)} ({listed})",
            }
        )
    yield concluded(
        "foreign-keys-without-index",
        missing[: limits.EVIDENCE],
        fine="every foreign key has an index",
        severity="warning",
        title="{foreign key|foreign keys} without an index",
        meaning="Each delete from the referenced table, and each change of its key, reads the whole of the"
        " referencing one.",
    )


def _leads(index: Index, columns: list[str]) -> bool:
    """Whether an index begins with these columns, in any order."""
    first = [column for column, *_ in index.keys[: len(columns)]]
    folded = {column.lower() for column in columns}
    return not index.is_partial and {str(name).lower() for name in first} == folded


def redundant(look: Look) -> Iterator[Finding]:
    """Indexes whose work another does."""
    found = []
    for table, those in indexes(look).items():
        for at, index in enumerate(those):
            if not index.is_own or index.is_partial or any(name is None for name, *_ in index.keys):
                continue
            other = next((o for o in those if o is not index and _does(o, index, those, at)), None)
            if other is not None:
                found.append(
                    {
                        "table": table,
                        "index": index.name,
                        "use": other.name,
                        "statement": f"drop index {quoted(index.name)}",
                    }
                )
    yield concluded(
        "redundant-indexes",
        found[: limits.EVIDENCE],
        fine="no index does another's work",
        severity="warning",
        title="{index|indexes} whose work another does",
        meaning="The index under `use` begins with the same columns. Each costs a write for every row that"
        " changes.",
    )


def _does(other: Index, index: Index, those: list[Index], at: int) -> bool:
    """Whether `other` does all that `index` does; of two that are alike the older does."""
    if other.is_partial or other.keys[: len(index.keys)] != index.keys:
        return False
    if len(other.keys) > len(index.keys):
        return not index.is_unique
    if other.is_unique != index.is_unique:
        return other.is_unique
    return not other.is_own or those.index(other) < at


def statistics(look: Look) -> Iterator[Finding]:
    """Whether the planner knows what is in the tables."""
    known = look.value("select count(*) from sqlite_schema where name = 'sqlite_stat1'")
    used = look.value("select count(*) from sqlite_schema where type = 'index'")
    large = look.value("pragma page_count") >= limits.STATISTICS_PAGES
    missing = not known and used and large
    yield concluded(
        "statistics",
        [{"indexes": used, "statement": "analyze"}] if missing else [],
        fine="the planner has statistics, or needs none",
        severity="note",
        title="analyze was never run",
        meaning="Between two indexes the planner guesses.",
        advice="`pragma optimize` before a connection closes keeps the statistics fresh.",
    )


def quoted(name: str) -> str:
    """A name as SQLite reads it."""
    return '"' + name.replace('"', '""') + '"'

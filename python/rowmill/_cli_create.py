"""A table for rows of given types: the SQL type for each of Rowmill's, on both databases.

Where a database has no type of the kind, text keeps what a number would round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rowmill._cli_failures import CopyError
from rowmill._cli_params import UsageError

POSTGRES = {
    "null": "text",
    "bool": "boolean",
    "int8": "smallint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "integer",
    "uint32": "bigint",
    "uint64": "numeric(20)",
    "Float16": "real",
    "float32": "real",
    "float64": "double precision",
    "text": "text",
    "enum": "text",
    "bytes": "bytea",
    "json": "json",  # not jsonb, which would write it anew
    "uuid": "uuid",
    "date": "date",
    "Date64": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamp[utc]": "timestamptz",
    "interval": "interval",
}
SQLITE = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), "integer"),
    **dict.fromkeys(("uint8", "uint16", "uint32", "uint64"), "integer"),
    **dict.fromkeys(("Float16", "float32", "float64"), "real"),
    # A column without a type keeps what later rows bring.
    "null": "",
    "bool": "boolean",
    "text": "text",
    "enum": "text",
    "interval": "text",
    "bytes": "blob",
    # With `text` in its name a column keeps 1.50 as it is written; without, SQLite makes it 1.5.
    "json": "json text",
    "uuid": "uuid",
    "date": "date",
    "Date64": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamp[utc]": "timestamptz",
}
DECIMAL = re.compile(r"decimal\((\d+), (-?\d+)\)")
LIST = re.compile(r"list\[(.*?)(, \d+)?\]")
# Ranges, composites, maps and lists of them: JSON, for the table has no type of the kind.
NESTED = re.compile(r"(list\[)*(struct|map)\[.*\]")
# Arrow's other units of time: Timestamp(ns), Timestamp(ms, "Europe/Berlin"), Time32(s).
TIMESTAMP = re.compile(r"Timestamp\(\w+(, .*)?\)")
TIME = re.compile(r"Time(32|64)\(\w+\)")


def create_sql(table: str, kinds: Mapping[str, str], key: Sequence[str], *, sqlite: bool) -> str:
    """The statement that makes the table; `table` is quoted, `kinds` are types by column."""
    for name in key:
        # SQLite would take an unknown name for a text.
        if name not in kinds:
            raise CopyError(f"the source has no column {name!r} for the key")
    parts = [f"{quoted(name)} {sql_type(name, kinds[name], sqlite)}".rstrip() for name in kinds]
    if key:
        parts.append(f"primary key ({', '.join(map(quoted, key))})")
    return f"create table {table} ({', '.join(parts)})"


def sql_type(name: str, kind: str, sqlite: bool) -> str:
    """The SQL type of a column, by Rowmill's word for its type."""
    known = (SQLITE if sqlite else POSTGRES).get(kind)
    if known is not None:
        return known
    if NESTED.fullmatch(kind):
        return "json text" if sqlite else "jsonb"
    if match := LIST.fullmatch(kind):
        # PostgreSQL's int[] holds lists of any depth.
        return "json text" if sqlite else sql_type(name, match[1], sqlite).removesuffix("[]") + "[]"
    if match := DECIMAL.fullmatch(kind):
        if sqlite:
            return "text"
        precision, scale = int(match[1]), int(match[2])
        # 38 and more digits are what a numeric column that declares none shows: its rows at hand
        # say nothing of those to come.
        return f"numeric({precision}, {scale})" if precision < 38 and scale >= 0 else "numeric"
    if match := TIMESTAMP.fullmatch(kind):
        return "timestamptz" if match[1] else "timestamp"
    if TIME.fullmatch(kind):
        return "time"
    raise CopyError(
        f"column {name!r}: no SQL type is known for {kind}; make the table without --create,"
        " or cast the column in the source"
    )


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


PART = re.compile(r'"((?:[^"\0]|"")+)"|([^".\0][^.\0]*)')


def quoted_table(table: str) -> str:
    """`table` or `schema.table`, whose parts may be in quotes, as SQL writes it.

    Capitals count, as they do for `Database.load`.
    """
    parts, at = [], 0
    while match := PART.match(table, at):
        parts.append(match[1].replace('""', '"') if match[1] else match[2])
        at = match.end() + 1
        if table[match.end() : at] != ".":
            break
    if at != len(table) + 1 or len(parts) > 2:
        raise UsageError(f"{table!r} is no table's name; write table or schema.table")
    return ".".join(map(quoted, parts))

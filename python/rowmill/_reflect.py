"""The tables of a live database as classes."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Generator, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from rowmill._aio import AsyncDatabase
from rowmill._declare import Declaration, Described, class_name, imports
from rowmill._errors import DataError, ProgrammingError
from rowmill._rowmill import Database
from rowmill._table import Table

if TYPE_CHECKING:
    from rowmill._rowmill import Frame

T = TypeVar("T")
# Statements with their parameters go out, their frames come in.
_Talk: TypeAlias = "Generator[tuple[Any, ...], Frame, T]"

_POSTGRES = """
select c.relname as "table", a.attname as "column", not a.attnotnull as nullable,
    coalesce(a.attnum = any(p.conkey), false) as "primary",
    case when fn.nspname = $1 then '' else fn.nspname end as other_schema,
    fc.relname as other, fa.attname as other_column, a.attndims > 1 as nested
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint p on p.conrelid = c.oid and p.contype = 'p'
left join lateral (select f.confrelid, f.confkey from pg_constraint f
    where f.conrelid = c.oid and f.contype = 'f' and f.conkey = array[a.attnum]
    order by f.oid limit 1) f on true
left join pg_class fc on fc.oid = f.confrelid
left join pg_namespace fn on fn.oid = fc.relnamespace
left join pg_attribute fa on fa.attrelid = f.confrelid and fa.attnum = f.confkey[1]
where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
order by c.relname, a.attnum
"""

# A key without columns of its own refers to the primary key.
_SQLITE = """
select m.name as "table", i.name as "column", i."notnull" = 0 and i.pk = 0 as nullable,
    i.pk > 0 as "primary", '' as other_schema, f."table" as other,
    coalesce(f."to", (select o.name from pragma_table_info(f."table") o where o.pk = 1)) as other_column,
    0 as nested
from {master} m
join pragma_table_xinfo(m.name, {schema}) i
left join (select o.name as owner, f.* from {master} o join pragma_foreign_key_list(o.name, {schema}) f
    group by o.name, f.id having count(*) = 1) f on f.owner = m.name and f."from" = i.name
where m.type in ('table', 'view') and m.name not like 'sqlite\\_%' escape '\\' and i.hidden <> 1
group by m.name, i.cid
order by m.name, i.cid
"""


class Reflected:
    """The tables of a database: each an attribute by its class's name, and an item by its own.

    `repr` and `source()` are the declarations, for a file of one's own.
    """

    __module__ = "rowmill"

    def __init__(self, declarations: list[Declaration]) -> None:
        self._declarations = declarations
        self._tables = {one.table: one.made("rowmill.reflected") for one in declarations}
        for declaration in declarations:
            setattr(self, declaration.name, self._tables[declaration.table])

    def source(self) -> str:
        """The declarations as Python."""
        written = [one.written() for one in self._declarations]
        return "\n\n".join([imports(self._declarations), *written])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = ", ".join(one.name for one in self._declarations)
        raise AttributeError(f"there is no table for {name!r}; there are {known or 'none'}")

    def __getitem__(self, table: str) -> type[Table]:
        return self._tables[table]

    def __iter__(self) -> Iterator[type[Table]]:
        return iter(self._tables.values())

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return self.source()


@overload
def reflect(
    db: Database, schema: str | None = None, tables: Sequence[str] | None = None
) -> Reflected: ...
@overload
def reflect(
    db: AsyncDatabase, schema: str | None = None, tables: Sequence[str] | None = None
) -> Coroutine[Any, Any, Reflected]: ...
def reflect(
    db: Database | AsyncDatabase, schema: str | None = None, tables: Sequence[str] | None = None
) -> Reflected | Coroutine[Any, Any, Reflected]:
    """The tables and views of a database as classes, as `rm.Table` declares them.

    >>> db.execute_script("create table notes (id integer primary key, text text not null)")
    >>> tables = rm.reflect(db, tables=["notes"])
    >>> print(rm.select(tables.Notes).where(tables.Notes.id == 1))
    select "notes"."id", "notes"."text" from "notes" where "notes"."id" = $1::int8
    >>> print(tables.source())
    import rowmill as rm
    <BLANKLINE>
    <BLANKLINE>
    class Notes(rm.Table, name="notes"):
        id: rm.Col[int] = rm.pk()
        text: rm.Col[str]
    <BLANKLINE>

    Names, types, NULLs, primary keys, and foreign keys of one column are taken over. What has no
    counterpart among the types is `Any`. SQLite's `datetime` and `timestamp` are what their first value is, with
    a zone or without one; without values they are taken for wall clocks (`naive=True`).

    Args:
        db: The database; of an AsyncDatabase it is awaited.
        schema: PostgreSQL's schema, None for the first of the search path; SQLite's attached database.
        tables: The names of those that are wanted, None for all.

    Raises:
        ProgrammingError: The schema, or one of `tables`, is not there.
    """
    if not isinstance(db, (Database, AsyncDatabase)):
        raise TypeError(f"reflect() takes a Database, not {type(db).__name__}")
    if isinstance(tables, str):
        raise TypeError(f"tables is a list of names: [{tables!r}]")
    talk = _reflected(db._is_sqlite, schema, tables)
    return _run(db, talk) if isinstance(db, Database) else _run_async(db, talk)


reflect.__module__ = "rowmill"


def _run(db: Database, talk: _Talk[Reflected]) -> Reflected:
    try:
        asked = next(talk)
        while True:
            try:
                frame = db.fetch(*asked)
            except DataError as error:
                asked = talk.throw(error)
            else:
                asked = talk.send(frame)
    except StopIteration as end:
        done: Reflected = end.value
        return done


async def _run_async(db: AsyncDatabase, talk: _Talk[Reflected]) -> Reflected:
    try:
        asked = next(talk)
        while True:
            try:
                frame = await db.fetch(*asked)
            except DataError as error:
                asked = talk.throw(error)
            else:
                asked = talk.send(frame)
    except StopIteration as end:
        done: Reflected = end.value
        return done


def _reflected(
    is_sqlite: bool, schema: str | None, tables: Sequence[str] | None
) -> _Talk[Reflected]:
    """Yields what is to be fetched and is sent the frames, in either world."""
    described: dict[str, list[Described]] = {}
    wanted = None if tables is None else set(tables)
    rows = yield from _rows(is_sqlite, schema)
    for row in rows:
        if wanted is None or row.table in wanted:
            described.setdefault(row.table, []).append(_column(row, schema))
    for missing in () if tables is None else [name for name in tables if name not in described]:
        there = ", ".join(repr(name) for name in dict.fromkeys(row.table for row in rows))
        raise ProgrammingError(f"there is no table {missing!r}; there are {there or 'none'}")
    declarations: list[Declaration] = []
    for table, columns in described.items():
        nested = {row.column for row in rows if row.table == table and row.nested}
        types = yield from _types(is_sqlite, schema, table)
        typed = [
            # Of an array of arrays an answer without rows says that it is one of its elements.
            column
            if column.name in nested
            else column._replace(**_kind(types.get(column.name, "")))
            for column in columns
        ]
        taken = {one.name for one in declarations} | {"source"}
        declarations.append(Declaration(class_name(table, taken), table, schema, typed))
    return Reflected(declarations)


def _rows(is_sqlite: bool, schema: str | None) -> _Talk[list[Any]]:
    if schema is not None:
        yield from _check_schema(is_sqlite, schema)
    if is_sqlite:
        name = "main" if schema is None else schema
        master = f"{_identifier(name)}.sqlite_master"
        literal = "'" + name.replace("'", "''") + "'"
        return list((yield (_SQLITE.format(master=master, schema=literal),)))
    if schema is None:
        ((schema,),) = yield ("select current_schema()::text",)
    return list((yield (_POSTGRES, schema)))


def _check_schema(is_sqlite: bool, schema: str) -> _Talk[None]:
    postgres, sqlite = "select nspname from pg_namespace", "select name from pragma_database_list"
    known = [row[0] for row in (yield (f"{sqlite if is_sqlite else postgres} order by 1",))]
    if schema in known:
        return
    near = get_close_matches(schema, known, 3) or [n for n in known if not n.startswith("pg_")]
    what = "attached database" if is_sqlite else "schema"
    raise ProgrammingError(f"there is no {what} {schema!r}; there are {', '.join(map(repr, near))}")


def _column(row: Any, schema: str | None) -> Described:
    references = None
    if row.other is not None and row.other_column is not None:
        of = row.other_schema or schema
        references = ".".join([*([of] if of else []), row.other, row.other_column])
    primary, nullable = bool(row.primary), bool(row.nullable)
    return Described(row.column, "Any", nullable and not primary, primary, references)


def _types(is_sqlite: bool, schema: str | None, table: str) -> _Talk[dict[str, str]]:
    """The types that an answer's columns have, which says how they are read."""
    of = _identifier(table) if schema is None else f"{_identifier(schema)}.{_identifier(table)}"
    types = dict((yield (f"select * from {of} limit 0",)).schema.items())
    if is_sqlite:
        # Whether a `datetime` is a point in time its values say, not its word.
        for name in [name for name, kind in types.items() if kind == "timestamp"]:
            column = _identifier(name)
            try:
                some = yield (f"select {column} from {of} where {column} is not null limit 1",)
            except DataError:
                continue  # a text that is no datetime
            if len(some) > 0:
                types[name] = some.schema[name]
    return types


def _kind(shown: str) -> dict[str, Any]:
    element = re.fullmatch(r"list\[(.*)\]", shown)
    if element is not None:
        inner = _kind(element[1])
        known = inner["type"] not in ("Any", "dict") and not inner["is_list"]
        return {**inner, "is_list": True} if known else {**_kind(""), "is_list": False}
    word = re.match(r"[a-z]*", shown)
    named = {
        "int": "int",
        "uint": "int",
        "float": "float",
        "decimal": "Decimal",
        "text": "str",
        "enum": "str",
        "json": "dict",
        "uuid": "UUID",
        "timestamp": "datetime",
        "interval": "timedelta",
        **{name: name for name in ("bool", "bytes", "date", "time")},
    }
    kind = named.get(word[0] if word else "", "Any")
    return {"type": kind, "naive": shown == "timestamp", "is_list": False}


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

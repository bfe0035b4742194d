"""The tables the workloads read, the same on every run (seeded)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.postgres_server import PostgresServer


@dataclass(frozen=True)
class Sizes:
    """Row counts and how much work one measurement does."""

    wide: int = 300_000
    narrow: int = 5_000_000
    accounts: int = 1_000_000
    points: int = 20_000
    json: int = 5_000
    json_repeats: int = 20
    sqlite: int = 1_000_000
    sqlite_points: int = 50_000
    load: int = 1_000_000
    stream: int = 10_000_000
    lines: int = 300_000
    queries: int = 1_000
    messages: int = 1_000_000
    shared_buffers: str = "2GB"
    filters: tuple[int, ...] = (100, 10_000, 300_000, 10_000_000)
    campaigns: tuple[int, ...] = (150, 10_000, 100_000)
    commits: int = 1_000_000


LARGE = 100_000_000
"""Rows of `stream` that are 10 GB."""
QUICK = Sizes(
    *(5_000, 50_000, 1_000_000, 1_000, 500, 5, 20_000, 1_000, 20_000, 300_000, 20_000, 100, 20_000),
    shared_buffers="256MB",
    filters=(100, 10_000),
    campaigns=(150,),
    commits=20_000,
)

TEXT = "substr(md5(random()::text) || md5(random()::text), 1, 5 + (random() * 25)::int)"
STAMP = "timestamptz '2020-01-01 00:00+00' + random() * interval '5 years'"
JSON = (
    "jsonb_build_object('id', i, 'tag', substr(md5(i::text), 1, 6),"
    " 'ratio', round(random()::numeric, 3))"
)
ARRAY = "array[i, i + 1, (random() * 1000)::int]"


def repeat(name: str, kind: str, count: int, expression: str) -> list[str]:
    """`count` columns of one kind; each expression is evaluated on its own per row."""
    return [f"({expression})::{kind} as {name}{n}" for n in range(1, count + 1)]


def wide(rows: int) -> str:
    """20 typed columns and 20 that become Python objects elsewhere."""
    columns = [
        *repeat("i", "int4", 4, "random() * 2000000000 - 1000000000"),
        *repeat("l", "int8", 4, "random() * 9e15 - 4.5e15"),
        *repeat("f", "float8", 4, "random() * 1e6"),
        *repeat("b", "bool", 2, "random() < 0.5"),
        *repeat("t", "timestamptz", 4, STAMP),
        *repeat("d", "date", 2, STAMP),
        *repeat("s", "text", 9, TEXT),
        *repeat("n", "text", 5, f"case when random() >= 0.1 then {TEXT} end"),
        *repeat("u", "uuid", 2, "md5(random()::text)"),
        *repeat("j", "jsonb", 2, JSON),
        *repeat("a", "int4[]", 2, ARRAY),
    ]
    return table("bench_wide", columns, rows)


def narrow(rows: int) -> str:
    """Nothing but numbers."""
    columns = ["i::int8 as id", *repeat("l", "int8", 1, "random() * 1e12")]
    columns += [*repeat("f", "float8", 1, "random() * 1e6"), *repeat("t", "timestamptz", 1, STAMP)]
    return table("bench_narrow", columns, rows)


def documents(rows: int) -> str:
    """20 columns as an API would answer them: one JSON object per row."""
    columns = [
        "i::int4 as id",
        *repeat("l", "int8", 2, "random() * 1e12"),
        *repeat("f", "float8", 3, "round((random() * 1e6)::numeric, 3)"),
        *repeat("b", "bool", 2, "random() < 0.5"),
        *repeat("t", "timestamptz", 2, STAMP),
        *repeat("d", "date", 1, STAMP),
        *repeat("s", "text", 4, TEXT),
        *repeat("n", "text", 2, f"case when random() >= 0.1 then {TEXT} end"),
        *repeat("u", "uuid", 1, "md5(random()::text)"),
        *repeat("j", "jsonb", 1, JSON),
        *repeat("a", "int4[]", 1, ARRAY),
    ]
    return table("bench_json", columns, rows)


def accounts(rows: int) -> str:
    """The table of pgbench at scale rows / 100,000."""
    return f"""
        create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84));
        insert into pgbench_accounts
            select i, 1 + (i - 1) / 100000, 0, '' from generate_series(1, {rows}) i;
        alter table pgbench_accounts add primary key (aid);
        vacuum (freeze, analyze) pgbench_accounts;
        select sum(abalance) from pgbench_accounts;
    """


ITEMS = """
    create table {table} (
        id bigint not null, area int not null, price double precision not null, is_open boolean not null,
        at timestamptz not null, day date not null, name text not null, note text
    )
"""


def items(rows: int) -> str:
    """The rows that are loaded into a table of `ITEMS`; a tenth have no note."""
    return f"""
        select i::int8 as id, (i * 7919 % 1000)::int4 as area, (i * 7.25 % 1e6)::float8 as price,
               i % 3 = 0 as is_open, timestamptz '2020-01-01 00:00+00' + i * interval '101 s' as at,
               date '2020-01-01' + (i % 2000)::int as day, 'item ' || i * 31337 % 100003 as name,
               case when i % 10 > 0 then 'note ' || to_hex(i * 2654435761 % 4294967296) end as note
        from generate_series(1::int8, {rows}) i
    """


def table(name: str, columns: list[str], rows: int) -> str:
    """Creates, freezes and warms a table."""
    listed = ",\n".join(columns)
    return f"""
        select setseed(0.5);
        create table {name} as select {listed} from generate_series(1, {rows}) i;
        vacuum (freeze, analyze) {name};
        select count(*) from {name};
    """


def load(server: PostgresServer, names: set[str], sizes: Sizes) -> None:
    """Creates the named tables: wide, narrow, json, accounts."""
    makers = {
        "wide": wide(sizes.wide),
        "narrow": narrow(sizes.narrow),
        "json": documents(sizes.json),
        "accounts": accounts(sizes.accounts),
    }
    for name in sorted(names):
        server.psql(makers[name])
    server.psql("checkpoint")


def load_sqlite(file: Path, rows: int) -> None:
    """`item`: int key, int, text, float, int, nullable text."""
    connection = sqlite3.connect(file)
    connection.executescript(f"""
        pragma journal_mode = wal;
        create table item (
            id integer primary key, area integer not null, name text not null,
            price real not null, stock integer not null, note text
        );
        with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
        insert into item
            select i, i * 7919 % 1000, printf('item %d of %d', i * 31337 % 100003, i % 97),
                   (i * 2654435761 % 1000003) / 7.0, i * 48271 % 2147483647,
                   case when i % 10 then printf('note %x', i * 2654435761 % 4294967296) end
            from n;
        pragma wal_checkpoint(truncate);
    """)
    connection.close()

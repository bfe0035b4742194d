"""A million rows by pages of 50 at three depths, and the newest ten of each of fifty channels."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import psycopg

from bench.context import Context, simple
from bench.harness import progress
from bench.measure import Job
from bench.peers.paging import CHANNELS, ORDERS

NEEDS_POSTGRES = True
COLUMNS = ("shallow_ms", "middle_ms", "deep_ms", "deep_x", "wall", "cpu", "rows")
ROUNDS = 100
"""How often a page is fetched."""

TABLE = """
    create table messages (
        id bigint not null, channel_id bigint not null, at timestamp not null, score bigint,
        body text not null, primary key (id)
    );
"""
INDEXES = """
    create index messages_at on messages (at, id);
    create index messages_mixed on messages (at desc, id);
    create index messages_score on messages (score, id);
    create index messages_channel on messages (channel_id, at, id);
"""
# Two lines to a second, so that the key decides; a fifth have no score, so that the deepest page is
# among the NULLs.
POSTGRES = """
    insert into messages
        select i, 1 + i * 7919 % {channels}, timestamp '2024-01-01' + i / 2 * interval '1 s',
               case when i % 5 > 0 then i * 31337 % 100003 end, 'message ' || i * 31337 % 100003
        from generate_series(1::int8, {rows}) i;
"""
SQLITE = """
    with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
    insert into messages
        select i, 1 + i * 7919 % {channels}, datetime('2024-01-01', (i / 2) || ' seconds'),
               case when i % 5 > 0 then i * 31337 % 100003 end, 'message ' || i * 31337 % 100003
        from n;
"""


def run(context: Context) -> None:
    """Both databases, each order, each form."""
    assert context.server
    rows, file = context.sizes.messages, context.directory / "messages.db"
    progress("loading the messages")
    load_sqlite(file, rows)
    with context.server.fresh_database() as url:
        load_postgres(url, rows)
        job = Job("", "", rows=50, keys=rows, count=ROUNDS)
        for database, place in (("SQLite", f"sqlite:///{file}"), ("PostgreSQL", url)):
            for order in ORDERS:
                ordered = replace(job, url=place, other=order)
                context.run(
                    "paging",
                    f"page {order}, {database}",
                    [
                        simple("rowmill", "paging", "rowmill", ordered),
                        simple("by hand", "paging", "by_hand", ordered),
                        simple("OFFSET", "paging", "offset", ordered),
                    ],
                )
            best = {"SQLite": "correlated IN", "PostgreSQL": "LATERAL"}[database]
            top = replace(job, url=place, rows=CHANNELS * 10)
            forms = (best, "UNION ALL", "a query each", "row_number")
            context.run(
                "paging",
                f"top 10 of {CHANNELS}, {database}",
                [
                    simple("rowmill", "paging", "top_rowmill", top),
                    *(simple(f, "paging", "top_by_hand", replace(top, other=f)) for f in forms),
                ],
            )


def load_postgres(url: str, rows: int) -> None:
    """The table in an empty database."""
    filled = POSTGRES.format(rows=rows, channels=CHANNELS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"{TABLE} {filled} {INDEXES}".encode())
        connection.execute("vacuum (freeze, analyze) messages")
        connection.execute("select count(*) from messages")


def load_sqlite(file: Path, rows: int) -> None:
    """The table in a new file."""
    connection = sqlite3.connect(file)
    filled = SQLITE.format(rows=rows, channels=CHANNELS)
    table = TABLE.replace("id bigint not null,", "id integer primary key,", 1)
    connection.executescript(f"""
        pragma journal_mode = wal;
        {table.replace(", primary key (id)", "")} {filled} {INDEXES}
        analyze;
        pragma wal_checkpoint(truncate);
    """)
    connection.close()

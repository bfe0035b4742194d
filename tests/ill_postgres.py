"""A PostgreSQL server with everything wrong that `rm.doctor` looks for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rowmill as rm
from rowmill import _doctor_limits as limits
from tests.postgres_server import PostgresServer, find_binaries

# A name that ends a quotation, a line and a statement where it is not quoted.
EVIL = "ev\"il'; drop table kept; --\n<b>"
QUOTED = '"' + EVIL.replace('"', '""') + '"'

SETTINGS = {
    "shared_buffers": "1MB",
    "max_connections": "24",
    "autovacuum": "off",
    "autovacuum_freeze_max_age": "100000",
    "max_prepared_transactions": "2",
    "password_encryption": "md5",
}

BUILD = f"""
create table kept (id int primary key);
create schema {QUOTED};
create table {QUOTED}.{QUOTED} ({QUOTED} int, b int);
insert into {QUOTED}.{QUOTED} select i, i from generate_series(1, 20000) i;
create index {QUOTED[:-1]} 1" on {QUOTED}.{QUOTED} ({QUOTED}, b);
create index {QUOTED[:-1]} 2" on {QUOTED}.{QUOTED} ({QUOTED}, b);
create index {QUOTED[:-1]} 3" on {QUOTED}.{QUOTED} ({QUOTED});

create table parents (id int primary key);
create table children (id int primary key, {QUOTED} int references parents);
insert into parents select generate_series(1, 20000);
insert into children select i, i from generate_series(1, 20000) i;
analyze children;

create table twice (id int);
insert into twice values (1), (1);

create table swollen (id int primary key, filler text);
insert into swollen select i, repeat('x', 60) from generate_series(1, 100000) i;
delete from swollen where id % 10 <> 0;
vacuum analyze swollen;

create table dead (id int, n int);
insert into dead select i, 0 from generate_series(1, 20000) i;

create table counted (id serial);
select setval('counted_id_seq', 2000000000);
create sequence {QUOTED}.{QUOTED[:-1]} 4" maxvalue 100;
select setval(seqrelid, 80) from pg_sequence where seqmax = 100;
create table rows (id int primary key, n int);
insert into rows values (1, 0), (2, 0);
select pg_create_physical_replication_slot('forgotten', true);
"""

# In a session of its own: what a session counted is told when it ends.
DEAD = "update dead set n = n + 1"
SCANS = "select count(*) from swollen; select count(*) from dead;"
PREPARE = "begin; update rows set n = 1 where id = 2; prepare transaction 'forgotten ''one'"
# Each insert behind an exception block takes a transaction id.
BURN = """
create table burnt (i int);
do $$ begin
    for i in 1..200000 loop
        begin insert into burnt values (i); exception when others then null; end;
    end loop;
end $$;
"""
# Short waits, and a smaller table, count for long ones and a large one.
LIMITS = {
    "LONG_TRANSACTION": 0,
    "IDLE_IN_TRANSACTION": 0,
    "BLOAT_BYTES": 1024 * 1024,
}


def has_statements() -> bool:
    """Whether the server can count statements: the wheels come without."""
    return (find_binaries().parent / "lib" / "pg_stat_statements.so").is_file()


@contextlib.contextmanager
def ill_server() -> Iterator[PostgresServer]:
    """The server, built and in the middle of its troubles."""
    settings = dict(SETTINGS)
    if has_statements():
        settings["shared_preload_libraries"] = "pg_stat_statements"
    with PostgresServer(settings=settings) as server, contextlib.ExitStack() as stack:
        server.psql(BUILD)
        if has_statements():
            server.psql("create extension pg_stat_statements")
            server.psql("select pg_sleep(0.3);" * 3)
        with rm.Database(server.url) as db, contextlib.suppress(rm.IntegrityError):
            db.execute("create unique index concurrently never_finished on twice (id)")
        stack.enter_context(troubled_sessions(server))
        server.psql(DEAD)
        for _ in range(25):
            server.psql(SCANS)
        server.psql(PREPARE)
        server.psql(BURN)
        yield server
        server.psql("rollback prepared 'forgotten ''one'")


@contextlib.contextmanager
def troubled_sessions(server: PostgresServer) -> Iterator[None]:
    """One that is idle in its transaction, one that waits for it, one that runs, and many others."""
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            other = stack.enter_context(rm.Database(server.url, pool_size=1))
            other.fetch("select 1")

        def run(sql: str) -> None:
            with (
                contextlib.suppress(rm.Error),
                rm.Database(server.url, pool_size=1) as db,
                db.transaction() as tx,
            ):
                tx.fetch(sql)

        idler = stack.enter_context(rm.Database(server.url, pool_size=1))
        tx = stack.enter_context(idler.transaction())
        tx.execute("update rows set n = 5 where id = 1")
        waiting = ["update rows set n = 6 where id = 1 returning n", "select pg_sleep(600)"]
        threads = [threading.Thread(target=run, args=(sql,)) for sql in waiting]
        for thread in threads:
            thread.start()
        with rm.Database(server.url, pool_size=1) as db:
            deadline = time.monotonic() + 30
            asked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' or wait_event = 'PgSleep'"
            while db.fetch_value(asked) < 2:
                assert time.monotonic() < deadline, "the sessions did not come to wait"
                time.sleep(0.02)
            try:
                yield
            finally:
                db.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where query like 'update rows set n = 6%' or query like 'select pg_sleep(600)%'"
                )
                for thread in threads:
                    thread.join(30)


@contextlib.contextmanager
def smaller_limits() -> Iterator[None]:
    """The doctor's limits as the server above needs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LIMITS.items():
            patch.setattr(limits, name, value)
        yield


def files_of(directory: Path) -> set[str]:
    """The names of the files in a directory."""
    return {path.name for path in directory.iterdir()}

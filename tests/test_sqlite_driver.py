"""SQLite: files that are no databases, locks, scripts, several processes and handles on one file."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import rowmill as rm
from tests.watch import HANG, descriptors, eventually, threads, within


def test_a_relative_and_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with rm.Database("sqlite:///near.db") as db:
        db.execute("create table t (n integer)")
    with rm.Database(f"sqlite:///{tmp_path / 'near.db'}") as db:
        assert db.fetch("select * from t").shape == (0, 1)
    assert (tmp_path / "near.db").exists()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    name = "größe 100%?#ä.db"
    escaped = "gr%C3%B6%C3%9Fe 100%25%3F%23ä.db"
    with rm.Database(f"sqlite:///{tmp_path}/{escaped}") as db:
        db.execute("create table t (n integer)")
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("kind", ["directory", "missing", "text", "read-only"])
async def test_a_file_that_cannot_be_opened(tmp_path: Path, kind: str) -> None:
    path, query = tmp_path / "file.db", ""
    match kind:
        case "directory":
            path.mkdir()
        case "missing":
            path = tmp_path / "nowhere" / "file.db"
        case "text":
            path.write_text("this is not a database, whatever its name says\n" * 100)
        case "read-only":
            query = "?mode=ro"
    url = f"sqlite:///{path}{query}"
    with pytest.raises(rm.OperationalError) as caught:
        rm.Database(url).fetch("select * from sqlite_master")
    assert str(path) in str(caught.value)
    assert type(caught.value) is (rm.OperationalError if kind == "text" else rm.ConnectError)
    async with rm.AsyncDatabase(url) as db:
        with pytest.raises(rm.OperationalError, match=path.name):
            await db.fetch("select * from sqlite_master")


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    with sqlite3.connect(path) as plain:
        plain.execute("create table t (n integer, pad text)")
        plain.executemany("insert into t values (?, ?)", [(n, "x" * 500) for n in range(1000)])
    plain.close()
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 4096):
        data[at : at + 64] = b"\xff" * 64
    path.write_bytes(data)
    with rm.Database(f"sqlite:///{path}") as db:
        with pytest.raises(rm.DatabaseError):
            db.fetch("select * from t")
        assert db.fetch_value("select 1") == 1


def test_read_only(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script("create table t (n integer); insert into t values (7)")
    with rm.Database(f"{sqlite_url}?mode=ro") as db:
        assert db.fetch_value("select n from t") == 7
        with pytest.raises(rm.OperationalError) as caught:
            db.execute("insert into t values (8)")
        assert caught.value.hint
        assert db.fetch_value("select n from t") == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_without_the_right_to_write(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute("create table t (n integer)")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.chmod(stat.S_IRUSR)
    with pytest.raises(rm.OperationalError):
        rm.Database(sqlite_url).execute("insert into t values (1)")


@contextlib.contextmanager
def lock_of_another_process(url: str) -> Iterator[None]:
    """Not of this one: SQLite's locks are the process's, whichever copy of the library took them."""
    script = """
        import sqlite3, sys
        plain = sqlite3.connect(sys.argv[1], isolation_level=None)
        plain.execute("begin immediate")
        print("locked", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), url.removeprefix("sqlite:///")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.communicate("")


def test_another_process_holds_the_lock(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script("create table t (n integer); insert into t values (1)")
        with lock_of_another_process(sqlite_url):
            assert db.fetch_value("select n from t") == 1  # readers are not in its way
            with pytest.raises(rm.QueryTimeout):
                within(HANG, lambda: db.execute("insert into t values (2)", timeout=0.3))
            with pytest.raises(rm.OperationalError, match="lock") as caught:
                within(HANG, lambda: db.execute("insert into t values (2)"))
            assert caught.value.hint
        assert db.execute("insert into t values (2)") == 1


async def test_another_process_holds_the_lock_async(sqlite_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(sqlite_url) as db:
        await db.execute("create table t (n integer)")
        with lock_of_another_process(sqlite_url):
            waiting = asyncio.create_task(db.execute("insert into t values (2)"))
            with pytest.raises(rm.QueryTimeout):
                await db.execute("insert into t values (3)", timeout=0.3)
            assert await db.fetch_value("select count(*) from t") == 0
        assert await waiting == 1


def test_two_processes_write(sqlite_url: str) -> None:
    script = """
        import sys
        import rowmill as rm
        with rm.Database(sys.argv[1]) as db:
            for _ in range(100):
                with db.transaction() as tx:
                    n = tx.fetch_value("select n from t")
                    tx.execute("update t set n = $1", n + 1)
    """
    with rm.Database(sqlite_url) as db:
        db.execute_script("create table t (n integer); insert into t values (0)")
        command = [sys.executable, "-c", textwrap.dedent(script), sqlite_url]
        writers = [subprocess.Popen(command) for _ in range(2)]
        assert [writer.wait(2 * HANG) for writer in writers] == [0, 0]
        assert db.fetch_value("select n from t") == 200


def test_another_handle_changes_the_schema(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as one, rm.Database(sqlite_url) as two:
        one.execute_script("create table t (n integer); insert into t values (1)")
        assert two.fetch("select * from t").columns == ["n"]
        one.execute("alter table t add column name text default 'x'")
        assert two.fetch("select * from t").to_dict() == {"n": [1], "name": ["x"]}
        one.execute_script("drop table t; create table t (n text); insert into t values ('a')")
        assert two.fetch("select * from t").to_dict() == {"n": ["a"]}


def test_scripts(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script(
            """
            -- a comment; with a semicolon
            create table t (n integer, word text default ';');
            create trigger x after insert on t begin
                update t set word = 'a;b' where n = new.n;
            end;
            insert into t (n) values (1); /* ; */ insert into t (n) values (2)
            """
        )
        assert db.fetch("select * from t").to_dict() == {"n": [1, 2], "word": ["a;b", "a;b"]}
        with pytest.raises(rm.ProgrammingError, match="nonexistent"):
            db.execute_script("insert into t values (3, ''); insert into nonexistent values (1)")
        for nothing in ("", ";", "-- nothing"):
            db.execute_script(nothing)
        with pytest.raises(rm.QueryTimeout):
            endless = "with recursive r(n) as (select 1 union all select n + 1 from r) "
            db.execute_script(f"select 1; {endless} select max(n) from r", timeout=0.2)
        assert db.fetch_value("select 1") == 1


def test_an_open_transaction_of_a_script_does_not_stay(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute("create table t (n integer)")
        with contextlib.suppress(rm.Error):
            db.execute_script("begin; insert into t values (1)")
        assert db.fetch_value("select count(*) from t") in (0, 1)
        with rm.Database(sqlite_url) as other:
            assert other.execute("insert into t values (2)", timeout=5) == 1


def test_integrity(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script(
            """
            create table a (n integer primary key, m integer not null check (m > 0));
            create table b (n integer references a (n));
            """
        )
        db.execute("insert into a values (1, 1)")
        for sql in (
            "insert into a values (1, 1)",
            "insert into a values (2, null)",
            "insert into a values (2, -1)",
            "insert into b values (7)",
        ):
            with pytest.raises(rm.IntegrityError) as caught:
                db.execute(sql)
            assert caught.value.query == sql
        assert db.execute("insert into b values ($1)", 1) == 1


def test_rows_affected(any_url: str) -> None:
    with rm.Database(any_url) as db:
        assert db.execute("create table t (n integer)") == 0
        assert db.execute("insert into t values (1), (2), (3)") == 3
        assert db.execute("update t set n = n + 1 where n > $1", 1) == 2
        assert db.execute("update t set n = 0 where n > 100") == 0
        assert db.execute("insert into t values (9) returning n") == 1
        assert db.fetch("insert into t values (10), (11) returning n")["n"].to_list() == [10, 11]
        assert db.execute("delete from t") == 6


def test_a_reader_sees_what_was_written(sqlite_url: str) -> None:
    """Readers and the writer are several connections: each call sees those that ended before."""
    with rm.Database(sqlite_url) as db:
        db.execute("create table t (n integer)")
        for n in range(200):
            db.execute("insert into t values ($1)", n)
            assert db.fetch_value("select max(n) from t") == n
        with concurrent.futures.ThreadPoolExecutor(4) as executor:
            futures = [executor.submit(db.fetch_value, "select count(*) from t") for _ in range(50)]
            assert {future.result(HANG) for future in futures} == {200}


def test_the_write_lock_is_taken_in_turn(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script("create table t (n integer); insert into t values (0)")

        def add(_: int) -> None:
            with db.transaction() as tx:
                n = tx.fetch_value("select n from t")
                time.sleep(0.001)
                tx.execute("update t set n = $1", n + 1)

        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            within(2 * HANG, lambda: list(executor.map(add, range(100))))
        assert db.fetch_value("select n from t") == 100


def test_nothing_leaks(sqlite_url: str) -> None:
    async def awaited() -> None:
        async with rm.AsyncDatabase(sqlite_url) as db:
            await asyncio.gather(*(db.execute("insert into t values (1)") for _ in range(5)))
            async for _ in db.stream("select * from t", batch_rows=1):
                break

    def once() -> None:
        with rm.Database(sqlite_url) as db:
            with db.stream("select * from t", batch_rows=1) as parts:
                next(parts)
            with pytest.raises(rm.ProgrammingError):
                db.fetch("select nonexistent")
        asyncio.run(awaited())

    with rm.Database(sqlite_url) as db:
        db.execute_script("create table t (n integer); insert into t values (1)")
    within(HANG, once)
    before = descriptors(), threads()
    for _ in range(50):
        within(HANG, once)
    assert eventually(lambda: descriptors() <= before[0] + 2), (before, descriptors())
    assert eventually(lambda: threads() <= before[1] + 8, 30), (before, threads())


def test_times_compare_with_those_that_sqlite_writes(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute("create table log (at datetime default current_timestamp)")
        db.execute("insert into log values ('2026-01-01 00:00:00')")
        midnight = datetime.datetime(2026, 1, 1)
        assert len(db.fetch("select * from log where at >= $1 and at = $1", midnight)) == 1

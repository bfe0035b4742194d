"""Transactions: all or nothing, on both databases, blocking and awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

import rowmill as rm
from tests.watch import HANG


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url, pool_size=2) as db:
        db.execute("create table t (n integer primary key)")
        yield db


def count(db: rm.Database) -> int:
    number: int = db.fetch_value("select count(*) from t")
    return number


class OwnError(Exception):
    """The caller's."""


def test_commit(db: rm.Database) -> None:
    with db.transaction() as tx:
        assert tx.execute("insert into t values ($1), ($2)", 1, 2) == 2
        assert tx.fetch_value("select count(*) from t") == 2
        assert tx.fetch("select n from t order by n")["n"].to_list() == [1, 2]
        row = tx.fetch_one("select n from t where n = :n", n=2)
        assert row is not None
        assert row.n == 2
        assert tx.fetch_json("select n from t where n = 1") == b'[{"n":1}]'
        tx.execute_script("insert into t values (3); insert into t values (4)")
        assert [len(part) for part in tx.stream("select n from t", batch_rows=3)] == [3, 1]
        assert count(db) == 0  # nobody else sees it yet
    assert count(db) == 4


def test_rollback(db: rm.Database) -> None:
    with pytest.raises(OwnError), db.transaction() as tx:
        tx.execute("insert into t values (1)")
        raise OwnError
    assert count(db) == 0


def test_a_failed_statement_caught_inside(db: rm.Database) -> None:
    """PostgreSQL can only roll back then, and says so; SQLite goes on."""
    if "sqlite" in repr(db):
        with db.transaction() as tx:
            tx.execute("insert into t values (1)")
            with pytest.raises(rm.IntegrityError):
                tx.execute("insert into t values (1)")
        assert count(db) == 1
        return
    with pytest.raises(rm.OperationalError, match="rolled back") as caught, db.transaction() as tx:
        tx.execute("insert into t values (1)")
        with pytest.raises(rm.IntegrityError):
            tx.execute("insert into t values (1)")
        with pytest.raises(rm.Error) as inner:
            tx.execute("insert into t values (2)")
        assert inner.value.sqlstate == "25P02"
    assert type(caught.value) is rm.OperationalError
    assert count(db) == 0


def test_an_error_leaves_by_itself(db: rm.Database) -> None:
    with pytest.raises(rm.IntegrityError), db.transaction() as tx:
        tx.execute("insert into t values (1)")
        tx.execute("insert into t values (1)")
    assert count(db) == 0


def test_read_only(db: rm.Database) -> None:
    with pytest.raises(OwnError), db.transaction(read_only=True) as tx:
        assert tx.fetch_value("select count(*) from t") == 0
        with pytest.raises((rm.OperationalError, rm.ProgrammingError)) as caught:
            tx.execute("insert into t values (1)")
        assert "read" in str(caught.value)
        raise OwnError
    assert db.execute("insert into t values (1)") == 1


def test_isolation(pg_url: str) -> None:
    level = "select current_setting('transaction_isolation')"
    with rm.Database(pg_url) as db:
        for isolation in ("read committed", "repeatable read", "serializable"):
            with db.transaction(isolation=isolation) as tx:
                assert tx.fetch_value(level) == isolation
        with db.transaction() as tx:
            assert tx.fetch_value(level) == "read committed"
        for isolation in ("snapshot", "", "read uncommitted; drop table t"):
            with pytest.raises((rm.ProgrammingError, rm.InterfaceError), match="isolation"):
                db.transaction(isolation=isolation)  # type: ignore[arg-type]
        assert db.fetch_value("select 1") == 1


def test_a_collision(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("create table t (n int); insert into t values (1)")
        with (
            pytest.raises(rm.SerializationError) as caught,
            db.transaction(isolation="repeatable read") as one,
        ):
            assert one.fetch_value("select n from t") == 1
            db.execute("update t set n = 2")
            one.execute("update t set n = 3")
        assert caught.value.sqlstate == "40001"
        assert db.fetch_value("select n from t") == 2


def test_misuse(db: rm.Database) -> None:
    tx = db.transaction()
    with pytest.raises(rm.InterfaceError, match="begun"):
        tx.fetch("select 1")
    with tx:
        assert tx.fetch_value("select 1") == 1
        with pytest.raises(rm.InterfaceError):
            tx.__enter__()
        assert tx.fetch_value("select 1") == 1
    for verb in (tx.fetch, tx.execute, tx.stream):
        with pytest.raises(rm.InterfaceError, match="ended"):
            verb("select 1")
    with pytest.raises(rm.InterfaceError), tx:
        pass
    assert count(db) == 0


def test_a_transaction_that_is_dropped_rolls_back(db: rm.Database) -> None:
    tx = db.transaction().__enter__()
    tx.execute("insert into t values (1)")
    del tx
    assert count(db) == 0
    assert db.execute("insert into t values (1)") == 1  # no lock is left


ENDS = [
    "commit",
    "rollback",
    "/* all */ END",
    "abort;",
    "rollback and chain",
    "begin",
    "prepare transaction 'a'",
]


@pytest.mark.parametrize("sql", ENDS)
def test_sql_that_ends_the_transaction_itself_is_refused(db: rm.Database, sql: str) -> None:
    runs: list[Callable[[rm.Transaction], object]] = [
        lambda tx: tx.execute(sql),
        lambda tx: tx.fetch(sql),
        lambda tx: list(tx.stream(sql)),
        lambda tx: tx.execute_many(sql, [()]),
    ]
    for run in runs:
        with (
            pytest.raises(rm.DatabaseError, match=r"not begun or ended|syntax error"),
            db.transaction() as tx,
        ):
            tx.execute("insert into t values (1)")
            run(tx)
        assert count(db) == 0


def test_a_script_that_ends_the_transaction_is_told(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute("create table t (n int)")
        with (
            pytest.raises(rm.ProgrammingError, match="the script ended the transaction"),
            db.transaction() as tx,
        ):
            tx.execute_script("insert into t values (1); commit")
        with pytest.raises(rm.InterfaceError, match="has ended"), db.transaction() as tx:
            with pytest.raises(rm.ProgrammingError, match="the script ended the transaction"):
                tx.execute_script("rollback; insert into t values (2)")
            with pytest.raises(rm.InterfaceError, match="has ended"):
                tx.execute("insert into t values (3)")
        assert db.fetch("select n from t order by n")["n"].to_list() == [1, 2]
        with db.transaction() as tx:
            tx.execute_script("savepoint a; insert into t values (4); rollback to a; release a")
            assert tx.fetch_value("select count(*) from t") == 2


async def test_a_script_that_ends_the_transaction_is_told_async(pg_url: str) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create table t (n int)")
        with pytest.raises(rm.ProgrammingError, match="the script ended the transaction"):
            async with db.transaction() as tx:
                await tx.execute_script("insert into t values (1); commit")
        with pytest.raises(rm.ProgrammingError, match="the script ended the transaction"):
            async with db.transaction() as tx:
                with pytest.raises(rm.ProgrammingError, match="the script ended the transaction"):
                    await tx.execute_script("rollback")
                with pytest.raises(rm.ProgrammingError, match="the script ended the transaction"):
                    await tx.execute("insert into t values (3)")
        for sql in ENDS:
            with pytest.raises(rm.ProgrammingError, match="not begun or ended"):
                async with db.transaction() as tx:
                    await tx.execute(sql)
        async with db.transaction() as tx:
            await asyncio.gather(
                *[tx.execute_script("select 1") for _ in range(9)], tx.fetch("select 1")
            )
        assert await db.fetch_value("select count(*) from t") == 1


def test_a_deadline_inside(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        with pytest.raises(rm.QueryTimeout), db.transaction() as tx:
            tx.execute("create table t (n int)")
            tx.fetch("select pg_sleep(20)", timeout=0.1)
        assert db.fetch_value("select to_regclass('t')::text") is None


async def test_commit_and_rollback_async(any_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(any_url, pool_size=2) as db:
        await db.execute("create table t (n integer primary key)")
        async with db.transaction() as tx:
            assert await tx.execute("insert into t values (1), (2)") == 2
            assert await tx.fetch_value("select count(*) from t") == 2
            assert await tx.fetch_json("select n from t where n = 1") == b'[{"n":1}]'
            await tx.execute_script("insert into t values (3); insert into t values (4)")
            parts = [len(part) async for part in tx.stream("select n from t", batch_rows=3)]
            assert parts == [3, 1]
            assert await tx.fetch_value("select count(*) from t") == 4
            assert await db.fetch_value("select count(*) from t") == 0
        assert await db.fetch_value("select count(*) from t") == 4
        with pytest.raises(OwnError):
            async with db.transaction() as tx:
                await tx.execute("delete from t")
                raise OwnError
        assert await db.fetch_value("select count(*) from t") == 4
        with pytest.raises(rm.IntegrityError):
            async with db.transaction() as tx:
                await tx.execute("delete from t where n = 2")
                await tx.execute("insert into t values (1)")
        assert await db.fetch_value("select count(*) from t") == 4


async def test_a_failed_statement_caught_inside_async(pg_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        with pytest.raises(rm.OperationalError, match="rolled back"):
            async with db.transaction() as tx:
                with pytest.raises(rm.DataError):
                    await tx.fetch("select 1 / 0")
        assert await db.fetch_value("select 1") == 1
        level = "select current_setting('transaction_isolation')"
        async with db.transaction(isolation="serializable", read_only=True) as tx:
            assert await tx.fetch_value(level) == "serializable"
            assert await tx.fetch_value("select current_setting('transaction_read_only')") == "on"
        with pytest.raises((rm.ProgrammingError, rm.InterfaceError), match="isolation"):
            async with db.transaction(isolation="chaos"):  # type: ignore[arg-type]
                pass


async def test_misuse_async(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url, pool_size=2) as db:
        tx = db.transaction()
        with pytest.raises(rm.InterfaceError, match="not begun"):
            await tx.fetch("select 1")
        async with tx:
            with pytest.raises(rm.InterfaceError):
                await tx.__aenter__()
            assert await tx.fetch_value("select 1") == 1
        with pytest.raises(rm.InterfaceError, match="ended"):
            await tx.fetch("select 1")
        with pytest.raises(rm.InterfaceError):
            async with tx:
                pass


async def test_a_cancelled_transaction_rolls_back(any_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(any_url, pool_size=1) as db:
        await db.execute("create table t (n integer primary key)")
        begun = asyncio.Event()

        async def work() -> None:
            async with db.transaction() as tx:
                await tx.execute("insert into t values (1)")
                begun.set()
                await asyncio.sleep(HANG)

        for _ in range(5):
            begun.clear()
            task = asyncio.create_task(work())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await db.fetch_value("select count(*) from t") == 0


async def test_cancelled_at_any_moment(pg_url: str) -> None:
    """Wherever the cancellation hits, the connection comes back without a transaction on it."""
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.execute("create table t (n int)")

        async def work() -> None:
            async with db.transaction() as tx:
                await tx.execute("insert into t values (1)")
                await tx.fetch("select n from t")

        for at in range(60):
            task = asyncio.create_task(work())
            await asyncio.sleep(at * 0.0001)
            task.cancel()
            await asyncio.wait([task])
            status = (
                "select count(*) from pg_locks where pid = pg_backend_pid() and mode like 'Row%'"
            )
            assert await db.fetch_value(status) == 0


async def test_tasks_share_a_transaction(any_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(any_url, pool_size=1) as db:
        await db.execute("create table t (n integer primary key)")
        async with db.transaction() as tx:
            await asyncio.gather(*(tx.execute("insert into t values ($1)", n) for n in range(50)))
        assert await db.fetch_value("select sum(n) from t") == 1225


SLOW_COMMIT = """
    create table kept (x int);
    create function sleeps() returns trigger language plpgsql as
        $$ begin perform pg_sleep(1); return null; end $$;
    create constraint trigger slow after insert on kept deferrable initially deferred
        for each row execute function sleeps()
"""


def test_a_commit_past_its_deadline_is_left_to_arrive(pg_url: str) -> None:
    """A cancel could undo it, or blur whether it was kept."""
    with rm.Database(pg_url) as db:
        db.execute_script(SLOW_COMMIT)
    with rm.Database(pg_url, timeout=0.3) as db:
        with db.transaction() as tx:
            tx.execute("insert into kept values (1)")
        assert db.fetch_value("select x from kept") == 1
        assert db.load("kept", {"x": [2]}) == 1
        assert db.fetch("select x from kept order by x")["x"].to_list() == [1, 2]
        assert db.stats()["lost"] == 0


async def test_a_commit_past_its_deadline_is_left_to_arrive_async(pg_url: str) -> None:
    """Whoever waited is told that nothing is known."""
    async with rm.AsyncDatabase(pg_url) as db:
        await db.execute_script(SLOW_COMMIT)
    async with rm.AsyncDatabase(pg_url, timeout=0.3, pool_size=1) as db:
        with pytest.raises(rm.QueryTimeout, match="not known whether the transaction committed"):
            async with db.transaction() as tx:
                await tx.execute("insert into kept values (1)")
        assert await db.fetch_value("select x from kept", timeout=HANG) == 1
        assert db.stats()["lost"] == 0

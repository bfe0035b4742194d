"""A server that dies, comes back, is full, read-only or elsewhere: the right exception, and after it
a database that works."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rowmill as rm
from tests.faults.mortal_server import MortalServer, Standby
from tests.faults.proxy import Proxy
from tests.watch import HANG, descriptors, eventually, running, sessions, within

PID_OF_SLEEPER = (
    "select pid from pg_stat_activity where query like '%sleep(60)%' and pid <> pg_backend_pid()"
)
LOST = (rm.ConnectionLost, rm.ConnectError)


@pytest.fixture(scope="module")
def mortal() -> Iterator[MortalServer]:
    with MortalServer() as server:
        yield server


@pytest.fixture
def mortal_url(mortal: MortalServer) -> Iterator[str]:
    mortal.revive()
    with mortal.fresh_database() as url:
        yield url


def comes_back(db: rm.Database) -> bool:
    """Whether the same database answers, if not at once then soon. Until then it says why not."""

    def answers() -> bool:
        try:
            return bool(db.fetch_value("select 1") == 1)
        except LOST:
            return False

    return within(3 * HANG, lambda: eventually(answers, 2 * HANG))


async def comes_back_async(db: rm.AsyncDatabase) -> bool:
    """As `comes_back`."""
    give_up = time.monotonic() + 2 * HANG
    while time.monotonic() < give_up:
        try:
            return bool(await db.fetch_value("select 1", timeout=HANG) == 1)
        except LOST:
            await asyncio.sleep(0.02)
    return False


def at_work(db: rm.Database, sql: str) -> tuple[threading.Thread, list[BaseException]]:
    """Runs the statement on a thread; gives what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            db.fetch(sql)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def test_the_backend_is_killed(mortal: MortalServer, mortal_url: str) -> None:
    """`kill -9` of one backend: the server ends all others, and recovers."""
    with rm.Database(mortal_url) as db, rm.Database(mortal_url) as bystander:
        other = bystander.fetch_value("select pg_backend_pid()")
        before = descriptors()
        thread, raised = at_work(db, "select pg_sleep(60)")
        assert eventually(lambda: running(mortal, "%pg_sleep(60)%"))
        (pid,) = mortal.psql(PID_OF_SLEEPER).split()
        os.kill(int(pid), signal.SIGKILL)
        thread.join(HANG)
        assert [type(error) for error in raised] == [rm.ConnectionLost]
        assert eventually(lambda: not Path(f"/proc/{other}").exists())
        with pytest.raises(rm.ConnectionLost):
            bystander.fetch("select 1")
        assert comes_back(db)
        assert comes_back(bystander)
        assert descriptors() <= before + 1  # one of each


def test_the_server_is_killed_and_comes_back(mortal: MortalServer, mortal_url: str) -> None:
    with rm.Database(mortal_url, connect_timeout=0.5) as db:
        db.execute("create table t (n integer)")
        with pytest.raises(rm.ConnectionLost) as caught, db.transaction() as tx:
            tx.execute("insert into t values (1)")
            mortal.kill()
            time.sleep(0.05)
            tx.execute("insert into t values (2)")
        assert "known" not in str(caught.value)  # nothing was to commit yet
        with pytest.raises(LOST):
            db.fetch("select 1")
        with pytest.raises(rm.ConnectError) as refused:
            db.fetch("select 1")
        assert str(mortal.socket_dir) in str(refused.value)
        mortal.restart()
        assert db.fetch_value("select count(*) from t") == 0
        assert db.stats()["open"] == 1


async def test_the_server_is_killed_and_comes_back_async(
    mortal: MortalServer, mortal_url: str
) -> None:
    async with rm.AsyncDatabase(mortal_url, pool_size=3, connect_timeout=0.5) as db:
        calls = [asyncio.create_task(db.fetch("select pg_sleep(60)")) for _ in range(3)]
        assert await asyncio.to_thread(eventually, lambda: sessions(mortal, "%pg_sleep%") == 3)
        mortal.kill()
        answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), HANG)
        assert [type(answer) for answer in answers] == [rm.ConnectionLost] * 3
        with pytest.raises(rm.ConnectError):
            await db.fetch("select 1")
        await asyncio.to_thread(mortal.restart)
        assert await db.fetch_value("select 1") == 1


def test_an_immediate_restart_under_load(mortal: MortalServer, mortal_url: str) -> None:
    """Threads that never stop asking get answers or one of two exceptions, and recover."""
    wrong: list[BaseException] = []
    answered = [0] * 4
    stop = threading.Event()

    def ask(db: rm.Database, at: int) -> None:
        while not stop.is_set():
            try:
                assert db.fetch_value("select $1::int", at) == at
                answered[at] += 1
            except LOST:
                time.sleep(0.005)
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                wrong.append(error)
                return

    with rm.Database(mortal_url, pool_size=4) as db:
        threads = [threading.Thread(target=ask, args=(db, at)) for at in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            time.sleep(0.1)
            mortal.kill()
            mortal.restart()
            before = list(answered)
            assert eventually(lambda: all(a > b for a, b in zip(answered, before, strict=True)))  # noqa: B023
        stop.set()
        for thread in threads:
            thread.join(HANG)
    assert not wrong


def test_a_server_that_takes_nobody_now(mortal: MortalServer, mortal_url: str) -> None:
    """57P03, while it shuts down, starts or recovers: ConnectError."""
    with rm.Database(mortal_url, pool_size=2, connect_timeout=0.5) as db:
        try:
            with db.transaction() as tx:
                assert tx.fetch_value("select 1") == 1
                os.kill(mortal.pid, signal.SIGTERM)  # takes nobody more, and waits for this one
                assert eventually(lambda: "smart shutdown" in mortal.log())
                with pytest.raises(rm.ConnectError, match="shutting down") as caught:
                    db.fetch("select 1")
                assert caught.value.sqlstate == "57P03"
                assert tx.fetch_value("select 2") == 2
        finally:
            mortal.kill()
        told = []
        restart = threading.Thread(target=mortal.restart)
        restart.start()
        while restart.is_alive():
            try:
                db.fetch_value("select 1")
            except LOST as error:
                told.append(error)
        restart.join()
        assert comes_back(db)
    assert {error.sqlstate for error in told} <= {None, "57P01", "57P02", "57P03"}


def test_what_a_server_said_outlives_its_silence(mortal: MortalServer, mortal_url: str) -> None:
    """The last try to connect, cut short by the time, hides nothing of what the first was told."""
    before = mortal.log().count("smart shutdown")
    with Proxy(mortal.socket_file) as proxy:
        pid, frozen = mortal.pid, threading.Event()

        def freeze() -> None:
            if eventually(lambda: proxy.heard["server"] > 0):
                os.kill(pid, signal.SIGSTOP)
                frozen.set()

        url = proxy.url(mortal_url)
        with rm.Database(url, pool_size=2, connect_timeout=0.5) as db:
            try:
                with db.transaction() as tx:
                    assert tx.fetch_value("select 1") == 1
                    os.kill(mortal.pid, signal.SIGTERM)
                    assert eventually(lambda: mortal.log().count("smart shutdown") > before)
                    proxy.arm(None)
                    freezer = threading.Thread(target=freeze)
                    freezer.start()
                    try:
                        with pytest.raises(rm.ConnectError, match="shutting down"):
                            db.fetch("select 1")
                    finally:
                        freezer.join()
                    assert frozen.is_set()
            finally:
                mortal.kill()
    mortal.restart()


def test_too_many_connections(mortal: MortalServer, mortal_url: str) -> None:
    """Who gets no connection is told; those that have one go on."""
    role = "few_user"
    mortal.psql(f"drop role if exists {role}; create role {role} login connection limit 2")
    url = mortal_url.replace("rowmill@", f"{role}@")
    with rm.Database(url, pool_size=3) as db, db.transaction() as one, db.transaction() as two:
        assert (one.fetch_value("select 1"), two.fetch_value("select 2")) == (1, 2)
        with pytest.raises(rm.ConnectError, match="too many connections") as caught:
            db.fetch("select 1")
        assert caught.value.sqlstate == "53300"
        assert one.fetch_value("select 1") == 1
        assert db.stats()["open"] == 2
    mortal.psql(f"drop role {role}")


@pytest.mark.parametrize("setting", ["idle_in_transaction_session_timeout", "idle_session_timeout"])
def test_a_session_that_idled_too_long(mortal_url: str, setting: str) -> None:
    options = f"&options=-c%20{setting}%3D50ms"
    with rm.Database(mortal_url + options, pool_size=1) as db:
        if setting.startswith("idle_in"):
            with (
                pytest.raises(rm.ConnectionLost, match="idle-in-transaction") as caught,
                db.transaction() as tx,
            ):
                tx.execute("select 1")
                time.sleep(0.3)
                tx.execute("select 1")
            assert "known" not in str(caught.value)
        else:
            assert db.fetch_value("select 1") == 1
            time.sleep(0.3)
            with pytest.raises(rm.ConnectionLost, match="idle-session"):
                db.fetch("select 1")
        assert db.fetch_value("select 1") == 1


def test_a_commit_after_idling_too_long(mortal_url: str) -> None:
    """The session was ended before the COMMIT: nothing is kept, and success is not said."""
    options = "&options=-c%20idle_in_transaction_session_timeout%3D50ms"
    with rm.Database(mortal_url + options, pool_size=1) as db:
        db.execute("create table t (n integer)")
        with pytest.raises(rm.ConnectionLost), db.transaction() as tx:
            tx.execute("insert into t values (1)")
            time.sleep(0.3)
        assert db.fetch_value("select count(*) from t") == 0


async def test_a_session_that_idled_too_long_async(mortal_url: str) -> None:
    options = "&options=-c%20idle_in_transaction_session_timeout%3D50ms"
    async with rm.AsyncDatabase(mortal_url + options, pool_size=1) as db:
        with pytest.raises(rm.Error) as caught:
            async with db.transaction() as tx:
                await tx.execute("select 1")
                await asyncio.sleep(0.3)
                await tx.execute("select 1")
        assert type(caught.value) is rm.ConnectionLost, repr(caught.value)
        assert await db.fetch_value("select 1") == 1


def test_statement_and_lock_timeouts_of_the_server(mortal_url: str) -> None:
    options = "&options=-c%20statement_timeout%3D50ms%20-c%20lock_timeout%3D20ms"
    with rm.Database(mortal_url + options, pool_size=2) as db:
        db.execute("create table t (n integer)")
        with pytest.raises(rm.QueryTimeout) as caught:
            db.fetch("select pg_sleep(5)")
        assert caught.value.sqlstate == "57014"
        pid = db.fetch_value("select pg_backend_pid()")
        with db.transaction() as one:
            one.execute("lock table t")
            with pytest.raises(rm.OperationalError) as locked:
                db.fetch("select * from t")
            assert locked.value.sqlstate == "55P03"
        assert db.fetch_value("select pg_backend_pid()") in (pid, pid + 1)
        assert db.stats()["lost"] == 0


def test_a_full_disk(mortal_url: str) -> None:
    """The server's limit of temporary files stands for it: the same class of error, 53."""
    options = "&options=-c%20temp_file_limit%3D100kB%20-c%20work_mem%3D64kB"
    with rm.Database(mortal_url + options, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        sql = "select n from generate_series(1, 200000) as n order by md5(n::text)"
        with pytest.raises(rm.OperationalError) as caught:
            db.fetch(sql)
        assert caught.value.sqlstate == "53400"
        assert db.fetch_value("select pg_backend_pid()") == pid


def test_no_space_left_on_the_device(mortal_url: str) -> None:
    with rm.Database(mortal_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        with pytest.raises(rm.OperationalError, match="No space left") as caught:
            db.execute("copy (select generate_series(1, 100000)) to '/dev/full'")
        assert caught.value.sqlstate == "53100"
        assert db.fetch_value("select pg_backend_pid()") == pid


@pytest.fixture
def cramped(mortal: MortalServer, mortal_url: str) -> Iterator[str]:
    """The URL of a database whose files end at 20 MB."""
    mortal.kill()
    mortal.restart(largest_file=20 << 20)
    yield mortal_url
    mortal.kill()
    mortal.restart()


def test_a_file_that_cannot_grow(cramped: str) -> None:
    """The system refuses the server's writes: COPY and INSERT fail whole, the connection goes on."""
    with rm.Database(cramped, pool_size=1) as db:
        db.execute("create table t (n bigint, word text)")
        db.execute("insert into t select n, 'word' from generate_series(1, 100) n")
        pid = db.fetch_value("select pg_backend_pid()")
        rows = {"n": list(range(10_000)), "word": ["x" * 4000] * 10_000}
        insert = "insert into t select n, repeat('y', 1500) from generate_series(1, 30000) n"
        writes: list[Callable[[], int]] = [
            lambda: db.load("t", rows),
            lambda: db.execute(insert),
        ]
        for write in writes:
            db.execute_script("alter table t alter word set storage external")
            with pytest.raises(rm.DatabaseError, match="could not extend file"):
                write()
            assert db.fetch_value("select count(*) from t") == 100
        assert db.fetch_value("select pg_backend_pid()") == pid


@pytest.fixture(scope="module")
def pair(mortal: MortalServer) -> Iterator[tuple[MortalServer, Standby]]:
    mortal.revive()
    with Standby(mortal) as standby:
        yield mortal, standby


def both(pair: tuple[MortalServer, Standby], **options: str) -> str:
    """The URL of both servers."""
    hosts = ",".join(str(server.socket_dir) for server in pair)
    ports = ",".join(str(server.port) for server in pair)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"postgresql://rowmill@/postgres?host={hosts}&port={ports}&{query}"


def test_a_server_in_recovery(pair: tuple[MortalServer, Standby]) -> None:
    primary, standby = pair
    primary.psql("create table if not exists followed (n integer)")
    assert eventually(lambda: "followed" in standby.psql("select relname from pg_class"))
    with rm.Database(standby.url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        assert db.fetch_value("select pg_is_in_recovery()") is True
        with pytest.raises(rm.Error) as caught:
            db.execute("insert into followed values (1)")
        assert caught.value.sqlstate == "25006"
        with pytest.raises(rm.Error, match="during recovery") as loading:
            db.load("followed", {"n": [1]})
        assert loading.value.sqlstate == "25006"
        with pytest.raises(rm.Error, match="read-only"), db.transaction() as tx:
            tx.execute("insert into followed values (1)")
        assert db.fetch_value("select pg_backend_pid()") == pid


def test_each_finds_the_server_it_wants(pair: tuple[MortalServer, Standby]) -> None:
    for target, in_recovery in [
        ("read-write", False),
        ("primary", False),
        ("standby", True),
        ("read-only", True),
        ("prefer-standby", True),
    ]:
        with rm.Database(both(pair, target_session_attrs=target)) as db:
            assert db.fetch_value("select pg_is_in_recovery()") is in_recovery, target


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_failover(kind: str) -> None:
    """The primary dies and its standby is promoted: the same database finds it."""
    with MortalServer() as primary, Standby(primary) as standby:
        url = both((primary, standby), target_session_attrs="read-write")
        if kind == "sync":
            with rm.Database(url, connect_timeout=1) as db:
                db.execute("create table t (n integer)")
                db.execute("insert into t values (1)")
                assert eventually(
                    lambda: "t" in standby.psql("select relname from pg_class").split()
                )
                primary.kill()
                with pytest.raises(LOST):
                    db.execute("insert into t values (2)")
                with pytest.raises(rm.ConnectError, match="read-only"):
                    db.fetch("select 1")
                standby.promote()
                assert db.execute("insert into t values (3)") == 1
                assert db.fetch_value("select pg_is_in_recovery()") is False
            return

        async def run() -> None:
            async with rm.AsyncDatabase(url, connect_timeout=1) as db:
                assert await db.fetch_value("select pg_is_in_recovery()") is False
                await asyncio.to_thread(primary.kill)
                await asyncio.sleep(0.1)
                with pytest.raises(LOST):
                    await db.fetch("select 1")
                await asyncio.to_thread(standby.promote)
                assert await db.fetch_value("select pg_is_in_recovery()") is False

        asyncio.run(run())

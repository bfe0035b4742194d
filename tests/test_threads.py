"""Threads that share a database, and processes that must not."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import rowmill as rm
from tests import forks
from tests.postgres_server import PostgresServer
from tests.watch import HANG, within


def test_threads_share_a_database(any_url: str) -> None:
    with rm.Database(any_url, pool_size=3) as db:
        db.execute("create table t (n integer primary key, thread integer)")

        def work(thread: int) -> Any:
            for n in range(40):
                key = thread * 1000 + n
                assert db.execute("insert into t values ($1, $2)", key, thread) == 1
                assert db.fetch_value("select thread from t where n = $1", key) == thread
                with pytest.raises(rm.IntegrityError):
                    db.execute("insert into t values ($1, $2)", key, thread)
            with db.transaction() as tx:
                return tx.fetch_value("select count(*) from t where thread = $1", thread)

        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            counts = within(3 * HANG, lambda: list(executor.map(work, range(8))))
        assert counts == [40] * 8
        assert db.fetch_value("select count(*) from t") == 320


def test_a_memory_database_is_one_for_all_threads() -> None:
    with rm.Database("sqlite://") as db:
        db.execute("create table t (n integer)")
        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            list(executor.map(lambda n: db.execute("insert into t values ($1)", n), range(100)))
            assert db.fetch_value("select sum(n) from t") == 4950
    with rm.Database("sqlite://") as other, pytest.raises(rm.ProgrammingError):
        other.fetch("select * from t")


def test_other_threads_run_python_meanwhile(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        counted = 0
        done = threading.Event()

        def count() -> None:
            nonlocal counted
            while not done.is_set():
                counted += 1

        counter = threading.Thread(target=count)
        counter.start()
        try:
            before = counted
            db.fetch("select pg_sleep(0.2)")
            assert counted > before + 100
        finally:
            done.set()
            counter.join()


def in_turn(call: Callable[[], Any]) -> Any:
    """A stream and a transaction are one thread's at a time; another's call is refused at once."""
    while True:
        try:
            return call()
        except rm.InterfaceError as error:
            if "in use by another call" not in str(error):
                raise
            time.sleep(0.001)


def test_threads_share_a_stream(any_url: str) -> None:
    """Each part goes to one of them; who comes while another waits for a part is told so."""
    rows = "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5000)"
    with rm.Database(any_url) as db, db.stream(f"{rows} select n from r", batch_rows=100) as parts:
        seen: list[int] = []

        def work() -> None:
            while True:
                try:
                    part = next(parts, None)
                except rm.InterfaceError as error:
                    assert "in use" in str(error)  # noqa: PT017
                    time.sleep(0.001)
                    continue
                if part is None:
                    return
                seen.extend(part["n"].to_list())

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(HANG)
        assert sorted(seen) == list(range(1, 5001))


def test_threads_share_a_transaction(any_url: str) -> None:
    """A statement runs, or its caller is told that another one is running: never half of either."""
    with rm.Database(any_url) as db:
        db.execute("create table t (n integer)")

        def insert(n: int) -> int:
            try:
                return tx.execute("insert into t values ($1)", n)
            except rm.InterfaceError as error:
                assert "in use" in str(error)  # noqa: PT017
                return 0

        with db.transaction() as tx, concurrent.futures.ThreadPoolExecutor(4) as executor:
            inserted = within(HANG, lambda: sum(executor.map(insert, range(200))))
        assert 0 < inserted <= 200
        assert db.fetch_value("select count(*) from t") == inserted


def test_an_async_database_in_each_thread(any_url: str) -> None:
    import asyncio

    def work(n: int) -> Any:
        async def main() -> Any:
            async with rm.AsyncDatabase(any_url) as db:
                return await asyncio.gather(
                    *(db.fetch_value("select $1", str(n)) for _ in range(9))
                )

        return asyncio.run(main())

    with concurrent.futures.ThreadPoolExecutor(6) as executor:
        results = within(2 * HANG, lambda: list(executor.map(work, range(6))))
    assert results == [[str(n)] * 9 for n in range(6)]


FORK = """
    import asyncio

    url = sys.argv[1]
    probe = "select count(*) from sqlite_master" if "sqlite" in url else "select pg_backend_pid()"
    db = rm.Database(url, pool_size=2)
    first = db.fetch_value(probe)
    in_child(lambda: refused(lambda: db.fetch("select 1")))
    in_child(lambda: refused(lambda: db.execute("select 1")))
    in_child(lambda: refused(lambda: db.transaction().__enter__()))
    in_child(lambda: refused(lambda: db.stream("select 1")))
    in_child(lambda: db.close() or 0)

    def anew():
        with rm.Database(url) as own:
            assert own.fetch_value("select 1") == 1
        return 0

    in_child(anew)
    assert db.fetch_value(probe) == first
    with db.transaction() as tx:
        in_child(lambda: refused(lambda: tx.fetch("select 1")))
        assert tx.fetch_value("select 1") == 1
    with db.stream("select 1 union all select 2", batch_rows=1) as parts:
        in_child(lambda: refused(lambda: next(parts)))
        assert [len(part) for part in parts] == [1, 1]
    assert db.fetch_value(probe) == first

    adb = rm.AsyncDatabase(url)

    async def main():
        assert await adb.fetch_value("select 1") == 1
        pid = os.fork()
        if pid == 0:
            try:
                await adb.fetch("select 1")
            except rm.InterfaceError as error:
                os._exit(0 if "fork" in str(error) else 3)
            except RuntimeError as error:  # asyncio itself knows no loop in a fork
                os._exit(0 if "event loop" in str(error) else 4)
            except BaseException as error:
                print("child:", repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert await adb.fetch_value("select 1") == 1
        await adb.close()

    asyncio.run(main())
    print("good")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_is_told_and_the_parent_goes_on(any_url: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", forks.script(FORK), any_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * HANG, check=False)
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


def test_a_process_ends_while_a_thread_waits(pg_url: str, postgres: PostgresServer) -> None:
    """The interpreter takes itself down slowly, so that the thread is awake meanwhile."""
    script = """
        import sys, threading, time
        import rowmill as rm

        class Slow:
            def __del__(self, sleep=time.sleep):
                sleep(0.5)

        slow = Slow()
        db = rm.Database(sys.argv[1])
        db.fetch("select 1")
        threading.Thread(target=lambda: db.fetch("select pg_sleep(60)"), daemon=True).start()
        time.sleep(0.1)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), pg_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interpreter_that_ends_can_still_ask(any_url: str) -> None:
    script = """
        import sys
        import rowmill as rm

        class Last:
            def __del__(self, db=rm.Database(sys.argv[1]), sql=sys.argv[2]):
                print(db.fetch_value(sql))

        last = Last()
    """
    waits = "select 'done' from (select pg_sleep(0.3)) as waited"
    counts = (
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 1000000) "
        "select 'done' from r where n = 1000000"
    )
    sql = counts if "sqlite" in any_url else waits
    command = [sys.executable, "-c", textwrap.dedent(script), any_url, sql]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)

"""Statements that are stopped from outside: deadlines, cancelled tasks, Ctrl-C, forks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.watch import HANG, descriptors, eventually, running, sessions, threads, within

# A recursion that goes on until it is stopped: what pg_sleep is to PostgreSQL.
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


async def comes_true(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """As `eventually`, off the loop."""
    return await asyncio.to_thread(eventually, condition, seconds)


def test_a_deadline(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        pid = db.fetch_value("select pg_backend_pid()")
        for verb in (db.fetch, db.fetch_one, db.fetch_value, db.fetch_json, db.execute):
            with pytest.raises(rm.QueryTimeout) as caught:
                verb("select pg_sleep(30) -- deadline", timeout=0.15)
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.query == "select pg_sleep(30) -- deadline"
            assert not running(postgres, "%deadline")
            assert db.fetch_value("select pg_backend_pid()") == pid
        with pytest.raises(rm.QueryTimeout):
            db.execute_script("select 1; select pg_sleep(30) -- deadline", timeout=0.15)
        assert db.fetch_value("select pg_backend_pid()") == pid


def test_a_deadline_for_every_call(pg_url: str) -> None:
    with rm.Database(pg_url, timeout=0.15) as db:
        with pytest.raises(rm.QueryTimeout):
            db.fetch("select pg_sleep(30)")
        assert db.fetch_value("select 1 from pg_sleep(0.3)", timeout=20) == 1
        for timeout in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="timeout"):
                db.fetch("select 1", timeout=timeout)


def test_the_servers_own_deadline(pg_url: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        with pytest.raises(rm.QueryTimeout) as caught, db.transaction() as tx:
            tx.execute("set local statement_timeout = '100ms'")
            tx.fetch("select pg_sleep(30)")
        assert caught.value.sqlstate == "57014"


def test_a_deadline_on_sqlite(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        for verb in (db.fetch, db.fetch_value, db.execute):
            with pytest.raises(rm.QueryTimeout):
                within(HANG, lambda verb=verb: verb(ENDLESS, timeout=0.15))  # type: ignore[misc]
        assert db.fetch_value("select 1") == 1


async def test_a_deadline_async(pg_url: str, postgres: PostgresServer) -> None:
    async with rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")
        for verb in (db.fetch, db.fetch_one, db.fetch_value, db.fetch_json, db.execute):
            with pytest.raises(rm.QueryTimeout) as caught:
                await verb("select pg_sleep(30) -- awaited", timeout=0.15)
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.query == "select pg_sleep(30) -- awaited"
            assert await comes_true(lambda: not running(postgres, "%awaited"))
            assert await db.fetch_value("select pg_backend_pid()") == pid
        with pytest.raises(rm.QueryTimeout):
            await db.execute_script("select pg_sleep(30) -- awaited", timeout=0.15)
        assert await db.fetch_value("select pg_backend_pid()") == pid


async def test_a_deadline_on_sqlite_async(sqlite_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(sqlite_url) as db:
        with pytest.raises(rm.QueryTimeout):
            await db.fetch(ENDLESS, timeout=0.15)
        assert await db.fetch_value("select 1") == 1


async def test_wrong_deadlines_async(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url) as db:
        for timeout in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="timeout"):
                await db.fetch("select 1", timeout=timeout)
        assert await db.fetch_value("select 1") == 1


async def test_a_cancelled_task(pg_url: str, postgres: PostgresServer) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")
        for _ in range(3):
            task = asyncio.create_task(db.fetch("select pg_sleep(30) -- cancelled"))
            assert await comes_true(lambda: running(postgres, "%cancelled"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await comes_true(lambda: not running(postgres, "%cancelled"))
            assert await db.fetch_value("select pg_backend_pid()") == pid


async def test_a_cancelled_task_on_sqlite(sqlite_url: str) -> None:
    async with asyncio.timeout(HANG), rm.AsyncDatabase(sqlite_url) as db:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(db.fetch(ENDLESS), 0.1)
            assert await db.fetch_value("select 1") == 1


async def test_neighbours_of_a_cancelled_task(pg_url: str) -> None:
    """Calls that share the connection get their own answers, whichever is cancelled when."""
    async with asyncio.timeout(2 * HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        pid = await db.fetch_value("select pg_backend_pid()")

        async def ask(n: int) -> tuple[int, Any]:
            return n, await db.fetch_value("select $1::int from pg_sleep(0.01)", n)

        for delay in (0.0, 0.001, 0.005, 0.02, 0.05):
            tasks = [asyncio.create_task(ask(n)) for n in range(12)]
            await asyncio.sleep(delay)
            for victim in tasks[::3]:
                victim.cancel()
            for n, task in enumerate(tasks):
                if n % 3:
                    assert await task == (n, n)
                else:
                    await asyncio.wait([task])
        assert await db.fetch_value("select pg_backend_pid()") == pid


async def test_a_deadline_does_not_wait_for_those_behind(pg_url: str) -> None:
    """A slow call that is timed out is stopped, although others were sent behind it."""
    async with asyncio.timeout(HANG), rm.AsyncDatabase(pg_url, pool_size=1) as db:
        await db.fetch_value("select 1")
        slow = asyncio.create_task(db.fetch("select pg_sleep(20)", timeout=0.2))
        await asyncio.sleep(0.05)
        quick = [asyncio.create_task(db.fetch_value("select $1::int", n)) for n in range(5)]
        with pytest.raises(rm.QueryTimeout):
            await slow
        async with asyncio.timeout(10):
            assert await asyncio.gather(*quick) == list(range(5))


SCRIPT = """
    import os, sys, threading, time
    import rowmill as rm
    db = rm.Database(sys.argv[1], pool_size=1)
    pid = db.fetch_value("select 1 as pid" if "sqlite" in sys.argv[1] else "select pg_backend_pid()")
    print("ready", flush=True)
    begun = time.monotonic()
    try:
        {statement}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    assert time.monotonic() - begun < 15
    again = db.fetch_value("select 1 as pid" if "sqlite" in sys.argv[1] else "select pg_backend_pid()")
    print("same" if again == pid else "other", flush=True)
"""


@pytest.mark.parametrize(
    "statement",
    [
        'db.fetch("select pg_sleep(30)")',
        'db.execute("select pg_sleep(30)")',
        'db.execute_script("select pg_sleep(30)")',
        'list(db.stream("select pg_sleep(30)"))',
        'db.fetch("select pg_sleep(30)", timeout=25)',
        f'db.fetch("{ENDLESS}")',
    ],
)
def test_ctrl_c(request: pytest.FixtureRequest, postgres: PostgresServer, statement: str) -> None:
    fixture = "sqlite_url" if ENDLESS in statement else "pg_url"
    script = textwrap.dedent(SCRIPT).format(statement=statement)
    command = [sys.executable, "-c", script, request.getfixturevalue(fixture)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - sent < 5
        assert process.stdout.readline() == "same\n"
        assert process.wait(HANG) == 0
    assert not running(postgres, "%pg_sleep%")


EARLY = """
    import signal, sys, time
    import rowmill as rm

    def late(*_):
        raise TimeoutError("too late")

    signal.signal(signal.SIGALRM, late)
    db = rm.Database(sys.argv[1])
    many = list(range(3_000_000))
    for statement, values in (("select 1 where 1 = any($1)", [many]), ({endless!r}, [])):
        signal.setitimer(signal.ITIMER_REAL, 0.01 if values else 0.3)
        try:
            db.fetch(statement, *values)
        except TimeoutError as error:
            print(error, flush=True)
"""


def test_a_signal_during_the_first_call_of_all(pg_url: str) -> None:
    """It comes while the arguments are read, before anything waits; later ones are heard as well."""
    script = textwrap.dedent(EARLY).format(endless="select pg_sleep(30)")
    command = [sys.executable, "-c", script, pg_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * HANG, check=False)
    assert (done.stdout, done.stderr) == ("too late\n" * 2, "")


IN_A_FORK = """
    import os, signal, sys, threading
    import rowmill as rm

    def fork():
        rm.Database("sqlite://").fetch("select 1")
        pid = os.fork()
        if pid == 0:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            try:
                rm.Database("sqlite://").fetch(sys.argv[1])
            except TimeoutError:
                os._exit(7)
            os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def late(*_):
        raise TimeoutError("too late")

    signal.signal(signal.SIGALRM, late)
    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_signal_in_the_fork_of_a_thread() -> None:
    """The thread that forks is the main thread of the fork, where signals are handled."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(IN_A_FORK), ENDLESS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * HANG, check=False)
    assert (done.stdout, done.stderr) == ("7\n", "")


CONNECTING = """
    import sys
    import rowmill as rm
    db = rm.Database(sys.argv[1], connect_timeout=60)
    print("ready", flush=True)
    try:
        db.fetch("select 1")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("server", ["silent", "silent inside TLS", "with a full queue"])
def test_ctrl_c_while_connecting(server: str) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        if server == "with a full queue":
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
        mode = "require" if "TLS" in server else "disable"
        url = f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d?sslmode={mode}"
        command = [sys.executable, "-c", textwrap.dedent(CONNECTING), url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        stack.enter_context(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(HANG) == 0
        finally:
            process.kill()
        assert process.stdout.readline() == "interrupted\n"


def test_nothing_leaks(pg_url: str, postgres: PostgresServer) -> None:
    with rm.Database(pg_url, pool_size=2) as db:
        db.fetch_value("select 1")
        before = descriptors(), threads(), sessions(postgres)
        for _ in range(30):
            with pytest.raises(rm.QueryTimeout):
                db.fetch("select pg_sleep(30)", timeout=0.01)
            with pytest.raises(rm.ProgrammingError):
                db.fetch("select nonexistent")
        assert eventually(lambda: (descriptors(), threads(), sessions(postgres)) <= before)
    assert eventually(lambda: sessions(postgres) == 0)

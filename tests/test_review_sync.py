"""Blocking handles where two sides meet: forks, threads, signal handlers, servers that stall."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests import forks
from tests.hostile_server import ANSWER, READY, HostileServer
from tests.watch import HANG, within

FORK = """
    import gc

    def drop(name):
        del globals()[name]
        gc.collect()

    url = sys.argv[1]
    db = rm.Database(url, pool_size=2)
    db.execute_script("create table t (x integer)")
    many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)"
    many += " select i from n"

    with db.transaction() as tx:
        tx.execute("insert into t values ($1)", 1)
        in_child(lambda: refused(lambda: tx.fetch("select 1")))
        in_child(lambda: refused(lambda: tx.execute_script("select 1")))
        in_child(lambda: refused(lambda: next(tx.stream("select 1"))))
        in_child(lambda: refused(lambda: tx.__exit__(None, None, None)))
        in_child(lambda: tx.__exit__(ValueError, None, None) and 0)
        in_child(lambda: drop("tx"))
        assert tx.fetch_value("select count(*) from t") == 1
        parts = tx.stream(many, batch_rows=10)
        seen = len(next(parts))
        in_child(lambda: refused(lambda: next(parts)))
        in_child(lambda: parts.close())
        in_child(lambda: drop("parts"))
        assert seen + sum(map(len, parts)) == 5000
    assert db.fetch_value("select count(*) from t") == 1

    parts = db.stream(many, batch_rows=10)
    seen = len(next(parts))
    in_child(lambda: refused(lambda: next(parts)))
    in_child(lambda: parts.close())
    in_child(lambda: drop("parts"))
    assert seen + sum(map(len, parts)) == 5000

    def all_gone():
        for name in ("parts", "tx", "db"):
            drop(name)

    in_child(all_gone)
    assert db.fetch_value("select count(*) from t") == 1
    print("good")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_leaves_the_handles_of_its_parent_alone(any_url: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", forks.script(FORK), any_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * HANG, check=False)
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


def slow(url: str) -> str:
    """A statement that takes about a second."""
    if "sqlite" in url:
        limit = 3_000_000
        return (
            f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {limit})"
            " select count(*) from n"
        )
    return "select 1 from pg_sleep(1)"


@contextlib.contextmanager
def thread(work: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Runs `work` beside the block; gives what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    time.sleep(0.3)
    yield raised
    runner.join(HANG)
    assert not runner.is_alive()


def test_a_transaction_in_use_by_another_thread(any_url: str) -> None:
    """Calls wait for it, without the GIL; its repr does not."""
    with rm.Database(any_url) as db, db.transaction() as tx:
        with thread(lambda: tx.fetch(slow(any_url))) as raised:
            assert "in use" in within(HANG, lambda: repr(tx))
            assert within(HANG, lambda: tx.fetch_value("select 1")) == 1
        assert not raised
        assert "open" in repr(tx)
        assert tx.fetch_value("select 1") == 1


def test_a_stream_closed_while_in_use_ends_after_its_part(any_url: str) -> None:
    with rm.Database(any_url, pool_size=1) as db:
        parts = db.stream(slow(any_url))
        with thread(lambda: next(parts)) as raised:
            began = time.monotonic()
            within(HANG, parts.close)
            assert time.monotonic() - began < 0.5
        assert not raised
        assert list(parts) == []
        assert db.fetch_value("select 1") == 1


SIGNAL = """
    import signal, sys
    import rowmill as rm

    url, slow = sys.argv[1:]
    db = rm.Database(url)
    heard = []

    def handler(*_):
        for work in works:
            try:
                heard.append(str(work()))
            except rm.InterfaceError as error:
                heard.append(str(error))

    signal.signal(signal.SIGALRM, handler)
    parts = db.stream(slow)
    works = [parts.close, lambda: next(parts)]
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    assert len(next(parts)) == 1
    assert heard == ["None", "the stream is in use by another call"], heard
    assert list(parts) == []

    heard.clear()
    with db.transaction() as tx:
        works = [lambda: repr(tx), lambda: tx.fetch("select 1")]
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert len(tx.fetch(slow)) == 1
        assert "in use" in heard[0], heard
        assert heard[1] == "the transaction is in use by another call", heard
        assert tx.fetch_value("select 1") == 1

    heard.clear()
    db.execute_script("create table t (x integer)")
    try:
        with db.transaction() as tx:
            tx.execute("insert into t values (1)")
            works = [lambda: tx.__exit__(None, None, None)]
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            tx.fetch(slow)
            assert "ended" in repr(tx)
    except rm.InterfaceError as error:
        heard.append(str(error))
    assert "rolls it back" in heard[0], heard
    assert heard[1] == "the transaction has ended", heard
    assert db.fetch_value("select count(*) from t") == 0
    print("good")
"""


def test_a_signal_handler_may_touch_what_it_interrupts(any_url: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SIGNAL), any_url, slow(any_url)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * HANG, check=False)
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


@pytest.mark.parametrize(
    ("run", "sql"),
    [
        (rm.Database.execute_script, "start transaction"),
        (rm.Database.execute_script, "begin; insert into t values (1)"),
    ],
)
def test_a_transaction_left_open_is_told(pg_url: str, run: Any, sql: str) -> None:
    with rm.Database(pg_url, pool_size=1) as db:
        db.execute_script("create table t (x integer)")
        backend = db.fetch_value("select pg_backend_pid()")
        with pytest.raises(rm.InterfaceError) as caught:
            run(db, sql)
        assert "left a transaction open, which was rolled back" in str(caught.value)
        assert "use db.transaction()" in str(caught.value)
        assert db.fetch_value("select count(*) from t") == 0
        assert db.fetch_value("select pg_backend_pid()") == backend
        with pytest.raises(rm.ProgrammingError, match="nowhere"):
            db.execute_script("begin; insert into t values (2); select nowhere")
        assert db.fetch_value("select count(*) from t") == 0
        assert db.fetch_value("select pg_backend_pid()") == backend


def test_a_stream_that_is_not_read_does_nothing(any_url: str) -> None:
    insert = "insert into t values (1) returning x"
    with rm.Database(any_url, pool_size=1) as db:
        db.execute_script("create table t (x integer)")
        assert [len(part) for part in db.stream(insert)] == [1]
        # Prepared now, it could run in the first exchange.
        db.stream(insert).close()
        with db.transaction() as tx:
            tx.stream(insert).close()
            assert tx.fetch_value("select count(*) from t") == 1
        assert db.fetch_value("select count(*) from t") == 1


def test_other_threads_run_while_a_dropped_stream_ends() -> None:
    """The server goes silent in the middle, so that the drop waits until its patience ends."""
    with HostileServer() as server, rm.Database(server.url, pool_size=1) as db:
        server.spoil(answer=ANSWER[: len(ANSWER) - 20])
        parts = db.stream("select n, word from numbers", batch_rows=1)
        next(parts)
        ticks = 0
        done = threading.Event()

        def tick() -> None:
            nonlocal ticks
            while not done.wait(0.01):
                ticks += 1

        ticker = threading.Thread(target=tick)
        ticker.start()
        began = time.monotonic()
        del parts
        gc.collect()
        took = time.monotonic() - began
        done.set()
        ticker.join()
        assert took > 1
        assert ticks > 20


@contextlib.contextmanager
def full_backlog(directory: Path) -> Iterator[str]:
    """The URL of a server that takes nobody and whose queue is full."""
    path = str(directory / ".s.PGSQL.5432")
    waiting = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        try:
            while True:
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)
                waiting.append(client)
                try:
                    client.connect(path)
                except BlockingIOError:
                    break
            yield f"postgresql://ann@/shop?host={directory}"
        finally:
            for client in waiting:
                client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse at once where it is full")
def test_a_full_queue_of_a_unix_socket_heeds_the_deadline() -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        full_backlog(Path(directory)) as url,
        rm.Database(url, connect_timeout=0.5) as db,
    ):
        began = time.monotonic()
        with pytest.raises(rm.ConnectError, match="in time"):
            within(HANG, lambda: db.fetch("select 1"))
        assert 0.4 < time.monotonic() - began < 5


def test_a_signal_during_the_greeting_is_no_error() -> None:
    script = """
        import signal, socket, sys, threading, time
        import rowmill as rm

        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            connection, _ = listener.accept()
            connection.recv(8)
            time.sleep(1)
            connection.sendall(b"N")
            connection.recv(1000)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        heard = []
        signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        port = listener.getsockname()[1]
        try:
            rm.Database(f"postgresql://ann@127.0.0.1:{port}/shop?sslmode=prefer").fetch("select 1")
        except rm.ConnectError as error:
            assert "hung up during login" in str(error), error
        print("good" if heard else "no signal")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * HANG, check=False)
    assert (done.stdout, done.returncode) == ("good\n", 0), done.stderr


def test_a_connection_whose_cancel_was_not_heard_is_not_used_again() -> None:
    """The cancel may still be on its way, and would hit the next statement."""

    def late() -> Iterator[bytes]:
        time.sleep(1)
        yield READY

    with HostileServer() as server, rm.Database(server.url, pool_size=1) as db:
        server.spoil(answer=ANSWER, then=late)
        db.execute_script("select 1")
        socket_file = Path(server.url.partition("host=")[2]) / ".s.PGSQL.5432"
        away = socket_file.with_name("away")
        socket_file.rename(away)
        with pytest.raises(rm.QueryTimeout):
            db.fetch("select 1", timeout=0.3)
        away.rename(socket_file)
        assert server.logins == 1
        assert len(db.fetch("select 1")) == 3
        assert server.logins == 2


SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:12/{SECRET}@host/db",
        f"postgresql://ann:12?{SECRET}@host/db",
        f"postgresql://ann:pa/{SECRET}@host",
        f"postgresql://ann:{SECRET}/12@host/db",
        f"postgresql://ann:{SECRET}?12@host/db",
        f"postgresql://ann:p@ss/{SECRET}@host/db",
        f"postgresql://ann:p@ss?{SECRET}@host/db",
        f"postgresql://ann:p?host={SECRET}@host/db",
        f"postgresql://ann:p@ss?a={SECRET}@host/db",
    ],
)
def test_a_password_that_ends_too_early_is_told_and_not_shown(url: str) -> None:
    for kind in (rm.Database, rm.AsyncDatabase):
        with pytest.raises(rm.InterfaceError) as caught:
            kind(url)
        text = f"{caught.value} {caught.value!r} {caught.value.hint}"
        assert SECRET not in text
        assert "%2F" in text
        assert "%3F" in text


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}",
        f"postgresql://ann:{SECRET}/db",
        f"postgresql://ann:{SECRET}x@host:port/db?{SECRET}",
        f"postgresql://host/db?passwd:{SECRET}=1",
        f"sqlite://ann:{SECRET}@host/x",
        f"sqlite://ann:{SECRET}",
        f"sqlite:///data.db?key={SECRET}",
        f"sqlite:///data.db?{SECRET}",
        f"ann:{SECRET}@host://db",
    ],
)
def test_a_password_in_the_wrong_place_is_not_shown(url: str) -> None:
    with pytest.raises(rm.InterfaceError) as caught:
        rm.Database(url)
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:a%2F{SECRET}%3F%40@host/db",
        f"postgresql://ann:{SECRET}@host/db?application_name=me@here",
        f"postgresql:///db?user=ann@corp&password={SECRET}@1&host=/tmp",
    ],
)
def test_an_at_sign_in_its_place_is_fine(url: str) -> None:
    with rm.Database(url) as db:
        assert SECRET not in repr(db)


def test_an_at_sign_in_a_file_name_is_fine(tmp_path: Path) -> None:
    with rm.Database(f"sqlite:///{tmp_path}/me@here.db") as db:
        assert db.fetch_value("select 1") == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("sslmode=verify-ca", "sslrootcert"),
        ("sslmode=require&sslrootcert=system", "verify-full"),
        ("sslmode=verify-ca&sslrootcert=system", "verify-full"),
        ("sslmode=prefer&sslrootcert=system", "verify-full"),
    ],
)
def test_a_check_that_would_check_nothing_is_refused(options: str, word: str) -> None:
    with pytest.raises(rm.InterfaceError, match="sslmode") as caught:
        rm.Database(f"postgresql://ann@host/db?{options}")
    assert word in f"{caught.value} {caught.value.hint}"

"""What a test sees of a process: time, memory, descriptors, threads; and of a server: its sessions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from tests.console import APPLICATION
from tests.postgres_server import PostgresServer

T = TypeVar("T")

HANG = 20.0  # seconds after which something hangs, whatever else the machine does


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of `work`, which must not hang.

    Raises:
        AssertionError: it took longer. Its thread is left behind.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise  # by the work itself: a QueryTimeout is a TimeoutError too
        raise AssertionError(f"still at it after {seconds} seconds") from None


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def resident() -> int:
    """Bytes of memory that are this process's own now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def descriptors() -> int:
    """Open file descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def threads() -> int:
    """Threads of this process, those that Python does not know included."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def sessions(server: PostgresServer, like: str = "%", *, state: str = "%") -> int:
    """Clients of the server whose last statement and state are like these."""
    sql = (
        "select count(*) from pg_stat_activity where backend_type = 'client backend'"
        f" and application_name <> '{APPLICATION}' and pid <> pg_backend_pid() and query like '{like}' and state like '{state}'"
    )
    return int(server.psql(sql))


def running(server: PostgresServer, like: str) -> bool:
    """Whether the server is at work on such a statement."""
    return sessions(server, like, state="active") > 0

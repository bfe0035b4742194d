"""Everything at once for a long time: does anything grow?

    ./dev soak [MINUTES]

Threads and tasks fetch, stream, load, write, cancel and fail on PostgreSQL and SQLite. Each half
minute a line tells the process's memory, descriptors and threads, and the server's sessions. Exits
with 1 where one of them grew after the warm-up by more than its bound, or where an answer was wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import rowmill as rm
from tests.faults.conversations import Awaited, finish
from tests.postgres_server import PostgresServer
from tests.watch import descriptors, resident, sessions, threads

EVERY = 30.0  # seconds between two lines
WARM_UP = 0.2  # the part of the run in which pools, caches and the allocator may grow
THREADS, TASKS, POOL = 3, 6, 4

# What the median of the last quarter may be above that of the first one after the warm-up. Memory: what
# an allocator of several threads wavers by; a leak of 1 KiB a call would be gigabytes.
BOUNDS = {"rss": 24 << 20, "descriptors": 4, "threads": 4, "backends": 0}

TABLE = (
    "create table if not exists soaked (id integer primary key, word text, price double precision)"
)


async def fetch(db: Any, chance: random.Random) -> None:
    """A result of some size, handed on."""
    rows = chance.choice([1, 10, 1000, 20_000])
    frame = await db.fetch(COUNT, rows)
    assert frame["n"].to_numpy().sum() == rows * (rows + 1) // 2
    assert len(frame.to_json()) > rows


async def fetch_json(db: Any, chance: random.Random) -> None:
    """JSON, and a text that no cache has seen."""
    number = chance.randrange(1 << 40)
    assert await db.fetch_value(f"select {number} + $1 -- {number}", 1) == number + 1
    assert (await db.fetch_json(COUNT, 3)).count(b"{") == 3


async def stream(db: Any, chance: random.Random) -> None:
    """A stream, often left early."""
    seen, most = 0, chance.choice([500, 50_000])
    async with db.stream(COUNT, 50_000, batch_rows=500) as parts:
        async for part in parts:
            seen += len(part)
            if seen >= most:
                break
    assert seen >= most


async def write(db: Any, chance: random.Random) -> None:
    """A transaction that loads, and half of the time fails."""
    first = chance.randrange(1 << 30)
    rows = {"id": range(first, first + 200), "word": ["w" * 50] * 200, "price": [0.5] * 200}
    with contextlib.suppress(rm.IntegrityError, rm.SerializationError):
        async with db.transaction() as tx:
            await tx.load("soaked", {name: list(values) for name, values in rows.items()})
            await tx.execute_many(
                "update soaked set price = $1 where id = $2", [(1.5, first), (2.5, first + 1)]
            )
            if chance.random() < 0.5:
                await tx.execute("insert into soaked (id) values ($1)", first)
        await db.execute("delete from soaked where id between $1 and $2", first, first + 199)


async def fail(db: Any, chance: random.Random) -> None:
    """Errors of several kinds."""
    wrong = chance.choice(["select nowhere", "select $1", "select 'a", "selec 1"])
    with contextlib.suppress(rm.Error):
        await db.fetch(wrong)
        raise AssertionError(wrong)


async def run_late(db: Any, chance: random.Random) -> None:
    """A statement that its deadline ends."""
    with contextlib.suppress(rm.QueryTimeout):
        # Bounded: others may have been sent behind it, which wait until it ends.
        await db.fetch_value(COUNT_ONLY, 300_000, timeout=0.01)


async def cancel(db: Any, chance: random.Random) -> None:
    """A task that is cancelled at any moment."""
    call = asyncio.ensure_future(db.fetch(COUNT, 5000))
    await asyncio.sleep(chance.random() * 0.01)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call


async def connect(db: Any, chance: random.Random) -> None:
    """A database of its own, opened and closed."""
    async with OPEN[type(db)](URLS[chance.randrange(2)]) as other:
        assert await other.fetch_value("select 1") == 1


Verb = Callable[[Any, random.Random], Awaitable[None]]
VERBS: list[Verb] = [fetch, fetch_json, stream, write, fail, run_late, connect]
OPEN: dict[type, Any] = {
    rm.AsyncDatabase: rm.AsyncDatabase,
    Awaited: lambda url: Awaited(rm.Database(url)),
}
URLS: list[str] = []
NUMBERS = "with recursive c(n) as (select 1 union all select n + 1 from c where n < $1)"
COUNT = f"{NUMBERS} select n, 'word ' || n as word from c"
COUNT_ONLY = f"{NUMBERS} select count(*) from c"


class Soak:
    """One run."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.calls: Counter[str] = Counter()
        self.wrong: list[BaseException] = []

    async def work(self, databases: list[Any], verbs: list[Verb], seed: int) -> None:
        """Does one thing after another."""
        chance = random.Random(seed)
        try:
            while time.monotonic() < self.until and not self.wrong:
                verb, db = chance.choice(verbs), chance.choice(databases)
                await verb(db, chance)
                self.calls[verb.__name__] += 1
        except BaseException as error:  # noqa: BLE001 - the run ends with it
            self.wrong.append(error)

    async def tasks(self) -> None:
        """The asyncio half."""
        async with (
            rm.AsyncDatabase(URLS[0], pool_size=POOL) as one,
            rm.AsyncDatabase(URLS[1]) as other,
            asyncio.TaskGroup() as group,
        ):
            for seed in range(TASKS):
                group.create_task(self.work([one, other], [*VERBS, cancel], 100 + seed))

    def run(self, server: PostgresServer) -> dict[str, list[int]]:
        """Runs all; what was measured, a value for each line."""
        measured: dict[str, list[int]] = {name: [] for name in BOUNDS}
        with rm.Database(URLS[0], pool_size=POOL) as one, rm.Database(URLS[1]) as other:
            for db in (one, other):
                db.execute(TABLE)
            both: list[Any] = [Awaited(one), Awaited(other)]
            workers = [
                threading.Thread(target=lambda seed=seed: finish(self.work(both, VERBS, seed)))
                for seed in range(THREADS)
            ]
            workers.append(threading.Thread(target=lambda: asyncio.run(self.tasks())))
            for worker in workers:
                worker.start()
            began = time.monotonic()
            print("  time    memory  descriptors  threads  backends      calls", flush=True)
            # Looked at more often than told: a line is the median of six looks.
            while any(worker.is_alive() for worker in workers):
                looks: dict[str, list[int]] = {name: [] for name in BOUNDS}
                for _ in range(6):
                    time.sleep(max(0.0, min(EVERY / 6, self.until - time.monotonic())))
                    looks["rss"].append(resident())
                    looks["descriptors"].append(descriptors())
                    looks["threads"].append(threads())
                    looks["backends"].append(sessions(server))
                if time.monotonic() >= self.until:
                    break
                gc.collect()
                for name, values in looks.items():
                    measured[name].append(int(median(values)))
                rss, fds, running, backends = (measured[name][-1] for name in BOUNDS)
                minute, second = divmod(round(time.monotonic() - began), 60)
                print(
                    f"{minute:3d}:{second:02d} {rss / 2**20:6.1f} MiB {fds:12d} {running:8d}"
                    f" {backends:9d} {self.calls.total():10d}",
                    flush=True,
                )
            for worker in workers:
                worker.join()
        return measured


def growth(values: list[int]) -> int:
    """How much the end is above what was there after the warm-up."""
    settled = values[int(len(values) * WARM_UP) :]
    quarter = max(1, len(settled) // 4)
    return int(median(settled[-quarter:]) - median(settled[:quarter]))


def main(minutes: float) -> int:
    """Runs; the exit status."""
    # Else each thread keeps a heap of its own, and what wavers hides what grows.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX
    with (
        PostgresServer() as server,
        server.fresh_database() as url,
        tempfile.TemporaryDirectory() as directory,
    ):
        URLS[:] = [url, f"sqlite:///{Path(directory) / 'soak.db'}"]
        soak = Soak(minutes * 60)
        measured = soak.run(server)
        print("calls:", ", ".join(f"{name} {n}" for name, n in sorted(soak.calls.items())))
    for error in soak.wrong:
        print(f"wrong: {error!r}", file=sys.stderr)
    grown = {name: growth(values) for name, values in measured.items() if values}
    failed = bool(soak.wrong) or not grown
    for name, by in grown.items():
        verdict = "ok" if by <= BOUNDS[name] else "GREW"
        failed = failed or by > BOUNDS[name]
        print(f"{name}: {by:+d} after the warm-up, {BOUNDS[name]} allowed: {verdict}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0))

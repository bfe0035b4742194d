"""Point queries in a loop: the same keys and the same clock for every peer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable

from bench.measure import Job, Measure

Ask = Callable[[int], Iterable[object] | None]
AsyncAsk = Callable[[int], Awaitable[Iterable[object] | None]]


def keys(job: Job) -> list[int]:
    """The same random keys on every run."""
    source = random.Random(1)
    return [source.randint(1, job.keys) for _ in range(job.count)]


def touch(row: Iterable[object] | None, key: int) -> None:
    """Reads every value, so that a lazily decoded row pays too."""
    if row is None or next(iter(row)) != key:
        raise AssertionError(f"no row for key {key}")
    tuple(row)


def drive(ask: Ask, job: Job) -> Measure:
    """One query after the other."""
    wanted = keys(job)
    for key in wanted[:50]:
        touch(ask(key), key)
    clock = time.perf_counter
    with Measure() as m:
        for key in wanted:
            begun = clock()
            touch(ask(key), key)
            m.latencies.append(clock() - begun)
    return m


async def drive_async(ask: AsyncAsk, job: Job) -> Measure:
    """The keys shared out to `job.tasks` tasks, each waiting for its own answers."""
    wanted = keys(job)
    clock = time.perf_counter

    async def worker(mine: list[int], latencies: list[float]) -> None:
        for key in mine:
            begun = clock()
            touch(await ask(key), key)
            latencies.append(clock() - begun)

    shares = [wanted[n :: job.tasks] for n in range(job.tasks)]
    await asyncio.gather(*(worker(share[:20], []) for share in shares))
    with Measure() as m:
        await asyncio.gather(*(worker(share, m.latencies) for share in shares))
    return m

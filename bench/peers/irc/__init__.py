"""What is asked of an IRC log, by everyone: an arm to a module, `Job.other` names it.

An arm's answer is complete when the values of every row are Python objects.
"""

from __future__ import annotations

import importlib
import math
import statistics
import time
from collections.abc import Iterator
from typing import Any

from bench.irc import KINDS, Log
from bench.measure import Job, Measure

PASSES = 5
"""The kinds take turns so often, so that a slow second hits all of them."""
WARM = 30
"""Queries of each kind before the clock runs: drivers prepare after a few."""


def opened(job: Job) -> Any:
    """The arm, connected."""
    return importlib.import_module(f"bench.peers.irc.{job.other}").Arm(job.url)


def queries(job: Job) -> Measure:
    """CPU microseconds of each kind; `cpu` and `wall` are the geometric means over the kinds."""
    arm, log = opened(job), Log(job.keys)
    share = max(1, job.count // PASSES)
    asked = {kind: log.asked(kind, WARM + share * PASSES) for kind in KINDS}
    for kind in KINDS:
        for parameters in asked[kind][:WARM]:
            getattr(arm, kind)(*parameters)
    cpu, wall = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0.0)
    with Measure() as m:
        for turn in range(PASSES):
            for kind in KINDS:
                ask, start = getattr(arm, kind), WARM + turn * share
                chosen = asked[kind][start : start + share]
                used, begun = time.process_time(), time.perf_counter()
                for parameters in chosen:
                    m.rows += len(ask(*parameters))
                cpu[kind] += time.process_time() - used
                wall[kind] += time.perf_counter() - begun
    each = share * PASSES
    m.extra = {f"{kind}_us": cpu[kind] / each * 1e6 for kind in KINDS}
    m.extra |= {f"{kind}_wall_us": wall[kind] / each * 1e6 for kind in KINDS}
    m.extra["cpu"] = statistics.geometric_mean(cpu.values()) / each
    m.extra["wall"] = statistics.geometric_mean(wall.values()) / each
    return m


SET = 100
"""Queries of a set: what is asked of a fresh process first is one."""


def first(job: Job) -> Measure:
    """CPU of the first hundred queries of this process, the kinds in turn, and of later hundreds."""
    log, sets = Log(job.keys), max(4, job.count // SET)
    each = math.ceil(sets * SET / len(KINDS))
    asked = {kind: iter(log.asked(kind, each)) for kind in KINDS}
    mixed = iter([(kind, next(asked[kind])) for _ in range(each) for kind in KINDS])
    arm = opened(job)
    used = []
    with Measure() as m:
        for _ in range(sets):
            start = time.process_time()
            for kind, parameters in hundred(mixed):
                m.rows += len(getattr(arm, kind)(*parameters))
            used.append((time.process_time() - start) / SET * 1e6)
    steady = statistics.median(used[sets // 2 :])
    m.extra = {"first_us": used[0], "second_us": used[1], "steady_us": steady}
    m.extra |= {"first_x": used[0] / steady, "cpu": None, "wall": None, "rss_mb": None}
    return m


def hundred(mixed: Iterator[Any]) -> list[Any]:
    """The next set."""
    return [next(mixed) for _ in range(SET)]


def answers(job: Job) -> Measure:
    """Every arm's rows as plain values, by arm and kind: a test compares them."""
    log = Log(job.keys)
    m = Measure()
    with m:
        for name in job.other.split():
            arm = importlib.import_module(f"bench.peers.irc.{name}").Arm(job.url)
            m.extra[name] = {
                kind: [
                    [[repr(value) for value in row] for row in arm.plain(kind, rows)]
                    for rows in (getattr(arm, kind)(*each) for each in log.asked(kind, job.count))
                ]
                for kind in KINDS
            }
    return m

"""Pages of 50 at three depths, and the newest ten lines of fifty channels; all through Rowmill.

The client is the same, so what differs is the statement. A page is fetched at every depth in turn,
again and again, and the figures are medians: a depth is compared with another of the same moment.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import rowmill as rm
from bench.measure import Job, Measure

SIZE = 50
CHANNELS = 50
STRIDE = 10_000
"""Rows of the pages by which the walk comes to a depth."""
ORDERS = {
    "ascending": "at, id",
    "descending": "at desc, id desc",
    "mixed": "at desc, id",
    "NULLs": "score nulls last, id",
}
"""The order of a page, which an index has."""
COLUMNS = "id, channel_id, at, score, body"

AFTER = {
    "ascending": "(at, id) > ($1, $2)",
    "descending": "(at, id) < ($1, $2)",
    "mixed": "at <= $1 and (at < $1 or id > $2)",
}
"""What is after a row, by hand: a row value where both directions are one, else a redundant bound."""
NULL = "score is null and id > $1"
BEFORE_NULLS = f"""
    select * from (
        select * from (select {COLUMNS} from messages where (score, id) > ($1, $2)
                       order by score, id limit {SIZE}) as a
        union all
        select * from (select {COLUMNS} from messages where score is null
                       order by id limit {SIZE}) as b
    ) as page order by {ORDERS["NULLs"]} limit {SIZE}
"""
"""Both branches end early; with an OR in their place no planner stops before it has read all."""


def timed(job: Job, fetches: dict[int, Callable[[], Any]]) -> Measure:
    """Milliseconds at each depth, and what the dearer of the deep ones costs beside the shallow one."""
    walls: dict[int, list[float]] = {depth: [] for depth in fetches}
    m = Measure()
    for fetch in fetches.values():
        for _ in range(3):
            m.rows = len(fetch())
    with m:
        for _ in range(job.count):
            for depth, fetch in fetches.items():
                start = time.perf_counter()
                fetch()
                walls[depth].append(time.perf_counter() - start)
    medians = [statistics.median(values) for values in walls.values()]
    names = ("shallow_ms", "middle_ms", "deep_ms")
    m.extra = dict(zip(names, (value * 1e3 for value in medians), strict=True))
    m.extra |= {"deep_x": max(medians[1:]) / medians[0], "cpu": None, "wall": None, "rss_mb": None}
    return m


def offset(job: Job) -> Measure:
    """What is written most."""
    query = f"select {COLUMNS} from messages order by {ORDERS[job.other]} limit {SIZE} offset $1"
    with rm.Database(job.url) as db:

        def fetch(depth: int) -> Callable[[], Any]:
            return lambda: db.fetch(query, depth)

        return timed(job, {depth: fetch(depth) for depth in depths(job)})


def by_hand(job: Job) -> Measure:
    """A condition on the last row of the page before."""
    order = ORDERS[job.other]
    with rm.Database(job.url) as db:

        def fetch(depth: int) -> Callable[[], Any]:
            key = "score" if job.other == "NULLs" else "at"
            last = f"select {key}, id from messages order by {order} limit 1 offset {depth - 1}"
            row = db.fetch_one(last)
            assert row is not None
            values = tuple(row)
            if job.other == "NULLs" and values[0] is not None:
                return lambda: db.fetch(BEFORE_NULLS, *values)
            after = AFTER.get(job.other, NULL)
            values = values if job.other in AFTER else values[1:]
            query = f"select {COLUMNS} from messages where {after} order by {order} limit {SIZE}"
            return lambda: db.fetch(query, *values)

        return timed(job, {depth: fetch(depth) for depth in depths(job)})


def rowmill(job: Job) -> Measure:
    """Database.page, with the token that the pages before end with."""
    from bench.peers.messages import Message

    orders = {
        "ascending": (Message.at, Message.id),
        "descending": (-Message.at, -Message.id),
        "mixed": (-Message.at, Message.id),
        "NULLs": (Message.score.nulls_last(), Message.id),
    }
    query = rm.select(Message).order_by(*orders[job.other])
    with rm.Database(job.url) as db:

        def fetch(depth: int) -> Callable[[], Any]:
            token, at = None, 0
            while at < depth:
                page = db.page(query, size=min(STRIDE, depth - at), after=token)
                token, at = page.next, at + len(page)
            return lambda: db.page(query, size=SIZE, after=token)

        return timed(job, {depth: fetch(depth) for depth in depths(job)})


def depths(job: Job) -> tuple[int, int, int]:
    """10, a tenth and nine tenths of the rows."""
    return 10, job.keys // 10, job.keys * 9 // 10


WIDE = ", ".join(f"messages.{name}" for name in COLUMNS.split(", "))
NEWEST = "order by at desc, id desc limit 10"
TOP = {
    "LATERAL": f"select {WIDE} from unnest($1::int8[]) as g (channel) cross join lateral"
    f" (select * from messages where channel_id = g.channel {NEWEST}) as messages",
    "correlated IN": f"select {WIDE} from json_each($1) as g join messages on messages.id in"
    f" (select id from messages as m where m.channel_id = g.value {NEWEST})",
    "row_number": f"select {WIDE} from (select id, row_number() over"
    " (partition by channel_id order by at desc, id desc) as n from messages) as ranked"
    " join messages on messages.id = ranked.id where n <= 10",
}


def top_by_hand(job: Job) -> Measure:
    """One statement: the form named."""
    groups = list(range(1, CHANNELS + 1))
    with rm.Database(job.url) as db:
        if job.other == "UNION ALL":
            one = f"select * from (select {COLUMNS} from messages where channel_id = {{}} {NEWEST}) as m"
            query = " union all ".join(one.format(group) for group in groups)
            return repeated(job, lambda: db.fetch(query))
        if job.other == "a query each":
            each = f"select {COLUMNS} from messages where channel_id = $1 {NEWEST}"
            return repeated(job, lambda: [row for g in groups for row in db.fetch(each, g).rows()])
        query = TOP[job.other]
        if job.other == "row_number":
            few = replace(job, count=3)  # each takes a second
            return repeated(few, lambda: db.fetch(query))
        values: Any = str(groups) if job.other == "correlated IN" else groups
        return repeated(job, lambda: db.fetch(query, values))


def top_rowmill(job: Job) -> Measure:
    """Query.top_n."""
    from bench.peers.messages import Message

    groups = list(range(1, CHANNELS + 1))
    query = rm.select(Message).order_by(-Message.at, -Message.id)
    query = query.top_n(10, per=Message.channel_id, groups=groups)
    with rm.Database(job.url) as db:
        return repeated(job, lambda: db.fetch(query))


def repeated(job: Job, fetch: Callable[[], Any]) -> Measure:
    """The median of so many runs as `wall`; the mean as `cpu`."""
    fetch()
    with Measure() as m:
        for _ in range(job.count):
            start = time.perf_counter()
            m.rows = len(fetch())
            m.latencies.append(time.perf_counter() - start)
    m.extra = {"cpu": m.cpu / job.count, "wall": statistics.median(m.latencies), "rss_mb": None}
    return m

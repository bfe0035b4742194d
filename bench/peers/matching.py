"""Stored campaigns and a request: which of them are true? `job.keys` is how many campaigns there are."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.beside import scaling
from bench.campaigns import ATTRIBUTES, Condition, campaign, request
from bench.closures import CHECKED, REQUESTS, per_call, told
from bench.measure import Job, Measure


def rowmill(job: Job) -> Measure:
    """`Matcher.match` of dicts and of JSON, `match_batch` of a frame, and what a call costs without a condition."""
    import rowmill as rm

    dice = random.Random(1)
    conditions = [expression(rm, campaign(dice)) for _ in range(job.keys)]
    requests = [request(dice) for _ in range(REQUESTS)]
    texts = [json.dumps(record).encode() for record in requests]
    every = rm.Frame([{name: record.get(name) for name in ATTRIBUTES} for record in requests])
    matcher: rm.Matcher[int] = rm.Matcher(ATTRIBUTES)
    empty: rm.Matcher[int] = rm.Matcher(ATTRIBUTES)
    m = Measure()
    with m:
        start = time.perf_counter()
        matcher.insert_many(enumerate(conditions))
        m.extra["build_s"] = time.perf_counter() - start
        m.extra["bytes"] = matcher.stats()["bytes"] / job.keys
        m.extra["dict_us"], m.extra["p99_us"] = per_call(matcher.match, requests)
        m.extra["json_us"], _ = per_call(matcher.match, texts)
        m.extra["empty_dict_us"], _ = per_call(empty.match, requests)
        m.extra["empty_json_us"], _ = per_call(empty.match, texts)
        batch = seconds(lambda: matcher.match_batch(every))
        m.extra["batch_us"] = batch / REQUESTS * 1e6
        # Beside a fifth of a second it is nothing to begin a thread.
        batches = range(max(1, round(0.2 / batch)))
        m.extra["two_threads_x"], m.extra["two_processes_x"] = scaling(
            lambda: [matcher.match_batch(every) for _ in batches]
        )
    m.extra |= told([sorted(matcher.match(record)) for record in requests[:CHECKED]])
    m.extra["change_us"], m.extra["change_p99_us"] = per_change(matcher, conditions)
    m.extra |= dict.fromkeys(("wall", "cpu", "rss_mb", "rows"))  # of no meaning here
    return m


def per_change(matcher: Any, conditions: list[Any]) -> tuple[float, float]:
    """The median microseconds until a change is seen by whoever matches, and the 99th percentile, at some 900 a second."""
    times = []
    for at in range(min(len(conditions), 2_000)):
        start = time.perf_counter()
        matcher.replace(at, conditions[at - 1])
        times.append((time.perf_counter() - start) * 1e6)
        time.sleep(0.001)
    times.sort()
    return statistics.median(times), times[len(times) * 99 // 100]


def seconds(call: Callable[[], Any]) -> float:
    """The median of some."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def expression(rm: Any, parts: list[Condition]) -> Any:
    """A campaign as Rowmill has it."""
    every = [one(rm, part) for part in parts]
    whole = every[0]
    for part in every[1:]:
        whole = whole & part
    return whole


def one(rm: Any, part: Condition) -> Any:
    """A condition as Rowmill has it."""
    kind, attribute, asked = part
    if kind == "any of":
        branches = [one(rm, branch) for branch in attribute]
        whole = branches[0]
        for branch in branches[1:]:
            whole = whole | branch
        return whole
    column = rm.col(attribute)
    match kind:
        case "within":
            return column.in_(asked)
        case "without":
            return column.not_in(asked)
        case "holds":
            return column.overlaps(asked)
        case "lacks":
            return column.disjoint(asked)
        case "is":
            return column == asked
    low, high = asked
    if low is None:
        return column <= high
    return column >= low if high is None else (column >= low) & (column <= high)

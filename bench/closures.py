"""A closure for each condition, and one for each campaign, as they are written today: `python -m bench.closures 150`
prints its figures as JSON. It runs on PyPy, so it is written in the Python of 2020."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

from bench.campaigns import Condition, campaign, request

REQUESTS = 2_000
CHECKED = 50
"""Requests of which the ids are compared."""

Holds = Callable[[dict[str, Any]], bool]


def main() -> None:
    """Measures so many campaigns."""
    count = int(sys.argv[1])
    dice = random.Random(1)
    filters = [all_of([closure(part) for part in campaign(dice)]) for _ in range(count)]
    requests = [request(dice) for _ in range(REQUESTS)]

    def match(record: dict[str, Any]) -> list[int]:
        return [at for at, holds in enumerate(filters) if holds(record)]

    few = requests[: max(20, min(REQUESTS, 2_000_000 // count))]
    median, p99 = per_call(match, few)
    found = [match(record) for record in requests[:CHECKED]]
    print(json.dumps({"dict_us": median, "p99_us": p99} | told(found)))


def per_call(match: Callable[[Any], Any], records: list[Any]) -> tuple[float, float]:
    """The median microseconds of a call, and the 99th percentile, after a turn to get warm."""
    times = []
    for turn in range(2):
        for record in records:
            start = time.perf_counter()
            match(record)
            if turn:
                times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    return statistics.median(times), times[len(times) * 99 // 100]


def told(found: list[list[int]]) -> dict[str, int]:
    """What tells that all found the same."""
    return {"found": sum(map(len, found)), "check": zlib.crc32(repr(found).encode())}


def all_of(parts: list[Holds]) -> Holds:
    """True where all are; the first that is not ends it."""

    def holds(record: dict[str, Any]) -> bool:
        for part in parts:  # noqa: SIM110 - a generator takes twice as long
            if not part(record):
                return False
        return True

    return holds


def closure(part: Condition) -> Holds:
    """A condition; of what is missing none is true."""
    kind, attribute, asked = part
    if kind == "any of":
        branches = [closure(branch) for branch in attribute]
        return lambda record: any(branch(record) for branch in branches)
    if kind == "is":
        return lambda record: record.get(attribute) is asked
    if kind == "range":
        low, high = asked
        if low is None:
            return lambda record: (given := record.get(attribute)) is not None and given <= high
        if high is None:
            return lambda record: (given := record.get(attribute)) is not None and given >= low
        return lambda record: (given := record.get(attribute)) is not None and low <= given <= high
    values = frozenset(asked)
    if kind == "within":
        return lambda record: record.get(attribute) in values
    if kind == "without":
        return lambda record: (given := record.get(attribute)) is not None and given not in values
    if kind == "holds":
        return lambda record: (
            (given := record.get(attribute)) is not None and not values.isdisjoint(given)
        )
    return lambda record: (given := record.get(attribute)) is not None and values.isdisjoint(given)


if __name__ == "__main__":
    main()

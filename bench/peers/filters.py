"""Frames in memory filtered: a function per library, each with its own spelling of the seven predicates.

`job.sql` names the predicates, `job.keys` is the frame's number of rows, `job.file` the columns that are wanted.
The frame has eleven columns (numbers, times, a bool, texts, 30 % of `closed` NULL) and, for `listc`, a list.
"""

from __future__ import annotations

import datetime as dt
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from bench.measure import Job, Measure

# Wall clocks: so are the columns.
FROM, TO = dt.datetime(2022, 6, 1), dt.datetime(2023, 3, 1)  # noqa: DTZ001
SECONDS = 0.5
"""How long one measurement calls the filter, again and again."""


Runs = dict[str, Callable[[], Any]]
Rows = TypeVar("Rows")


def table(n: int, labels: bool) -> pa.Table:
    """The rows, the same in every run."""
    numbers = np.random.default_rng(1)

    def words(pattern: str, count: int) -> pa.Array:
        choices = pa.array([pattern.format(at, at % 40) for at in range(count)])
        return choices.take(pa.array(numbers.integers(0, count, n)))

    created = numbers.integers(1_600_000_000_000_000, 1_700_000_000_000_000, n)
    closed = created + numbers.integers(0, 10**12, n)
    columns: dict[str, Any] = {
        "id": np.arange(n),
        "number": numbers.integers(0, 1000, n),
        "additions": numbers.integers(0, 1000, n).astype(np.int32),
        "score": numbers.normal(size=n),
        "ratio": numbers.random(n),
        "created": pa.array(created, pa.timestamp("us")),
        "closed": pa.array(closed, pa.timestamp("us"), mask=numbers.random(n) < 0.3),
        "merged": numbers.random(n) < 0.5,
        "state": pa.array(["open", "closed", "merged", "draft"]).take(
            pa.array(numbers.integers(0, 4, n))
        ),
        "repo": words("org-{1}/repository-{0}", 1000),
        "login": words("user{0}", 1000),
    }
    if labels:
        lengths = numbers.integers(0, 5, n)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        elements = pa.array(numbers.integers(0, 30, offsets[-1]))
        columns["labels"] = pa.LargeListArray.from_arrays(pa.array(offsets), elements)
    return pa.table(columns)


def repos() -> list[str]:
    """A tenth of them."""
    return [f"org-{at % 40}/repository-{at}" for at in range(0, 1000, 10)]


def median(run: Callable[[], Any]) -> float:
    """Seconds of a call: `run` is called for a while, as often at a time as takes a millisecond or so."""
    run()
    times = 1
    while True:
        start = time.perf_counter()
        for _ in range(times):
            run()
        if time.perf_counter() - start > 1e-3:
            break
        times *= 2
    found: list[float] = []
    end = time.perf_counter() + SECONDS
    while not found or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(times):
            run()
        found.append((time.perf_counter() - start) / times)
    return statistics.median(found)


def peer_of(
    rows_of: Callable[[int], Rows],
) -> Callable[[Callable[[Rows], Callable[[str], Callable[[], Any]]]], Callable[[Job], Measure]]:
    """Measures what a library takes for the tasks that `job.sql` names, over `job.keys` rows."""

    def peer(
        runs: Callable[[Rows], Callable[[str], Callable[[], Any]]],
    ) -> Callable[[Job], Measure]:
        @functools.wraps(runs)
        def measured(job: Job) -> Measure:
            m = Measure()
            with m:
                known = runs(rows_of(job.keys))
                for task in job.sql.split(","):
                    m.extra[f"{task}_us"] = median(known(task)) * 1e6
            m.extra |= dict.fromkeys(("wall", "cpu", "rss_mb", "rows"))  # of no meaning here
            return m

        return measured

    return peer


def peer(runs: Callable[[pa.Table, list[str] | None], Runs]) -> Callable[[Job], Measure]:
    """Measures what a library has for the predicates of a job."""

    @functools.wraps(runs)
    def measured(job: Job) -> Measure:
        kinds, names = job.sql.split(","), job.file.split(",") if job.file else None
        m = Measure()
        with m:
            for labels in (False, True):
                asked = [kind for kind in kinds if (kind == "listc") == labels]
                known = runs(table(job.keys, labels), names) if asked else {}
                for kind in asked:
                    if kind in known:
                        m.extra[f"{kind}_rows"] = len(known[kind]())
                        m.extra[f"{kind}_us"] = median(known[kind]) * 1e6
        m.extra |= dict.fromkeys(("wall", "cpu", "rss_mb", "rows"))  # of no meaning here
        return m

    return measured


def predicates(c: Callable[[str], Any], within: str, null: str) -> Runs:
    """Those that Rowmill and Polars write alike, but for two names."""

    def window() -> Any:
        return (c("created") >= FROM) & (c("created") < TO)

    return {
        "num": lambda: c("number") >= 900,
        "streq": lambda: c("state") == "open",
        "in100": lambda: getattr(c("repo"), within)(repos()),
        "null": lambda: getattr(c("closed"), null)(),
        "window": window,
        "ten": lambda: (
            (c("number") >= 500)
            & (c("additions") < 500)
            & (c("score") > 0)
            & (c("ratio") < 0.5)
            & window()
            & ~getattr(c("closed"), null)()
            & c("merged")
            & (c("state") == "open")
            & getattr(c("repo"), within)(repos())
        ),
    }


def rowmill_filters(rows: pa.Table, names: list[str] | None) -> Runs:
    """`Frame.filter`, which copies a column when it is asked for."""
    import rowmill as rm

    frame = rm.Frame(rows)

    def run(predicate: Any) -> Callable[[], Any]:
        return lambda: frame.filter(predicate, columns=names)

    every = predicates(rm.col, "in_", "is_null")
    every["listc"] = lambda: rm.col("labels").contains_all([7])
    return {kind: run(predicate()) for kind, predicate in every.items()}


rowmill = peer(rowmill_filters)


@peer
def rowmill_read(rows: pa.Table, names: list[str] | None) -> Runs:
    """The same, and all columns asked for."""

    def run(filtered: Callable[[], Any]) -> Callable[[], Any]:
        def every() -> Any:
            frame = filtered()
            _ = frame.nbytes
            return frame

        return every

    return {kind: run(filtered) for kind, filtered in rowmill_filters(rows, names).items()}


@peer
def polars(rows: pa.Table, names: list[str] | None) -> Runs:
    """`DataFrame.filter`."""
    import polars as pl

    frame: Any = pl.DataFrame(rows)

    def run(predicate: Any) -> Callable[[], Any]:
        if names:
            return lambda: frame.lazy().filter(predicate).select(names).collect()
        return lambda: frame.filter(predicate)

    every = predicates(pl.col, "is_in", "is_null")
    every["listc"] = lambda: pl.col("labels").list.contains(7)
    return {kind: run(predicate()) for kind, predicate in every.items()}


@peer
def pandas(rows: pa.Table, names: list[str] | None) -> Runs:
    """A mask of a DataFrame; it has no lists."""
    frame, known = rows.to_pandas(), repos()
    every: Runs = {
        "num": lambda: frame["number"] >= 900,
        "streq": lambda: frame["state"] == "open",
        "in100": lambda: frame["repo"].isin(known),
        "null": lambda: frame["closed"].isna(),
        "window": lambda: (frame["created"] >= FROM) & (frame["created"] < TO),
        "ten": lambda: (
            (frame["number"] >= 500)
            & (frame["additions"] < 500)
            & (frame["score"] > 0)
            & (frame["ratio"] < 0.5)
            & (frame["created"] >= FROM)
            & (frame["created"] < TO)
            & frame["closed"].notna()
            & frame["merged"]
            & (frame["state"] == "open")
            & frame["repo"].isin(known)
        ),
    }

    def run(mask: Callable[[], Any]) -> Callable[[], Any]:
        if names:
            return lambda: frame.loc[mask(), names]
        return lambda: frame[mask()]

    return {kind: run(mask) for kind, mask in every.items()}


@peer
def pyarrow(rows: pa.Table, names: list[str] | None) -> Runs:
    """Compute functions and `Table.filter`."""
    import pyarrow.compute as pc

    frame, kept = rows, rows.select(names) if names else rows
    known = pa.array(repos())

    def every(*masks: Any) -> Any:
        whole = masks[0]
        for mask in masks[1:]:
            whole = pc.and_(whole, mask)
        return whole

    def window() -> Any:
        created = frame["created"]
        return every(pc.greater_equal(created, FROM), pc.less(created, TO))

    masks: Runs = {
        "num": lambda: pc.greater_equal(frame["number"], 900),
        "streq": lambda: pc.equal(frame["state"], "open"),
        "in100": lambda: pc.is_in(frame["repo"], known),
        "null": lambda: pc.is_null(frame["closed"]),
        "window": window,
        "ten": lambda: every(
            pc.greater_equal(frame["number"], 500),
            pc.less(frame["additions"], 500),
            pc.greater(frame["score"], 0),
            pc.less(frame["ratio"], 0.5),
            window(),
            pc.is_valid(frame["closed"]),
            frame["merged"],
            pc.equal(frame["state"], "open"),
            pc.is_in(frame["repo"], known),
        ),
    }

    def run(mask: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: kept.filter(mask())

    return {kind: run(mask) for kind, mask in masks.items()}

"""Frames in memory filtered: a function per library, each with its own spelling of the seven predicates.

`job.sql` names the predicate, `job.keys` is the frame's number of rows, `job.file` the columns that are wanted.
The frame has eleven columns (numbers, times, a bool, texts, 30 % of `closed` NULL) and, for `listc`, a list.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from bench.measure import Job, Measure

# Wall clocks: so are the columns.
FROM, TO = dt.datetime(2022, 6, 1), dt.datetime(2023, 3, 1)  # noqa: DTZ001
SECONDS = 0.5
"""How long one measurement calls the filter, again and again."""


def table(job: Job) -> pa.Table:
    """The rows, the same in every run."""
    n, numbers = job.keys, np.random.default_rng(1)

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
    if job.sql == "listc":
        lengths = numbers.integers(0, 5, n)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        labels = pa.array(numbers.integers(0, 30, offsets[-1]))
        columns["labels"] = pa.LargeListArray.from_arrays(pa.array(offsets), labels)
    return pa.table(columns)


def repos() -> list[str]:
    """A tenth of them."""
    return [f"org-{at % 40}/repository-{at}" for at in range(0, 1000, 10)]


def wanted(job: Job) -> list[str] | None:
    """The columns asked for, None for all."""
    return job.file.split(",") if job.file else None


def measured(run: Callable[[], Any]) -> Measure:
    """Calls `run` for a while, as often at a time as takes a millisecond or so."""
    found = run()
    times = 1
    while True:
        start = time.perf_counter()
        for _ in range(times):
            run()
        if time.perf_counter() - start > 1e-3:
            break
        times *= 2
    with Measure() as m:
        end = time.perf_counter() + SECONDS
        while not m.latencies or time.perf_counter() < end:
            start = time.perf_counter()
            for _ in range(times):
                run()
            m.latencies.append((time.perf_counter() - start) / times)
    m.rows = len(found)
    return m


def predicates(c: Callable[[str], Any], within: str, null: str) -> dict[str, Callable[[], Any]]:
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


def rowmill(job: Job) -> Measure:
    """`Frame.filter`."""
    import rowmill as rm

    frame, names = rm.Frame(table(job)), wanted(job)
    every = predicates(rm.col, "in_", "is_null")
    every["listc"] = lambda: rm.col("labels").contains_all([7])
    predicate = every[job.sql]()
    return measured(lambda: frame.filter(predicate, columns=names))


def polars(job: Job) -> Measure:
    """`DataFrame.filter`."""
    import polars as pl

    frame, names = pl.DataFrame(table(job)), wanted(job)
    every = predicates(pl.col, "is_in", "is_null")
    every["listc"] = lambda: pl.col("labels").list.contains(7)
    predicate = every[job.sql]()
    if names:
        return measured(lambda: frame.lazy().filter(predicate).select(names).collect())
    return measured(lambda: frame.filter(predicate))


def pandas(job: Job) -> Measure:
    """A mask of a DataFrame; it has no lists."""
    frame, names = table(job).to_pandas(), wanted(job)
    every: dict[str, Callable[[], Any]] = {
        "num": lambda: frame["number"] >= 900,
        "streq": lambda: frame["state"] == "open",
        "in100": lambda: frame["repo"].isin(repos_once),
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
            & frame["repo"].isin(repos_once)
        ),
    }
    repos_once, predicate = repos(), every[job.sql]
    if names:
        return measured(lambda: frame.loc[predicate(), names])
    return measured(lambda: frame[predicate()])


def pyarrow(job: Job) -> Measure:
    """Compute functions and `Table.filter`."""
    import pyarrow.compute as pc

    frame, names = table(job), wanted(job)
    known = pa.array(repos())

    def every(*masks: Any) -> Any:
        whole = masks[0]
        for mask in masks[1:]:
            whole = pc.and_(whole, mask)
        return whole

    def window() -> Any:
        created = frame["created"]
        return every(pc.greater_equal(created, FROM), pc.less(created, TO))

    masks: dict[str, Callable[[], Any]] = {
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
    predicate = masks[job.sql]
    if names:
        return measured(lambda: frame.select(names).filter(predicate()))
    return measured(lambda: frame.filter(predicate()))

"""Frames in memory grouped by a key, with three aggregates: a function per library.

`job.sql` names the keys, `job.keys` is the frame's number of rows. A key is of integers or of texts, of 10 groups, of
as many as a thirtieth of the rows, or of half as many as there are rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from bench.peers.filters import peer_of

Runs = Callable[[str], Callable[[], Any]]
KEYS = tuple(f"{kind}_{many}" for kind in ("int", "text") for many in ("few", "some", "many"))


def table(n: int) -> pa.Table:
    """The rows, the same in every run."""
    numbers = np.random.default_rng(1)
    columns: dict[str, Any] = {}
    for many, groups in (("few", 10), ("some", max(n // 30, 1)), ("many", max(n // 2, 1))):
        keys = numbers.integers(0, groups, n)
        columns[f"int_{many}"] = keys
        names = pa.array([f"org-{at % 40}/repository-{at}" for at in range(groups)])
        columns[f"text_{many}"] = names.take(pa.array(keys))
    columns["number"] = numbers.integers(0, 1000, n)
    columns["score"] = numbers.normal(size=n)
    return pa.table(columns)


peer = peer_of(table)


@peer
def rowmill(rows: pa.Table) -> Runs:
    """`Frame.group_by`."""
    import rowmill as rm

    frame = rm.Frame(rows)
    n, total, least = rm.count(), rm.col("number").sum(), rm.col("score").min()
    return lambda key: lambda: frame.group_by(key).agg(n=n, total=total, least=least)


@peer
def polars(rows: pa.Table) -> Runs:
    """`DataFrame.group_by`."""
    import polars as pl

    frame: Any = pl.DataFrame(rows)
    wanted = {"n": pl.len(), "total": pl.col("number").sum(), "least": pl.col("score").min()}
    return lambda key: lambda: frame.group_by(key).agg(**wanted)


@peer
def pandas(rows: pa.Table) -> Runs:
    """`DataFrame.groupby`, by names."""
    frame = rows.to_pandas()
    wanted = {"n": ("number", "size"), "total": ("number", "sum"), "least": ("score", "min")}
    return lambda key: lambda: frame.groupby(key, sort=False).agg(**wanted)


@peer
def numpy(rows: pa.Table) -> Runs:
    """`np.unique`, and what it makes possible."""
    columns = {
        name: rows[name].to_numpy() if name[:4] != "text" else np.array(rows[name].to_pylist())
        for name in rows.column_names
    }
    number, score = columns["number"], columns["score"]

    def run(key: str) -> Callable[[], Any]:
        def grouped() -> Any:
            _, first, inverse, counts = np.unique(
                columns[key], return_index=True, return_inverse=True, return_counts=True
            )
            total = np.zeros(len(first), np.int64)
            np.add.at(total, inverse, number)
            least = np.full(len(first), np.inf)
            np.minimum.at(least, inverse, score)
            return counts

        return grouped

    return run


@peer
def pyarrow(rows: pa.Table) -> Runs:
    """`Table.group_by`."""
    wanted: Any = [([], "count_all"), ("number", "sum"), ("score", "min")]
    return lambda key: lambda: rows.group_by(key).aggregate(wanted)


@peer
def duckdb(rows: pa.Table) -> Runs:
    """SQL over the Arrow table."""
    import duckdb as db

    connection = db.connect()
    connection.register("rows_", rows)

    def run(key: str) -> Callable[[], Any]:
        sql = f"select {key}, count(*), sum(number), min(score) from rows_ group by {key}"
        return lambda: connection.sql(sql).arrow()

    return run

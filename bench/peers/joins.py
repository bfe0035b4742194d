"""Frames in memory: joined with a third as many rows of different keys, equal rows left out, and which rows have one of a
tenth of the values; by integers and by texts.

`job.sql` names the tasks, `job.keys` is the frame's number of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from bench.peers.filters import peer_of

TASKS = tuple(f"{verb}_{kind}" for verb in ("join", "unique", "isin") for kind in ("int", "text"))


class Rows(NamedTuple):
    """Both sides, and the values that are looked for."""

    left: pa.Table
    right: pa.Table
    wanted: dict[str, list[Any]]


Runs = Callable[[str], Callable[[], Any]]
Verbs = dict[str, Callable[[str], Any]]


def rows_of(n: int) -> Rows:
    """The same in every run."""
    numbers = np.random.default_rng(1)
    different = max(n // 3, 1)
    # Far apart, as ids are.
    ids = numbers.choice(50 * different, different, replace=False)
    names = pa.array([f"org-{at % 40}/repository-{at}" for at in ids])
    chosen = numbers.integers(0, different, n)
    left = pa.table(
        {"int": ids[chosen], "text": names.take(pa.array(chosen)), "score": numbers.normal(size=n)}
    )
    right = pa.table({"int": ids, "text": names, "size": numbers.integers(0, 1000, different)})
    tenth = max(different // 10, 1)
    wanted: dict[str, list[Any]] = {
        "int": ids[:tenth].tolist(),
        "text": names[:tenth].to_pylist(),
    }
    return Rows(left, right, wanted)


def tasks(verbs: Verbs) -> Runs:
    """What is to be run for `join_int` and its like."""

    def task(name: str) -> Callable[[], Any]:
        verb, kind = name.split("_")
        return lambda: verbs[verb](kind)

    return task


peer = peer_of(rows_of)


@peer
def rowmill(rows: Rows) -> Runs:
    """`Frame.join`, `Frame.unique`, and `in_` in a select."""
    import rowmill as rm

    left, right = rm.Frame(rows.left), rm.Frame(rows.right)
    keys = {kind: right[[kind, "size"]] for kind in ("int", "text")}
    tests = {kind: rm.col(kind).in_(rows.wanted[kind]).label("found") for kind in keys}
    verbs: Verbs = {
        "join": lambda kind: left.join(keys[kind], on=kind),
        "unique": lambda kind: left.unique(kind).copy(),
        "isin": lambda kind: left.select(tests[kind]),
    }
    return tasks(verbs)


@peer
def polars(rows: Rows) -> Runs:
    """The methods of the same names."""
    import polars as pl

    left: Any = pl.DataFrame(rows.left)
    right: Any = pl.DataFrame(rows.right)
    keys = {kind: right.select(kind, "size") for kind in ("int", "text")}
    wanted = {kind: pl.Series(values) for kind, values in rows.wanted.items()}
    verbs: Verbs = {
        "join": lambda kind: left.join(keys[kind], on=kind, maintain_order="left"),
        "unique": lambda kind: left.unique(kind, keep="first", maintain_order=True),
        "isin": lambda kind: left.select(pl.col(kind).is_in(wanted[kind].implode())),
    }
    return tasks(verbs)


@peer
def pandas(rows: Rows) -> Runs:
    """`merge`, `drop_duplicates` and `isin`."""
    left, right = rows.left.to_pandas(), rows.right.to_pandas()
    keys = {kind: right[[kind, "size"]] for kind in ("int", "text")}
    verbs: Verbs = {
        "join": lambda kind: left.merge(keys[kind], on=kind),
        "unique": lambda kind: left.drop_duplicates(kind),
        "isin": lambda kind: left[kind].isin(rows.wanted[kind]),
    }
    return tasks(verbs)


@peer
def numpy(rows: Rows) -> Runs:
    """`searchsorted`, `np.unique` and `np.isin`, which sort."""

    def arrays(table: pa.Table) -> dict[str, Any]:
        return {
            name: np.array(table[name].to_pylist()) if name == "text" else table[name].to_numpy()
            for name in table.column_names
        }

    left, right = arrays(rows.left), arrays(rows.right)
    wanted = {kind: np.array(values) for kind, values in rows.wanted.items()}

    def join(kind: str) -> Any:
        order = np.argsort(right[kind])
        places = np.searchsorted(right[kind], left[kind], sorter=order).clip(max=len(order) - 1)
        partner = order[places]
        found = right[kind][partner] == left[kind]
        return [column[found] for column in left.values()], right["size"][partner[found]]

    def unique(kind: str) -> Any:
        first = np.sort(np.unique(left[kind], return_index=True)[1])
        return [column[first] for column in left.values()]

    verbs: Verbs = {
        "join": join,
        "unique": unique,
        "isin": lambda kind: np.isin(left[kind], wanted[kind]),
    }
    return tasks(verbs)


@peer
def duckdb(rows: Rows) -> Runs:
    """SQL over the Arrow tables."""
    import duckdb as db

    connection = db.connect()
    connection.register("left_", rows.left)
    connection.register("right_", rows.right)
    for kind, values in rows.wanted.items():
        connection.register(f"wanted_{kind}", pa.table({kind: values}))
    sql = {
        "join": "select l.*, size from left_ l join right_ r on l.{0} = r.{0}",
        "unique": "select distinct on ({0}) * from left_",
        "isin": "select {0} in (select {0} from wanted_{0}) from left_",
    }

    def verb(name: str) -> Callable[[str], Any]:
        return lambda kind: connection.sql(sql[name].format(kind)).arrow()

    return tasks({name: verb(name) for name in sql})

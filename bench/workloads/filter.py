"""Frames in memory, from 100 to 10,000,000 rows, filtered by one predicate and by ten."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job

NEEDS_POSTGRES = False
COLUMNS = ("p50_us", "cpu")
PREDICATES = ("num", "streq", "in100", "null", "window", "listc", "ten")
THREE = "id,state,created"


def run(context: Context) -> None:
    """Every predicate at every size, the whole rows; at 100 rows three columns of them too."""
    for rows in context.sizes.filters:
        for predicate in PREDICATES:
            job = Job("", "", sql=predicate, keys=rows)
            measure(context, f"filter {rows}, {predicate}", job)
            if rows == 100:
                three = Job("", "", sql=predicate, keys=rows, file=THREE)
                measure(context, f"filter {rows}, {predicate}, three columns", three)


def measure(context: Context, task: str, job: Job) -> None:
    """The peers that have lists, and the others where none is asked for."""
    peers = (
        ["rowmill", "polars"] if job.sql == "listc" else ["rowmill", "polars", "pandas", "pyarrow"]
    )
    context.run("filter", task, [simple(peer, "filters", peer, job) for peer in peers])

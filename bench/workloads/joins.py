"""Frames in memory, of 100 to 300,000 rows: joined, rows that are equal, and values among others."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job
from bench.peers.joins import TASKS

NEEDS_POSTGRES = False
COLUMNS = tuple(f"{task}_us" for task in TASKS)
PEERS = ("rowmill", "polars", "pandas", "numpy", "duckdb")


def run(context: Context) -> None:
    """Every task at every size that takes less than a second."""
    for rows in context.sizes.filters:
        if rows <= 1_000_000:
            job = Job("", "", sql=",".join(TASKS), keys=rows)
            cases = [simple(peer, "joins", peer, job) for peer in PEERS]
            context.run("joins", f"joins of {rows}", cases)

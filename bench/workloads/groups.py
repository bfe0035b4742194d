"""Frames in memory, of 100 to 300,000 rows, grouped by integers and by texts, with three aggregates."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job
from bench.peers.groups import KEYS

NEEDS_POSTGRES = False
COLUMNS = tuple(f"{key}_us" for key in KEYS)
PEERS = ("rowmill", "polars", "pandas", "numpy", "pyarrow", "duckdb")


def run(context: Context) -> None:
    """Every key at every size that is grouped in a second."""
    for rows in context.sizes.filters:
        if rows <= 1_000_000:
            job = Job("", "", sql=",".join(KEYS), keys=rows)
            cases = [simple(peer, "groups", peer, job) for peer in PEERS]
            context.run("groups", f"groups of {rows}", cases)

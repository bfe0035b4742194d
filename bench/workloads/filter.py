"""Frames in memory, from 100 to 10,000,000 rows, filtered by one condition and by ten."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job

NEEDS_POSTGRES = False
PREDICATES = ("num", "streq", "in100", "null", "window", "listc", "ten")
COLUMNS = tuple(f"{predicate}_us" for predicate in PREDICATES)
PEERS = {
    "rowmill": "rowmill",
    "rowmill, all columns read": "rowmill_read",
    "polars": "polars",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
}
THREE = "id,state,created"


def run(context: Context) -> None:
    """The predicates at every size, the whole rows; at 100 rows three columns of them too."""
    for rows in context.sizes.filters:
        # So many rows take longer to make than to filter: ten conditions alone.
        predicates = ("ten",) if rows > 1_000_000 else PREDICATES
        job = Job("", "", sql=",".join(predicates), keys=rows)
        measure(context, f"filter {rows}", job)
        if rows == 100:
            three = Job("", "", sql=",".join(predicates), keys=rows, file=THREE)
            measure(context, f"filter {rows}, three columns", three)


def measure(context: Context, task: str, job: Job) -> None:
    """Every library."""
    context.run(
        "filter", task, [simple(label, "filters", peer, job) for label, peer in PEERS.items()]
    )

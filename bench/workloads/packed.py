"""Records of 25 fields: made, opened, read, and 100,000 of them as columns."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job

NEEDS_POSTGRES = False
COLUMNS = ("build_us", "open_us", "three_us", "fixed_ms", "all_ms", "bytes")
PEERS = ("rowmill", "msgspec", "pickle", "dictionary")


def run(context: Context) -> None:
    """Every library, once: one record is as large as the next."""
    rows = min(max(context.sizes.filters), 100_000)
    cases = [simple(peer, "records", peer, Job("", "", keys=rows)) for peer in PEERS]
    context.run("packed", f"records, {rows} as columns", cases)

"""Stored campaigns against requests from Python: dicts, JSON and frames, beside a closure for each campaign."""

from __future__ import annotations

from bench.context import Context, simple
from bench.measure import Job

NEEDS_POSTGRES = False
COLUMNS = (
    *("dict_us", "p99_us", "json_us", "batch_us", "empty_dict_us", "empty_json_us"),
    *("two_threads_x", "build_s", "bytes", "found"),
)


def run(context: Context) -> None:
    """150 campaigns, as a server of one team has, and more."""
    for count in context.sizes.campaigns:
        job = Job("", "", keys=count)
        peers = ("rowmill", "closures") if count <= 10_000 else ("rowmill",)
        cases = [simple(peer, "matching", peer, job) for peer in peers]
        context.run("matching", f"match {count}", cases)

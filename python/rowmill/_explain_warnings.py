"""What in a plan of PostgreSQL is worth a look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# How wrong an estimate must be, and of how many rows: below, no plan would change for it.
OFF = 10
OFF_ROWS = 1_000
# What a filter must take away of how many rows before an index is worth a thought.
FILTERED = 0.9
FILTERED_ROWS = 10_000
# Loops from which on reading a table, or a sub-query, again each time is the statement's cost.
AGAIN = 100
# The share of the time from which on compiling is what the statement does.
JIT = 0.3


def node_warnings(raw: dict[str, Any], cut: bool) -> tuple[str, ...]:
    """Of one node; one that may be cut off early is not held to its estimate."""
    return (*_estimates(raw, cut), *_filters(raw), *_repeats(raw), *_memory(raw), *_others(raw))


def plan_warnings(top: dict[str, Any]) -> tuple[str, ...]:
    """Of the whole statement."""
    compiling = top.get("JIT", {}).get("Timing", {}).get("Total", 0.0)
    took = top.get("Execution Time", 0.0)
    if took and compiling > JIT * took:
        return (f"{compiling:,.0f} of {took:,.0f} ms went into compiling: set jit = off",)
    return ()


def _estimates(raw: dict[str, Any], cut: bool) -> Iterator[str]:
    guess, rows, loops = raw.get("Plan Rows"), raw.get("Actual Rows"), raw.get("Actual Loops")
    if guess is None or rows is None or not loops:
        return
    if cut and rows < guess:
        return
    most, least = max(guess, rows), max(1.0, min(guess, rows))
    if most * loops >= OFF_ROWS and most / least >= OFF:
        yield (
            f"estimate off {most / least:,.0f}x: {guess:,.0f} rows expected, {rows:,.0f} came"
            " (analyze brings the statistics up to date)"
        )


def _filters(raw: dict[str, Any]) -> Iterator[str]:
    removed, loops = raw.get("Rows Removed by Filter", 0), raw.get("Actual Loops") or 0
    read = (removed + raw.get("Actual Rows", 0)) * loops
    if read >= FILTERED_ROWS and removed * loops >= FILTERED * read:
        share = 100 * removed * loops / read
        kind = str(raw["Node Type"]).lower()
        # Never 100 where a row was left.
        shown = "all" if removed * loops == read else f"{min(share, 99.9):.3g} %"
        yield f"{kind} filtered away {shown} of {about(read)} rows: an index would not read them"


def _repeats(raw: dict[str, Any]) -> Iterator[str]:
    loops = raw.get("Actual Loops") or 0
    if loops < AGAIN:
        return
    if raw["Node Type"] == "Seq Scan" and raw.get("Parent Relationship") != "Member":
        yield f"read the whole of {raw.get('Relation Name')} {loops:,.0f} times"
    if raw.get("Parent Relationship") == "SubPlan":
        yield f"sub-query ran {loops:,.0f} times, once for each row outside"


def _memory(raw: dict[str, Any]) -> Iterator[str]:
    if raw.get("Sort Space Type") == "Disk":
        yield f"sort spilled to disk: {size(raw.get('Sort Space Used', 0))} (work_mem is less)"
    batches = raw.get("Hash Batches", 1)
    if batches > 1:
        yield f"hash table came in {batches:,} parts by way of the disk (work_mem is too small)"
    if raw.get("HashAgg Batches", 0) > 1:
        spilled = size(raw.get("Disk Usage", 0))
        yield f"grouping spilled to disk: {spilled} (work_mem is too small)"
    if raw.get("Lossy Heap Blocks"):
        blocks = raw["Lossy Heap Blocks"]
        yield f"bitmap kept whole pages for {blocks:,} blocks (work_mem is too small)"


def _others(raw: dict[str, Any]) -> Iterator[str]:
    looked = raw.get("Heap Fetches", 0)
    if looked >= 1_000 and looked * 10 > raw.get("Actual Rows", 0) * (raw.get("Actual Loops") or 0):
        yield f"index-only scan looked into the table {looked:,} times: vacuum it"
    planned, launched = raw.get("Workers Planned", 0), raw.get("Workers Launched")
    if launched is not None and launched < planned:
        yield f"{launched} of {planned} workers could be had (max_parallel_workers)"
    if raw.get("Disabled"):
        yield "chosen although it is disabled: there was no other way"


def about(count: float) -> str:
    """A number of rows in three digits: 1.25M."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        # The mean of the processes' loops may be a row off, so that 200,001 stands for 200,000.
        if count >= unit:
            return f"{float(f'{count:.3g}') / unit:g}{letter}"
    return f"{count:,.0f}"


def size(kilobytes: float) -> str:
    """A size that PostgreSQL tells in kB."""
    if kilobytes < 1024:
        return f"{kilobytes:,.0f} KiB"
    if kilobytes < 1024 * 1024:
        return f"{kilobytes / 1024:,.1f} MiB"
    return f"{kilobytes / 1024 / 1024:,.1f} GiB"

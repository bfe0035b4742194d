"""connectorx, one partition; it opens a new connection for every query."""

from __future__ import annotations

import connectorx as cx

from bench.measure import Job, Measure


def arrow(job: Job) -> Measure:
    """Query to pyarrow.Table."""
    cx.read_sql(job.url, job.warm, return_type="arrow")
    with Measure() as m:
        table = cx.read_sql(job.url, job.sql, return_type="arrow")
    m.rows = table.num_rows
    return m


def pandas(job: Job) -> Measure:
    """Query to DataFrame."""
    cx.read_sql(job.url, job.warm)
    with Measure() as m:
        frame = cx.read_sql(job.url, job.sql)
    m.rows = len(frame)
    return m

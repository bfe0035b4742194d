"""Rowmill, synchronous."""

from __future__ import annotations

import sys

import rowmill as rm
from bench.loops import drive
from bench.measure import Job, Measure


def arrow(job: Job) -> Measure:
    """Query to Arrow data: the frame holds it already."""
    with rm.Database(job.url) as db:
        db.fetch(job.warm)
        with Measure() as m:
            frame = db.fetch(job.sql)
    m.rows = len(frame)
    return m


def pandas(job: Job) -> Measure:
    """Query to DataFrame."""
    with rm.Database(job.url) as db:
        db.fetch(job.warm).to_pandas()
        with Measure() as m:
            frame = db.fetch(job.sql)
            m.received()
            result = frame.to_pandas()
    m.rows = len(result)
    return m


def point(job: Job) -> Measure:
    """Single rows by key."""
    with rm.Database(job.url) as db:
        return drive(lambda key: db.fetch_one(job.sql, key), job)


def json(job: Job) -> Measure:
    """Query to JSON bytes."""
    with rm.Database(job.url) as db:
        db.fetch_json(job.warm)
        with Measure() as m:
            for _ in range(job.count):
                text = db.fetch_json(job.sql)
    m.extra["json_bytes"] = len(text)
    return m


def elsewhere(job: Job) -> Measure:
    """Fetches after a line on standard input: load for the ticker's control."""
    with rm.Database(job.url) as db:
        db.fetch(job.warm)
        print("ready", flush=True)
        sys.stdin.readline()
        with Measure() as m:
            m.rows = len(db.fetch(job.sql))
    return m

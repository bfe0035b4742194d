"""The standard library's sqlite3."""

from __future__ import annotations

import sqlite3

from bench.loops import drive
from bench.measure import Job, Measure


def tuples(job: Job) -> Measure:
    """A list of tuples, not yet columns."""
    connection = sqlite3.connect(job.file)
    connection.execute(job.warm).fetchall()
    with Measure() as m:
        rows = connection.execute(job.sql).fetchall()
    m.rows = len(rows)
    return m


def point(job: Job) -> Measure:
    """Single rows by key."""
    connection = sqlite3.connect(job.file)
    sql = job.sql.replace("$1", "?")
    return drive(lambda key: connection.execute(sql, (key,)).fetchone(), job)

"""apsw."""

from __future__ import annotations

import apsw

from bench.loops import drive
from bench.measure import Job, Measure


def tuples(job: Job) -> Measure:
    """A list of tuples, not yet columns."""
    connection = apsw.Connection(job.file)
    list(connection.execute(job.warm))
    with Measure() as m:
        rows = list(connection.execute(job.sql))
    m.rows = len(rows)
    return m


def point(job: Job) -> Measure:
    """Single rows by key."""
    connection = apsw.Connection(job.file)
    sql = job.sql.replace("$1", "?")
    return drive(lambda key: next(iter(connection.execute(sql, (key,))), None), job)

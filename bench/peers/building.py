"""What a query layer adds to the same statement given as text, to the same driver.

The statements find nothing, so that what is left is the way there. The two turns of a pair follow
each other, again and again, and the figure is the median of the differences.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bench.irc import SAID, SERVICE, START, TABLES, WEEK
from bench.measure import Job, Measure

ROUNDS = 31
VALUES = 10_000
"""How many an IN has."""

TEN = f"""
    select id, nick from logs
    where channel_id = $1 and timestamp >= $2 and timestamp < $3 and command in {SAID}
      and not (command = 'NOTICE' and nick = '{SERVICE}')
      and not is_bot and text <> '' and nick <> $4 and thread_id is null
"""
WINDOW = (1, START, START + WEEK, "nobody")
SPELLED = (1, START.isoformat(" "), (START + WEEK).isoformat(" "), "nobody")
LOGS = f"create table logs ({TABLES['logs']}, primary key (id))".replace(
    " references channels (id)", ""
)


def seconds(ask: Callable[[], object], count: int) -> float:
    """CPU of one call."""
    start = time.process_time()
    for _ in range(count):
        ask()
    return (time.process_time() - start) / count


def added(ask: Callable[[], object], text: Callable[[], object], count: int) -> float:
    """Microseconds of CPU that the first costs beyond the second."""
    for _ in range(30):
        ask()
        text()
    pairs = [seconds(ask, count) - seconds(text, count) for _ in range(ROUNDS)]
    return statistics.median(pairs) * 1e6


def rowmill(job: Job) -> Measure:
    """Ten predicates afresh and traced, on an empty table in memory; IN on PostgreSQL."""
    import rowmill as rm
    from bench.peers.irc.rowmill import Log

    def ten(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
        return rm.select(Log.id, Log.nick).where(
            Log.channel_id == channel,
            Log.ts >= start,
            Log.ts < end,
            Log.command.in_(SAID),
            ~((Log.command == "NOTICE") & (Log.nick == SERVICE)),
            ~Log.is_bot,
            Log.text != "",
            Log.nick != ignored,
            Log.thread_id.is_null(),
        )

    @rm.query
    def traced(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
        return ten(channel, start, end, ignored)

    keys = [-n for n in range(1, VALUES + 1)]
    m = Measure()
    with m, rm.Database("sqlite://") as db, rm.Database(job.url) as server:
        db.execute_script(LOGS)

        def text() -> object:
            return db.fetch(TEN, *WINDOW)

        def within(values: list[int]) -> object:
            return server.fetch(rm.select(Log.id, Log.nick).where(Log.id.in_(values)))

        m.extra["build_us"] = seconds(lambda: ten(*WINDOW), job.count) * 1e6
        m.extra["ten_us"] = added(lambda: db.fetch(ten(*WINDOW)), text, job.count)
        m.extra["traced_us"] = added(lambda: db.fetch(traced(*WINDOW)), text, job.count)
        m.extra["in_us"] = added(lambda: within(keys), lambda: within(keys[:1]), 10)
    m.extra |= {"cpu": None, "wall": None, "rss_mb": None}
    return m


def sqlalchemy(job: Job) -> Measure:
    """The same with Core, beside sqlite3."""
    import sqlite3

    from sqlalchemy import and_, create_engine, not_, select

    from bench.peers.irc.core import logs
    from bench.peers.irc.models import connected

    def ten(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
        return select(logs.id, logs.nick).where(
            logs.channel_id == channel,
            logs.timestamp >= start,
            logs.timestamp < end,
            logs.command.in_(SAID),
            not_(and_(logs.command == "NOTICE", logs.nick == SERVICE)),
            not_(logs.is_bot),
            logs.text != "",
            logs.nick != ignored,
            logs.thread_id.is_(None),
        )

    keys = [-n for n in range(1, VALUES + 1)]
    driver = sqlite3.connect(":memory:")
    driver.execute(LOGS)
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    m = Measure()
    with m, engine.connect() as db, connected(job.url) as server:
        db.exec_driver_sql(LOGS)

        def text() -> object:
            return driver.execute(TEN, SPELLED).fetchall()

        def within(values: list[int]) -> object:
            return server.execute(select(logs.id, logs.nick).where(logs.id.in_(values))).all()

        m.extra["build_us"] = seconds(lambda: ten(*WINDOW), job.count) * 1e6
        m.extra["ten_us"] = added(lambda: db.execute(ten(*WINDOW)).all(), text, job.count)
        m.extra["in_us"] = added(lambda: within(keys), lambda: within(keys[:1]), 2)
    driver.close()
    m.extra |= {"cpu": None, "wall": None, "rss_mb": None}
    return m

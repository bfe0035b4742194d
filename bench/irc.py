"""An IRC log as an application keeps it: its tables, its rows and what is asked of it (all seeded).

Times are UTC without a zone. No stored time is a whole second, so it makes no difference whether a
client spells the bounds of a window with or without a fraction, where SQLite compares them as text.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

KINDS = ("channel", "line", "day10", "day150", "previous", "exit", "search", "size", "top")
"""What is asked: see bench/README.md."""

SAID = ("PRIVMSG", "NOTICE", "ACTION", "TOPIC")
"""The commands whose lines a reader sees."""
LEFT = ("QUIT", "PART")
SERVICE = "nickserv"
"""Its notices are nobody's business."""

START = datetime(2024, 1, 1)  # noqa: DTZ001
STEP = 52.0
"""Mean seconds between two lines: 300,000 of them are 26 weeks."""
WEEK = timedelta(days=7)
CHANNELS, BOTS, NICKS, CONTRIBUTORS = 50, 5, 3_000, 200

TABLES = {
    "bots": "id bigint not null, slug text not null, server text not null",
    "channels": "id bigint not null, bot_id bigint not null references bots (id), slug text not null,"
    " name text not null, topic text, is_public boolean not null",
    "logs": "id bigint not null, channel_id bigint not null references channels (id),"
    " timestamp timestamp not null, nick text not null, text text not null, action boolean not null,"
    " command text, host text, raw text, is_bot boolean not null, thread_id bigint",
    "contributors": "id bigint not null, channel_id bigint not null references channels (id),"
    " nick text not null, lines bigint not null, first_seen timestamp not null,"
    " last_seen timestamp not null",
    "sizes": "id bigint not null, channel_id bigint not null references channels (id),"
    " day date not null, users bigint not null",
}
INDEXES = (
    "create unique index channels_slug on channels (slug, bot_id)",
    "create unique index bots_slug on bots (slug)",
    "create index logs_channel on logs (channel_id, timestamp, id)",
    "create index logs_nick on logs (nick, timestamp)",
    "create index contributors_lines on contributors (channel_id, lines, id)",
    "create unique index sizes_day on sizes (channel_id, day)",
)

Row = tuple[Any, ...]


def columns(table: str) -> list[str]:
    """The names of a table's columns."""
    return [column.split()[0] for column in TABLES[table].split(", ")]


def word(source: random.Random) -> str:
    """One that can be pronounced."""
    syllables = source.choices(SYLLABLES, k=source.choice((1, 2, 2, 3)))
    return "".join(syllables)


SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]


@dataclass(frozen=True)
class Log:
    """A log of so many lines."""

    lines: int

    @cached_property
    def slugs(self) -> list[tuple[str, str]]:
        """Slug of each channel and of its bot, by the channel's id less 1; the busiest first."""
        source = random.Random(1)
        return [
            (f"{word(source)}-{n}", f"bot-{1 + n % BOTS}")  # the number keeps them apart
            for n in range(CHANNELS)
        ]

    @cached_property
    def nicks(self) -> list[str]:
        """Who talks, those who talk most first."""
        source, nicks = random.Random(2), dict[str, None]()
        while len(nicks) < NICKS:
            nicks[
                word(source) + source.choice(("", "", word(source), str(source.randint(1, 99))))
            ] = None
        return list(nicks)

    @property
    def end(self) -> datetime:
        """When the log ends."""
        return START + timedelta(seconds=self.lines * STEP)

    def bots(self) -> Iterator[Row]:
        """`bots`."""
        return ((n, f"bot-{n}", f"irc{n}.example.net") for n in range(1, BOTS + 1))

    def channels(self) -> Iterator[Row]:
        """`channels`; a third have no topic."""
        source = random.Random(3)
        for n, (slug, bot) in enumerate(self.slugs, 1):
            topic = " ".join(word(source) for _ in range(5)) if n % 3 else None
            yield n, int(bot.removeprefix("bot-")), slug, f"#{slug}", topic, n % 7 > 0

    def logs(self) -> Iterator[Row]:
        """`logs`, in the order of their times."""
        source = random.Random(4)
        words = [word(source) for _ in range(2_000)]
        seldom = [1 / (5 + n) for n in range(len(words))]
        frequent = list(itertools.accumulate(seldom))
        ids, nicks = range(1, CHANNELS + 1), self.nicks
        busy = list(itertools.accumulate(1 / (10 + n) for n in range(CHANNELS)))
        chatty = list(itertools.accumulate(1 / (30 + n) for n in range(NICKS)))
        commands = (*SAID, *LEFT, "JOIN", "MODE", None)
        shares = list(itertools.accumulate((64, 4, 3, 1, 7, 4, 11, 4, 2)))
        for line in range(1, self.lines + 1):
            at = START + timedelta(seconds=int((line - source.random()) * STEP))
            at += timedelta(microseconds=source.randint(1, 999_999))
            channel = source.choices(ids, cum_weights=busy)[0]
            command = source.choices(commands, cum_weights=shares)[0]
            nick = source.choices(nicks, cum_weights=chatty)[0] + source.choice(
                ("",) * 20 + ("_", "|")
            )
            if command == "NOTICE" and source.random() < 0.5:
                nick = SERVICE
            text = ""
            if command in SAID:
                text = " ".join(
                    source.choices(words, cum_weights=frequent, k=source.randint(2, 14))
                )
            host = f"{nick}@{source.choice(words)}.example.org" if source.random() < 0.8 else None
            raw = (
                f":{nick}!{host} {command} #{self.slugs[channel - 1][0]} :{text}" if host else None
            )
            thread = source.randint(1, line) if source.random() < 0.1 else None
            is_bot = source.random() < 0.05
            yield (
                line,
                channel,
                at,
                nick,
                text,
                command == "ACTION",
                command,
                host,
                raw,
                is_bot,
                thread,
            )

    def contributors(self) -> Iterator[Row]:
        """`contributors`: the same number for each channel."""
        source, key = random.Random(5), itertools.count(1)
        for channel in range(1, CHANNELS + 1):
            for nick in source.sample(self.nicks, CONTRIBUTORS):
                first = START + timedelta(seconds=source.randint(0, 86_400), microseconds=1)
                last = self.end - timedelta(seconds=source.randint(0, 86_400), microseconds=1)
                yield next(key), channel, nick, source.randint(1, 5_000), first, last

    def sizes(self) -> Iterator[Row]:
        """`sizes`: how many were in each channel on each day."""
        source, key = random.Random(6), itertools.count(1)
        for channel in range(1, CHANNELS + 1):
            for day in range((self.end - START).days + 1):
                yield (
                    next(key),
                    channel,
                    (START + timedelta(days=day)).date(),
                    source.randint(3, 900),
                )

    def asked(self, kind: str, count: int, seed: int = 7) -> list[Row]:
        """The parameters of `count` queries of a kind."""
        source = random.Random(f"{kind} {seed}")
        days = (self.end - START).days

        def channel() -> int:
            return source.randint(1, 12)  # busy enough to have a week of 150 lines

        def week() -> tuple[datetime, datetime]:
            start = START + timedelta(days=source.randint(0, max(0, days - 7)))
            return start, start + WEEK

        def day() -> date:
            return (START + timedelta(days=source.randint(0, days))).date()

        makers: dict[str, Callable[[], Row]] = {
            "channel": lambda: source.choice(self.slugs),
            "line": lambda: (source.randint(1, self.lines),),
            "day10": lambda: (channel(), *week(), source.choice(self.nicks)),
            "day150": lambda: (channel(), *week(), source.choice(self.nicks)),
            "previous": lambda: (channel(), week()[1]),
            "exit": lambda: (source.choice(self.nicks),),
            "search": lambda: (channel(), *week(), source.choice(SYLLABLES)),
            "size": lambda: (source.randint(1, CHANNELS), day()),
            "top": lambda: (source.randint(1, CHANNELS),),
        }
        return [makers[kind]() for _ in range(count)]


def load_sqlite(file: Path, log: Log) -> None:
    """Makes the tables in a new file; times as every client here writes them, with six digits."""
    connection = sqlite3.connect(file)
    connection.execute("pragma journal_mode = wal")
    for table, definition in TABLES.items():
        key = definition.replace("id bigint not null", "id integer primary key", 1)
        connection.execute(f"create table {table} ({key})")
        marks = ", ".join("?" * len(columns(table)))
        rows = (tuple(map(as_sqlite, row)) for row in getattr(log, table)())
        connection.executemany(f"insert into {table} values ({marks})", rows)
    for index in INDEXES:
        connection.execute(index)
    connection.commit()
    connection.executescript("analyze; pragma wal_checkpoint(truncate)")
    connection.close()


def as_sqlite(value: object) -> object:
    """What SQLite keeps for a value: text for dates and times."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


def load_postgres(url: str, log: Log) -> None:
    """Makes the tables in an empty database."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, definition in TABLES.items():
            run(connection, f"create table {table} ({definition}, primary key (id))")
            with connection.cursor().copy(f"copy {table} from stdin".encode()) as copy:
                for row in getattr(log, table)():
                    copy.write_row(row)
        for index in INDEXES:
            run(connection, index)
        for table in TABLES:
            run(connection, f"vacuum (freeze, analyze) {table}")
            run(connection, f"select count(*) from {table}")


def run(connection: psycopg.Connection[Any], sql: str) -> None:
    """Executes a statement made here."""
    connection.execute(sql.encode())

"""Rowmill: its query objects, and the values of every row read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import rowmill as rm
from bench.irc import LEFT, SAID, SERVICE, Row


class Bot(rm.Table, name="bots"):
    id: rm.Col[int] = rm.pk()
    slug: rm.Col[str]
    server: rm.Col[str]


class Channel(rm.Table, name="channels"):
    id: rm.Col[int] = rm.pk()
    bot_id: rm.Col[int] = rm.fk(Bot.id)
    slug: rm.Col[str]
    name: rm.Col[str]
    topic: rm.Col[str | None]
    is_public: rm.Col[bool]


class Log(rm.Table, name="logs"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int] = rm.fk(Channel.id)
    ts: rm.Col[datetime] = rm.column("timestamp")
    nick: rm.Col[str]
    text: rm.Col[str]
    action: rm.Col[bool]
    command: rm.Col[str | None]
    host: rm.Col[str | None]
    raw: rm.Col[str | None]
    is_bot: rm.Col[bool]
    thread_id: rm.Col[int | None]


class Contributor(rm.Table, name="contributors"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int] = rm.fk(Channel.id)
    nick: rm.Col[str]
    lines: rm.Col[int]
    first_seen: rm.Col[datetime]
    last_seen: rm.Col[datetime]


class Size(rm.Table, name="sizes"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int] = rm.fk(Channel.id)
    day: rm.Col[date]
    users: rm.Col[int]


class Arm:
    """Each method is one kind of query, built afresh, and returns its rows."""

    def __init__(self, url: str) -> None:
        self.db = rm.Database(url)

    def ask(self, query: Any) -> list[Row]:
        """All rows; a row's values are made when they are asked for, so they are asked for."""
        return [tuple(row) for row in self.db.fetch(query).rows()]

    def channel(self, slug: str, bot: str) -> list[Row]:
        query = rm.select(Channel).join(Bot, Bot.id == Channel.bot_id)
        return self.ask(query.where(Channel.slug == slug, Bot.slug == bot))

    def line(self, key: int) -> list[Row]:
        return self.ask(rm.select(Log).where(Log.id == key))

    def day10(self, *window: Any) -> list[Row]:
        return self.day(10, *window)

    def day150(self, *window: Any) -> list[Row]:
        return self.day(150, *window)

    def day(
        self, limit: int, channel: int, start: datetime, end: datetime, ignored: str
    ) -> list[Row]:
        query = rm.select(Log).where(
            Log.channel_id == channel,
            Log.ts >= start,
            Log.ts < end,
            Log.command.in_(SAID),
            ~((Log.command == "NOTICE") & (Log.nick == SERVICE)),
            ~Log.is_bot,
            Log.text != "",
            Log.nick != ignored,
        )
        return self.ask(query.order_by(-Log.ts, -Log.id).limit(limit))

    def previous(self, channel: int, before: datetime) -> list[Row]:
        query = rm.select(Log).where(
            Log.channel_id == channel,
            Log.ts < before,
            Log.command.in_(SAID),
            ~((Log.command == "NOTICE") & (Log.nick == SERVICE)),
        )
        return self.ask(query.order_by(-Log.ts, -Log.id).limit(1))

    def exit(self, nick: str) -> list[Row]:
        query = rm.select(Log).where(
            (Log.nick == nick) | (Log.nick == f"{nick}|") | (Log.nick == f"{nick}_"),
            Log.command.in_(LEFT),
        )
        return self.ask(query.order_by(-Log.ts, -Log.id).limit(5))

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Row]:
        query = rm.select(Log).where(
            Log.channel_id == channel, Log.ts >= start, Log.ts < end, Log.nick.contains(part)
        )
        return self.ask(query.order_by(-Log.ts, -Log.id).limit(10))

    def size(self, channel: int, day: date) -> list[Row]:
        return self.ask(rm.select(Size.users).where(Size.channel_id == channel, Size.day == day))

    def top(self, channel: int) -> list[Row]:
        query = rm.select(Contributor).where(Contributor.channel_id == channel)
        return self.ask(query.order_by(-Contributor.lines, -Contributor.id).limit(100))

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """They are."""
        return rows

"""Rowmill: its query objects, and the values of every row read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import rowmill as rm
from bench.irc import LEFT, SAID, SERVICE, Row
from bench.peers.irc.texts import DriverArm


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
    ts: rm.Col[datetime] = rm.column("timestamp", naive=True)
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
    first_seen: rm.Col[datetime] = rm.column(naive=True)
    last_seen: rm.Col[datetime] = rm.column(naive=True)


class Size(rm.Table, name="sizes"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int] = rm.fk(Channel.id)
    day: rm.Col[date]
    users: rm.Col[int]


def channel(slug: str, bot: str) -> Any:
    query = rm.select(Channel).join(Bot, Bot.id == Channel.bot_id)
    return query.where(Channel.slug == slug, Bot.slug == bot)


def line(key: int) -> Any:
    return rm.select(Log).where(Log.id == key)


def day(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
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
    return query.order_by(-Log.ts, -Log.id)


def day10(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
    return day(channel, start, end, ignored).limit(10)


def day150(channel: int, start: datetime, end: datetime, ignored: str) -> Any:
    return day(channel, start, end, ignored).limit(150)


def previous(channel: int, before: datetime) -> Any:
    query = rm.select(Log).where(
        Log.channel_id == channel,
        Log.ts < before,
        Log.command.in_(SAID),
        ~((Log.command == "NOTICE") & (Log.nick == SERVICE)),
    )
    return query.order_by(-Log.ts, -Log.id).limit(1)


def exit(nick: str, away: str, again: str) -> Any:
    query = rm.select(Log).where(
        (Log.nick == nick) | (Log.nick == away) | (Log.nick == again), Log.command.in_(LEFT)
    )
    return query.order_by(-Log.ts, -Log.id).limit(5)


def search(channel: int, start: datetime, end: datetime, part: str) -> Any:
    query = rm.select(Log).where(
        Log.channel_id == channel, Log.ts >= start, Log.ts < end, Log.nick.contains(part)
    )
    return query.order_by(-Log.ts, -Log.id).limit(10)


def size(channel: int, day: date) -> Any:
    return rm.select(Size.users).where(Size.channel_id == channel, Size.day == day)


def top(channel: int) -> Any:
    query = rm.select(Contributor).where(Contributor.channel_id == channel)
    return query.order_by(-Contributor.lines, -Contributor.id).limit(100)


QUERIES: dict[str, Callable[..., Any]] = {
    "channel": channel,
    "line": line,
    "day10": day10,
    "day150": day150,
    "previous": previous,
    "exit": exit,
    "search": search,
    "size": size,
    "top": top,
}


class Arm(DriverArm):
    """Statements built afresh for every query."""

    queries: Mapping[str, Callable[..., Any]] = QUERIES

    def __init__(self, url: str) -> None:
        self.db = rm.Database(url)

    def ask(self, kind: str, *parameters: Any) -> list[Row]:
        """All rows; a row's values are made when they are asked for, so they are asked for."""
        return self.db.fetch(self.queries[kind](*parameters)).to_tuples()

"""SQLAlchemy Core: its rows, its cache of compiled statements at work."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, not_, or_, select

from bench.irc import LEFT, SAID, SERVICE, Row
from bench.peers.irc import models

bots, channels, logs, contributors, sizes = (
    model.__table__.c
    for model in (models.Bot, models.Channel, models.Log, models.Contributor, models.Size)
)
CHANNELS, LOGS = models.Channel.__table__, models.Log.__table__
BOTS, CONTRIBUTORS = models.Bot.__table__, models.Contributor.__table__


class Arm:
    """Each method is one kind of query and returns its rows."""

    def __init__(self, url: str) -> None:
        self.connection = models.connected(url)

    def ask(self, statement: Select[Any]) -> list[Any]:
        """All rows."""
        return list(self.connection.execute(statement).all())

    def channel(self, slug: str, bot: str) -> list[Any]:
        query = select(CHANNELS).join(BOTS, bots.id == channels.bot_id)
        return self.ask(query.where(channels.slug == slug, bots.slug == bot))

    def line(self, key: int) -> list[Any]:
        return self.ask(select(LOGS).where(logs.id == key))

    def day10(self, *window: Any) -> list[Any]:
        return self.day(10, *window)

    def day150(self, *window: Any) -> list[Any]:
        return self.day(150, *window)

    def day(
        self, limit: int, channel: int, start: datetime, end: datetime, ignored: str
    ) -> list[Any]:
        query = select(LOGS).where(
            logs.channel_id == channel,
            logs.timestamp >= start,
            logs.timestamp < end,
            logs.command.in_(SAID),
            not_(and_(logs.command == "NOTICE", logs.nick == SERVICE)),
            not_(logs.is_bot),
            logs.text != "",
            logs.nick != ignored,
        )
        return self.ask(query.order_by(logs.timestamp.desc(), logs.id.desc()).limit(limit))

    def previous(self, channel: int, before: datetime) -> list[Any]:
        query = select(LOGS).where(
            logs.channel_id == channel,
            logs.timestamp < before,
            logs.command.in_(SAID),
            not_(and_(logs.command == "NOTICE", logs.nick == SERVICE)),
        )
        return self.ask(query.order_by(logs.timestamp.desc(), logs.id.desc()).limit(1))

    def exit(self, nick: str) -> list[Any]:
        query = select(LOGS).where(
            or_(logs.nick == nick, logs.nick == f"{nick}|", logs.nick == f"{nick}_"),
            logs.command.in_(LEFT),
        )
        return self.ask(query.order_by(logs.timestamp.desc(), logs.id.desc()).limit(5))

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Any]:
        query = select(LOGS).where(
            logs.channel_id == channel,
            logs.timestamp >= start,
            logs.timestamp < end,
            logs.nick.contains(part),
        )
        return self.ask(query.order_by(logs.timestamp.desc(), logs.id.desc()).limit(10))

    def size(self, channel: int, day: date) -> list[Any]:
        return self.ask(select(sizes.users).where(sizes.channel_id == channel, sizes.day == day))

    def top(self, channel: int) -> list[Any]:
        query = select(CONTRIBUTORS).where(contributors.channel_id == channel)
        order = contributors.lines.desc(), contributors.id.desc()
        return self.ask(query.order_by(*order).limit(100))

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """As tuples."""
        return [tuple(row) for row in rows]

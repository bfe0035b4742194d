"""SQLAlchemy's ORM: objects of the mapped classes, from one session."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, not_, or_, select
from sqlalchemy.orm import Session

from bench.irc import LEFT, SAID, SERVICE, Row
from bench.peers.irc.models import Bot, Channel, Contributor, Log, Size, connected


class Arm:
    """Each method is one kind of query and returns its objects."""

    def __init__(self, url: str) -> None:
        self.session = Session(connected(url))

    def ask(self, statement: Select[Any]) -> list[Any]:
        """All objects, which the session forgets with the caller."""
        return list(self.session.scalars(statement).all())

    def channel(self, slug: str, bot: str) -> list[Any]:
        query = select(Channel).join(Bot, Bot.id == Channel.bot_id)
        return self.ask(query.where(Channel.slug == slug, Bot.slug == bot))

    def line(self, key: int) -> list[Any]:
        return self.ask(select(Log).where(Log.id == key))

    def day10(self, *window: Any) -> list[Any]:
        return self.day(10, *window)

    def day150(self, *window: Any) -> list[Any]:
        return self.day(150, *window)

    def day(
        self, limit: int, channel: int, start: datetime, end: datetime, ignored: str
    ) -> list[Any]:
        query = select(Log).where(
            Log.channel_id == channel,
            Log.timestamp >= start,
            Log.timestamp < end,
            Log.command.in_(SAID),
            not_(and_(Log.command == "NOTICE", Log.nick == SERVICE)),
            not_(Log.is_bot),
            Log.text != "",
            Log.nick != ignored,
        )
        return self.ask(query.order_by(Log.timestamp.desc(), Log.id.desc()).limit(limit))

    def previous(self, channel: int, before: datetime) -> list[Any]:
        query = select(Log).where(
            Log.channel_id == channel,
            Log.timestamp < before,
            Log.command.in_(SAID),
            not_(and_(Log.command == "NOTICE", Log.nick == SERVICE)),
        )
        return self.ask(query.order_by(Log.timestamp.desc(), Log.id.desc()).limit(1))

    def exit(self, nick: str) -> list[Any]:
        query = select(Log).where(
            or_(Log.nick == nick, Log.nick == f"{nick}|", Log.nick == f"{nick}_"),
            Log.command.in_(LEFT),
        )
        return self.ask(query.order_by(Log.timestamp.desc(), Log.id.desc()).limit(5))

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Any]:
        query = select(Log).where(
            Log.channel_id == channel,
            Log.timestamp >= start,
            Log.timestamp < end,
            Log.nick.contains(part),
        )
        return self.ask(query.order_by(Log.timestamp.desc(), Log.id.desc()).limit(10))

    def size(self, channel: int, day: date) -> list[Any]:
        return self.ask(select(Size.users).where(Size.channel_id == channel, Size.day == day))

    def top(self, channel: int) -> list[Any]:
        query = select(Contributor).where(Contributor.channel_id == channel)
        return self.ask(query.order_by(Contributor.lines.desc(), Contributor.id.desc()).limit(100))

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """The objects' attributes as tuples."""
        if kind == "size":
            return [(users,) for users in rows]
        return [tuple(getattr(row, c.name) for c in row.__table__.c) for row in rows]

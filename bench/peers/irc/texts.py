"""The nine statements written by hand; `?` stands for a parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date, datetime
from typing import Any

from bench.irc import LEFT, SAID, SERVICE, Row, columns

LOG = ", ".join(columns("logs"))
CHANNEL = ", ".join(f"channels.{name}" for name in columns("channels"))

WINDOW = f"""
    select {LOG} from logs
    where channel_id = ? and timestamp >= ? and timestamp < ?
      and command in {SAID} and not (command = 'NOTICE' and nick = '{SERVICE}')
      and not is_bot and text <> '' and nick <> ?
    order by timestamp desc, id desc limit
"""
TEXTS = {
    "channel": f"select {CHANNEL} from channels join bots on bots.id = channels.bot_id"
    " where channels.slug = ? and bots.slug = ?",
    "line": f"select {LOG} from logs where id = ?",
    "day10": f"{WINDOW} 10",
    "day150": f"{WINDOW} 150",
    "previous": f"select {LOG} from logs where channel_id = ? and timestamp < ? and command in {SAID}"
    f" and not (command = 'NOTICE' and nick = '{SERVICE}')"
    " order by timestamp desc, id desc limit 1",
    "exit": f"select {LOG} from logs where (nick = ? or nick = ? or nick = ?)"
    f" and command in {LEFT} order by timestamp desc, id desc limit 5",
    "search": f"select {LOG} from logs"
    " where channel_id = ? and timestamp >= ? and timestamp < ? and nick like ?"
    " order by timestamp desc, id desc limit 10",
    "size": "select users from sizes where channel_id = ? and day = ?",
    "top": "select id, channel_id, nick, lines, first_seen, last_seen from contributors"
    " where channel_id = ? order by lines desc, id desc limit 100",
}


class DriverArm(ABC):
    """Each method is one kind of query and returns its rows."""

    @abstractmethod
    def ask(self, kind: str, *parameters: Any) -> list[Row]:
        """All rows of the kind's statement with these parameters."""

    def channel(self, slug: str, bot: str) -> list[Row]:
        return self.ask("channel", slug, bot)

    def line(self, key: int) -> list[Row]:
        return self.ask("line", key)

    def day10(self, channel: int, start: datetime, end: datetime, ignored: str) -> list[Row]:
        return self.ask("day10", channel, start, end, ignored)

    def day150(self, channel: int, start: datetime, end: datetime, ignored: str) -> list[Row]:
        return self.ask("day150", channel, start, end, ignored)

    def previous(self, channel: int, before: datetime) -> list[Row]:
        return self.ask("previous", channel, before)

    def exit(self, nick: str) -> list[Row]:
        return self.ask("exit", nick, f"{nick}|", f"{nick}_")

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Row]:
        return self.ask("search", channel, start, end, part)

    def size(self, channel: int, day: date) -> list[Row]:
        return self.ask("size", channel, day)

    def top(self, channel: int) -> list[Row]:
        return self.ask("top", channel)

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """The rows as tuples of the values that the columns declare, which they are."""
        return rows


class TextArm(DriverArm):
    """The statements above: a part of a nick is a pattern of LIKE's there."""

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Row]:
        return self.ask("search", channel, start, end, f"%{part}%")

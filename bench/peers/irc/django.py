"""Django: its models, on a connection that stays open."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import django
from django.conf import settings

from bench.irc import LEFT, SAID, SERVICE, Row


class Arm:
    """Each method is one kind of query and returns its models; one arm to a process."""

    def __init__(self, url: str) -> None:
        settings.configure(
            DATABASES={"default": database(url) | {"CONN_MAX_AGE": None}},
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=False,
        )
        django.setup()
        from django.db.models import Q

        from bench.peers.irc import django_models

        self.models, self.q = django_models, Q

    def channel(self, slug: str, bot: str) -> list[Any]:
        return list(self.models.Channel.objects.filter(slug=slug, bot__slug=bot))

    def line(self, key: int) -> list[Any]:
        return list(self.models.Log.objects.filter(id=key))

    def day10(self, *window: Any) -> list[Any]:
        return self.day(10, *window)

    def day150(self, *window: Any) -> list[Any]:
        return self.day(150, *window)

    def day(
        self, limit: int, channel: int, start: datetime, end: datetime, ignored: str
    ) -> list[Any]:
        query = self.models.Log.objects.filter(
            ~self.q(command="NOTICE", nick=SERVICE),
            ~self.q(text=""),
            ~self.q(nick=ignored),
            channel_id=channel,
            timestamp__gte=start,
            timestamp__lt=end,
            command__in=SAID,
            is_bot=False,
        )
        return list(query.order_by("-timestamp", "-id")[:limit])

    def previous(self, channel: int, before: datetime) -> list[Any]:
        query = self.models.Log.objects.filter(
            ~self.q(command="NOTICE", nick=SERVICE),
            channel_id=channel,
            timestamp__lt=before,
            command__in=SAID,
        )
        return list(query.order_by("-timestamp", "-id")[:1])

    def exit(self, nick: str) -> list[Any]:
        query = self.models.Log.objects.filter(
            self.q(nick=nick) | self.q(nick=f"{nick}|") | self.q(nick=f"{nick}_"),
            command__in=LEFT,
        )
        return list(query.order_by("-timestamp", "-id")[:5])

    def search(self, channel: int, start: datetime, end: datetime, part: str) -> list[Any]:
        query = self.models.Log.objects.filter(
            channel_id=channel, timestamp__gte=start, timestamp__lt=end, nick__contains=part
        )
        return list(query.order_by("-timestamp", "-id")[:10])

    def size(self, channel: int, day: date) -> list[Any]:
        query = self.models.Size.objects.filter(channel_id=channel, day=day)
        return list(query.values_list("users"))

    def top(self, channel: int) -> list[Any]:
        query = self.models.Contributor.objects.filter(channel_id=channel)
        return list(query.order_by("-lines", "-id")[:100])

    @staticmethod
    def plain(kind: str, rows: list[Any]) -> list[Row]:
        """The models' fields as tuples."""
        if kind == "size":
            return rows
        return [tuple(getattr(row, f.attname) for f in row._meta.fields) for row in rows]


def database(url: str) -> dict[str, Any]:
    """Django's words for a URL."""
    if url.startswith("sqlite:///"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///")}
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    return {"ENGINE": "django.db.backends.postgresql"} | {
        name: str(parts.get(word, "")) for name, word in names.items()
    }

"""The tables as SQLAlchemy's mapped classes; their `__table__` is what Core asks."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {int: BigInteger}


class Bot(Base):
    __tablename__ = "bots"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    server: Mapped[str]


class Channel(Base):
    __tablename__ = "channels"
    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey(Bot.id))
    slug: Mapped[str]
    name: Mapped[str]
    topic: Mapped[str | None]
    is_public: Mapped[bool]


class Log(Base):
    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey(Channel.id))
    timestamp: Mapped[datetime]
    nick: Mapped[str]
    text: Mapped[str]
    action: Mapped[bool]
    command: Mapped[str | None]
    host: Mapped[str | None]
    raw: Mapped[str | None]
    is_bot: Mapped[bool]
    thread_id: Mapped[int | None]


class Contributor(Base):
    __tablename__ = "contributors"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey(Channel.id))
    nick: Mapped[str]
    lines: Mapped[int]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class Size(Base):
    __tablename__ = "sizes"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey(Channel.id))
    day: Mapped[date]
    users: Mapped[int]


def connected(url: str) -> Connection:
    """A connection on which each statement stands alone, as those of the others do."""
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url, isolation_level="AUTOCOMMIT").connect()

"""Tables that the tests of queries ask: channels, some within others, and what was said in them."""

from __future__ import annotations

from typing import Any

import rowmill as rm


class Channel(rm.Table, name="channels"):
    id: rm.Col[int] = rm.pk()
    slug: rm.Col[str]
    parent_id: rm.Col[int | None] = rm.fk("channels.id")


class Line(rm.Table, name="lines"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int | None] = rm.fk(Channel.id)
    nick: rm.Col[str]
    body: rm.Col[str | None] = rm.column("text")
    score: rm.Col[float | None]


DECLARED = """
    create table channels (id bigint primary key, slug text not null unique, parent_id bigint references channels);
    create table lines (id bigint primary key, channel_id bigint references channels, nick text not null,
        text text, score double precision)
"""
CHANNELS = [(1, "a", None), (2, "b", 1), (3, "c", 1)]
LINES = [
    (1, 1, "ada", "hello", 0.5),
    (2, 2, "bob", None, 1.0),
    (3, 2, "ada", "bye", None),
    (4, None, "eve", "hi", 2.0),
]


def fill(db: rm.Database) -> None:
    """Makes both tables, with their rows."""
    db.execute_script(DECLARED)
    db.execute(
        rm.insert(Channel).values(
            [dict(zip(("id", "slug", "parent_id"), row, strict=True)) for row in CHANNELS]
        )
    )
    db.load(
        "lines",
        {
            name: list(values)
            for name, values in zip(
                ("id", "channel_id", "nick", "text", "score"), zip(*LINES, strict=True), strict=True
            )
        },
    )


def rows(frame: rm.Frame) -> list[Any]:
    """Rows as tuples; of one column its values."""
    if len(frame.columns) == 1:
        return frame[frame.columns[0]].to_list()
    return [tuple(row) for row in frame]

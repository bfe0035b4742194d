"""Queries with edges: the rows, then one query for each edge, then the ones under the others."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from rowmill._aio import _Verbs
    from rowmill._edge import Edge
    from rowmill._rowmill import Database, Frame, Select, Transaction

    Talk = Generator[Select, Frame, Frame]

# Columns that are fetched for their keys alone are called so, with a number.
_HIDDEN = "rowmill_edge_"


def _talk(query: Select, is_sqlite: bool, first: bool = False) -> Talk:
    """Yields queries and is sent their frames; returns the frame with all that belongs to its rows."""
    edges, query = query._parted()
    if first:
        query = query._first()
    hidden: list[int] = []
    placed: list[tuple[Edge, Any, Any, int]] = []
    for edge in edges:
        own, other = edge._column()
        query, at, asked = query._keyed(own, f"{_HIDDEN}{len(hidden)}")
        if at == asked:
            hidden.append(at)
        placed.append((edge, own, other, at))
    frame = yield query
    if first:
        frame = frame[:1]
    for edge, own, key, at in placed:
        keys = [value for value in dict.fromkeys(frame._column(at).to_list()) if value is not None]
        if not is_sqlite:
            keys = yield from _unpadded(own, keys)
        asked_query, place, shown = edge._query(key, keys, is_sqlite)
        children = yield from _talk(asked_query, is_sqlite)
        frame = frame._nest(edge._name, at, children, place, shown, edge._many)
    for at in reversed(hidden):
        frame = frame._without(at)
    return frame


def _unpadded(column: Any, keys: list[Any]) -> Generator[Select, Frame, list[Any]]:
    """The keys as another column compares them: those of `char(n)` without the blanks at their end, which
    PostgreSQL drops where it makes text of them. Whether it does is asked where a key ends in a blank."""
    blank = next((key for key in keys if isinstance(key, str) and key.endswith(" ")), None)
    if blank is None:
        return keys
    from rowmill._rowmill import select

    asked = yield select(column.cast("text")).where(column == blank).limit(1)
    cast = asked._column(0).to_list()
    return [key.rstrip(" ") for key in keys] if cast and not cast[0].endswith(" ") else keys


def nested(on: Database | Transaction, query: Select, first: bool, timeout: float | None) -> Frame:
    """The rows of a query, with what its edges lead to."""
    talk = _talk(query, on._is_sqlite, first)
    asked = next(talk)
    while True:
        frame = on.fetch(asked, timeout=timeout)
        try:
            asked = talk.send(frame)
        except StopIteration as end:
            done: Frame = end.value
            return done


async def nested_async(on: _Verbs, query: Select, first: bool, timeout: float | None) -> Frame:
    """The same, awaited."""
    talk = _talk(query, on._is_sqlite, first)
    asked = next(talk)
    while True:
        frame = await on.fetch(asked, timeout=timeout)
        try:
            asked = talk.send(frame)
        except StopIteration as end:
            done: Frame = end.value
            return done

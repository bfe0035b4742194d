"""The engines that give an expression a meaning, each asked the same: which rows, and which values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import rowmill as rm
from tests.expression_cases import ANNOTATIONS, Column, element
from tests.expression_functions import parts

VALUES: dict[str, Any] = {
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "Decimal": Decimal,
    "UUID": UUID,
    "Interval": rm.Interval,
    "nan": float("nan"),
    "inf": float("inf"),
    "timezone": timezone,
    "UTC": UTC,
}
LIBRARY: dict[str, Any] = {
    name: getattr(rm, name)
    for name in ("lit", "case", "coalesce", "least", "greatest", "concat", "geo_within")
}


def table(name: str, columns: list[Column]) -> type[rm.Table]:
    """A table of these columns as a class."""
    fields: dict[str, Any] = {"__annotations__": {}}
    for column in columns:
        of_list = column.kind.startswith("list[")
        kind = ANNOTATIONS[element(column.kind) if of_list else column.kind]
        fields["__annotations__"][column.name] = rm.Col[(list[kind] if of_list else kind) | None]  # type: ignore[valid-type,misc]
        if column.kind == "timestamp":
            fields[column.name] = rm.column(naive=True)
    return type("Row", (rm.Table,), fields, name=name)


class Database:
    """PostgreSQL or SQLite."""

    def __init__(self, url: str, columns: list[Column], name: str = "t") -> None:
        self.db = db = rm.Database(url)
        self.name = name
        self.is_sqlite = url.startswith("sqlite")
        own = [column for column in columns if column.sqlite or not self.is_sqlite]
        types = [column.sqlite if self.is_sqlite else column.postgres for column in own]
        made = ", ".join(f"{column.name} {sql}" for column, sql in zip(own, types, strict=True))
        db.execute(f"create table {name} ({made})")
        if own[0].values:
            db.load(name, {column.name: self._stored(column) for column in own})
        self.table = table(name, columns)
        self.names = {column.name: getattr(self.table, column.name) for column in columns}

    def _stored(self, column: Column) -> list[Any]:
        if self.is_sqlite and column.kind == "float":
            return [None if value != value else value for value in column.values]
        return column.values

    def ids(self, condition: rm.Expr[Any]) -> set[int]:
        """The rows for which a condition is true."""
        query = rm.select(self.names["id"]).where(condition)
        return set(self.db.fetch(query)["id"].to_list())

    def values(self, expression: rm.Expr[Any]) -> dict[int, Any]:
        """An expression's value in each row."""
        found = self.db.fetch(rm.select(self.names["id"], v=expression))
        return dict(zip(found["id"].to_list(), found["v"].to_list(), strict=True))

    def close(self) -> None:
        """Ends the connections."""
        self.db.close()


class Filter:
    """Columns in memory."""

    def __init__(self, frame: rm.Frame) -> None:
        self.frame = frame
        self.names = {name: rm.col(name) for name in frame.columns}

    def ids(self, condition: rm.Expr[Any]) -> set[int]:
        """The rows that the condition keeps, that it keeps once it was stored as JSON, and that match it."""
        kept = self.frame.filter(condition)
        assert self.frame.filter(rm.Expr.from_json(condition.to_json())) == kept
        ids = set(kept["id"].to_list())
        assert Matcher(self.frame).ids(condition) == ids
        return ids

    def values(self, expression: rm.Expr[Any]) -> dict[int, Any]:
        """An expression's value in each row."""
        found = self.frame.select("id", v=expression)
        return dict(zip(found["id"].to_list(), found["v"].to_list(), strict=True))


class Matcher(Filter):
    """Columns in memory, each row of them a record."""

    def ids(self, condition: rm.Expr[Any]) -> set[int]:
        """The rows that match the condition."""
        recent: rm.Matcher[int] = rm.Matcher(self.frame.schema)
        recent.insert(7, condition)
        indexed: rm.Matcher[int] = rm.Matcher(self.frame.schema)
        indexed.insert_many([(7, condition)])
        assert (recent.stats()["indexes"], indexed.stats()["indexes"]) == (0, 1)
        found = recent.match_batch(self.frame)
        assert indexed.match_batch(self.frame) == found
        assert set(found["id"].to_list()) <= {7}
        every = self.frame["id"].to_list()
        return {every[row] for row in found["row"].to_list()}


def expression(text: str, names: Mapping[str, Any]) -> rm.Expr[Any]:
    """What the library makes of an expression's text."""
    made: rm.Expr[Any] = eval(text, {**VALUES, **LIBRARY, **names})
    return made


def plain(value: Any, kind: str) -> Any:
    """A value as it compares with those of other engines; SQLite's lists are JSON, its decimals floats."""
    if value is None:
        return None
    if kind.startswith("list["):
        listed = json.loads(value) if isinstance(value, str) else value
        return [_element(one, element(kind)) for one in listed]
    if kind == "json":
        return json.loads(value)
    if kind in ("float", "decimal"):
        return float(value)
    if kind == "interval":
        return parts(value)
    return value


def _element(value: Any, kind: str) -> Any:
    """An element of a list, which is as JSON has it on SQLite."""
    if kind == "bool" and value in (0, 1):
        return bool(value)
    read = _READ.get(kind)
    return read(value) if read is not None and isinstance(value, str) else plain(value, kind)


_READ: dict[str, Any] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp[utc]": datetime.fromisoformat,
}


def agree(a: Any, b: Any) -> bool:
    """Whether two plain values are the same, floats within 1e-9 of each other."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(agree, a, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return bool(a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b)))
    return bool(a == b)

"""Random values of every type."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

import rowmill as rm
from tests.type_cases import AWKWARD


def examples(usual: int) -> int:
    """Examples of a property: `usual`, or as many as `ROWMILL_EXAMPLES` asks for."""
    return int(os.environ.get("ROWMILL_EXAMPLES", "0")) or usual


def _whole(bits: int) -> st.SearchStrategy[int]:
    edge = 1 << (bits - 1)
    ends = st.sampled_from([-edge, 1 - edge, -1, 0, 1, edge - 2, edge - 1])
    return ends | st.integers(-edge, edge - 1)


def _decimal(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**digits - 1
    ends = st.sampled_from([-most, -1, 0, 1, most, 10 ** (digits - 1)])
    # By way of the text: `scaleb` would round to the context's 28 digits.
    return (ends | st.integers(-most, most)).map(lambda whole: Decimal(f"{whole}E-{scale}"))


TEXT = st.sampled_from(AWKWARD) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
)
UTC_MOMENTS = st.datetimes(timezones=st.just(UTC))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value, ensure_ascii=False))
INTERVALS = st.builds(
    rm.Interval,
    _whole(32),
    _whole(32),
    st.integers(-(2**63) // 1_000 + 1, 2**63 // 1_000 - 1) | st.integers(-10, 10),
)


@dataclass(frozen=True)
class Column:
    """A column of random values: its type, how Rowmill names it, and the values."""

    sql: str
    kind: str
    values: st.SearchStrategy[Any]


def _list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.none() | values, max_size=4)


def _square(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Two dimensions, of the same width within one array."""
    width = st.integers(1, 3).flatmap(
        lambda n: st.lists(st.none() | values, min_size=n, max_size=n)
    )
    return width.flatmap(
        lambda row: st.lists(st.permutations(row).map(list), min_size=1, max_size=3)
    )


_MOODS = st.sampled_from(["sad", "ok", 'very "happy"', ""])
_FLOATS = st.floats(allow_nan=True, allow_infinity=True)
COLUMNS = [
    Column("bool", "bool", st.booleans()),
    Column("int2", "int16", _whole(16)),
    Column("int4", "int32", _whole(32)),
    Column("int8", "int64", _whole(64)),
    Column("oid", "uint32", st.integers(0, 2**32 - 1) | st.just(4_000_000_000)),
    Column("float4", "float32", st.floats(width=32)),
    Column("float8", "float64", _FLOATS),
    Column("numeric", "decimal(", _decimal(40, 7) | _decimal(9, 30) | _decimal(20, 0)),
    Column("numeric(20, 5)", "decimal(20, 5)", _decimal(20, 5)),
    Column("numeric(60, 30)", "decimal(60, 30)", _decimal(60, 30)),
    Column("text", "text", TEXT),
    Column("bytea", "bytes", st.binary(max_size=30)),
    Column("date", "date", st.dates()),
    Column("time", "time", st.times()),
    Column("timestamp", "timestamp", st.datetimes()),
    Column("timestamptz", "timestamp[utc]", UTC_MOMENTS | MOMENTS),
    Column("interval", "interval", INTERVALS),
    Column("uuid", "uuid", st.uuids() | st.just(uuid.UUID(int=0x0102 << 96))),
    Column("json", "json", JSON),
    Column("jsonb", "json", JSON),
    Column("mood", "enum", _MOODS),
    Column("positive", "int32", st.integers(1, 2**31 - 1)),
    Column("int4[]", "list[int32]", _list(_whole(32))),
    Column("int8[]", "list[", _square(_whole(64))),
    Column("float8[]", "list[float64]", _list(_FLOATS)),
    Column("text[]", "list[text]", _list(TEXT)),
    Column("numeric[]", "list[decimal(", _list(_decimal(30, 9))),
    Column("timestamptz[]", "list[timestamp[utc]]", _list(MOMENTS)),
    Column("uuid[]", "list[uuid]", _list(st.uuids())),
    Column("mood[]", "list[enum]", _list(_MOODS)),
]


def rows_of(
    columns: list[Column], most: int = 20
) -> st.SearchStrategy[tuple[list[int], list[list[Any]]]]:
    """Some of the columns, by position, and rows of values for them, with NULLs."""
    chosen = st.lists(st.integers(0, len(columns) - 1), min_size=1, max_size=5, unique=True)

    def rows(positions: list[int]) -> st.SearchStrategy[tuple[list[int], list[list[Any]]]]:
        cells = [st.none() | columns[at].values for at in positions]
        row = st.tuples(*cells).map(list)
        return st.tuples(st.just(positions), st.lists(row, max_size=most))

    return chosen.flatmap(rows)

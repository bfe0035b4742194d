"""Random values of every type."""

from __future__ import annotations

import ipaddress
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


def _ranges(values: st.SearchStrategy[Any], inclusive: str = "[]()") -> st.SearchStrategy[Any]:
    """Ranges as the server keeps them: it drops a bracket that has no bound, and knows one empty range."""

    def range_(pair: list[Any], opening: str, closing: str) -> rm.Range:
        lower, upper = pair
        opening, closing = "(" if lower is None else opening, ")" if upper is None else closing
        return rm.Range(lower, upper, opening + closing)

    bounded = st.lists(values, min_size=2, max_size=2, unique=True).map(sorted)
    open_ = st.tuples(values, st.none()) | st.tuples(st.none(), values)
    pairs = bounded | open_.map(list) | st.just([None, None])
    opening = st.sampled_from([bracket for bracket in inclusive if bracket in "[("])
    closing = st.sampled_from([bracket for bracket in inclusive if bracket in "])"])
    return st.builds(range_, pairs, opening, closing) | st.just(rm.Range(bounds="empty"))


def _interface(address: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """Addresses with a mask, which is not printed where it is that of a host."""
    with_mask = address.flatmap(
        lambda ip: st.integers(0, ip.max_prefixlen).map(lambda bits: f"{ip}/{bits}")
    )
    return address.map(str) | with_mask


# Addresses whose groups are often 0 or 1: what is left out of the text depends on them.
_IPV6 = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0x102]), min_size=8, max_size=8).map(
    lambda groups: ipaddress.IPv6Address(b"".join(group.to_bytes(2) for group in groups))
) | st.ip_addresses(v=6)
_MACS = st.binary(min_size=6, max_size=6).map(lambda mac: mac.hex(":"))
# asyncpg forgets the seconds of an offset; type_cases.py has some.
_MINUTES_EAST = st.integers(-959, 959) | st.integers(-15, 15).map(lambda hour: hour * 60)
_TIMETZ = st.builds(
    lambda clock, minutes: clock.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.times(),
    _MINUTES_EAST,
)
_PAIRS = st.fixed_dictionaries({"a": st.none() | _whole(32), "b": st.none() | TEXT})
_INT4RANGE = "struct[lower: int32, upper: int32, bounds: text]"
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
    Column("int4range", _INT4RANGE, _ranges(_whole(32).filter(lambda n: n < 2**31 - 1), "[)")),
    Column("numrange", "struct[lower: decimal(", _ranges(_decimal(20, 3))),
    Column("tsrange", "struct[lower: timestamp", _ranges(st.datetimes())),
    Column("tstzrange", "struct[lower: timestamp[utc]", _ranges(UTC_MOMENTS)),
    Column("daterange", "struct[lower: date", _ranges(st.dates(), "[)")),
    Column("int4range[]", f"list[{_INT4RANGE}]", _list(_ranges(st.integers(-9, 9), "[)"))),
    Column("pair", "struct[a: int32, b: text]", _PAIRS),
    Column("pair[]", "list[struct[a: int32, b: text]]", _list(_PAIRS)),
    Column("inet", "text", _interface(st.ip_addresses(v=4) | _IPV6)),
    Column("macaddr", "text", _MACS),
    Column("varbit", "text", st.text("01", max_size=20)),
    Column("timetz", "text", _TIMETZ),
    Column("inet[]", "list[text]", _list(_IPV6.map(str))),
    Column("xid8", "uint64", st.integers(0, 2**64 - 1)),
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

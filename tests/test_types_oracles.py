"""Random rows through three drivers: Rowmill, asyncpg and psycopg read and write the same values.

Where a peer has no way to say what the server sent, the comparison brings Rowmill's value down to
what the peer can say; `_asyncpg` and `_psycopg` name each such case with its reason.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
import socket
from collections.abc import Iterator
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import asyncpg
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.json import set_json_loads
from psycopg.types.range import Range as PsycopgRange

import rowmill as rm
from tests.pooler import past_pooler
from tests.postgres_server import PostgresServer
from tests.type_cases import SETUP
from tests.type_reference import OUTPUTS, beyond_polars, canon, float4, from_row, reference
from tests.type_strategies import COLUMNS, Column, examples, rows_of

NAMES = [f"c{at}" for at in range(len(COLUMNS))]
Drawn = tuple[list[int], list[list[Any]]]
DRAWN = rows_of(COLUMNS)


class Pair(NamedTuple):
    """The composite of that name, as psycopg reads and writes it."""

    a: int | None
    b: str | None


def peer(value: Any) -> Any:
    """A peer's value in canonical form."""
    match value:
        case asyncpg.Range():
            bounds = ("[" if value.lower_inc else "(") + ("]" if value.upper_inc else ")")
            bounds = "empty" if value.isempty else bounds
            return {"lower": canon(value.lower), "upper": canon(value.upper), "bounds": bounds}
        case PsycopgRange():
            bounds = "empty" if value.isempty else value._bounds
            return {"lower": canon(value.lower), "upper": canon(value.upper), "bounds": bounds}
        case asyncpg.Record():
            return {name: peer(part) for name, part in value.items()}
        case Pair():
            return {"a": value.a, "b": value.b}
        case asyncpg.BitString():
            return value.as_string().replace(" ", "")
        case time() if value.tzinfo:
            return printed_time(value)
        case list():
            return [peer(element) for element in value]
        case _ if type(value).__module__ == "ipaddress":
            return address(value)
    return canon(value)


def address(value: Any) -> str:
    """As PostgreSQL prints it: without the mask of a host, dots within what stands for IPv4."""
    text = str(value)
    host, _, mask = text.partition("/")
    ip = ipaddress.ip_address(host)
    if ip.version == 6:
        host = socket.inet_ntop(socket.AF_INET6, ip.packed)
    return host if mask in ("", str(ip.max_prefixlen)) else f"{host}/{mask}"


def printed_time(value: time) -> str:
    """`12:34:56.7+05:30`."""
    clock, sign, zone = re.fullmatch(r"(.*)([+-])(.*)", value.isoformat()).groups()  # type: ignore[union-attr]
    if "." in clock:
        clock = clock.rstrip("0")
    return f"{clock}{sign}{re.sub('(:00)+$', '', zone)}"


class Drivers:
    """The three drivers, and a table with a column of each type."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.asyncpg = self.loop.run_until_complete(asyncpg.connect(past_pooler(url)))
        self.psycopg = psycopg.connect(past_pooler(url), autocommit=True)
        self.psycopg.execute(SETUP.encode())
        columns = ", ".join(f"{name} {c.sql}" for name, c in zip(NAMES, COLUMNS, strict=True))
        self.psycopg.execute(f"create unlogged table rows (i int, {columns})".encode())
        # psycopg would parse JSON, and so lose spaces and repeated keys.
        set_json_loads(
            lambda text: bytes(text).decode() if not isinstance(text, str) else text, self.psycopg
        )
        # Without these an array of an enum, a composite and an array of it are their texts.
        info = TypeInfo.fetch(self.psycopg, "mood")
        assert info is not None
        info.register(self.psycopg)
        pair = CompositeInfo.fetch(self.psycopg, "pair")
        assert pair is not None
        register_composite(pair, self.psycopg, factory=Pair)
        self.db = rm.Database(url)

    def close(self) -> None:
        self.db.close()
        self.psycopg.close()
        self.loop.run_until_complete(self.asyncpg.close())
        self.loop.close()

    def empty(self) -> None:
        self.psycopg.execute("truncate rows")

    def printed(self, sql: str, kinds: list[str]) -> list[list[Any]]:
        """Columns of what the server prints, read by the reference."""
        result = self.psycopg.execute(sql.encode()).pgresult
        assert result is not None
        columns = []
        for at, kind in enumerate(kinds):
            cells = (result.get_value(row, at) for row in range(result.ntuples))
            columns.append([reference(kind, None if c is None else c.decode()) for c in cells])
        return columns


@pytest.fixture(scope="module")
def drivers(postgres: PostgresServer) -> Iterator[Drivers]:
    with postgres.fresh_database() as url:
        made = Drivers(url)
        yield made
        made.close()


def _select(positions: list[int]) -> str:
    return f"select {', '.join(NAMES[at] for at in positions)} from rows order by i"


def _insert(positions: list[int], mark: str) -> str:
    names = ", ".join(NAMES[at] for at in positions)
    marks = ", ".join(
        f"{mark}::{COLUMNS[at].sql}" if mark == "%s" else f"${number}"
        for number, at in enumerate(positions, 2)
    )
    return f"insert into rows (i, {names}) values ({'%s' if mark == '%s' else '$1'}, {marks})"


def _deep(value: Any, change: Any) -> Any:
    return (
        [_deep(element, change) for element in value] if isinstance(value, list) else change(value)
    )


def _spans(value: Any) -> Any:
    """An interval as a timedelta: both peers count a year as 365 days and a month as 30."""
    if value is None:
        return None
    months, days, micros = value
    years, months = (
        divmod(abs(months), 12) if months >= 0 else (-(abs(months) // 12), -(abs(months) % 12))
    )
    return (years * 365 + months * 30 + days) * 86_400_000_000 + micros


def _span_of(value: Any) -> Any:
    return value // timedelta(microseconds=1) if isinstance(value, timedelta) else value


def _fits_timedelta(value: rm.Interval) -> bool:
    return abs(value.months) < 10**5 and abs(value.days) < 10**8


def _psycopg_value(column: Column, value: Any) -> Any:
    """What psycopg is given: it has no interval of its own, and takes the text."""
    if isinstance(value, rm.Interval):
        return f"{value.months} mons {value.days} days {value.microseconds} microseconds"
    if isinstance(value, rm.Range):
        return PsycopgRange(empty=True) if value.empty else PsycopgRange(*value)
    if isinstance(value, dict):
        return Pair(**value)
    if isinstance(value, list):
        return [_psycopg_value(column, element) for element in value]
    if column.sql == "xid8" and value is not None:
        return str(value)  # no integer is cast to it
    return value


def _exact_interval(value: Any) -> bool:
    """Whether the text of an interval is read without a float in between, up to 2^53."""
    return not isinstance(value, rm.Interval) or abs(value.microseconds) < 2**53


def _mine(column: Column, values: list[Any]) -> list[Any]:
    """Rowmill's values, brought to what the peers can say."""
    return [_spans(value) for value in values] if column.kind == "interval" else values


def _asyncpg(column: Column, values: list[Any]) -> list[Any]:
    if column.kind == "interval":
        return [_span_of(value) for value in values]
    return [peer(value) for value in values]


def _psycopg(column: Column, values: list[Any]) -> list[Any]:
    if column.kind == "interval":
        return [_span_of(value) for value in values]
    if column.kind == "float32":
        # psycopg reads the text of a float4 as a float8: 0.1, not 0.10000000149011612.
        return [None if value is None else repr(float4(repr(value))) for value in values]
    if column.sql == "xid8":
        return [None if value is None else int(value) for value in values]  # it gives the text
    return [peer(value) for value in values]


@settings(max_examples=examples(300))
@given(drawn=DRAWN)
def test_all_drivers_read_the_same(drivers: Drivers, drawn: Drawn) -> None:
    positions, rows = drawn
    for row in rows:
        for at, value in enumerate(row):
            if isinstance(value, rm.Interval) and not (
                _exact_interval(value) and _fits_timedelta(value)
            ):
                row[at] = rm.Interval(value.months % 1_000, -(value.days % 1_000), -1)
    drivers.empty()
    columns = [COLUMNS[at] for at in positions]
    with drivers.psycopg.cursor() as cursor:
        given_ = [
            [i, *(_psycopg_value(c, v) for c, v in zip(columns, row, strict=True))]
            for i, row in enumerate(rows)
        ]
        cursor.executemany(_insert(positions, "%s").encode(), given_)
    sql = _select(positions)
    frame = drivers.db.fetch(sql)
    mine = [from_row(frame, at) for at in range(len(positions))]
    records = drivers.loop.run_until_complete(drivers.asyncpg.fetch(sql))
    tuples = drivers.psycopg.execute(sql.encode()).fetchall()
    printed = drivers.printed(sql, frame.schema.types)
    for at, column in enumerate(columns):
        assert frame.schema.types[at].startswith(column.kind) or not rows or _unknown(column)
        assert mine[at] == printed[at]
        assert _mine(column, mine[at]) == _asyncpg(column, [record[at] for record in records])
        assert _mine(column, mine[at]) == _psycopg(column, [row[at] for row in tuples])


def _unknown(column: Column) -> bool:
    """Whether the values tell more of the type: the depth of arrays, a scale."""
    return column.kind.startswith("list[")


@settings(max_examples=examples(300))
@given(drawn=DRAWN)
def test_what_rowmill_writes_the_others_read(drivers: Drivers, drawn: Drawn) -> None:
    positions, rows = drawn
    drivers.empty()
    insert = _insert(positions, "$")
    with drivers.db.transaction() as tx:
        for i, row in enumerate(rows):
            assert tx.execute(insert, i, *row) == 1
    sql = _select(positions)
    columns = [COLUMNS[at] for at in positions]
    frame = drivers.db.fetch(sql)
    printed = drivers.printed(sql, frame.schema.types)
    records = (
        drivers.loop.run_until_complete(drivers.asyncpg.fetch(sql))
        if all(column.kind != "interval" for column in columns)
        else None
    )
    for at, column in enumerate(columns):
        want = [_stored(column, row[at]) for row in rows]
        assert printed[at] == want
        assert from_row(frame, at) == want
        if records is not None:
            assert _asyncpg(column, [record[at] for record in records]) == want


def _stored(column: Column, value: Any) -> Any:
    """What the server keeps of a value: jsonb has a spelling of its own."""
    if column.sql == "jsonb" and value is not None:
        return _JSONB(value)
    if column.sql == "inet[]" and value is not None:
        return [element and address(element) for element in value]
    if column.sql == "inet":
        return value and address(value)
    if column.sql == "timetz":
        return value and printed_time(value)
    return canon(value)


class _JSONB(str):
    """Text that equals any other of the same JSON value."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        import json

        return isinstance(other, str) and json.loads(self) == json.loads(other)

    __hash__ = str.__hash__


@settings(max_examples=examples(120))
@given(
    drawn=rows_of([column for column in COLUMNS if column.sql != "interval"]),
    size=st.integers(1, 9),
)
def test_every_output_agrees(drivers: Drivers, drawn: Drawn, size: int) -> None:
    positions, rows = drawn
    positions = [at if at < INTERVAL else at + 1 for at in positions]
    drivers.empty()
    insert = _insert(positions, "$")
    with drivers.db.transaction() as tx:
        for i, row in enumerate(rows):
            tx.execute(insert, i, *row)
    sql = _select(positions)
    frame = drivers.db.fetch(sql)
    parts = list(drivers.db.stream(sql, batch_rows=size))
    for at, number in enumerate(positions):
        kind = COLUMNS[number].kind
        want = from_row(frame, at)
        assert list(itertools.chain(*(from_row(part, at) for part in parts))) == want
        for output, read in OUTPUTS.items():
            if output == "json" and ("json" in kind or "float" in kind):
                continue  # test_json_values.py
            if output == "polars" and beyond_polars(frame.schema.types[at]):
                continue
            got = read(frame[[frame.columns[at]]], 0)
            if kind in ("float32", "float64") and output in ("numpy", "pandas", "objects"):
                got = [value for value, there in zip(got, want, strict=True) if there is not None]
                assert got == [value for value in want if value is not None], output
            else:
                assert got == want, (output, kind)


INTERVAL = [column.sql for column in COLUMNS].index("interval")


@settings(max_examples=examples(150))
@given(
    values=st.lists(
        st.none()
        | st.builds(
            lambda digits, exponent: Decimal(f"{digits}E{exponent}"),
            st.integers(-(10**45), 10**45) | st.integers(-9, 9),
            st.integers(-60, 60),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_undeclared_numerics_keep_every_digit(
    drivers: Drivers, values: list[Decimal | None]
) -> None:
    """Whatever mix: scales are found while decoding, storage widens, and past that it is text."""
    frame = drivers.db.fetch("select unnest($1::numeric[]) as v", values)
    read = [None if value is None else Decimal(value) for value in frame["v"].to_list()]
    assert read == values
    array = drivers.db.fetch_value("select $1::numeric[]", values)
    assert [None if value is None else Decimal(value) for value in array] == values

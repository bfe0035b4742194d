"""JSON straight from the wire: valid, and of the same values as Python's own."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rowmill as rm
from tests.pooler import past_pooler
from tests.postgres_server import PostgresServer
from tests.type_cases import AWKWARD
from tests.type_strategies import TEXT, examples

MIXED = """
select g as id, (g % 2 = 0) as even, (g % 7)::int2 as small, g * 900719925474099 + 9007199254740993 as big,
    case when g % 10 <> 0 then g / 7.0::float8 end as ratio, (g / 3.0)::float4 as single,
    (g / 100.0)::numeric(12, 2) as price, g * 12345678901234567890.000000001 as exact,
    'user ' || g || chr(g % 90 + 30) as name, case when g % 3 <> 0 then repeat('é"\\', g % 9) end as note,
    md5(g::text)::uuid as key, date '2000-01-01' + g as day, time '00:00' + g * interval '1.000001 s' as clock,
    timestamp '1960-01-01' + g * interval '1 day 0.25 s' as wall,
    timestamptz '2024-01-01 00:00+00' + g * interval '1 h' as at,
    jsonb_build_object('n', g, 't', array['a', null], 'f', 1.50) as doc, ('[' || g || ' ,null ]')::json as raw,
    array[g, null, -g]::int[] as list, array['a' || g, null, '']::text[] as tags, decode(md5(g::text), 'hex') as blob
from generate_series(1, 5000) g order by g
"""


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.fresh_database() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def db(url: str) -> Iterator[rm.Database]:
    with rm.Database(url) as database:
        yield database


def strictly(text: bytes) -> Any:
    """The parsed document: UTF-8, no NaN, every decimal exact."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text.decode("utf-8"), parse_float=Decimal, parse_constant=refuse)


def plain(value: Any) -> Any:
    """A Python value as its JSON reads back."""
    match value:
        case bool() | None | str() | Decimal() | int():
            return value
        case float():
            return Decimal(repr(value)) if math.isfinite(value) else None
        case datetime():
            text = value.isoformat()
            return text.removesuffix("+00:00") + "Z" if value.tzinfo else text
        case uuid.UUID():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [plain(element) for element in value]
    return value.isoformat()


def records(rows: list[dict[str, Any]], floats: frozenset[str], documents: frozenset[str]) -> Any:
    """Rows of Python values as their JSON reads back."""

    def cell(name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in documents:
            return json.loads(value, parse_float=Decimal)
        # A float4 is written with the digits of a float4.
        return Decimal(str(_single(value))) if name in floats else plain(value)

    return [{name: cell(name, value) for name, value in row.items()} for row in rows]


def _single(value: float) -> Any:
    import numpy as np

    return np.float32(value)


SINGLE, DOCUMENTS = frozenset({"single"}), frozenset({"doc", "raw"})


def test_five_thousand_mixed_rows(db: rm.Database, url: str) -> None:
    body = db.fetch_json(MIXED)
    parsed = strictly(body)
    frame = db.fetch(MIXED)
    assert (len(parsed), len(parsed[0])) == frame.shape == (5_000, 20)
    columns = frame.to_dict()
    mine = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert parsed == records(mine, SINGLE, DOCUMENTS)

    async def oracle() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(past_pooler(url))
        try:
            return [dict(record) for record in await connection.fetch(MIXED)]
        finally:
            await connection.close()

    assert parsed == records(asyncio.run(oracle()), SINGLE, DOCUMENTS)
    assert body == frame.to_json() == frame.to_json("records")
    assert len(orjson.loads(body)) == 5_000  # a second, stricter reader


def test_the_three_layouts_hold_the_same(db: rm.Database) -> None:
    rows = strictly(db.fetch_json(MIXED))
    lines = db.fetch_json(MIXED, orient="ndjson")
    assert lines.count(b"\n") == 5_000
    assert lines.endswith(b"}\n")
    assert [strictly(line) for line in lines.splitlines()] == rows
    columns = strictly(db.fetch_json(MIXED, orient="columns"))
    assert list(columns) == list(rows[0])
    assert [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ] == rows


@pytest.mark.parametrize("orient", ["records", "columns", "ndjson"])
def test_results_without_rows_or_columns(db: rm.Database, orient: Any) -> None:
    want = {"records": b"[]", "columns": b'{"a":[],"b":[]}', "ndjson": b""}[orient]
    assert db.fetch_json("select 1 as a, '' as b limit 0", orient=orient) == want
    want = {"records": b"[{},{}]", "columns": b"{}", "ndjson": b"{}\n{}\n"}[orient]
    assert db.fetch_json("select from generate_series(1, 2)", orient=orient) == want


def test_floats_that_json_lacks_are_null(db: rm.Database) -> None:
    sql = "select v::float8 as d, v::float4 as s, array[v::float8] as l from unnest($1::float8[]) v"
    body = db.fetch_json(sql, [math.nan, math.inf, -math.inf, -0.0, 1.5])
    none = {"d": None, "s": None, "l": [None]}
    parsed = json.loads(body)
    assert parsed[:3] == [none] * 3
    assert repr(parsed[3]["d"]) == "-0.0"
    assert parsed[4] == {"d": 1.5, "s": 1.5, "l": [1.5]}


def test_large_and_exact_numbers(db: rm.Database) -> None:
    body = db.fetch_json(
        "select '9223372036854775807'::int8 as i, '-9223372036854775808'::int8 as j, 4294967295::oid as o, "
        "1.10::numeric as n, 123456789012345678901234567890.123456789::numeric as m, 0.00::numeric as z, "
        "12::numeric(5, 2) as p, 1e-30::numeric as t, repeat('9', 70)::numeric as w, array[1.50, null] as l"
    )
    nines = b"9" * 70
    assert body == (
        b'[{"i":9223372036854775807,"j":-9223372036854775808,"o":4294967295,"n":1.10,'
        b'"m":123456789012345678901234567890.123456789,"z":0.00,"p":12.00,'
        b'"t":0.000000000000000000000000000001,"w":' + nines + b',"l":[1.50,null]}]'
    )


@pytest.mark.parametrize("text", AWKWARD, ids=lambda text: repr(text)[:30])
def test_text_and_names_are_escaped(db: rm.Database, text: str) -> None:
    body = (
        db.fetch_json("select $1::text as t, array[$1::text] as l, $1::text::bytea as b", text)
        if ("\\" not in text)
        else db.fetch_json("select $1::text as t, array[$1::text] as l, null as b", text)
    )
    [record] = strictly(body)
    assert (record["t"], record["l"]) == (text, [text])
    assert record["b"] is None or base64.b64decode(record["b"]).decode() == text
    if text:
        name = text.encode()[:60].decode(errors="ignore").replace('"', '""')
        # A statement's `$1` and `:name` are no parameters within quotes.
        assert list(strictly(db.fetch_json(f'select 1 as "{name}"'))[0]) == [
            name.replace('""', '"')
        ]


def test_a_name_that_repeats_is_refused_where_a_value_would_be_lost(db: rm.Database) -> None:
    frame = db.fetch("select 1 as a, 2 as a")
    assert [column.to_list() for column in (frame["a"],)] == [[1]]
    for lossy in (frame.to_dict, frame.to_numpy, frame[0].to_dict, frame.to_json):
        with pytest.raises(rm.DatabaseError, match="a"):
            lossy()


def test_dates_beyond_four_digits(db: rm.Database) -> None:
    sql = "select '12024-01-02'::date as a, '0044-03-15 BC'::date as b, '12024-01-02 03:04:05'::timestamp as c, '0001-01-01 00:00:00.5+00 BC'::timestamptz as d"  # fmt: skip
    assert db.fetch_json(sql) == (
        b'[{"a":"+012024-01-02","b":"-000043-03-15","c":"+012024-01-02T03:04:05",'
        b'"d":"0000-01-01T00:00:00.500000Z"}]'
    )


def test_json_stays_on_one_line_in_ndjson(db: rm.Database) -> None:
    sql = "select $1::json as j"
    text = '{"a":\n\t[1,\r\n2], "b": "\\n"}'
    body = db.fetch_json(sql, text, orient="ndjson")
    assert body.count(b"\n") == 1
    assert json.loads(body) == {"j": json.loads(text)}
    assert db.fetch_json(sql, text) == b'[{"j":' + text.encode() + b"}]"


ROW = st.tuples(
    st.none() | TEXT,
    st.none() | st.floats(),
    st.none() | st.floats(width=32),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20),
    st.none() | st.dates(),
    st.none() | st.datetimes(),
    st.none() | st.binary(max_size=20),
    st.none() | st.lists(st.none() | TEXT, max_size=3),
)  # fmt: skip


@settings(max_examples=examples(150))
@given(row=ROW)
def test_any_row(db: rm.Database, row: tuple[Any, ...]) -> None:
    kinds = ["text", "float8", "float4", "int8", "numeric", "date", "timestamp", "bytea", "text[]"]
    names = [f"c{at}" for at in range(len(kinds))]
    sql = "select " + ", ".join(
        f"${at}::{kind} as {name}"
        for at, (kind, name) in enumerate(zip(kinds, names, strict=True), 1)
    )
    [record] = strictly(db.fetch_json(sql, *row))
    want = records([dict(zip(names, row, strict=True))], frozenset({"c2"}), frozenset())[0]
    if row[2] is not None and not math.isfinite(row[2]):
        want["c2"] = None
    assert {name: _comparable(value) for name, value in record.items()} == {
        name: _comparable(value) for name, value in want.items()
    }
    assert db.fetch_json(sql, *row) == db.fetch(sql, *row).to_json()


def _comparable(value: Any) -> Any:
    """A whole float is written `1.0` and by some as `1`; a decimal may have more zeros."""
    return Decimal(value) if isinstance(value, int) else value


def test_no_answer_shows_through_the_next(url: str) -> None:
    sql = "select g, repeat('x', $2) as text from generate_series(1, $1::int) g"
    with rm.Database(url) as db, ThreadPoolExecutor(4) as threads:
        sizes = [(9_000, 2_000), (3, 1), (0, 1), (900, 50), (1, 1), (2_000, 200)]
        kept = [(size, db.fetch_json(sql, *size)) for size in sizes]
        kept += zip(
            sizes * 5, threads.map(lambda size: db.fetch_json(sql, *size), sizes * 5), strict=True
        )
    for (rows, width), text in kept:
        assert orjson.loads(text) == [{"g": g, "text": "x" * width} for g in range(1, rows + 1)]


def test_sqlite_gives_the_same_json() -> None:
    with rm.Database("sqlite://") as db:
        body = db.fetch_json(
            "select 1 as i, 1.5 as r, 'a\"b' as s, x'00ff' as b, null as n, 1e999 as inf, date('2024-01-02') as d"
        )
    assert body == b'[{"i":1,"r":1.5,"s":"a\\"b","b":"AP8=","n":null,"inf":null,"d":"2024-01-02"}]'
    assert plain(date(2024, 1, 2)) == "2024-01-02"

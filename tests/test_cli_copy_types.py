"""What `rowmill copy` makes of types: the SQL type of each, and values from text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from rowmill._cli_convert import fit, parser
from rowmill._cli_create import create_sql, quoted_table, sql_type
from rowmill._cli_failures import CopyError
from rowmill._cli_params import UsageError

# A type, what it is called in PostgreSQL and in SQLite, and a value.
TYPES: list[tuple[str, str, str, Any]] = [
    ("null", "text", "", None),
    ("bool", "boolean", "boolean", True),
    ("int8", "smallint", "integer", -128),
    ("int16", "smallint", "integer", -(2**15)),
    ("int32", "integer", "integer", 2**31 - 1),
    ("int64", "bigint", "integer", -(2**63)),
    ("uint8", "smallint", "integer", 255),
    ("uint16", "integer", "integer", 2**16 - 1),
    ("uint32", "bigint", "integer", 2**32 - 1),
    ("uint64", "numeric(20)", "integer", 2**63 - 1),
    ("Float16", "real", "real", None),
    ("float32", "real", "real", 0.5),
    ("float64", "double precision", "real", 0.1),
    ("decimal(12, 2)", "numeric(12, 2)", "text", Decimal("9999999999.99")),
    ("decimal(5, -2)", "numeric", "text", Decimal("12300")),
    ("decimal(38, 4)", "numeric", "text", Decimal("1.2345")),
    ("decimal(76, 0)", "numeric", "text", Decimal("9" * 76)),
    ("text", "text", "text", "é"),
    ("enum", "text", "text", "sad"),
    ("bytes", "bytea", "blob", b"\x00\xff"),
    ("json", "json", "json text", "1.50"),
    ("uuid", "uuid", "uuid", "01020304-0506-0708-090a-0b0c0d0e0000"),
    ("date", "date", "date", date(2026, 1, 31)),
    ("Date64", "date", "date", date(2026, 1, 31)),
    ("time", "time", "time", time(23, 59, 59, 1)),
    ("Time32(ms)", "time", "time", time(1)),
    ("Time64(ns)", "time", "time", time(1)),
    ("timestamp", "timestamp", "timestamp", datetime(2026, 1, 31, 1)),
    ("Timestamp(ns)", "timestamp", "timestamp", datetime(2026, 1, 31, 1)),
    ("timestamp[utc]", "timestamptz", "timestamptz", datetime(2026, 1, 31, tzinfo=UTC)),
    ('Timestamp(ms, "Europe/Berlin")', "timestamptz", "timestamptz", datetime(2026, 1, 31, tzinfo=UTC)),
    ("interval", "interval", "text", rm.Interval(1, 2, 3)),
    ("list[int32]", "integer[]", "json text", [1, None]),
    ("list[list[text]]", "text[]", "json text", [["a", "b"], ["c", "d"]]),
    ("list[decimal(76, 1)]", "numeric[]", "json text", [Decimal("1.5")]),
    ("list[float32, 2]", "real[]", "json text", [0.5, 1.5]),
    ("struct[lower: date, upper: date, bounds: text]", "jsonb", "json text",
     rm.Range(date(2026, 1, 31), None)),
    ("list[struct[lower: int64, upper: int64, bounds: text]]", "jsonb", "json text", [rm.Range(1, 2)]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "in_postgres", "in_sqlite", "value"), TYPES)
def test_a_table_holds_the_type(
    any_url: str, kind: str, in_postgres: str, in_sqlite: str, value: object
) -> None:
    is_sqlite = any_url.startswith("sqlite")
    assert sql_type("v", kind, is_sqlite) == (in_sqlite if is_sqlite else in_postgres)
    frame = rm.Frame({'odd "name"': [value, None]})
    with rm.Database(any_url) as db:
        db.execute(create_sql('"t"', {'odd "name"': kind}, [], sqlite=is_sqlite))
        kinds = dict(db.fetch("select * from t").schema)
        assert db.load("t", fit(frame, kinds, 0, sqlite=is_sqlite)) == 2
        found = db.fetch("select * from t").to_dict()['odd "name"']
    assert found[1] is None
    if "json" in sql_type("v", kind, is_sqlite) and not isinstance(value, str):
        # Decimals become strings there, which SQLite does not round.
        cell = rm.Frame({"v": [value]}).to_json("columns")
        assert json.loads(found[0].replace('"1.5"', "1.5")) == json.loads(cell)["v"][0]
    else:
        assert str(found[0]) == str(value)


def test_a_type_no_database_has() -> None:
    for kind in ("Duration(s)", "list[Duration(s)]"):
        with pytest.raises(CopyError, match=r"column 'v': no SQL type is known"):
            sql_type("v", kind, sqlite=False)


def test_names_of_tables() -> None:
    for name, sql in [
        ("orders", '"orders"'),
        ("shop.orders", '"shop"."orders"'),
        ('"a.b"."c""d"', '"a.b"."c""d"'),
        ("Größe x", '"Größe x"'),
        ('x"; drop table y; --', '"x""; drop table y; --"'),
    ]:
        assert quoted_table(name) == sql
    for name in ("", ".", "a.", ".b", "a.b.c", '"a', '"a"b', "a\0b", '""'):
        with pytest.raises(UsageError, match="is no table's name"):
            quoted_table(name)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bool", "t", True),
        ("bool", "FALSE", False),
        ("int16", "-007", -7),
        ("float64", "-inf", float("-inf")),
        ("float32", "1e3", 1000.0),
        ("decimal(38, 0)", "1.50", Decimal("1.50")),
        ("bytes", "\\x00ff", b"\x00\xff"),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("time", "10:00:00.5", time(10, 0, 0, 500_000)),
        ("timestamp", "2026-01-31 10:00:00.123456000", datetime(2026, 1, 31, 10, 0, 0, 123_456)),
        ("timestamp[utc]", "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("interval", "P1Y2M-3DT-0.5S", rm.Interval(14, -3, -500_000)),
        ("interval", "PT1H1M1S", rm.Interval(0, 0, 3_661_000_000)),
        ("list[int32]", "[1, null]", [1, None]),
        ("list[list[bool]]", "[[true], []]", [[True], []]),
        ("list[decimal(38, 0)]", '[1.10, "2"]', [Decimal("1.10"), Decimal(2)]),
        ("list[text]", '["a,\\n"]', ["a,\n"]),
    ],
)
def test_text_is_read_as_the_type(kind: str, text: str, value: object) -> None:
    parse = parser(kind)
    assert parse is not None
    assert parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[("bool", text) for text in ("", "yes", "2")],
        *[("int64", text) for text in ("", "1.0", "1_0", " 1", "٣", "0x1")],
        *[("float64", text) for text in ("", "1_0", "one")],
        *[("decimal(38, 0)", text) for text in ("", "1_0", "one")],
        *[("bytes", text) for text in ("", "00ff", "\\x0", "\\xzz")],
        *[("date", text) for text in ("", "2026-02-30", "soon")],
        *[("time", text) for text in ("", "25:00", "10:00:00.0000001")],
        *[("timestamp", text) for text in ("", "2026-01-31 10:00:00.1234567", "now")],
        *[("interval", text) for text in ("", "P", "PT", "P1DT", "1 day", "P1.5D")],
        *[("list[int32]", text) for text in ("", "{1,2}", "1", '["x"]', '{"a": 1}')],
    ],
)
def test_text_that_is_no_value_of_the_type(kind: str, text: str) -> None:
    frame = rm.Frame({"v": ["", text][1:]})
    with pytest.raises(CopyError, match=r"^column 'v', row 7: .* is not a value of"):
        fit(frame, {"v": kind}, 7, sqlite=True)


def test_text_stays_where_text_is_taken() -> None:
    frame = rm.Frame({"v": ["x", None]})
    for kind in ("text", "json", "uuid", "enum", "null"):
        assert parser(kind) is None
        assert fit(frame, {"v": kind}, 0, sqlite=False) is frame

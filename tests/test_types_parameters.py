"""What goes to PostgreSQL as a parameter comes back equal, or is refused with the reason."""

from __future__ import annotations

import enum
import ipaddress
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_cases import AWKWARD, SETUP
from tests.type_reference import canon


class Mood(enum.Enum):
    OK = "ok"


class Level(enum.IntEnum):
    HIGH = 3


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.fresh_database() as fresh, rm.Database(fresh) as database:
        database.execute_script(SETUP)
        yield fresh


@pytest.fixture(scope="module")
def db(url: str) -> Iterator[rm.Database]:
    with rm.Database(url) as database:
        yield database


EAST = timezone(timedelta(hours=5, minutes=45))

# The type, what goes in, and how the server prints it.
VALUES: list[tuple[str, Any, str]] = [
    ("bool", True, "true"),
    ("bool", False, "false"),
    ("int2", -(2**15), "-32768"),
    ("int4", 2**31 - 1, "2147483647"),
    ("int8", -(2**63), "-9223372036854775808"),
    ("int8", 2**63 - 1, "9223372036854775807"),
    ("oid", 4_000_000_000, "4000000000"),
    ("float4", 0.5, "0.5"),
    ("float8", 0.1, "0.1"),
    ("float8", -0.0, "-0"),
    ("float8", 5e-324, "5e-324"),
    ("float8", float("nan"), "NaN"),
    ("float8", float("inf"), "Infinity"),
    ("float8", float("-inf"), "-Infinity"),
    ("varchar(5)", "abcde", "abcde"),
    ("name", "n", "n"),
    ('"char"', "c", "c"),
    ('"char"', "", ""),
    ("bytea", b"", "\\x"),
    ("bytea", bytes(range(256)), "\\x" + bytes(range(256)).hex()),
    ("date", date(1, 1, 1), "0001-01-01"),
    ("date", date(9999, 12, 31), "9999-12-31"),
    ("time", time(23, 59, 59, 999_999), "23:59:59.999999"),
    ("time", time(), "00:00:00"),
    ("timestamp", datetime(1969, 12, 31, 23, 59, 59, 999_999), "1969-12-31 23:59:59.999999"),
    ("timestamp", datetime(1, 1, 1), "0001-01-01 00:00:00"),
    ("timestamptz", datetime(2024, 1, 2, 3, 4, 5, 6, EAST), "2024-01-01 21:19:05.000006+00"),
    ("timestamptz", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "9999-12-31 23:59:59+00"),
    ("interval", rm.Interval(14, -3, 500_000), "1 year 2 mons -3 days +00:00:00.5"),
    ("interval", rm.Interval(), "00:00:00"),
    ("uuid", uuid.UUID(int=0x0102 << 96), "00000102-0000-0000-0000-000000000000"),
    ("numeric", Decimal("1.10"), "1.10"),
    ("numeric", Decimal("-0.000"), "0.000"),
    ("numeric", Decimal("1e-60"), "0." + "0" * 59 + "1"),
    ("numeric", Decimal("9" * 100 + "." + "8" * 60), "9" * 100 + "." + "8" * 60),
    ("numeric(38,10)", Decimal("12345678901234567890.0123456789"), "12345678901234567890.0123456789"),
    ("numeric", 10**40, "1" + "0" * 40),
    ("mood", 'very "happy"', 'very "happy"'),
    ("mood", "", ""),
    ("positive", 7, "7"),
    ("price", Decimal("0.10"), "0.10"),
    ("json", '{"a":  1, "a": 2}', '{"a":  1, "a": 2}'),
    ("bool[]", [True, None, False], "{t,NULL,f}"),
    ("int2[]", [], "{}"),
    ("int4[]", [[1, 2], [None, 4]], "{{1,2},{NULL,4}}"),
    ("int4[]", [[[1], [2]], [[3], [4]]], "{{{1},{2}},{{3},{4}}}"),
    ("int8[]", [None], "{NULL}"),
    ("float8[]", [0.1, float("nan"), None], "{0.1,NaN,NULL}"),
    ("text[]", ["", "NULL", None, 'a"b\\c{},'], '{"","NULL",NULL,"a\\"b\\\\c{},"}'),
    ("text[]", [["a", None], ["", "d"]], '{{a,NULL},{"",d}}'),
    ("bytea[]", [b"\x00\xff", None], '{"\\\\x00ff",NULL}'),
    ("date[]", [date(2024, 2, 29), None], "{2024-02-29,NULL}"),
    ("timestamptz[]", [datetime(2024, 1, 1, tzinfo=EAST)], '{"2023-12-31 18:15:00+00"}'),
    ("interval[]", [rm.Interval(1, 2, 3)], '{"1 mon 2 days 00:00:00.000003"}'),
    ("uuid[]", [uuid.UUID(int=1), None], "{00000000-0000-0000-0000-000000000001,NULL}"),
    ("numeric[]", [Decimal("1.5"), None, Decimal("2.5")], "{1.5,NULL,2.5}"),
    ("numeric[]", [[Decimal("1.5")], [Decimal("2.5")]], "{{1.5},{2.5}}"),
    ("mood[]", ["sad", None, ""], '{sad,NULL,""}'),
    ("json[]", ['{"a":  1}', None], '{"{\\"a\\":  1}",NULL}'),
    ("jsonb[]", ['{"a": 1}'], '{"{\\"a\\": 1}"}'),
    ("moods", ["ok"], "{ok}"),
    ("point", "(1.5,-2)", "(1.5,-2)"),
    ("inet", "192.168.0.1/24", "192.168.0.1/24"),
    ("pair", {"a": 1, "b": "a b"}, '(1,"a b")'),
    ("int4range", rm.Range(1, 5), "[1,5)"),
    ("inet[]", ["10.0.0.1", None], "{10.0.0.1,NULL}"),
    ("int4range", rm.Range(None, 8, "()"), "(,8)"),
    ("int4range", rm.Range(bounds="empty"), "empty"),
    ("numrange", rm.Range(Decimal("1.5"), None, "()"), "(1.5,)"),
    ("daterange", rm.Range(date(2024, 1, 1), date(2024, 2, 29)), "[2024-01-01,2024-02-29)"),
    ("tstzrange", rm.Range(datetime(2024, 1, 1, tzinfo=UTC)), '["2024-01-01 00:00:00+00",)'),
    ("textrange", rm.Range("", 'a,"b', "[]"), '["","a,""b"]'),
    ("small", rm.Range(1, 3), "[1,3)"),
    ("int4multirange", [rm.Range(1, 3), rm.Range(5, None)], "{[1,3),[5,)}"),
    ("int4multirange", [], "{}"),
    ("int4range[]", [rm.Range(1, 3), None], '{"[1,3)",NULL}'),
    ("int4range[]", [[rm.Range(1, 3)], [None]], '{{"[1,3)"},{NULL}}'),
    ("pair", {"b": None, "a": 1}, "(1,)"),
    ("pair[]", [{"a": 1, "b": "x"}, None], '{"(1,x)",NULL}'),
    ("pairs", [{"a": 1, "b": "x"}], '{"(1,x)"}'),
    ("xid8", 2**64 - 1, "18446744073709551615"),
    ("xid8[]", [1, 2**63], "{1,9223372036854775808}"),
    ("timetz", "12:34:56.7+05:30", "12:34:56.7+05:30"),
    ("odd", '("(1,2)",x)', '("(1,2)",x)'),
]  # fmt: skip


def _id(value: Any) -> str:
    # Without an address, for every process is to give a test the same name.
    return re.sub(r" at 0x\w+", "", repr(value))[:40]


@pytest.mark.parametrize(("kind", "value", "printed"), VALUES, ids=_id)
def test_a_parameter_comes_back_equal(db: rm.Database, kind: str, value: Any, printed: str) -> None:
    row = db.fetch_one(f"select $1::{kind} as v, $1::{kind}::text as printed", value)
    assert row is not None
    want = Decimal(value) if kind == "numeric" and isinstance(value, int) else value
    if kind == "numeric" and len(printed) > 76:
        want = printed  # more digits than decimals hold
    assert canon(row["v"]) == canon(want)
    if kind != "text":
        assert row["printed"] == printed
    assert db.fetch_value(f"select ($1::{kind})::text", value) == printed


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _, _ in VALUES))
def test_none_is_null_for_each_type(db: rm.Database, kind: str) -> None:
    assert db.fetch_one(f"select $1::{kind} as v, $1::{kind} is null as yes", None) == (None, True)


@pytest.mark.parametrize("text", AWKWARD, ids=_id)
def test_text_comes_back_equal(db: rm.Database, text: str) -> None:
    sql = "select $1::text as a, $1 as b, octet_length($1) as n, $2::text[] as list"
    row = db.fetch_one(sql, text, [text, None, text])
    assert row is not None
    assert row.to_tuple() == (text, text, len(text.encode()), [text, None, text])


def test_a_megabyte_comes_back_equal(db: rm.Database) -> None:
    text, blob = "é\"\\'" * (1 << 18), bytes(range(256)) * 4096
    assert db.fetch_one("select $1::text as t, $2::bytea as b", text, blob) == (text, blob)


def test_dicts_are_json(db: rm.Database) -> None:
    value = {"é": [1, 2.5, None, True, {'q"\\': "\u2028\n"}], "big": 2**70, "": {}}
    sql = "select $1::jsonb = $2::text::jsonb as same, $1::jsonb ->> 'big' as big"
    text = '{"é":[1,2.5,null,true,{"q\\"\\\\":"\\u2028\\n"}],"big":1180591620717411303424,"":{}}'
    assert db.fetch_one(sql, value, text) == (True, str(2**70))
    assert db.fetch_value("select $1::json ->> 'a'", {"a": "x"}) == "x"
    # A list, for json, is a JSON array.
    assert db.fetch_value("select $1::jsonb::text", [1, "a", None, [2.5], {"b": []}]) == (
        '[1, "a", null, [2.5], {"b": []}]'
    )
    with pytest.raises(rm.DataError, match=r"\$1"):
        db.fetch("select $1::jsonb", {"a": float("nan")})


def test_relatives_of_the_plain_types(db: rm.Database) -> None:
    import numpy as np
    import pandas as pd

    cases: list[tuple[str, Any, Any]] = [
        ("mood", Mood.OK, "ok"),
        ("int4", Level.HIGH, 3),
        ("int2", np.int64(5), 5),
        ("float8", np.float32(0.5), 0.5),
        ("bool", np.bool_(True), True),
        ("int8[]", np.array([1, 2**40]), [1, 2**40]),
        ("int4[]", range(3), [0, 1, 2]),
        ("text[]", ("a", "b"), ["a", "b"]),
        ("timestamp", np.datetime64("2024-01-02T03:04:05.678901"), datetime(2024, 1, 2, 3, 4, 5, 678_901)),
        ("timestamptz", pd.Timestamp("2024-01-02", tz="UTC"), datetime(2024, 1, 2, tzinfo=UTC)),
        ("timestamp", pd.NaT, None),
        ("text", pd.NA, None),
        ("interval", timedelta(seconds=-1), rm.Interval(0, 0, -1_000_000)),
        ("bytea", bytearray(b"ab"), b"ab"),
        ("bytea", memoryview(b"ab"), b"ab"),
        ("date", date(2024, 1, 2), date(2024, 1, 2)),
        ("timestamp", date(2024, 1, 2), datetime(2024, 1, 2)),
        ("numeric", 0.1, Decimal("0.1")),
        ("numeric", 2**63 - 1, Decimal(2**63 - 1)),
        ("float8", 2**53, float(2**53)),
        ("uuid", "00000000-0000-0000-0000-000000000001", uuid.UUID(int=1)),
    ]  # fmt: skip
    for kind, value, want in cases:
        assert db.fetch_value(f"select $1::{kind}", value) == want, (kind, value)


REFUSED: list[tuple[str, Any, str]] = [
    ("int2", 2**15, "32768 is out of range for int2"),
    ("int4", -(2**31) - 1, "-2147483649 is out of range for int4"),
    ("int8", 2**63, "9223372036854775808 is out of range for int8"),
    ("oid", -1, "-1 is out of range for oid"),
    ("oid", 2**32, "4294967296 is out of range for oid"),
    ("int4", 1.0, "integer"),
    ("int4", True, "integer"),
    ("int4", "1", "integer"),
    ("int4", Decimal("1.5"), "integer"),
    ("int4[]", [1, 2**31], "element 2"),
    ("bool", 1, "bool"),
    ("float8", 2**53 + 1, "not exact"),
    ("float4", 1e39, "out of range"),
    ("float8", "1.5", "float"),
    ("text", 1, "text"),
    ("text", b"a", "text"),
    ("text", "a\x00b", "NUL"),
    ("text", "\ud800", "surrogate"),
    ("bytea", "a", "bytes"),
    ("date", datetime(2024, 1, 1), "date"),
    ("time", time(tzinfo=UTC), "time zone"),
    ("timestamp", datetime(2024, 1, 1, tzinfo=UTC), "zone"),
    ("timestamptz", datetime(2024, 1, 1), "zone"),
    ("timestamptz", date(2024, 1, 1), "time zone"),
    ("uuid", "no uuid", "UUID"),
    ("int4[]", [[1], [2, 3]], "differ in length"),
    ("int4[]", [[1], 2], "differ in length"),
    ("int4[]", [[], []], "empty lists"),
    ("int4[]", [[[[[[[1]]]]]]], "dimensions"),
    ("int4[]", 1, "a list"),
    ("int4", [1], "integer"),
    ("int4", object(), "object"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED, ids=_id)
def test_what_does_not_fit_is_refused(db: rm.Database, kind: str, value: Any, reason: str) -> None:
    with pytest.raises((rm.DataError, rm.ProgrammingError)) as caught:
        db.fetch(f"select 1 where $1::text is null and $2::{kind} is null", None, value)
    message = str(caught.value)
    assert "$2" in message
    assert reason in message
    assert db.fetch_value("select 1") == 1


GIVEN_OTHERWISE: list[tuple[str, Any, str]] = [
    ("int4range", "[1,5)", "[1,5)"),
    ("int4range", rm.Range(None, 7, "(]"), "(,8)"),
    ("int4multirange", "{[1,5)}", "{[1,5)}"),
    ("pair", '(1,"a b")', '(1,"a b")'),
    ("pair", (1, "a b"), '(1,"a b")'),
    ("pair", [None, None], "(,)"),
    ("pair[]", [(1, "x"), (2, "y")], '{"(1,x)","(2,y)"}'),
    ("pair[]", [[{"a": 1, "b": "x"}], [{"a": 2, "b": "y"}]], '{{"(1,x)"},{"(2,y)"}}'),
    ("pair[]", (), "{}"),
    ("int4multirange[]", [[rm.Range(1, 2)], []], '{"{[1,2)}","{}"}'),
    ("timetz", time(1, 2, 3, 4, EAST), "01:02:03.000004+05:45"),
    ("timetz", time(tzinfo=timezone(-timedelta(hours=1, seconds=1))), "00:00:00-01:00:01"),
    ("inet", ipaddress.ip_address("10.0.0.1"), "10.0.0.1/32"),
    ("inet", ipaddress.ip_interface("fe80::1/64"), "fe80::1/64"),
    ("cidr", ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
    ("inet[]", [ipaddress.ip_address("::1"), None], "{::1,NULL}"),
    ("json", {"a": [1.0, None, {"b": "x"}], "c": True}, '{"a":[1.0,null,{"b":"x"}],"c":true}'),
    ("json", {"a": date(2024, 1, 2), "b": [datetime(2024, 1, 2, tzinfo=UTC), uuid.UUID(int=1)]},
     '{"a":"2024-01-02","b":["2024-01-02T00:00:00Z","00000000-0000-0000-0000-000000000001"]}'),
    ("jsonb", {"1": 2}, '{"1": 2}'),
    ("jsonb", {1: 2}, '{"1": 2}'),
    ("jsonb[]", [{"a": 1}, None], '{"{\\"a\\": 1}",NULL}'),
    ("point[]", ["(1,2)", None], '{"(1,2)",NULL}'),
    ("deep", {"p": (1, "x"), "l": [(2, "y")], "n": Decimal("1.5"), "r": rm.Range(1, 3), "i": None,
              "t": ["a"], "m": "ok", "u": uuid.UUID(int=1)}, "i"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "printed"), GIVEN_OTHERWISE, ids=_id)
def test_other_ways_to_give_a_value(db: rm.Database, kind: str, value: Any, printed: str) -> None:
    if kind == "deep":
        # `inet` within a composite has no binary form here: the whole is given as its text.
        with pytest.raises(rm.DataError, match="its text form"):
            db.fetch("select $1::deep", value)
        return
    assert db.fetch_value(f"select ($1::{kind})::text", value) == printed


def test_a_composite_tells_which_attribute(db: rm.Database) -> None:
    cases: list[tuple[str, Any, str]] = [
        ("pair", {"a": 1}, 'wants the attribute "b" too; None is NULL'),
        ("pair", {"a": 1, "b": "", "c": 2}, 'has no attribute "c", only a, b'),
        ("pair", (1, "a", 2), r"wants 2 attributes \(a, b\), not 3"),
        ("pair", {"a": "x", "b": ""}, r'attribute "a" \(int4\): wants an integer, not text'),
        ("pair", 1, "wants its attributes, by name or in order, not an integer"),
        ("pair[]", [(1, "x"), (1, 2)], r'element 2: attribute "b" \(text\): wants text'),
        ("int4range", rm.Range("a"), "`lower` wants an integer, not text"),
        ("int4range", rm.Range(1, 2, "<>"), "bounds are"),
        ("int4range", {"from": 1}, 'not "from"'),
        ("int4range", 1, "wants a range, not an integer"),
        ("int4multirange", rm.Range(1, 2), "wants a list of ranges"),
        ("int4multirange", [1], "range 1: wants a range"),
        ("int4", {"a": 1}, "wants an integer, not named values"),
        ("int4", rm.Range(1, 2), "wants an integer, not named values"),
        ("jsonb", {"a": b"x"}, "wants a JSON value, not bytes"),
    ]
    for kind, value, told in cases:
        with pytest.raises(rm.DataError, match=told):
            db.fetch(f"select $1::{kind}", value)
    assert db.fetch_value("select 1") == 1


def test_an_enum_refuses_what_is_no_label(db: rm.Database) -> None:
    with pytest.raises(rm.DataError, match="mood"):
        db.fetch("select $1::mood", "furious")


def test_numpy_nanoseconds_are_not_cut(db: rm.Database) -> None:
    import numpy as np

    with pytest.raises(rm.ProgrammingError, match="microsecond"):
        db.fetch("select $1::timestamp", np.datetime64("2024-01-01T00:00:00.000000001"))

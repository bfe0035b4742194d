"""What other columnar drivers lose without a word, each with the proof that Rowmill does not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_reference import OUTPUTS, canon

OUTPUT = pytest.mark.parametrize("output", OUTPUTS)


@pytest.fixture(scope="module")
def db(postgres: PostgresServer) -> Iterator[rm.Database]:
    with postgres.fresh_database() as url, rm.Database(url) as database:
        yield database


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
@pytest.mark.parametrize("value", ["infinity", "-infinity"])
@pytest.mark.parametrize("form", ["{}", "array[{}]"])
def test_infinity_never_becomes_a_finite_date(
    db: rm.Database, kind: str, value: str, form: str
) -> None:
    """Elsewhere: 294247-01-10, 290308 BC, the year 262142."""
    infinite = form.format(f"'{value}'::{kind}")
    finite = form.format(f"'2024-01-01'::{kind}")
    sql = f"select {finite} as at union all select {infinite}"
    for attempt in (
        lambda: db.fetch(sql),
        lambda: db.fetch_json(sql),
        lambda: list(db.stream(sql)),
    ):
        with pytest.raises(rm.DataError) as caught:
            attempt()
        message = f"{caught.value} {caught.value.hint}"
        assert "infinit" in message
        assert '"at"' in message
        assert "row 1" in message
        assert kind in message
        assert '"at"::text' in message
    assert db.fetch_value(f"select '{value}'::{kind}::text") == value
    assert db.fetch_value("select 1") == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_numeric_that_is_no_number_never_becomes_one(db: rm.Database, value: str) -> None:
    """Elsewhere: 0, NULL, or a panic. Decimals of Arrow have no NaN."""
    sql = f"select 1.5 as n union all select '{value}'::numeric"
    if value != "NaN" and int(db.fetch_value("show server_version_num")) < 140_000:
        pytest.skip("before PostgreSQL 14 there is no infinite numeric")
    for statement in (sql, f"select array(select n from ({sql}) x) as n"):
        with pytest.raises(rm.DataError, match=r'"n"') as caught:
            db.fetch(statement)
        assert "numeric" in str(caught.value)
        assert '"n"::text' in f"{caught.value} {caught.value.hint}"
    assert db.fetch("select n::text from (" + sql + ") x")["n"].to_list() == ["1.5", value]
    # The way out for those who want floats: NaN stays NaN.
    column = db.fetch("select n::float8 from (" + sql + ") x")["n"].to_list()
    assert repr(column[1]) == repr(float(value))


@OUTPUT
def test_an_oid_above_two_to_the_31_stays_positive(db: rm.Database, output: str) -> None:
    """Elsewhere: 4000000000 is -294967296."""
    values = [2**31 - 1, 2**31, 4_000_000_000, 2**32 - 1]
    frame = db.fetch("select unnest($1::oid[]) as o", values)
    assert OUTPUTS[output](frame, 0) == values
    assert OUTPUTS[output](db.fetch("select $1::oid[] as o", values), 0) == [values]


@OUTPUT
def test_arrays_of_many_dimensions_are_not_flattened(db: rm.Database, output: str) -> None:
    """Elsewhere: [[1, 2], [3, 4]] is [1, 2, 3, 4]."""
    read = OUTPUTS[output]
    two: Any = [[1, 2], [3, 4]]
    three: Any = [[["a"], [None]], [["c"], [""]]]
    frame = db.fetch("select '{{1,2},{3,4}}'::int[] as two, $1::text[] as three", three)
    assert frame.schema.types == ["list[list[int32]]", "list[list[list[text]]]"]
    assert (read(frame, 0), read(frame, 1)) == ([two], [three])
    six = db.fetch("select '{{{{{{1,2}}}}}}'::int[] as six")
    assert read(six, 0) == [[[[[[[1, 2]]]]]]]


@OUTPUT
def test_no_digit_of_a_numeric_is_cut(db: rm.Database, output: str) -> None:
    """Elsewhere: decimal(38, 10) whatever comes, or float64."""
    read = OUTPUTS[output]
    fine = Decimal("0.12345678901234567890123")
    wide = Decimal("12345678901234567890123456789.5")
    frame = db.fetch("select unnest($1::numeric[]) as n", [fine, 1])
    assert read(frame, 0) == [fine, 1]
    frame = db.fetch("select $1::numeric as n", wide)
    assert read(frame, 0) == [wide]
    # A sum of bigints is a numeric: everyone has one.
    frame = db.fetch("select sum(v) as total from unnest($1::int8[]) v", [2**63 - 1] * 3)
    assert read(frame, 0) == [Decimal(3 * (2**63 - 1))]
    assert frame.schema.types == ["decimal(38, 0)"]


@OUTPUT
def test_a_uuid_keeps_its_trailing_zero_bytes(db: rm.Database, output: str) -> None:
    """Elsewhere: NumPy's S16 drops them."""
    values = [uuid.UUID(int=0), uuid.UUID(int=1 << 120), uuid.UUID(int=0xAB << 64)]
    frame = db.fetch("select unnest($1::uuid[]) as u", values)
    assert OUTPUTS[output](frame, 0) == values


def test_json_is_the_servers_own_text(db: rm.Database) -> None:
    """Elsewhere: parsed and printed anew, so that `{"a": 1}` loses its space and 1.00 its zeros."""
    texts = [
        '{"b" :  1, "a":[1.00,1e2] , "b":2}',
        '"\\u00e9\\/"',
        "12345678901234567890.10",
        " [ ] ",
    ]
    frame = db.fetch("select v::json as json, v::jsonb as jsonb, v::jsonb::text as printed "
                     "from unnest($1::text[]) with ordinality t (v, i) order by i", texts)  # fmt: skip
    assert frame["json"].to_list() == texts
    assert frame["jsonb"].to_list() == frame["printed"].to_list()
    for table in (frame.to_arrow().column(0).to_pylist(), frame.to_pandas()["json"].tolist()):
        assert table == texts
    assert frame.to_polars()["json"].to_list() == texts
    # Byte for byte into the response, too.
    body = db.fetch_json("select $1::json as j", texts[0])
    assert body == b'[{"j":' + texts[0].encode() + b"}]"
    body = db.fetch_json("select '{\"a\": 1.00}'::jsonb as j")
    assert body == b'[{"j":{"a": 1.00}}]'


def test_time_zones_are_kept(db: rm.Database) -> None:
    """Elsewhere: the zone is dropped, and an instant is shown as a wall clock."""
    here = datetime(2024, 7, 1, 12, tzinfo=timezone(timedelta(hours=-7)))
    frame = db.fetch(
        "select $1::timestamptz as at, $1::timestamptz at time zone 'utc' as wall", here
    )
    assert frame.schema.types == ["timestamp[utc]", "timestamp"]
    at, wall = frame[0]
    assert at == here
    assert at.tzinfo == UTC
    assert wall.tzinfo is None
    assert frame.to_arrow().schema.field("at").type.tz == "UTC"
    assert str(frame.to_pandas()["at"].dtype) == "datetime64[us, UTC]"
    assert frame.to_polars()["at"].dtype.time_zone == "UTC"  # type: ignore[attr-defined]
    [record] = json.loads(frame.to_json())
    assert record == {"at": "2024-07-01T19:00:00Z", "wall": "2024-07-01T19:00:00"}


def test_the_sessions_zone_does_not_matter(postgres: PostgresServer) -> None:
    sql = "select '2024-07-01 12:00:00+02'::timestamptz"
    want = datetime(2024, 7, 1, 10, tzinfo=UTC)
    with postgres.fresh_database() as url:
        name = url.split("/")[3].split("?")[0]
        postgres.psql(f"alter database {name} set timezone = 'Asia/Kathmandu'")
        postgres.psql(f"alter database {name} set datestyle = 'German'")
        postgres.psql(f"alter database {name} set intervalstyle = 'iso_8601'")
        postgres.psql(f"alter database {name} set bytea_output = 'escape'")
        postgres.psql(f"alter database {name} set extra_float_digits = -5")
        with rm.Database(url) as db:
            assert db.fetch_value(sql) == want
            assert db.fetch_one(
                "select date '2024-07-01', interval '1 mon', '\\x00ff'::bytea, 0.1::float8 + 0.2"
            ) == (want.date(), rm.Interval(1), b"\x00\xff", 0.1 + 0.2)
            assert db.fetch_value("select $1::timestamptz = '2024-07-01 10:00+00'", want) is True


@OUTPUT
def test_a_month_is_not_thirty_days(db: rm.Database, output: str) -> None:
    """Elsewhere: `1 mon` and `30 days` are the same."""
    texts = ["1 mon", "30 days", "720:00:00", "1 year", "365 days"]
    frame = db.fetch("select v::interval as i from unnest($1::text[]) with ordinality t (v, n) order by n", texts)  # fmt: skip
    want = [(1, 0, 0), (0, 30, 0), (0, 0, 720 * 3_600_000_000), (12, 0, 0), (0, 365, 0)]
    assert OUTPUTS[output](frame, 0) == want


@OUTPUT
def test_microseconds_are_kept(db: rm.Database, output: str) -> None:
    """Elsewhere: milliseconds, or a float of seconds."""
    texts = [
        "0001-01-01 00:00:00.000001",
        "1969-12-31 23:59:59.999999",
        "9999-12-31 23:59:59.999999",
    ]
    frame = db.fetch("select v::timestamp as a, (v || 'Z')::timestamptz as b, v::timestamp::time as c from unnest($1::text[]) with ordinality t (v, n) order by n", texts)  # fmt: skip
    want = [canon(datetime.fromisoformat(text)) for text in texts]
    assert OUTPUTS[output](frame, 0) == OUTPUTS[output](frame, 1) == want
    assert OUTPUTS[output](frame, 2) == [1, 86_399_999_999, 86_399_999_999]


def test_types_that_nobody_knows_are_text_and_not_raw_bytes(db: rm.Database) -> None:
    """Elsewhere: the bytes of the wire, or a panic."""
    db.execute_script("create type seen as (a int, b point); create domain odd as seen")
    statement = (
        "select '1.5.0.1/8'::inet as a, '(1,2)'::point as b, "
        "row(1, '(1,2)')::seen as d, row(1, null)::seen::odd as e, row(1, null) as f, "
        "'12:00+05'::timetz as h, B'101' as j, 'a & b'::tsquery as k, 'pg_class'::regclass as l, "
        "'$.a'::jsonpath as m, '$1.00'::money as o"
    )
    try:
        db.fetch("select '<a/>'::xml")
    except rm.NotSupportedError:  # a server built without it
        statement = statement.replace("'<a/>'::xml", "null::xml")
    frame = db.fetch(statement)
    assert set(frame.schema.types) == {"text"}
    columns = ", ".join(f"({name})::text" for name in frame.columns)
    assert tuple(frame[0]) == tuple(db.fetch(f"select {columns} from ({statement}) x")[0])  # type: ignore[comparison-overlap, unused-ignore]


def test_an_empty_text_is_not_null(db: rm.Database) -> None:
    """Elsewhere: CSV in between, which knows one of the two."""
    frame = db.fetch(
        "select * from (values ('', ''::bytea, '{}'::text[]), (null, null, null)) t (a, b, c)"
    )
    assert [tuple(row) for row in frame] == [("", b"", []), (None, None, None)]
    assert frame.to_json() == b'[{"a":"","b":"","c":[]},{"a":null,"b":null,"c":null}]'


@pytest.mark.parametrize("kind", ["int2", "int4", "int8", "bool"])
def test_null_among_integers_does_not_make_floats(db: rm.Database, kind: str) -> None:
    """Elsewhere: an int column with a NULL is float64, and 2^53 + 1 is rounded."""
    frame = db.fetch(
        f"select 1::{'int' if kind == 'bool' else kind}::{kind} as v union all select null"
    )
    assert frame.to_pandas()["v"].isna().tolist() == [False, True]
    assert str(frame.to_pandas()["v"].dtype).startswith("boolean" if kind == "bool" else "Int")
    assert frame.to_numpy()["v"].dtype.kind == ("b" if kind == "bool" else "i")
    assert frame.to_numpy()["v"].tolist() == [True if kind == "bool" else 1, None]

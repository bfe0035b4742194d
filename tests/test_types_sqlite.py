"""SQLite: declared types, what they take, what they refuse, and the sqlite3 module as oracle."""

from __future__ import annotations

import json
import math
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rowmill as rm
from tests.type_cases import AWKWARD
from tests.type_reference import OUTPUTS, canon, from_row
from tests.type_strategies import JSON, examples

OUTPUT = pytest.mark.parametrize("output", OUTPUTS)
HUGE = 2**53 + 1  # the first integer that no float holds


@pytest.fixture
def db() -> Iterator[rm.Database]:
    with rm.Database("sqlite://") as database:
        yield database


UUIDS = [uuid.UUID(int=0), uuid.UUID(int=0x0102 << 96)]
# Words of a declaration, Rowmill's type, cells as SQLite stores them, and what they mean.
DECLARED: list[tuple[str, str, list[Any], list[Any]]] = [
    ("integer", "int64", [0, -(2**63), 2**63 - 1, HUGE], [0, -(2**63), 2**63 - 1, HUGE]),
    ("bigint", "int64", [1], [1]),
    ("tinyint(1)", "int64", [1, 0], [1, 0]),
    ("unsigned big int", "int64", [7], [7]),
    ("real", "float64", [0.1, -0.0, 5e-324, 1.7976931348623157e308, 3], [0.1, 0.0, 5e-324, 1.7976931348623157e308, 3.0]),
    ("double precision", "float64", [math.inf, -math.inf], [math.inf, -math.inf]),
    ("text", "text", AWKWARD, AWKWARD),
    ("varchar(20)", "text", ["a", ""], ["a", ""]),
    ("blob", "bytes", [b"", b"\x00", bytes(range(256))], [b"", b"\x00", bytes(range(256))]),
    ("boolean", "bool", [0, 1], [False, True]),
    ("date", "date", ["1970-01-01", "0001-01-01", "9999-12-31"], [date(1970, 1, 1), date.min, date.max]),
    ("time", "time", ["00:00:00", "23:59:59.999999", "12:30"], [time(), time.max, time(12, 30)]),
    ("timestamp", "timestamp", ["1969-12-31 23:59:59.999999", "2024-01-02T03:04:05", "0001-01-01 00:00:00"],
     [datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2024, 1, 2, 3, 4, 5), datetime.min]),
    ("datetime", "timestamp[utc]", ["2024-01-02 03:04:05Z", "2024-01-02 03:04:05+05:45"],
     [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2024, 1, 1, 21, 19, 5, tzinfo=UTC)]),
    ("timestamptz", "timestamp[utc]", ["2024-01-02 03:04:05", "2024-01-02 03:04:05-01:00"],
     [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2024, 1, 2, 4, 4, 5, tzinfo=UTC)]),
    ("json", "json", ['{"a":  1, "a": [1.00]}', "null", '"é"'], ['{"a":  1, "a": [1.00]}', "null", '"é"']),
    ("uuid", "uuid", [str(UUIDS[0]), UUIDS[1].bytes], UUIDS),
    ("numeric", "float64", [1, 2.5, 2**53], [1.0, 2.5, 2.0**53]),
    ("decimal(10, 2)", "float64", [1.5, 2], [1.5, 2.0]),
    ("", "int64", [1, 2**63 - 1], [1, 2**63 - 1]),
    ("", "float64", [1, 2.5], [1.0, 2.5]),
    ("", "text", ["a", "1"], ["a", "1"]),
    ("", "bytes", [b"a", b""], [b"a", b""]),
    ("any", "float64", [2.5, 1], [2.5, 1.0]),
]  # fmt: skip


def _fill(db: rm.Database, declared: str, cells: list[Any], strict: str = "") -> str:
    db.execute_script(f"create table t (i integer primary key, v {declared}) {strict}")
    for cell in cells:
        db.execute("insert into t (v) values ($1)", cell)
    return "select v from t order by i"


@OUTPUT
@pytest.mark.parametrize(("declared", "kind", "cells", "values"), DECLARED, ids=str)
def test_declared_types(
    db: rm.Database, declared: str, kind: str, cells: list[Any], values: list[Any], output: str
) -> None:
    sql = _fill(db, declared, [None, *(part for cell in cells for part in (cell, None))])
    frame = db.fetch(sql)
    assert frame.schema.types == [kind]
    want = [None, *(canon(part) for value in values for part in (value, None))]
    if kind == "float64" and output in ("numpy", "pandas", "objects"):
        want = ["nan" if value is None else value for value in want]
    if output == "json":
        want = [None if value in ("inf", "-inf") else value for value in want]
        if kind == "json":
            want = [None if value is None else json.loads(value) for value in want]
    got = OUTPUTS[output](frame, 0)
    if kind == "json" and output == "json":
        got = [
            value if value is None else json.loads(json.dumps(value, default=float))
            for value in got
        ]
    assert got == want
    parts = list(db.stream(sql, batch_rows=2 if declared else 64))
    assert [value for part in parts for value in from_row(part, 0)] == from_row(frame, 0)


@pytest.mark.parametrize("declared", ["integer", "real", "text", "blob", "int", "any"])
def test_strict_tables(db: rm.Database, declared: str) -> None:
    value: Any = {"real": 1.5, "text": "1", "blob": b"1"}.get(declared, 1)
    sql = _fill(db, declared, [value, None], "strict")
    assert db.fetch(sql)["v"].to_list() == [value, None]
    wrong: Any = b"x" if declared != "blob" else "x"
    if declared != "any":
        with pytest.raises(rm.IntegrityError):
            db.execute("insert into t (v) values ($1)", wrong)


def test_columns_without_rows_or_values(db: rm.Database) -> None:
    names = dict.fromkeys(declared for declared, *_ in DECLARED if declared)
    columns = ", ".join(f"c{at} {declared}" for at, declared in enumerate(names))
    db.execute_script(f"create table t ({columns})")
    kinds = [next(kind for declared, kind, *_ in DECLARED if declared == name) for name in names]
    empty = db.fetch("select * from t")
    db.execute(f"insert into t values ({', '.join('?' * len(names)).replace('?', 'null')})")
    nulls = db.fetch("select * from t")
    for frame in (empty, nulls):
        for name, kind, got in zip(names, kinds, frame.schema.types, strict=True):
            # These are told by their values, and without any are null.
            told = name == "any"
            zone = name in ("timestamp", "datetime")
            assert got == ("null" if told else "timestamp" if zone else kind), name
        assert frame.to_arrow().num_columns == frame.to_polars().width == len(names)
        assert frame.to_pandas().shape == (len(frame), len(names))
    assert tuple(nulls[0]) == (None,) * len(names)


# A declaration, fitting cells, one that does not fit, and words of the message.
MISFITS: list[tuple[str, list[Any], Any, str]] = [
    ("integer", [1], 1.5, "the float 1.5 is not an integer"),
    ("integer", [1], "x", 'the text "x" is not an integer'),
    ("integer", [1], b"x", "a blob of 1 bytes is not an integer"),
    ("real", [1.5], "x", 'the text "x" is not a float'),
    ("text", ["a"], b"\xff", "a blob of 1 bytes is not text"),
    ("blob", [b"a"], "a", 'the text "a" is not bytes'),
    ("boolean", [1], 2, "the integer 2 is not 0 or 1"),
    ("date", ["2024-01-01"], "2024-02-30", "2024-02-30"),
    ("date", ["2024-01-01"], 19_000, "the integer 19000"),
    ("timestamp", ["2024-01-01 00:00:00"], "2024-01-01 00:00:00Z", "without a zone"),
    # The microsecond that NumPy takes for no time at all.
    (
        "timestamp",
        ["-290308-12-22 00:00:01+00:00"],
        "-290308-12-22 00:00:00.224192+04:00:55",
        "224192",
    ),
    ("timestamp", ["2024-01-01 00:00:00.1234560"], "2024-01-01 00:00:00.1234567", "1234567"),
    ("json", ["{}"], "{", 'the text "{" is not JSON'),
    ("uuid", [str(UUIDS[1])], "0102", "UUID"),
    ("uuid", [UUIDS[1].bytes], b"short", "a blob of 5 bytes"),
    ("", [1], "x", 'the text "x" is not an integer'),
    ("", ["x"], 1, "the integer 1 is not text"),
    ("", [1.5], HUGE, "9007199254740993"),
    ("", [HUGE], 1.5, "the float 1.5"),
]


@pytest.mark.parametrize(("declared", "cells", "wrong", "words"), MISFITS, ids=str)
def test_a_cell_that_does_not_fit_is_an_error_with_a_way_out(
    db: rm.Database, declared: str, cells: list[Any], wrong: Any, words: str
) -> None:
    """It names column, row and value, and says what to write instead; nothing is converted."""
    sql = _fill(db, declared, [*cells, None, wrong])
    for attempt in (
        lambda: db.fetch(sql),
        lambda: db.fetch_json(sql),
        lambda: list(db.stream(sql, batch_rows=1)),
    ):
        with pytest.raises(rm.DataError) as caught:
            attempt()
        message = str(caught.value)
        assert '"v"' in message
        assert f"row {len(cells) + 1}" in message
        assert words.split(" is not ")[0] in message
        assert "cast(" in str(caught.value.hint)
    hint = str(caught.value.hint)
    assert 'cast("v" as text)' in hint
    if not isinstance(wrong, bytes):
        assert len(db.fetch('select cast("v" as text) as v from t')) == len(cells) + 2


def test_integers_become_floats_only_where_each_is_exact(db: rm.Database) -> None:
    sql = "select value as v from json_each($1)"
    frame = db.fetch(sql, [1, -(2**53), 2**62, 0.5])
    assert frame["v"].to_list() == [1.0, -float(2**53), float(2**62), 0.5]
    assert frame.schema.types == ["float64"]
    for values in ([HUGE, 0.5], [0.5, HUGE], [0.5, 2**63 - 1], [2**63 - 1, 0.5]):
        with pytest.raises(rm.DataError, match="row 1"):
            db.fetch(sql, values)


def test_parameters(db: rm.Database) -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=5)))
    pairs: list[tuple[Any, Any]] = [
        (None, None), (True, 1), (2**63 - 1, 2**63 - 1), (-0.0, -0.0), (math.inf, math.inf), ("é", "é"),
        (b"\x00", b"\x00"), (Decimal("1.10"), "1.10"), (UUIDS[1], str(UUIDS[1])), ("a\x00b", "a\x00b"),
        (date(1, 1, 1), "0001-01-01"), (time(1, 2, 3), "01:02:03"),
        (datetime(2024, 1, 2), "2024-01-02 00:00:00"), (moment, "2024-01-01 22:04:05.000006+00:00"),
        ({"é": [1, None]}, '{"é":[1,null]}'), ([1, "a\n", None, [True]], '[1,"a\\u000a",null,[true]]'),
    ]  # fmt: skip
    for value, stored in pairs:
        sql = "select json($1)" if isinstance(value, list) else "select $1"
        assert repr(db.fetch_value(sql, value)) == repr(stored), value
    for value in (math.nan, rm.Interval(1), [b"x"], [math.nan], 2**63, [2**70], object()):
        with pytest.raises(rm.Error, match=r"\$1"):
            db.fetch("select $1", value)


def test_text_that_is_no_text_is_an_error(db: rm.Database) -> None:
    with pytest.raises(rm.DataError, match=r'"v", row 1.*UTF-8') as caught:
        db.fetch("select 'a' as v union all select cast(x'61ff' as text)")
    assert 'cast("v" as blob)' in str(caught.value.hint)


ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.binary(max_size=40),
        st.none() | st.booleans(),
        st.none() | st.dates(),
        st.none() | st.datetimes(),
        st.none() | st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)),
        st.none() | st.times(),
        st.none() | st.uuids(),
        st.none() | JSON.filter(lambda text: text[0] in '[{"tfn'),
    ),
    max_size=20,
)
TABLE = """create table t (i integer, r real, s text, b blob, f boolean, d date, t timestamp,
    z timestamptz, c time, u uuid, j json)"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[rm.Database, sqlite3.Connection]]:
    """Both drivers on one file."""
    path = tmp_path / "oracle.db"
    with rm.Database(f"sqlite:///{path}") as db, closing(sqlite3.connect(path)) as oracle:
        db.execute_script(TABLE)
        yield db, oracle


@settings(max_examples=examples(100))
@given(rows=ROWS, direction=st.booleans())
def test_sqlite3_agrees(
    pair: tuple[rm.Database, sqlite3.Connection], rows: list[tuple[Any, ...]], direction: bool
) -> None:
    """What one writes the other reads."""
    db, oracle = pair
    db.execute("delete from t")
    stored = [tuple(map(_stored, row)) for row in rows]
    marks = ", ".join(f"${at}" for at in range(1, 12))
    if direction:
        with db.transaction() as tx:
            for row in rows:
                tx.execute(f"insert into t values ({marks})", *row)
    else:
        with oracle:
            oracle.executemany("insert into t values (?,?,?,?,?,?,?,?,?,?,?)", stored)
    found = oracle.execute("select * from t").fetchall()
    assert [tuple(map(repr, row)) for row in found] == [tuple(map(repr, row)) for row in stored]
    # A table stores -0.0 as the integer 0.
    want = [
        tuple(canon(value or 0.0 if isinstance(value, float) else value) for value in row)
        for row in rows
    ]
    assert [tuple(map(canon, row)) for row in db.fetch("select * from t")] == want


def _stored(value: Any) -> Any:
    """What SQLite holds of a value."""
    match value:
        case bool():
            return int(value)
        case float():
            return value if value else 0.0  # a table stores -0.0 as the integer 0
        case datetime():
            zone = "+00:00" if value.tzinfo else ""
            return f"{value.replace(tzinfo=None).isoformat(' ')}{zone}"
        case time():
            return value.isoformat()
        case date() | uuid.UUID():
            return str(value)
    return value

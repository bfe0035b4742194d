"""Frames, columns and schemas: what they are made of and how they are reached."""

from __future__ import annotations

import datetime as dt
import enum
import json
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

UTC = dt.UTC


class Colour(enum.Enum):
    RED = "red"


EVERY: dict[str, list[Any]] = {
    "bool": [True, None, False],
    "int64": [1, None, -(2**63)],
    "float64": [1.5, None, float("inf")],
    "text": ["a", None, "Zoë 🐍"],
    "bytes": [b"\x00\xff", None, b""],
    "date": [dt.date(2024, 1, 2), None, dt.date.max],
    "time": [dt.time(1, 2, 3, 4), None, dt.time.max],
    "timestamp": [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), None, dt.datetime.min],
    "timestamp[utc]": [
        dt.datetime(2024, 1, 2, tzinfo=UTC),
        None,
        dt.datetime.max.replace(tzinfo=UTC),
    ],
    "decimal(38, 3)": [Decimal("-0.001"), None, Decimal("12345678901234567890.500")],
    "uuid": [uuid.UUID(int=1), None, uuid.UUID(int=2**128 - 256)],
    "interval": [rm.Interval(1, -2, 3), None, rm.Interval()],
    "list[int64]": [[1, None], None, []],
    "list[text]": [["a"], None, [None, "b"]],
    "list[list[int64]]": [[[1], [], None], None, [[2, 3]]],
}


@pytest.fixture
def orders() -> rm.Frame:
    return rm.Frame({"id": [1, 2, 3], "total": [9.5, None, 0.25], "name": ["a", "b", None]})


@pytest.mark.parametrize("kind", EVERY)
def test_values_tell_their_type_and_come_back(kind: str) -> None:
    frame = rm.Frame({"c": EVERY[kind]})
    assert frame.schema == {"c": kind}
    column = frame["c"]
    assert (column.name, column.type, len(column), column.null_count) == ("c", kind, 3, 1)
    assert column.to_list() == list(column) == [row.c for row in frame] == EVERY[kind]
    assert [type(value) for value in column] == [type(value) for value in EVERY[kind]]
    assert frame.to_dict() == {"c": EVERY[kind]}
    assert rm.Frame({"c": column}) == frame


def test_shape_and_access(orders: rm.Frame) -> None:
    assert orders.shape == (3, 3)
    assert len(orders) == 3
    assert orders.columns == ["id", "total", "name"]
    assert orders.nbytes >= 3 * 16
    assert orders["total"].to_list() == [9.5, None, 0.25]
    assert orders[0] == (1, 9.5, "a")
    assert orders[-1].id == 3
    assert orders[1:]["id"].to_list() == [2, 3]
    assert orders[::-2]["id"].to_list() == [3, 1]
    assert orders[5:].shape == (0, 3)
    assert orders[["name", "id"]].columns == ["name", "id"]
    assert list(orders.rows()) == list(orders) == [orders[0], orders[1], orders[2]]
    assert orders.rows().__length_hint__() == 3  # type: ignore[attr-defined]


def test_columns(orders: rm.Frame) -> None:
    total = orders["total"]
    assert (total[0], total[-1], total[1]) == (9.5, 0.25, None)
    assert total[1:].to_list() == [None, 0.25]
    assert total[::-1].to_list() == [0.25, None, 9.5]
    assert total == orders["total"]
    assert total != orders["id"]
    assert repr(orders["name"]) == "Column('name', text, 3 rows: [a, b, NULL])"
    assert repr(rm.Frame({"n": list(range(99))})["n"]) == (
        "Column('n', int64, 99 rows: [0, 1, 2, 3, 4, 5, 6, 7, …])"
    )


def test_schema(orders: rm.Frame) -> None:
    schema = orders.schema
    assert schema.names == list(schema) == schema.keys() == ["id", "total", "name"]
    assert schema.types == schema.values() == ["int64", "float64", "text"]
    assert schema["total"] == schema.get("total") == "float64"
    assert schema.get("nothing") is None
    assert "id" in schema
    assert 1 not in schema
    assert (
        dict(schema) == dict(schema.items()) == {"id": "int64", "total": "float64", "name": "text"}
    )
    assert schema == orders[:1].schema
    assert hash(schema) == hash(orders[:1].schema)
    assert repr(schema) == "Schema({'id': 'int64', 'total': 'float64', 'name': 'text'})"
    with pytest.raises(KeyError, match="did you mean 'total'"):
        schema["totals"]


def test_keys_that_mean_nothing(orders: rm.Frame) -> None:
    with pytest.raises(KeyError, match="no column 'totl'; did you mean 'total'"):
        orders["totl"]
    with pytest.raises(KeyError, match="no column 'x'; there are 'id', 'total', 'name'"):
        orders[["id", "x"]]
    with pytest.raises(IndexError, match="row 3 of a frame of 3"):
        orders[3]
    with pytest.raises(IndexError):
        orders[-4]
    with pytest.raises(IndexError, match="row 3 of a column of 3"):
        orders["id"][3]
    keys: tuple[Any, ...] = (1.5, None, [1])
    for key in keys:
        with pytest.raises(TypeError, match="a frame takes a name"):
            orders[key]
    with pytest.raises(TypeError, match="unhashable"):
        hash(orders)


def test_equality_is_of_names_types_and_values(orders: rm.Frame) -> None:
    assert orders == orders[:]
    assert orders != orders[1:]
    assert orders != orders[["id", "name", "total"]]
    assert rm.Frame({"a": [1]}) != rm.Frame({"a": [1.0]})
    assert rm.Frame({"a": [float("nan")]}) == rm.Frame({"a": [float("nan")]})
    assert orders != 3


@pytest.mark.parametrize(
    ("values", "kind", "back"),
    [
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([1, Decimal("2.5")], "decimal(38, 1)", [Decimal("1.0"), Decimal("2.5")]),
        ([2**63, -1], "decimal(38, 0)", [Decimal(2**63), Decimal(-1)]),
        ([Decimal("1E+3"), Decimal("1E-30")], "decimal(38, 30)", [1000, Decimal("1E-30")]),
        ((1, 2), "int64", [1, 2]),
        (range(3), "int64", [0, 1, 2]),
        ((n for n in "ab"), "text", ["a", "b"]),
        ([{"a": [1, None]}], "json", ['{"a": [1, null]}']),
        ([dt.timedelta(days=-1, microseconds=1)], "interval", [rm.Interval(0, 0, -86_399_999_999)]),
        ([dt.timedelta(days=3, seconds=1)], "interval", [rm.Interval(0, 3, 1_000_000)]),
        ([dt.datetime(2024, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))], "timestamp[utc]",
         [dt.datetime(2024, 1, 1, 22, tzinfo=UTC)]),
        ([Colour.RED, "blue"], "text", ["red", "blue"]),
        ([bytearray(b"a"), memoryview(b"b")], "bytes", [b"a", b"b"]),
        ([None, None], "null", [None, None]),
        ([[], [None]], "list[null]", [[], [None]]),
        ([np.float64(1.5), np.int64(2)], "float64", [1.5, 2.0]),
        ([np.datetime64("2024-01-02T03:04:05")], "timestamp", [dt.datetime(2024, 1, 2, 3, 4, 5)]),
        ([np.datetime64("NaT")], "null", [None]),
        ([np.arange(2), [5]], "list[int64]", [[0, 1], [5]]),
    ],
)  # fmt: skip
def test_what_else_a_column_is_made_of(values: Any, kind: str, back: list[Any]) -> None:
    column = rm.Frame({"c": values})["c"]
    assert (column.type, column.to_list()) == (kind, back)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?"])
def test_numpy_arrays_go_by_their_buffer(dtype: str) -> None:
    array = np.array([0, 1, 100], dtype)
    assert rm.Frame({"c": array})["c"].to_list() == array.tolist()
    assert rm.Frame({"c": array[::-1]})["c"].to_list() == array[::-1].tolist()
    assert (
        rm.Frame({"c": array.astype(array.dtype.newbyteorder())})["c"].to_list() == array.tolist()
    )


def test_other_numpy_arrays() -> None:
    masked = np.ma.MaskedArray([1, 2], [False, True])
    assert rm.Frame({"c": masked})["c"].to_list() == [1, None]
    days = np.array(["2024-01-02", "NaT"], "datetime64[D]")
    assert rm.Frame({"c": days})["c"].to_list() == [dt.date(2024, 1, 2), None]
    micros = np.array(["2024-01-02T00:00:00.000001", "NaT"], "datetime64[us]")
    assert rm.Frame({"c": micros})["c"].to_list() == [dt.datetime(2024, 1, 2, 0, 0, 0, 1), None]
    assert rm.Frame({"c": np.array(["a", "bc"])})["c"].to_list() == ["a", "bc"]
    assert rm.Frame({"c": np.array([1, None], object)})["c"].to_list() == [1, None]
    with pytest.raises(ValueError, match="one dimension, not 2"):
        rm.Frame({"c": np.zeros((2, 2))})


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "a"], r'column "c": row 1 is text, row 0 is an integer; a column has one type'),
        ([None, True, 1], r'column "c": row 2 is an integer, row 1 is a bool'),
        ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=UTC)], "with time zone"),
        ([[1], ["a"]], "one type"),
        ([object()], r'column "c", row 0: cannot take a value of type object; accepted are None'),
        ([1.5, 2**53 + 1], r'column "c", row 1: the whole number is no float64'),
        ([dt.time(tzinfo=UTC)], "a time with a time zone means nothing"),
        (["\ud800"], "surrogate"),
        ([{"a": {1}}], "the dict is not JSON"),
        ([{"a": float("nan")}], "the dict is not JSON"),
        ([Decimal("NaN")], r'column "c", row 0: this decimal'),
        ([Decimal("1e-80")], "76 digits"),
        ([np.datetime64("2024-01-01T00:00:00.000000001")], "part below the microsecond"),
        ([CYCLE], "nested more than 128 deep"),
    ],
)
def test_values_that_make_no_column(values: list[Any], message: str) -> None:
    with pytest.raises(rm.ProgrammingError, match=message):
        rm.Frame({"c": values})


def test_data_that_makes_no_frame() -> None:
    with pytest.raises(
        TypeError, match="row 0 must be a dict, a dataclass, a named tuple or a Row, not int"
    ):
        rm.Frame([1])
    with pytest.raises(TypeError, match="not of int"):
        rm.Frame(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not str"):
        rm.Frame({"c": "abc"})
    with pytest.raises(TypeError, match="not int"):
        rm.Frame({"c": 3})
    with pytest.raises(TypeError, match="a column's name is a str, not int"):
        rm.Frame({1: [1]})  # type: ignore[dict-item]
    with pytest.raises(rm.ProgrammingError, match='"b" has 2 rows and column "a" has 1'):
        rm.Frame({"a": [1], "b": [1, 2]})


def test_empty_frames() -> None:
    assert rm.Frame({}).shape == (0, 0)
    assert repr(rm.Frame({})) == "0 rows × 0 columns"
    empty = rm.Frame({"a": []})
    assert empty.shape == (0, 1)
    assert empty.to_json() == b"[]"
    assert "0 rows × 1 column" in repr(empty)
    assert list(empty) == []


def test_json() -> None:
    frame = rm.Frame({"id": [1, None], "tag": [["a"], []], "doc": [{"x": 1}, {}]})
    records = [{"id": 1, "tag": ["a"], "doc": {"x": 1}}, {"id": None, "tag": [], "doc": {}}]
    assert json.loads(frame.to_json()) == records
    assert [json.loads(line) for line in frame.to_json(orient="ndjson").splitlines()] == records
    assert json.loads(frame.to_json("columns")) == {
        "id": [1, None],
        "tag": [["a"], []],
        "doc": [{"x": 1}, {}],
    }
    with pytest.raises(ValueError, match='orient is "records", "columns" or "ndjson"'):
        frame.to_json(orient="table")  # type: ignore[arg-type]


def test_names_may_repeat_but_not_in_a_dict(orders: rm.Frame) -> None:
    twice = orders[["id", "id", "total"]]
    assert twice.shape == (3, 3)
    assert twice["id"].to_list() == [1, 2, 3]
    assert list(twice.to_pandas().columns) == ["id", "id", "total"]
    for verb in (twice.to_dict, twice.to_numpy):
        with pytest.raises(rm.ProgrammingError, match="name them apart with AS"):
            verb()


def test_repr_is_a_table(orders: rm.Frame) -> None:
    assert repr(orders) == (
        "3 rows × 3 columns\n"
        "┌───────┬─────────┬──────┐\n"
        "│    id ┆   total ┆ name │\n"
        "│ int64 ┆ float64 ┆ text │\n"
        "╞═══════╪═════════╪══════╡\n"
        "│     1 ┆     9.5 ┆ a    │\n"
        "│     2 ┆    NULL ┆ b    │\n"
        "│     3 ┆    0.25 ┆ NULL │\n"
        "└───────┴─────────┴──────┘"
    )


def test_repr_of_much_is_short() -> None:
    wide = {f"column {at}": ["x" * 10_000] * 1_000 for at in range(50)}
    shown = repr(rm.Frame(wide))
    assert len(shown.splitlines()) == 17
    assert max(map(len, shown.splitlines())) < 400
    assert shown.startswith("1,000 rows × 50 columns")
    assert len(rm.Frame(wide)._repr_html_()) < 50_000  # type: ignore[attr-defined, unused-ignore]


def test_repr_keeps_control_characters_and_wide_ones_in_their_place() -> None:
    shown = repr(rm.Frame({"名": ["a\nb\x1b[31m", "日本"]})).splitlines()
    assert "│ a\\nb\\x1b[31m │" in shown
    assert "│ 日本         │" in shown


def test_html_is_escaped() -> None:
    shown = rm.Frame({"<b>": ["<script>alert(1)</script>"]})._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<b>" not in shown


cells = {
    "bool": st.booleans(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=False),
    "text": st.text(),
    "bytes": st.binary(),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "uuid": st.uuids(),
    "interval": st.builds(
        rm.Interval,
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**53), 2**53),
    ),
}


@pytest.mark.parametrize("kind", cells)
@given(data=st.data())
def test_any_column_survives_python_rows_and_json(kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | cells[kind], max_size=20))
    frame = rm.Frame({"c": values})
    assert frame["c"].to_list() == [row[0] for row in frame] == values
    assert [row.c for row in frame[::-1]] == values[::-1]
    parsed = [record["c"] for record in json.loads(frame.to_json())]
    assert len(parsed) == len(values)
    if kind in ("bool", "int64", "text"):
        assert parsed == values


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6)))
def test_decimals_lose_no_digit(values: list[Decimal | None]) -> None:
    assert rm.Frame({"c": values})["c"].to_list() == values


def test_in_asks_for_a_column() -> None:
    frame = rm.Frame({"name": ["f"]})
    assert "name" in frame
    assert "f" not in frame
    with pytest.raises(TypeError, match="column's name"):
        assert 1 in frame


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("where", r"write frame\.filter\(rm\.col"),
        ("head", r"write frame\[:5\]"),
        ("order_by", r"write frame\.sort"),
        ("groupby", r"write frame\.group_by"),
        ("merge", r"write frame\.join\(other"),
        ("drop_duplicates", r"write frame\.unique"),
        ("age", r'write frame\["age"\]'),
        ("to_jso", r"did you mean \.to_json\(\)"),
        ("nothing_like_it", "has no attribute 'nothing_like_it'$"),
        ("__dataframe__", "has no attribute '__dataframe__'$"),
    ],
)
def test_what_other_libraries_call_it_is_told(name: str, way: str) -> None:
    with pytest.raises(AttributeError, match=way):
        getattr(rm.Frame({"age": [1]}), name)

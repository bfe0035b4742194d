"""Frames to other libraries and back: the same values, and the same memory where that is promised."""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import json
import uuid
import weakref
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

UTC = dt.UTC
DATA: dict[str, list[Any]] = {
    "bool": [True, False, True],
    "bool_null": [True, None, False],
    "int": [1, -2, 3],
    "int_null": [1, None, 2**60],
    "float": [1.5, None, float("inf")],
    "text": ["a", None, "Zoë 🐍 and more than twelve bytes"],
    "bytes": [b"\x00\xff", None, b""],
    "date": [dt.date(2024, 1, 2), None, dt.date(1, 1, 1)],
    "time": [dt.time(1, 2, 3, 4), None, dt.time.max],
    "timestamp": [dt.datetime(2024, 1, 2, 3, 4, 5, 6), None, dt.datetime.max],
    "instant": [dt.datetime(2024, 1, 2, tzinfo=UTC), None, dt.datetime.max.replace(tzinfo=UTC)],
    "decimal": [Decimal("1.50"), None, Decimal("-0.01")],
    "uuid": [uuid.UUID(int=1), None, uuid.UUID(int=2**127)],
    "json": [{"a": [1]}, None, {}],
    "list": [[1, None], None, []],
    "interval": [rm.Interval(1, 2, 3), None, rm.Interval(0, -1, 0)],
}


@pytest.fixture
def frame() -> rm.Frame:
    return rm.Frame(DATA)


def address(column: rm.Column) -> int:
    """Where a column's values stand, as PyArrow sees it."""
    buffers = pa.array(column).buffers()
    return int(buffers[1].address)


# NumPy


def test_numpy_dtypes(frame: rm.Frame) -> None:
    arrays = frame.to_numpy()
    assert list(arrays) == frame.columns
    dtypes = {name: str(array.dtype) for name, array in arrays.items()}
    assert dtypes == {
        "bool": "bool", "bool_null": "bool", "int": "int64", "int_null": "int64",
        "float": "float64", "text": "object", "bytes": "object", "date": "datetime64[D]",
        "time": "object", "timestamp": "datetime64[us]", "instant": "datetime64[us]",
        "decimal": "object", "uuid": "object", "json": "object", "list": "object",
        "interval": "object",
    }  # fmt: skip
    assert np.ma.getmaskarray(arrays["int_null"]).tolist() == [False, True, False]
    assert arrays["int_null"].tolist() == DATA["int_null"]
    assert arrays["bool_null"].tolist() == DATA["bool_null"]
    for name in ("bool", "int", "text", "bytes", "date", "time", "timestamp", "decimal", "uuid",
                 "list", "interval"):  # fmt: skip
        assert arrays[name].tolist() == DATA[name]
    assert np.isnan(arrays["float"][1])
    assert arrays["instant"].tolist() == [
        instant and instant.replace(tzinfo=None) for instant in DATA["instant"]
    ]


@pytest.mark.parametrize("name", ["int", "int_null", "float", "timestamp", "instant"])
def test_numpy_views_the_same_memory(frame: rm.Frame, name: str) -> None:
    array = frame[name].to_numpy()
    assert np.asarray(array).ctypes.data == address(frame[name])
    assert not np.asarray(array).flags.writeable
    part = frame[1:][name].to_numpy()
    assert np.asarray(part).ctypes.data == address(frame[name]) + 8


def test_a_view_keeps_its_memory_alive() -> None:
    frame = rm.Frame({"n": np.arange(100_000)})
    seen = weakref.ref(frame)
    array = frame["n"].to_numpy()
    del frame
    gc.collect()
    assert seen() is None
    rest = [np.arange(100_000) + 1 for _ in range(10)]
    assert array.sum() == 99_999 * 50_000
    del rest


def test_numbers_whose_null_slots_hold_anything_are_copied() -> None:
    valid = pa.py_buffer(b"\x05")
    floats = pa.Array.from_buffers(pa.float64(), 3, [valid, pa.py_buffer(np.ones(3))])
    small = pa.Array.from_buffers(pa.float32(), 3, [valid, pa.py_buffer(np.ones(3, "f4"))])
    micros = pa.py_buffer(np.arange(3))
    stamps = pa.Array.from_buffers(pa.timestamp("us"), 3, [valid, micros])
    frame = rm.Frame({"f": floats, "s": small, "t": stamps})
    arrays = frame.to_numpy()
    assert np.isnan(arrays["f"]).tolist() == [False, True, False]
    assert np.isnan(arrays["s"]).tolist() == [False, True, False]
    assert np.isnat(arrays["t"]).tolist() == [False, True, False]
    assert frame.to_pandas().isna().to_numpy().tolist() == [[False] * 3, [True] * 3, [False] * 3]


def test_minus_infinity_is_not_read_as_null() -> None:
    stamps = pa.array(np.array([0, -(2**63)]), pa.timestamp("us", "UTC"))
    frame = rm.Frame({"t": stamps})
    for verb in (frame.to_numpy, frame.to_pandas):
        with pytest.raises(rm.DataError, match='column "t", row 1: NumPy cannot hold -infinity'):
            verb()


# pandas


def test_pandas_dtypes(frame: rm.Frame) -> None:
    table = frame.to_pandas()
    dtypes = {name: str(dtype) for name, dtype in table.dtypes.items()}
    assert dtypes == {
        "bool": "bool", "bool_null": "boolean", "int": "int64", "int_null": "Int64",
        "float": "float64", "text": "str", "bytes": "large_binary[pyarrow]",
        "date": "datetime64[s]", "time": "time64[us][pyarrow]", "timestamp": "datetime64[us]",
        "instant": "datetime64[us, UTC]", "decimal": "decimal128(38, 2)[pyarrow]",
        "uuid": "fixed_size_binary[16][pyarrow]", "json": "str",
        "list": "large_list<item: int64>[pyarrow]", "interval": "object",
    }  # fmt: skip
    for name in DATA:
        assert table[name].isna().tolist() == [value is None for value in DATA[name]]
    assert table["text"][2] == DATA["text"][2]
    assert table["date"].dt.date.tolist()[0] == DATA["date"][0]
    assert table["instant"][0] == DATA["instant"][0]
    assert table["uuid"][0] == DATA["uuid"][0].bytes
    assert table.groupby("uuid").size().tolist() == [1, 1]
    assert table["decimal"].sum() == Decimal("1.49")


def test_pandas_with_python_objects(frame: rm.Frame) -> None:
    table = frame.to_pandas(objects=True)
    for name in ("bytes", "time", "decimal", "uuid", "list", "interval"):
        assert table[name].dtype == object
        assert table[name].tolist() == DATA[name]


@pytest.mark.parametrize("value", [uuid.UUID(int=1), rm.Interval(1), b"x", "x", {"a": 1}, 1])
def test_pandas_holds_and_prints_lists_of(value: Any) -> None:
    table = rm.Frame({"c": [[value], None, []]}).to_pandas()
    assert table["c"].isna().tolist() == [False, True, False]
    assert "c" in repr(table)
    if not isinstance(value, dict):
        assert list(table["c"][0]) == [value]


def test_pandas_shares_memory(frame: rm.Frame) -> None:
    table = frame.to_pandas()
    for name in ("int", "float", "timestamp"):
        assert table[name].to_numpy().ctypes.data == address(frame[name])
    assert table["int_null"].array._data.ctypes.data == address(frame["int_null"])
    assert table["instant"].array._ndarray.ctypes.data == address(frame["instant"])
    chunk = table["text"].array._pa_array.chunk(0)
    assert chunk.buffers()[2].address == pa.array(frame["text"]).buffers()[2].address
    with pytest.raises(ValueError, match="read-only"):
        table.loc[0, "int"] = 9
    copy = table.copy()
    copy.loc[0, "int"] = 9
    assert frame["int"][0] == 1


def test_pandas_without_pyarrow(frame: rm.Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    import rowmill._out

    monkeypatch.setattr(rowmill._out, "_pyarrow", lambda: None)
    table = frame.to_pandas()
    assert str(table["text"].dtype) == "str"
    assert table["text"].tolist()[2] == DATA["text"][2]
    assert table["uuid"].tolist() == DATA["uuid"]


def test_enums_are_categories() -> None:
    moods = pa.array(["ok", None, "sad", "ok"]).dictionary_encode()
    large = moods.cast(pa.dictionary(pa.int32(), pa.large_string()))
    frame = rm.Frame({"mood": large})
    assert frame.schema == {"mood": "enum"}
    column = frame.to_pandas()["mood"]
    assert str(column.dtype) == "category"
    assert column.astype(object).where(column.notna(), None).tolist() == ["ok", None, "sad", "ok"]
    assert frame.to_polars()["mood"].to_list() == ["ok", None, "sad", "ok"]


def test_frames_of_no_rows_and_no_columns(frame: rm.Frame) -> None:
    empty = frame[:0]
    assert empty.to_pandas().shape == empty.to_polars().shape == (0, len(DATA))
    assert empty.to_arrow().num_rows == 0
    assert all(len(array) == 0 for array in empty.to_numpy().values())
    nothing = rm.Frame({})
    assert nothing.to_pandas().shape == nothing.to_polars().shape == (0, 0)
    assert nothing.to_numpy() == {}


# Polars


def test_polars(frame: rm.Frame) -> None:
    table = frame.to_polars()
    assert table.columns == frame.columns
    assert table.schema["text"] == table.schema["json"] == pl.String
    assert table.schema["instant"] == pl.Datetime("us", "UTC")
    assert table.schema["decimal"] == pl.Decimal(38, 2)
    for name in ("bool", "int_null", "float", "text", "bytes", "date", "time", "timestamp",
                 "decimal", "list"):  # fmt: skip
        assert table[name].to_list() == DATA[name]
    assert table["uuid"].to_list() == [value and value.bytes for value in DATA["uuid"]]
    assert table["interval"].to_list() == [value and value._asdict() for value in DATA["interval"]]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([Decimal("9" * 50)], r"decimal\(76, 0\)"),
        ([[Decimal("9" * 50)]], r"list\[decimal\(76, 0\)\]"),
        ([[rm.Interval()]], r"list\[interval\]"),
    ],
)
def test_polars_is_not_given_what_it_cannot_hold(values: list[Any], kind: str) -> None:
    with pytest.raises(rm.NotSupportedError, match=f"column 'c': Polars cannot hold {kind}"):
        rm.Frame({"c": values}).to_polars()


def test_polars_shares_memory(frame: rm.Frame) -> None:
    series = frame.to_polars()["int"]
    assert series.to_numpy(allow_copy=False).ctypes.data == address(frame["int"])


# Arrow


def test_arrow_and_back(frame: rm.Frame) -> None:
    table = frame.to_arrow()
    table.validate(full=True)
    assert table.column_names == frame.columns
    assert rm.Frame(table) == frame
    assert rm.Frame(table.to_batches()[0]) == frame
    assert rm.Frame(table.to_reader()) == frame
    assert table["int"].chunk(0).buffers()[1].address == address(frame["int"])
    assert address(rm.Frame(table)["int"]) == address(frame["int"])
    assert pa.schema(frame) == pa.schema(frame.schema) == table.schema
    assert pa.array(frame["text"]).to_pylist() == DATA["text"]
    assert pa.chunked_array(frame["int_null"]).to_pylist() == DATA["int_null"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_is_laid_out_as_asked(frame: rm.Frame, kind: pa.DataType) -> None:
    array = pa.array(frame["text"], kind)
    assert (array.type, array.to_pylist()) == (kind, DATA["text"])
    wanted = pa.schema([("text", kind)])
    table = pa.table(frame[["text"]], schema=wanted)
    assert table.schema == wanted
    assert table["text"].to_pylist() == DATA["text"]
    assert rm.Frame(table) == frame[["text"]]


def test_chunks_become_one() -> None:
    table = pa.table({"n": pa.chunked_array([[1, 2], [], [None]])})
    assert rm.Frame(table)["n"].to_list() == [1, 2, None]
    assert rm.Frame({"n": table["n"]})["n"].to_list() == [1, 2, None]
    assert rm.Frame(table[:0]).schema == {"n": "int64"}


def test_each_export_is_a_new_stream_and_a_stream_is_read_once(frame: rm.Frame) -> None:
    capsule = frame.__arrow_c_stream__()

    class Once:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return capsule

    assert rm.Frame(Once()) == frame
    with pytest.raises(rm.DataError, match="was read before"):
        rm.Frame(Once())
    assert rm.Frame(frame) == frame


def test_exports_nobody_reads_are_released() -> None:
    frame = rm.Frame({"n": np.arange(1_000_000)})
    for _ in range(1_000):
        frame.__arrow_c_stream__()
        frame["n"].__arrow_c_array__()
        frame.__arrow_c_schema__()


def test_a_capsule_of_another_kind_is_refused(frame: rm.Frame) -> None:
    schema = frame.__arrow_c_schema__()

    class Wrong:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return schema

    with pytest.raises(ValueError, match="incorrect name"):
        rm.Frame(Wrong())
    with pytest.raises(TypeError, match="requested_schema"):
        frame.__arrow_c_stream__(3)


def test_a_producer_that_fails_says_why() -> None:
    def chunks() -> Any:
        yield pa.record_batch({"n": [1]})
        raise RuntimeError("out of luck")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), chunks())
    with pytest.raises(rm.DataError, match="out of luck"):
        rm.Frame(reader)


def test_foreign_types_are_carried() -> None:
    nanos = pa.array([1, None, 1_000], pa.timestamp("ns"))
    table = pa.table({"t": nanos, "s": pa.array([{"a": 1}, None, {"a": 2}])})
    frame = rm.Frame(table)
    assert frame.to_arrow() == table
    assert frame["s"].to_list() == [{"a": 1}, None, {"a": 2}]
    assert frame["t"][2] == dt.datetime(1970, 1, 1, 0, 0, 0, 1)
    with pytest.raises(rm.DataError, match='column "t", row 0'):
        frame["t"][0]
    assert frame.to_pandas()["t"].isna().tolist() == [False, True, False]


def test_pandas_and_polars_frames_come_in() -> None:
    table = pd.DataFrame({"n": [1, 2], "s": ["a", None]})
    assert rm.Frame(table).to_dict() == {"n": [1, 2], "s": ["a", None]}
    assert rm.Frame({"n": table["n"], "s": table["s"]}).to_dict() == {"n": [1, 2], "s": ["a", None]}
    other = pl.DataFrame({"n": [1, None], "s": ["a", "b"], "d": [dt.date(2024, 1, 2), None]})
    assert rm.Frame(other).to_dict() == other.to_dict(as_series=False)
    assert rm.Frame({"n": other["n"]})["n"].to_list() == [1, None]
    with pytest.raises(TypeError, match="not a table of 3"):
        rm.Frame({"n": other})


def test_columns_of_nothing_but_null_come_in() -> None:
    """Polars gives them a buffer that Arrow does not know."""
    nothing = pl.DataFrame({"n": [1, 2], "null": [None, None], "lists": [[None], []]})
    assert nothing["null"].dtype == pl.Null
    assert rm.Frame(nothing).to_dict() == nothing.to_dict(as_series=False)
    assert rm.Frame({"null": nothing["null"]})["null"].to_list() == [None, None]
    matcher: rm.Matcher[int] = rm.Matcher({"n": int, "null": int})
    matcher.insert(7, (rm.col("n") > 1) & rm.col("null").is_null())
    assert matcher.match_batch(nothing.drop("lists")).to_tuples() == [(1, 7)]


def test_duckdb_scans_a_frame(frame: rm.Frame) -> None:
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql("select sum(int), count(text) from frame").fetchall()
    assert found == [(2, 2)]


def test_the_interpreter_is_free_while_a_stream_is_read() -> None:
    """A producer that needs the interpreter on another thread would wait for ever otherwise."""
    import queue
    import threading

    results: queue.Queue[pa.RecordBatch] = queue.Queue()

    def chunks() -> Any:
        worker = threading.Thread(target=lambda: results.put(pa.record_batch({"n": [1]})))
        worker.start()
        worker.join()
        yield results.get()

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), chunks())
    assert rm.Frame(reader)["n"].to_list() == [1]


def test_the_buffer_says_what_it_is(frame: rm.Frame) -> None:
    buffer = frame["int"]._buffer()
    view = memoryview(buffer)
    assert (view.readonly, view.nbytes, len(buffer)) == (True, 24, 24)
    assert bytes(view) == np.array(DATA["int"]).tobytes()
    with pytest.raises(TypeError, match="no such layout"):
        frame["text"]._buffer()
    with pytest.raises((BufferError, TypeError)):
        (ctypes.c_char * 24).from_buffer(buffer)


tables = st.fixed_dictionaries(
    {
        "n": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
        "x": st.lists(st.none() | st.floats(allow_nan=False), min_size=3, max_size=3),
        "s": st.lists(st.none() | st.text(), min_size=3, max_size=3),
        "b": st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
        "t": st.lists(st.none() | st.datetimes(), min_size=3, max_size=3),
        "l": st.lists(st.none() | st.lists(st.none() | st.text(), max_size=3), min_size=3, max_size=3),
    }
)  # fmt: skip


@given(tables)
def test_every_way_out_tells_the_same(data: dict[str, list[Any]]) -> None:
    frame = rm.Frame(data)
    assert frame.to_dict() == data
    assert [row.to_tuple() for row in frame] == list(zip(*data.values(), strict=True))
    assert frame.to_arrow().to_pydict() == data
    assert frame.to_polars().to_dict(as_series=False) == data
    assert rm.Frame(frame.to_arrow()) == frame
    parsed = json.loads(frame.to_json("columns"))
    for name in ("n", "s", "b", "l"):
        assert parsed[name] == data[name]
    table = frame.to_pandas()
    for name, values in data.items():
        column = [
            None if none else value
            for value, none in zip(table[name], table[name].isna(), strict=True)
        ]
        assert [list(v) if name == "l" and v is not None else v for v in column] == values

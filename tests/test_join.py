"""Frames joined, and rows that are equal: what pandas and a database find."""

from __future__ import annotations

import datetime
import decimal
import gc
import math
import uuid
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

PEOPLE = rm.Frame({"id": [1, 2, 3, 4], "team": ["a", "b", "a", None], "name": ["x", "y", "z", "w"]})
TEAMS = rm.Frame({"team": ["b", "a", "a", None], "name": ["Bergen", "Oslo", "Moss", "Nowhere"]})


def test_rows_come_in_the_order_of_the_left() -> None:
    assert PEOPLE.join(TEAMS, on="team").to_dict() == {
        "id": [1, 1, 2, 3, 3],
        "team": ["a", "a", "b", "a", "a"],
        "name": ["x", "x", "y", "z", "z"],
        "name_right": ["Oslo", "Moss", "Bergen", "Oslo", "Moss"],
    }
    left = PEOPLE.join(TEAMS, "team", how="left", suffix="_of_team")
    assert left.columns == ["id", "team", "name", "name_of_team"]
    assert left["name_of_team"].to_list() == ["Oslo", "Moss", "Bergen", "Oslo", "Moss", None]
    assert PEOPLE.join(TEAMS, on=["team"], how="semi").to_dict() == PEOPLE[:3].to_dict()
    assert PEOPLE.join(TEAMS, on=("team",), how="anti")["id"].to_list() == [4]


def test_keys_may_have_other_names() -> None:
    cities = rm.Frame({"of": ["a", "b"], "at": [1, 2], "city": ["Oslo", "Bergen"]})
    found = PEOPLE.join(cities, left_on="team", right_on="of")
    assert found.columns == ["id", "team", "name", "at", "city"]
    found = PEOPLE.join(cities, left_on=["team", "id"], right_on=["of", "at"])
    assert found.to_tuples() == [(1, "a", "x", "Oslo"), (2, "b", "y", "Bergen")]


def test_nothing_and_filtered_frames() -> None:
    empty = TEAMS[:0]
    assert PEOPLE.join(empty, on="team").to_dict() == {
        "id": [],
        "team": [],
        "name": [],
        "name_right": [],
    }
    assert PEOPLE.join(empty, on="team", how="left")["name_right"].to_list() == [None] * 4
    assert PEOPLE.join(empty, on="team", how="anti") == PEOPLE
    assert empty.join(PEOPLE, on="team", how="left").to_tuples() == []
    some = PEOPLE.filter(rm.col("id") > 1)
    assert some.join(TEAMS.filter(rm.col("name") != "Moss"), on="team")["id"].to_list() == [2, 3]
    assert TEAMS[1:].join(PEOPLE[1:3], on="team", how="semi")["name"].to_list() == ["Oslo", "Moss"]


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        [1.5, math.nan, -0.0],
        [b"x", b""],
        [datetime.date(2024, 1, 2), datetime.date(1, 1, 1)],
        [datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)],
        [decimal.Decimal("1.50"), decimal.Decimal("-2.25")],
        [uuid.UUID(int=5), uuid.UUID(int=2**127)],
        [2**63 - 1, -(2**63)],
    ],
)
def test_keys_of_any_type(values: list[Any]) -> None:
    left = rm.Frame({"key": [*values, None], "row": list(range(len(values) + 1))})
    right = rm.Frame({"key": values[::-1], "at": list(range(len(values)))})
    assert left.join(right, on="key")["row"].to_list() == list(range(len(values)))
    assert left.join(right, on="key")["at"].to_list() == list(range(len(values)))[::-1]
    assert left.join(right, on="key", how="anti")["key"].to_list() == [None]


def test_integers_of_different_widths() -> None:
    def of(kind: pa.DataType, *cells: int | None) -> rm.Frame:
        return rm.Frame(pa.table({"id": pa.array(cells, kind)}))

    small = of(pa.int8(), 7, None, -1)
    assert of(pa.int64(), 2**40, 7, -1).join(small, on="id")["id"].to_list() == [7, -1]
    assert small.join(of(pa.uint32(), 7, 255), on="id")["id"].to_list() == [7]
    assert small.join(of(pa.uint64(), 7, 255), on="id")["id"].to_list() == [7]


def test_numbers_that_64_bits_do_not_hold_are_equal_to_none_of_another_type() -> None:
    wide = rm.Frame(pa.table({"id": pa.array([2**63, 7, None], pa.uint64())}))
    assert wide.join(rm.Frame({"id": [7, -(2**63)]}), on="id")["id"].to_list() == [7]
    assert wide.join(wide, on="id")["id"].to_list() == [2**63, 7]


def test_decimals_are_equal_where_the_numbers_are() -> None:
    fine = rm.Frame({"price": [decimal.Decimal("1.50"), decimal.Decimal("2.25"), None]})
    coarse = rm.Frame({"price": [decimal.Decimal("1.5"), decimal.Decimal("2.0")]})
    assert fine.join(coarse, on="price")["price"].to_list() == [decimal.Decimal("1.50")]
    assert rm.Frame({"price": [2, 3]}).join(coarse, on="price")["price"].to_list() == [2]
    far = pa.table({"price": pa.array([decimal.Decimal(10**37)], pa.decimal128(38, 0))})
    assert fine.join(rm.Frame(far), on="price").to_tuples() == []


def test_labels_are_text() -> None:
    def labels(of: str, width: pa.DataType) -> rm.Frame:
        column = pa.array([f"{of}{at}" for at in range(100)] + [None])
        return rm.Frame(
            pa.table({"key": column.dictionary_encode().cast(pa.dictionary(width, pa.string()))})
        )

    small = labels("a", pa.int8())
    assert small.join(labels("b", pa.int8()), on="key").to_tuples() == []
    assert len(small.join(labels("a", pa.int8()), on="key")) == 100
    assert len(small.join(labels("a", pa.int16()), on="key")) == 100
    text = rm.Frame({"key": ["a7", "b", None], "n": [1, 2, 3]})
    assert small.join(text, on="key").to_tuples() == [("a7", 1)]
    assert text.join(small, on="key", how="anti")["n"].to_list() == [2, 3]
    assert text.join(small.select("key", label=rm.col("key")), on="key", how="left")[
        "label"
    ].to_list() == ["a7", None, None]


def test_a_key_of_nothing() -> None:
    nothing = rm.Frame({"team": [], "city": []})
    assert PEOPLE.join(nothing, on="team", how="anti") == PEOPLE
    assert nothing.join(PEOPLE, on="team").to_tuples() == []
    nulls = rm.Frame({"team": [None, None], "city": [1, 2]})
    assert PEOPLE.join(nulls, on="team").to_tuples() == []
    assert nulls.join(nulls, on="team").to_tuples() == []
    assert nulls.unique("team").to_tuples() == [(None, 1)]


def test_many_rows_that_are_not_copied_yet() -> None:
    n = 5_000
    left = rm.Frame({"id": list(range(n)), "text": [f"t{at}" for at in range(n)]})
    right = rm.Frame({"id": list(range(0, 2 * n, 2)), "at": list(range(n))})
    some, others = left.filter(rm.col("id") % 3 == 0), right.filter(rm.col("at") < 100)
    found = some.join(others, on="id", how="left")
    expected = [
        (at, f"t{at}", at // 2 if at % 2 == 0 and at < 200 else None) for at in range(0, n, 3)
    ]
    assert found.to_tuples() == expected
    assert some.join(others, on="id", how="semi")["id"].to_list() == list(range(0, 200, 6))
    assert len(some.join(others, on="id", how="anti").unique("text")) == len(some) - 34


def test_what_is_kept_of_many_rows_does_not_hold_them() -> None:
    before = pa.total_allocated_bytes()
    rows = pa.array(range(200_000), pa.int64())
    frame = rm.Frame(pa.table({"key": pc.bit_wise_and(rows, 7), "at": rows}))
    del rows
    held = pa.total_allocated_bytes() - before
    kept = [
        frame.unique("key"),
        frame.join(frame[:9], on="at", how="semi"),
        frame.join(frame[:0], on="at", how="semi"),
    ]
    del frame
    gc.collect()
    assert held > 3_000_000
    assert pa.total_allocated_bytes() - before < held / 16
    assert [len(one) for one in kept] == [8, 9, 0]


def test_run_end_encoded_values_are_not_repeated() -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([200], pa.int16()), pa.array([1]))
    frame = rm.Frame(pa.table({"key": [1] * 200, "runs": runs}))
    with pytest.raises(
        rm.DataError, match='column "runs": run-end encoded values cannot be repeated'
    ):
        frame.join(rm.Frame({"key": [1] * 200}), on="key")


cells = st.one_of(st.none(), st.integers(0, 5))
sides = st.tuples(
    st.lists(st.tuples(cells, st.sampled_from(["a", "b", None])), max_size=30),
    st.lists(st.tuples(cells, st.sampled_from(["a", "b", None])), max_size=30),
)


@given(sides)
def test_pandas_finds_the_same(sides: tuple[list[Any], list[Any]]) -> None:
    frames, theirs = [], []
    for name, rows in zip(("left", "right"), sides, strict=True):
        columns = {
            "n": pa.array([row[0] for row in rows], pa.int64()),
            "t": pa.array([row[1] for row in rows], pa.large_string()),
            name: pa.array(range(len(rows)), pa.int64()),
        }
        table = pa.table(columns)
        frames.append(rm.Frame(table))
        theirs.append(table.to_pandas(types_mapper=pd.ArrowDtype))
    left, right = frames
    for how in ("inner", "left"):
        found = left.join(right, on=["n", "t"], how=how).select("left", "right").to_tuples()
        # NULL is equal to NULL in pandas, so what it may find is without them.
        merged = theirs[0].merge(theirs[1].dropna(subset=["n", "t"]), on=["n", "t"], how=how)
        pairs = zip(merged["left"].tolist(), merged["right"].tolist(), strict=True)
        expected = [tuple(None if pd.isna(row) else int(row) for row in pair) for pair in pairs]
        assert sorted(found, key=str) == sorted(expected, key=str)
        assert [row[0] for row in found] == sorted(row[0] for row in found)
    for keep in ("first", "last", "none"):
        dropped = theirs[0].drop_duplicates(["n", "t"], keep=False if keep == "none" else keep)
        mine = left.unique("n", "t", keep=keep)["left"].to_list()
        assert mine == dropped["left"].tolist()


def test_unique_of_all_columns() -> None:
    frame = rm.Frame({"a": [1, 1, 1], "b": ["x", "x", None]})
    assert frame.unique().to_tuples() == [(1, "x"), (1, None)]
    assert frame.unique("a").to_tuples() == [(1, "x")]
    assert frame[:0].unique().to_tuples() == []
    assert frame.filter(rm.col("b").is_null()).unique("a").to_tuples() == [(1, None)]


def test_a_database_finds_the_same() -> None:
    with rm.Database("sqlite:///:memory:") as db:
        db.execute("create table people (id int, team text, name text)")
        db.execute("create table teams (team text, name text)")
        db.load("people", PEOPLE)
        db.load("teams", TEAMS)
        for how in ("inner", "left"):
            sql = f"select p.id, t.name from people p {how} join teams t on t.team = p.team"
            found = PEOPLE.join(TEAMS, on="team", how=how).select("id", "name_right")
            assert sorted(found.to_tuples(), key=str) == sorted(db.fetch(sql).to_tuples(), key=str)


def test_what_is_refused() -> None:
    def refused(error: type[Exception], said: str, call: Any) -> None:
        with pytest.raises(error, match=said):
            call()

    both = rm.ProgrammingError
    people: Any = PEOPLE
    refused(both, "takes on=, or both left_on= and right_on=", lambda: people.join(TEAMS))
    refused(both, "takes on=, or both", lambda: people.join(TEAMS, "team", left_on="team"))
    refused(both, "takes on=, or both", lambda: people.join(TEAMS, left_on="team"))
    refused(
        both, "not 1 and 2", lambda: people.join(TEAMS, left_on="id", right_on=["team", "name"])
    )
    refused(both, "not 0 and 0", lambda: people.join(TEAMS, on=[]))
    refused(KeyError, "no column 'tem'; did you mean 'team'", lambda: people.join(TEAMS, on="tem"))
    refused(KeyError, "the other frame: no column 'id'", lambda: people.join(TEAMS, on="id"))
    refused(
        TypeError,
        "on is a column's name or a list of names, not int",
        lambda: people.join(TEAMS, on=3),
    )
    refused(
        TypeError, "a list of names, not rowmill.Col", lambda: people.join(TEAMS, on=[rm.col("id")])
    )
    refused(TypeError, "Frame", lambda: people.join({"team": ["a"]}, on="team"))
    refused(
        both,
        "join the other frame with this one",
        lambda: people.join(TEAMS, on="team", how="right"),
    )
    refused(
        both,
        'how is "inner", "left", "semi" or "anti", not "innr"',
        lambda: people.join(TEAMS, on="team", how="innr"),
    )
    refused(
        both,
        '"id" is int64, and "team" of the other frame text, which are not compared',
        lambda: people.join(TEAMS, left_on="id", right_on="team"),
    )
    refused(
        both,
        'a column "name" already: give another suffix=',
        lambda: people.join(TEAMS, on="team", suffix=""),
    )
    refused(KeyError, "no column 'tem'", lambda: people.unique("tem"))
    refused(
        TypeError, "takes names of columns, not rowmill.Col", lambda: people.unique(rm.col("id"))
    )
    refused(both, 'keep is "first", "last" or "none", not "any"', lambda: people.unique(keep="any"))
    lists = rm.Frame({"id": [1, 1], "key": [[1], [1]]})
    said = 'column "key": values of type .* cannot be grouped'
    refused(rm.DataError, said, lambda: lists.unique())
    refused(rm.DataError, said, lambda: lists.join(lists, on=["id", "key"]))
    with rm.Database("sqlite:///:memory:") as db:
        twice = db.fetch("select 1 as id, 2 as x, 3 as x")
    refused(
        both,
        'the other frame has several columns "x": name them apart',
        lambda: people.join(twice, on="id"),
    )
    refused(both, 'this frame has several columns "x"', lambda: twice.join(PEOPLE, on="id"))
    floats = rm.Frame({"id": [1.0]})
    refused(
        both,
        r"which are not compared: cast one of them in a select, with .cast\(",
        lambda: people.join(floats, on="id"),
    )
    casted = PEOPLE.select("name", id=rm.col("id").cast("float"))
    assert casted.join(floats, on="id")["name"].to_list() == ["x"]

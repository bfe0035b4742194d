"""Frames by groups: what pandas finds, and what a database says of the same rows."""

from __future__ import annotations

import datetime
import decimal
import functools
import math
import operator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

FRAME = rm.Frame(
    {
        "team": ["a", "b", "a", None, "b", None],
        "home": [True, False, None, True, False, True],
        "points": [3, 5, 4, None, None, 1],
        "share": [0.5, math.nan, None, 1.5, -2.0, 0.0],
    }
)
POINTS, SHARE = rm.col("points"), rm.col("share")
AGGREGATES: dict[str, Any] = {
    "n": rm.count(),
    "known": POINTS.count(),
    "different": POINTS.count_distinct(),
    "total": POINTS.sum(),
    "mean": POINTS.mean(),
    "least": POINTS.min(),
    "most": POINTS.max(),
    "high": rm.count().where(POINTS > 2),
    "spread": POINTS.max() - POINTS.min(),
}


def test_keys_come_first_and_groups_as_their_first_rows() -> None:
    found = FRAME.group_by("team", rm.col("home")).agg(n=rm.count())
    assert found.to_dict() == {
        "team": ["a", "b", "a", None],
        "home": [True, False, None, True],
        "n": [1, 2, 1, 2],
    }
    assert FRAME.group_by("team", drop_nulls=True).agg(n=rm.count())["n"].to_list() == [2, 2]
    assert FRAME.group_by().agg(n=rm.count()).to_dict() == {"n": [6]}
    assert FRAME[:0].group_by("team").agg(n=rm.count()).to_dict() == {"team": [], "n": []}
    empty = FRAME[:0].group_by().agg(n=rm.count(), total=POINTS.sum())
    assert empty.to_dict() == {"n": [0], "total": [None]}, "as a query without group by"
    assert repr(FRAME.group_by("team")) == "<rowmill.GroupBy of 6 rows by team>"


def test_keys_and_results_may_be_computed() -> None:
    found = FRAME.group_by(high=POINTS > 3).agg(
        (POINTS.sum() * 2).label("twice"), again=rm.col("high")
    )
    assert found.to_dict() == {
        "high": [False, True, None],
        "twice": [8, 18, None],
        "again": [False, True, None],
    }


numbers = st.one_of(st.none(), st.integers(-3, 3))
rows = st.lists(st.tuples(st.sampled_from(["a", "b", "", None]), numbers), max_size=40)


@given(rows)
def test_it_is_what_pandas_finds(rows: list[tuple[str | None, int | None]]) -> None:
    frame = rm.Frame({"team": [team for team, _ in rows], "points": [n for _, n in rows]})
    found = frame.group_by("team").agg(**AGGREGATES)
    kinds = {"team": "object", "points": "Int64"}
    table = pd.DataFrame(rows, columns=["team", "points"]).astype(kinds)
    grouped = table.groupby("team", sort=False, dropna=False)["points"]
    expected = {
        "n": grouped.size(),
        "known": grouped.count(),
        "different": grouped.nunique(),
        "total": grouped.sum(min_count=1),
        "mean": grouped.mean(),
        "least": grouped.min(),
        "most": grouped.max(),
        "high": grouped.apply(lambda group: int((group > 2).sum())),
        "spread": grouped.max() - grouped.min(),
    }
    for name, series in expected.items():
        wanted = [None if pd.isna(value) else value for value in series]
        # Means alone are rounded.
        assert found[name].to_list() == (pytest.approx(wanted) if name == "mean" else wanted), name


def test_it_is_what_a_database_says(any_url: str) -> None:
    class Game(rm.Table, name="games"):
        team: rm.Col[str | None]
        points: rm.Col[int | None]

    with rm.Database(any_url) as db:
        db.execute("create table games (team text, points bigint)")
        db.load("games", FRAME[["team", "points"]])
        query = rm.select(Game.team, **AGGREGATES).from_(Game).group_by(Game.team)
        said = sorted(db.fetch(query).to_tuples(), key=repr)
    assert sorted(FRAME.group_by("team").agg(**AGGREGATES).to_tuples(), key=repr) == said


def test_nan_is_a_key_and_the_greatest_number() -> None:
    frame = rm.Frame({"x": [math.nan, 1.0, -0.0, math.nan, 0.0, None]})
    found = frame.group_by("x").agg(n=rm.count())
    assert str(found["x"].to_list()) == "[nan, 1.0, -0.0, None]"
    assert found["n"].to_list() == [2, 1, 2, 1]
    most = frame.group_by().agg(least=rm.col("x").min(), most=rm.col("x").max())
    assert str(most.to_dict()) == "{'least': [-0.0], 'most': [nan]}"


def test_what_makes_no_sense_is_said() -> None:
    grouped = FRAME.group_by("team")
    with pytest.raises(rm.ProgrammingError, match="neither a key of the groups nor an aggregate"):
        grouped.agg(points=POINTS)
    with pytest.raises(rm.ProgrammingError, match='did you mean "points"'):
        grouped.agg(n=rm.col("point").sum())
    with pytest.raises(rm.ProgrammingError, match='"team" is the name of two columns'):
        grouped.agg(team=POINTS.sum())
    with pytest.raises(rm.ProgrammingError, match='"team" is the name of two columns'):
        FRAME.group_by("team", team=POINTS).agg()
    with pytest.raises(rm.ProgrammingError, match=r"write agg\(name="):
        grouped.agg(POINTS.sum())
    with pytest.raises(TypeError, match=r"group_by\(\) takes names and expressions, not int"):
        FRAME.group_by(3)  # type: ignore[arg-type]
    large, n = rm.Frame({"n": [2**63 - 1, 1]}), rm.col("n")
    with pytest.raises(rm.DataError, match=r"beyond 64 bits; .cast\(\"float\"\).sum\(\)"):
        large.group_by().agg(n=n.sum())
    assert large.group_by().agg(n=n.cast("float").sum())["n"].to_list() == [2.0**63]
    with pytest.raises(rm.ProgrammingError, match="team"):
        grouped.agg(n=rm.col("team").sum())
    prices = rm.Frame({"price": [decimal.Decimal("1.10"), decimal.Decimal("2.25")]})
    price = rm.col("price")
    with pytest.raises(rm.ProgrammingError, match="no exact value in a frame"):
        prices.group_by().agg(mean=price.mean())
    found = prices.group_by().agg(sum=price.sum(), mean=price.cast("float").mean())
    assert found.to_tuples() == [(decimal.Decimal("3.35"), pytest.approx(1.675))]


def test_a_long_chain_of_conditions_is_one() -> None:
    total = POINTS.sum()
    for _ in range(50_000):
        total = total.where(POINTS > 3)
    assert FRAME.group_by().agg(total=total)["total"].to_list() == [9]


def test_a_condition_leaves_the_values_as_they_are() -> None:
    frame = rm.Frame(
        pa.table(
            {
                "n": pa.array([1, 2, 3]),
                "small": pa.array([1, 2, 3], pa.int8()),
                "huge": pa.array([2**63 + 5, 7, None], pa.uint64()),
                "tags": pa.array([["a"], None, ["b"]]),
                "nanos": pa.array([1, 2, None], pa.timestamp("ns")),
            }
        )
    )
    some = rm.col("n") <= 2
    found = frame.group_by().agg(
        small=rm.col("small").max().where(some),
        huge=rm.col("huge").max().where(some),
        tags=rm.col("tags").count().where(some),
        nanos=rm.col("nanos").count().where(some),
        none=rm.col("n").sum().where(rm.col("n") > 5),
        no_rows=rm.count().where(rm.col("n") > 5),
    )
    assert found.to_tuples() == [(2, 2**63 + 5, 1, 2, None, 0)]
    alone = frame.group_by().agg(small=rm.col("small").max())
    assert str(found["small"].type) == str(alone["small"].type)


def test_what_a_condition_holds_back_is_not_computed() -> None:
    frame = rm.Frame({"team": ["a", "a", None], "n": [1, 2**62, 2**62]})
    small, four = rm.col("n") < 10, rm.col("n") * 4
    found = frame.group_by().agg(
        n=rm.count().where(small).where(four > 1), total=four.sum().where(small)
    )
    assert found.to_tuples() == [(1, 4)]
    kept = rm.Frame({"team": ["a", None], "n": [1, 2**62]}).group_by("team", drop_nulls=True)
    assert kept.agg(total=four.sum()).to_tuples() == [("a", 4)]


def test_sums_of_decimals_are_those_of_any_order() -> None:
    most, least = decimal.Decimal(10**38 - 1), decimal.Decimal(1 - 10**38)
    for values in ([most, least, most], [most, most, least], [least, most, most]):
        frame = rm.Frame(pa.table({"x": pa.array(values, pa.decimal128(38, 0))}))
        assert frame.group_by().agg(s=rm.col("x").sum()).to_tuples() == [(most,)]
        assert frame.group_by().agg(s=(-rm.col("x")).sum()).to_tuples() == [(least,)]
    beyond = rm.Frame(pa.table({"x": pa.array([most, most, most, least], pa.decimal128(38, 0))}))
    with pytest.raises(rm.DataError, match="beyond 38 digits"):
        beyond.group_by().agg(s=rm.col("x").sum())


@pytest.mark.parametrize("codes", [pa.int8(), pa.int64(), pa.uint64()])
def test_labels_of_any_code_are_keys(codes: pa.DataType) -> None:
    labels = pa.array(["a", None, "b", "a"])
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None, 0], codes), labels)
    found = rm.Frame(pa.table({"k": column})).group_by("k").agg(n=rm.count())
    assert found.to_tuples() == [("a", 3), (None, 2), ("b", 1)]
    nothing = pa.DictionaryArray.from_arrays(
        pa.array([None, None], codes), pa.array([], pa.string())
    )
    found = rm.Frame(pa.table({"k": nothing})).group_by("k").agg(n=rm.count())
    assert found.to_tuples() == [(None, 2)]


def test_numbers_of_foreign_layouts_have_sums() -> None:
    cents = pa.array([decimal.Decimal("1.50"), decimal.Decimal("2.25")], pa.decimal64(9, 2))
    halves = pa.array([0.5, 1.5], pa.float16())
    coded = pa.array([7, 7]).dictionary_encode()
    frame = rm.Frame(pa.table({"cents": cents, "halves": halves, "coded": coded}))
    found = frame.group_by().agg(
        cents=rm.col("cents").sum(), halves=rm.col("halves").mean(), coded=rm.col("coded").sum()
    )
    assert found.to_tuples() == [(decimal.Decimal("3.75"), 1.0, 14)]


def test_a_class_names_keys_as_the_frame_does_or_the_database() -> None:
    class Game(rm.Table, name="games"):
        team: rm.Col[str] = rm.column(name="tm")
        points: rm.Col[int]

    frame = rm.Frame({"team": ["a", "b", "a"], "points": [1, 2, 3]})
    assert frame.group_by("team").agg(again=Game.team)["again"].to_list() == ["a", "b"]
    assert frame.group_by(x=rm.col("team")).agg(again=Game.team)["again"].to_list() == ["a", "b"]


def test_keys_are_looked_at_when_they_are_given() -> None:
    with pytest.raises(rm.ProgrammingError, match='did you mean "team"'):
        FRAME.group_by("taem")
    with pytest.raises(rm.ProgrammingError, match="many rows"):
        FRAME.group_by(n=rm.count())
    with pytest.raises(rm.ProgrammingError, match="the name of two columns"):
        FRAME.group_by("team", team=POINTS)
    asked = r"rm\.col\('team'\), or the text, rm\.lit\('team'\)\?"
    for verb in (FRAME.group_by, FRAME.select, FRAME.group_by().agg):
        with pytest.raises(rm.ProgrammingError, match=asked):
            verb(x="team")
    spans = rm.Frame({"n": [1], "x": [datetime.timedelta(1)]})
    with pytest.raises(rm.DataError, match=r'the key "x": values of type .* cannot be'):
        spans.group_by("n", "x").agg(rows=rm.count())


def test_long_and_shared_results_are_computed() -> None:
    any_of = functools.reduce(operator.or_, [rm.count() == n for n in range(1_000)])
    assert FRAME.group_by().agg(found=any_of).to_tuples() == [(True,)]
    doubled = rm.count()
    for _ in range(16):
        doubled = doubled + doubled
    assert FRAME.group_by().agg(found=doubled).to_tuples() == [(6 * 2**16,)]


def test_results_that_differ_in_the_sign_of_zero_are_two() -> None:
    found = FRAME.group_by().agg(
        plus=(rm.col("points") * 0.0).max(), minus=(rm.col("points") * -0.0).max()
    )
    (plus, minus) = found.to_tuples()[0]
    assert (math.copysign(1, plus), math.copysign(1, minus)) == (1, -1)


def test_a_name_may_be_any() -> None:
    frame = rm.Frame({"\x000": [1, 2, 1]})
    found = frame.group_by("\x000").agg(n=rm.count() + 1)
    assert found.to_tuples() == [(1, 3), (2, 2)]


def test_an_option_of_pandas_is_no_key() -> None:
    with pytest.raises(rm.ProgrammingError, match=r"group_by\(dropna=True\).* is drop_nulls"):
        rm.Frame({"team": ["a"]}).group_by("team", dropna=True)


def test_what_was_asked_last_is_found_again_and_nothing_else() -> None:
    frame = rm.Frame({"team": ["a", "b", "a"], "points": [3, 5, 4]})
    floats = rm.Frame({"team": ["a", "b", "a"], "points": [3.5, 5.5, 4.5]})
    points = rm.col("points")
    for _ in range(3):
        for of, more, expected in (
            (frame, 1, [9, 6]),
            (frame, 2, [11, 7]),
            (floats, 1, [10.0, 6.5]),
        ):
            found = of.group_by("team").agg(more=(points + more).sum())
            assert found["more"].to_list() == expected
        other = frame.group_by("team").agg(less=(points + 1).sum())
        assert other.columns == ["team", "less"]
        assert frame.group_by(side=rm.col("team")).agg(n=rm.count()).columns == ["side", "n"]
    keys = rm.Frame({"team": ["a", None], "points": [1, 2]})
    for drop, count in ((False, 2), (True, 1), (False, 2)):
        assert len(keys.group_by("team", drop_nulls=drop).agg(n=rm.count())) == count
    for n in range(70):
        assert frame.group_by("team").agg(n=(points + n).max())["n"].to_list() == [4 + n, 5 + n]

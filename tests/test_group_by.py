"""Frames by groups: what pandas finds, and what a database says of the same rows."""

from __future__ import annotations

import decimal
import math
from typing import Any

import pandas as pd
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
        assert found[name].to_list() == pytest.approx(wanted), name


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

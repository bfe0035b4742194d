"""What a record may be given as, and what is said of what may not."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pickle
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import pandas as pd
import polars as pl
import pytest

import rowmill as rm

STORED = """create table visits (id integer primary key, document json, tags json, words text);
insert into visits values (1, '{"k": "x"}', '["a", null]', '["b"]'), (2, null, null, null)"""


@pytest.fixture
def visits() -> rm.Matcher[str]:
    matcher: rm.Matcher[str] = rm.Matcher(
        {"id": int, "document": dict, "tags": list[str], "words": list[str]}
    )
    matcher.insert("k is x", rm.col("document")["k"] == "x")
    matcher.insert("no k", rm.col("document")["k"].is_null())
    matcher.insert("a", rm.col("tags").contains("a"))
    matcher.insert("b", rm.col("words").overlaps(["b", "c"]))
    matcher.insert("two", rm.col("tags").length() == 2)
    return matcher


def test_rows_of_sqlite_are_records(visits: rm.Matcher[str]) -> None:
    with rm.Database("sqlite://") as db:
        db.execute_script(STORED)
        query = "select * from visits order by id"
        frame, owned = db.fetch(query), db.fetch_one(query)
        db.execute("update visits set tags = '{}' where id = 1")
        wrong = db.fetch_one(query)
    assert owned is not None
    expected = ["a", "b", "k is x", "two"]
    assert sorted(visits.match(frame[0])) == sorted(visits.match(owned)) == expected
    assert visits.match(frame[1]) == ["no k"]
    pairs = [(row, id) for id in expected for row in [0]] + [(1, "no k")]
    assert sorted(visits.match_batch(frame).to_tuples()) == pairs
    with pytest.raises(rm.DataError, match='the attribute "tags", a list as JSON: '):
        visits.match(wrong)
    names: rm.Matcher[int] = rm.Matcher({"id": int})
    names.insert(1, rm.col("id") == 1)
    with pytest.raises(rm.ProgrammingError, match='there is no attribute "document"'):
        names.match(owned)
    lenient: rm.Matcher[int] = rm.Matcher({"id": int}, unknown="ignore")
    lenient.insert(1, rm.col("id") == 1)
    assert lenient.match(owned) == lenient.match(pickle.loads(pickle.dumps(owned))) == [1]


@dataclasses.dataclass
class Visit:
    age: int = 5


class Named(NamedTuple):
    age: int


INSTANT = datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("record", "said", "error"),
    [
        (rm.Frame({"age": [1]}), r"a frame has many records: match_batch\(\) takes it", TypeError),
        (pl.DataFrame({"age": [1]}), "a frame has many records", TypeError),
        (pd.DataFrame({"age": [1]}), "a frame has many records", TypeError),
        (Visit, "a record is a dict, a dataclass, a named tuple", TypeError),
        (Named, "a record is a dict, a dataclass, a named tuple", TypeError),
        ({"age": 2**70}, "an integer beyond 64 bits", rm.DataError),
        ({"age": 1.0}, r"a float; pandas makes floats of integers", rm.DataError),
        ({"at": INSTANT.replace(tzinfo=None)}, "give the datetime a tzinfo", rm.DataError),
        ({"clock": INSTANT}, "take the zone off", rm.DataError),
        ({"day": INSTANT}, r"give its \.date\(\)", rm.DataError),
        (b'{"at": "2024-01-02"}', 'a text as "2024-01-31T12:00:00Z"', rm.DataError),
        (b'{"clock": "2024-01-02T03:04:05Z"}', "without a zone", rm.DataError),
        (b'{"day": "tomorrow"}', 'a text as "2024-01-31"', rm.DataError),
        (b'{"time": "noon"}', 'a text as "12:00:00"', rm.DataError),
    ],
)
def test_one_clear_error(record: Any, said: str, error: type[Exception]) -> None:
    matcher: rm.Matcher[int] = rm.Matcher(
        {
            "age": int,
            "at": datetime.datetime,
            "clock": "timestamp",
            "day": datetime.date,
            "time": datetime.time,
        }
    )
    matcher.insert(1, rm.col("age") > 0)
    with pytest.raises(error, match=said):
        matcher.match(record)
    assert matcher.match(Visit()) == matcher.match(Named(5)) == [1]


ADULT = rm.col("age") >= 18


@pytest.mark.parametrize(
    "many",
    [
        lambda: {1: ADULT},
        lambda: {1: ADULT.to_json()},
        lambda: [(1, ADULT)],
        lambda: rm.Frame({"id": [1], "filter": [ADULT.to_json()]}),
        lambda: pl.DataFrame({"id": [1], "filter": [ADULT.to_json()], "bid": [0.5]}),
        lambda: pd.DataFrame({"id": [1], "filter": [ADULT.to_json()]}),
    ],
)
def test_many_conditions_come_in_many_ways(many: Callable[[], Any]) -> None:
    matcher: rm.Matcher[int] = rm.Matcher({"age": int})
    assert matcher.insert_many(many()) == 1
    assert matcher.match({"age": 18}) == [1]


@pytest.mark.parametrize("many", [None, 5, [{"id": 1, "filter": ADULT}], [[1, ADULT]], ADULT])
def test_what_many_conditions_are_is_said(many: Any) -> None:
    matcher: rm.Matcher[int] = rm.Matcher({"age": int})
    with pytest.raises(TypeError, match=r"insert_many\(\) takes tuples \(id, condition\)|iterate"):
        matcher.insert_many(many)
    assert len(matcher) == 0


def test_an_id_of_the_other_kind_is_not_in_it() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"age": int})
    matcher.insert("a", ADULT)
    assert "a" in matcher
    assert all(other not in matcher for other in (1, None, 1.5, (), 2**70))


def test_what_goes_out_of_range_is_unknown_to_explain() -> None:
    options: tuple[Literal["raise", "skip"], ...] = ("raise", "skip")
    for errors in options:
        matcher: rm.Matcher[int] = rm.Matcher({"n": int}, errors=errors)
        matcher.insert(1, (rm.col("n") + 1 > 5) & (rm.col("n") > 0))
        said = matcher.explain(1, json.dumps({"n": 2**63 - 1}))
        assert [reason.truth for reason in said] == [None, None, True]

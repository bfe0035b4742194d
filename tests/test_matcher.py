"""Stored conditions: which of them are true of a record."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import gc
import json
import random
import threading
from typing import Any, NamedTuple

import pytest

import rowmill as rm

ATTRIBUTES: dict[str, Any] = {
    "country": str,
    "age": int,
    "topics": list[str],
    "score": float,
    "at": dt.datetime,
    "price": decimal.Decimal,
    "extra": dict,
}
ADULT = rm.col("age") >= 18


@pytest.fixture
def matcher() -> rm.Matcher[str]:
    made: rm.Matcher[str] = rm.Matcher(ATTRIBUTES)
    made.insert("adult", ADULT)
    made.insert("german", (rm.col("country") == "DE") & ADULT)
    made.insert("sport", rm.col("topics").overlaps(["sport", "games"]))
    made.insert("young or rich", (rm.col("age") < 10) | (rm.col("price") > 100))
    return made


def test_a_condition_matches_where_it_is_true(matcher: rm.Matcher[str]) -> None:
    assert sorted(matcher.match({"country": "DE", "age": 30})) == ["adult", "german"]
    assert matcher.match({"topics": ["news", "sport"]}) == ["sport"]
    assert matcher.match({"price": decimal.Decimal("100.01")}) == ["young or rich"]
    assert matcher.match({}) == []
    assert matcher.count({"age": 3}) == 1
    assert matcher.any({"age": 3})
    assert not matcher.any({"age": None})


def test_a_matcher_is_like_a_dict_of_conditions(matcher: rm.Matcher[str]) -> None:
    assert len(matcher) == 4
    assert "adult" in matcher
    assert "nobody" not in matcher
    assert str(matcher["adult"]) == 'col("age") >= 18'
    assert repr(matcher) == "<Matcher of 4 conditions on 7 attributes>"
    matcher.remove("adult")
    assert "adult" not in matcher
    with pytest.raises(KeyError, match="there is no condition 'adult'"):
        matcher.remove("adult")
    with pytest.raises(KeyError, match="there is no condition 'adult'"):
        matcher["adult"]


def test_a_replaced_condition_is_the_new_one(matcher: rm.Matcher[str]) -> None:
    assert matcher.replace("adult", rm.col("age") >= 21)
    assert matcher.match({"age": 20}) == []
    assert not matcher.replace("senior", rm.col("age") >= 65)
    assert sorted(matcher.match({"age": 70})) == ["adult", "senior"]


@dataclasses.dataclass
class Visit:
    country: str
    age: int | None


class Pair(NamedTuple):
    country: str
    age: int


def test_records_come_in_many_forms(matcher: rm.Matcher[str]) -> None:
    row = rm.Frame({"country": ["DE"], "age": [30]})[0]
    same: list[Any] = [
        {"country": "DE", "age": 30},
        Visit("DE", 30),
        Pair("DE", 30),
        row,
        b'{"country": "DE", "age": 30}',
        '{"age": 30, "country": "D\\u0045"}',
    ]
    for record in same:
        assert sorted(matcher.match(record)) == ["adult", "german"], record


def test_json_is_read_as_the_attributes_are_declared() -> None:
    matcher: rm.Matcher[int] = rm.Matcher(
        {**ATTRIBUTES, "day": dt.date, "days": list[dt.date], "numbers": list[int]}
    )
    when = dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC)
    matcher.insert(1, rm.col("at") == when)
    matcher.insert(2, rm.col("price") == decimal.Decimal("1.50"))
    matcher.insert(3, rm.col("extra")["a"].cast("int") == 5)
    matcher.insert(4, rm.col("day") == dt.date(2024, 1, 31))
    matcher.insert(5, rm.col("days").contains(dt.date(2024, 1, 31)))
    matcher.insert(6, rm.col("numbers").contains_all([1, 2]))
    matcher.insert(7, rm.col("score") == 2)
    record = {
        "at": "2024-01-31T12:00:00+02:00",
        "price": 1.5,
        "extra": {"a": "5"},
        "day": "2024-01-31",
        "days": [None, "2024-01-31"],
        "numbers": [3, 2, 1],
        "score": 2,
        "country": None,
    }
    assert sorted(matcher.match(json.dumps(record))) == [1, 2, 3, 4, 5, 6, 7]


def test_json_may_be_in_any_order_and_say_things_twice() -> None:
    kinds: dict[str, Any] = {
        "a": str,
        "topics": list[str],
        "b": int,
        "days": list[dt.date],
        "c": str,
    }
    matcher: rm.Matcher[int] = rm.Matcher(kinds, unknown="ignore")
    matcher.insert(1, rm.col("topics").contains_all(["é", "x"]) & (rm.col("a") == "A"))
    matcher.insert(2, rm.col("days").contains(dt.date(2024, 1, 31)) & (rm.col("c") == "C"))
    matcher.insert(3, rm.col("b") == 3)
    matcher.insert(4, rm.col("topics").length() == 2)
    texts = [
        r'{"a": "A", "topics": ["\u00e9", "x"], "b": 3, "days": ["2024-01-31"], "c": "C"}',
        r'{"c": "C", "days": [null, "2024-01-31"], "b": 3, "topics": ["x", "é"], "a": "A"}',
        r'{"topics": ["y"], "b": 1, "a": "B", "z": [{}], "c": "C", "topics": ["x", "é"], "a": "\u0041",'
        r' "days": ["2024-01-31"], "b": 3}',
    ]
    for text in texts:
        assert sorted(matcher.match(text)) == sorted(matcher.match(text.encode())) == [1, 2, 3, 4]
    assert matcher.match(b'{"z": "\xff", "b": 3}') == [3], "what is passed over is not read"
    for text in ('{"b": 3, "topics": ["x", 1]}', '{"b": 3, "days": ["2024-01-31", "x"]}'):
        with pytest.raises(rm.DataError, match=r"the record: the attribute .* list\["):
            matcher.match(text)
    assert matcher.match(texts[0]) == matcher.match(texts[1])


def test_a_batch_gives_a_row_for_each_match(matcher: rm.Matcher[str]) -> None:
    frame = rm.Frame({"country": ["DE", "FR", None], "age": [30, 5, None]})
    found = matcher.match_batch(frame)
    assert found.columns == ["row", "id"]
    assert sorted(found.to_tuples()) == [(0, "adult"), (0, "german"), (1, "young or rich")]
    assert matcher.match_batch([{"age": 3}]).to_tuples() == [(0, "young or rich")]
    with pytest.raises(rm.ProgrammingError, match='no attribute "contry"; is "country" meant'):
        matcher.match_batch({"contry": ["DE"]})
    with pytest.raises(rm.DataError, match='record 1: the attribute "country" is text'):
        rm.Matcher({"country": str}).match_batch(rm.Frame({"country": [None, 5]}))


def test_defaults_stand_where_nothing_is_given() -> None:
    matcher: rm.Matcher[int] = rm.Matcher({"country": str, "age": int}, defaults={"country": "XX"})
    matcher.insert(1, rm.col("country") == "XX")
    assert matcher.match({}) == [1]
    assert matcher.match({"age": 1}) == [1]
    assert matcher.match_batch({"age": [1]}).to_tuples() == [(0, 1)]
    assert matcher.match({"country": None}) == []
    assert matcher.match({"country": "DE"}) == []


def test_unknown_names_are_refused_unless_they_are_ignored() -> None:
    strict: rm.Matcher[int] = rm.Matcher({"age": int})
    lenient: rm.Matcher[int] = rm.Matcher({"age": int}, unknown="ignore")
    for one in (strict, lenient):
        one.insert(1, ADULT)
    for record in ({"age": 20, "agee": 1}, '{"agee": [1, {"a": 2}], "age": 20}'):
        assert lenient.match(record) == [1]
        with pytest.raises(rm.ProgrammingError, match='no attribute "agee"; is "age" meant'):
            strict.match(record)
    assert lenient.match_batch({"agee": [1], "age": [20]}).to_tuples() == [(0, 1)]


def test_explain_says_what_each_part_is(matcher: rm.Matcher[str]) -> None:
    reasons = matcher.explain("german", {"country": "DE"})
    assert [(str(reason.condition), reason.truth, reason.depth) for reason in reasons] == [
        ('(col("country") == "DE") & (col("age") >= 18)', None, 0),
        ('col("country") == "DE"', True, 1),
        ('col("age") >= 18', None, 1),
    ]
    with pytest.raises(KeyError):
        matcher.explain("nobody", {})


def test_an_attribute_may_be_declared_by_a_schema_or_a_table() -> None:
    class Person(rm.Table, name="people"):
        id: rm.Col[int] = rm.pk()
        name: rm.Col[str | None]

    by_table: rm.Matcher[int] = rm.Matcher(Person)
    by_table.insert(1, Person.name.starts_with("A"))
    assert by_table.match({"name": "Ada"}) == [1]
    by_schema: rm.Matcher[int] = rm.Matcher(rm.Frame({"name": ["a"], "id": [1]}).schema)
    by_schema.insert(1, rm.col("name").starts_with("A"))
    assert by_schema.match({"name": "Ada"}) == [1]
    assert dict(by_table.schema) == {"id": "int64", "name": "text"}


WRONG: list[tuple[Any, type[Exception], str]] = [
    ({"country": 3}, rm.DataError, 'attribute "country" is text.*an integer'),
    ({"topics": [1]}, rm.DataError, r'attribute "topics" is list\[text\]'),
    ({"topics": "sport"}, rm.DataError, 'attribute "topics"'),
    ({"at": dt.datetime(2024, 1, 1)}, rm.DataError, 'attribute "at"'),
    ({"age": 2**70}, rm.DataError, 'attribute "age"'),
    ({"age": ...}, rm.DataError, 'attribute "age"'),
    ({"country": "\ud800"}, rm.DataError, "surrogate"),
    ({"topics": ["\ud800"]}, rm.DataError, "surrogate"),
    ({3: 1}, TypeError, "an attribute's name is a str, not 3"),
    (3, TypeError, "a record is a dict.*not int"),
    (b'{"age": ', rm.DataError, "the record is no JSON: EOF"),
    (b"[]", rm.DataError, "expected an object"),
    (b'{"age": "x"}', rm.DataError, 'attribute "age" is int'),
    (b'{"age": 1.5}', rm.DataError, 'attribute "age" is int'),
    (b'{"topics": [[1]]}', rm.DataError, 'what the attribute "topics" holds'),
    (b'{"age": [1]}', rm.DataError, 'as the attribute "age"'),
    (b'{"country": "\xff"}', rm.DataError, "invalid unicode"),
    (b"[" * 10_000, rm.DataError, "the record"),
]


@pytest.mark.parametrize(("record", "error", "message"), WRONG, ids=lambda value: repr(value)[:30])
def test_a_wrong_record_is_told_of_and_does_no_harm(
    matcher: rm.Matcher[str], record: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        matcher.match(record)
    assert matcher.match({"age": 20}) == ["adult"]


def test_wrong_conditions_are_told_of_and_do_no_harm(matcher: rm.Matcher[str]) -> None:
    anything: Any = matcher
    for condition, message in [
        (rm.col("agee") > 3, 'no attribute "agee"; is "age" meant'),
        (rm.col("age") > "x", "int cannot be compared with text"),
        (rm.col("age") + 1, "is int, and a condition is a bool"),
        (rm.count() > 3, "count"),
    ]:
        with pytest.raises(rm.ProgrammingError, match=message):
            anything.insert("new", condition)
        assert "new" not in matcher
        with pytest.raises(rm.ProgrammingError, match=message):
            anything.replace("adult", condition)
    with pytest.raises(rm.ProgrammingError, match="'adult' already; replace"):
        matcher.insert("adult", ADULT)
    with pytest.raises(TypeError, match="a condition is an expression as"):
        anything.insert("new", "age > 3")
    with pytest.raises(TypeError, match=r"a condition is False before .* rm.lit\(False\)"):
        anything.insert("new", rm.col("age") is None)
    with pytest.raises(TypeError, match="the ids of this matcher are str, and 5 is an int"):
        anything.insert(5, ADULT)
    for id in (True, 1.5, None, 2**64):
        with pytest.raises(TypeError, match="an id"):
            anything.insert(id, ADULT)
    assert matcher.match({"age": 20}) == ["adult"]


def test_what_was_refused_leaves_no_trace() -> None:
    matcher: rm.Matcher[Any] = rm.Matcher({"age": int})
    with pytest.raises(rm.ProgrammingError):
        matcher.insert("x", rm.col("agee") > 3)
    matcher.insert(5, ADULT)
    assert list(matcher) == [5]
    with pytest.raises(TypeError, match="are int, and 'x' is a str"):
        matcher.insert("x", ADULT)
    with pytest.raises(TypeError, match="some of the ids are int and some str"):
        matcher.insert_many([(6, ADULT), ("x", ADULT)])
    matcher.remove(5)
    matcher.insert("x", ADULT)
    assert matcher.match({"age": 20}) == ["x"]


def test_what_is_given_in_json_is_what_is_given_in_a_dict() -> None:
    big, exact = 10**16, decimal.Decimal("12345678901234567.89")
    kinds = {**ATTRIBUTES, "scores": list[float], "prices": list[decimal.Decimal], "more": dict}
    matcher: rm.Matcher[int] = rm.Matcher(kinds)
    matcher.insert(1, rm.col("extra").is_null() & (rm.col("score") == float(big)))
    matcher.insert(2, rm.col("price") == exact)
    matcher.insert(3, rm.col("prices").contains(decimal.Decimal("1.50")))
    matcher.insert(4, rm.col("scores").contains(2.0))
    matcher.insert(5, rm.col("more")["plan"] == "pro")
    given = {
        "extra": None,
        "score": big,
        "price": exact,
        "prices": [exact, decimal.Decimal("1.5")],
        "scores": [2.0],
        "more": {"plan": "pro", "since": [1, None]},
    }
    assert sorted(matcher.match(given)) == [1, 2, 3, 4, 5]
    text = (
        '{"extra": null, "score": 10000000000000000, "price": 12345678901234567.89, '
        '"prices": ["1.5", 2], "scores": [2], "more": {"plan": "pro"}}'
    )
    assert sorted(matcher.match(text)) == [1, 2, 3, 4, 5]
    assert matcher.match('{"score": 10000000000000000000}') == []
    with pytest.raises(rm.DataError, match='attribute "price" is decimal, but is given true'):
        matcher.match('{"price": true}')


def test_many_small_indexes_become_one() -> None:
    matcher: rm.Matcher[int] = rm.Matcher({"age": int})
    for at in range(500):
        matcher.insert_many([(at, rm.col("age") == at)])
    matcher.settle()
    assert matcher.stats()["indexes"] < 6
    assert matcher.match({"age": 77}) == [77]


def test_what_is_freed_meanwhile_may_change_the_matcher() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"age": int})

    class Subscription:
        """Takes its condition with it."""

        def __init__(self, name: str) -> None:
            self.name = name
            self.me = self
            matcher.insert(name, ADULT)

        def __del__(self) -> None:
            matcher.remove(self.name)

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for at in range(300):
            Subscription(f"s{at}")
            matcher.match({"age": 20})
            with pytest.raises(rm.ProgrammingError):
                matcher.insert(f"t{at}", rm.col("agee") > 3)
            with pytest.raises(KeyError):
                matcher.remove("nobody")
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(matcher) == 0


def test_many_are_stored_all_or_none(matcher: rm.Matcher[str]) -> None:
    good = [(f"n{at}", rm.col("age") == at) for at in range(5_000)]
    wrong: list[tuple[Any, str]] = [
        (("n1", ADULT), "the id 'n1' is given twice"),
        (("adult", ADULT), "there is a condition 'adult' already"),
        (("x", rm.col("agee") == 1), "the condition of 'x': there is no attribute"),
        (("x", '["less", 1]'), "the condition of 'x': a stored expression"),
    ]
    for bad, message in wrong:
        with pytest.raises(rm.ProgrammingError, match=message):
            matcher.insert_many([*good, bad])
        assert len(matcher) == 4
        assert "n1" not in matcher
    with pytest.raises(TypeError, match=r"takes tuples \(id, condition\)"):
        matcher.insert_many([3])  # type: ignore[list-item]
    assert matcher.insert_many(good) == 5_000
    assert sorted(matcher.match({"age": 17})) == ["n17"]
    assert matcher.stats()["conditions"] == 5_004


def test_one_of_many_is_named_where_it_is_the_only_one(matcher: rm.Matcher[str]) -> None:
    bad = rm.col("agee") == 1
    many: list[Any] = [
        [("x", bad)],
        {"x": bad},
        [("x", bad.to_json())],
        rm.Frame({"id": ["x"], "condition": [bad.to_json()]}),
        [("x", rm.col("age") + 1)],
        [("x", 5)],
        iter([("x", bad)]),
        [("fine", ADULT), ("x", bad), ("fine too", ADULT)],
    ]
    for conditions in many:
        with pytest.raises(rm.ProgrammingError, match=r"^the condition of 'x': "):
            matcher.insert_many(conditions)
        assert sorted(matcher) == ["adult", "german", "sport", "young or rich"]
    with pytest.raises(rm.ProgrammingError, match=r"^the condition of 7: "):
        rm.Matcher({"age": int}).insert_many([(7, bad)])
    matcher.insert("x", ADULT)
    assert "x" in matcher.match({"age": 20})


def test_stored_conditions_come_from_a_table() -> None:
    with rm.Database("sqlite://") as db:
        db.execute("create table filters (id text, condition text)")
        db.load("filters", [{"id": "a", "condition": ADULT.to_json()}])
        matcher: rm.Matcher[str] = rm.Matcher({"age": int})
        matcher.insert_many(db.fetch("select id, condition from filters"))
    assert matcher.match({"age": 20}) == ["a"]


def test_a_number_out_of_range_is_an_error_or_no_match() -> None:
    strict: rm.Matcher[int] = rm.Matcher({"age": int})
    lenient: rm.Matcher[int] = rm.Matcher({"age": int}, errors="skip")
    for one in (strict, lenient):
        one.insert(1, rm.col("age") * 2 > 0)
        one.insert(2, ADULT)
    with pytest.raises(rm.DataError, match="out of range"):
        strict.match({"age": 2**62})
    with pytest.raises(rm.DataError, match=r"record 0: .*out of range"):
        strict.match_batch({"age": [2**62]})
    assert lenient.match({"age": 2**62}) == [2]
    assert lenient.match_batch({"age": [2**62]}).to_tuples() == [(0, 2)]


def test_changes_and_matches_agree_with_conditions_in_python() -> None:
    dice = random.Random(1)
    matcher: rm.Matcher[int] = rm.Matcher({"a": int, "b": str})
    oracle: dict[int, tuple[int, str]] = {}
    for _ in range(6_000):
        id, low, word = dice.randrange(400), dice.randrange(20), dice.choice("xyz")
        condition = (rm.col("a") >= low) & (rm.col("b") != word)
        match dice.randrange(4):
            case 0:
                matcher.replace(id, condition)
                oracle[id] = low, word
            case 1 if id not in oracle:
                matcher.insert(id, condition)
                oracle[id] = low, word
            case 2 if id in oracle:
                matcher.remove(id)
                del oracle[id]
            case _:
                a, b = dice.randrange(20), dice.choice("xyz")
                wanted = {id for id, (low, word) in oracle.items() if a >= low and b != word}
                found = matcher.match({"a": a, "b": b})
                assert len(found) == len(wanted)
                assert set(found) == wanted
    matcher.settle()
    assert len(matcher) == len(oracle)
    assert matcher.stats()["indexes"] < 8


def test_threads_match_while_another_writes() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"a": int})
    matcher.insert_many((f"k{at}", rm.col("a") >= at) for at in range(3_000))
    over, wrong = threading.Event(), []

    def match() -> None:
        while not over.is_set():
            found = matcher.match({"a": 99})
            # Those below 100 stay; of those above one may come and go.
            if len([id for id in found if int(id[1:]) < 100]) != 100 or len(found) > 101:
                wrong.append(found)

    threads = [threading.Thread(target=match) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in range(1_500):
        matcher.insert(f"k{5_000 + at}", rm.col("a") >= 0)
        matcher.remove(f"k{5_000 + at}")
        matcher.replace(f"k{at % 100}", rm.col("a") >= at % 100 - 1)
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(matcher) == 3_000


def test_conditions_may_be_made_by_what_asks_the_matcher_itself() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"a": int})
    matcher.insert("first", rm.col("a") > 0)
    over = threading.Event()

    def match() -> None:
        while not over.is_set():
            assert "first" in matcher.match({"a": 1})

    def conditions(turn: int) -> Any:
        for at in range(2_000):
            if at % 500 == 0:
                assert matcher.count({"a": 1}) >= 1
                matcher.replace("second", rm.col("a") > at)
            yield f"{turn}:{at}", rm.col("a") == at

    others = [threading.Thread(target=match) for _ in range(2)]
    writers = [
        threading.Thread(target=lambda turn=turn: matcher.insert_many(conditions(turn)))
        for turn in range(3)
    ]
    for thread in [*others, *writers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    over.set()
    for thread in others:
        thread.join(60)
    assert not any(thread.is_alive() for thread in [*others, *writers])
    assert len(matcher) == 6_002

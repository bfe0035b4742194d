"""Which of the conditions that are true matter most: `Matcher.top`, by priority."""

from __future__ import annotations

import decimal
import random
import threading
from typing import Any

import pytest

import rowmill as rm

ALWAYS = rm.lit(True)


def ids(found: list[tuple[Any, float]]) -> list[Any]:
    return [id for id, _ in found]


def bids() -> rm.Matcher[str]:
    matcher: rm.Matcher[str] = rm.Matcher({"age": int})
    matcher.insert("cheap", rm.col("age") >= 18, 0.25)
    matcher.insert("dear", rm.col("age") >= 21, priority=2.5)
    matcher.insert("dearest", rm.col("age") >= 65, 9)
    matcher.insert("free", rm.col("age") >= 0)
    return matcher


def test_the_highest_priorities_come_first() -> None:
    matcher = bids()
    assert matcher.top({"age": 30}, 2) == [("dear", 2.5), ("cheap", 0.25)]
    assert matcher.top({"age": 70}, 1) == [("dearest", 9)]
    assert ids(matcher.top({"age": 70}, 100)) == ["dearest", "dear", "cheap", "free"]
    assert matcher.top({"age": 70}, 0) == []
    assert matcher.top({"age": None}, 3) == []
    assert [matcher.priority(id) for id in ("free", "cheap", "dear", "dearest")] == [
        0,
        0.25,
        2.5,
        9,
    ]
    with pytest.raises(KeyError, match="there is no condition 'nobody'"):
        matcher.priority("nobody")


def test_of_ties_the_lower_int_comes_first_and_the_str_that_was_stored_first() -> None:
    numbers: rm.Matcher[int] = rm.Matcher({"age": int})
    texts: rm.Matcher[str] = rm.Matcher({"age": int})
    given = [5, -1, 300, -(2**63), 2**63 - 1, 0, *range(1000, 1200)]
    words = ["b", "a", "é", "Z", "日本", "\U0001f600", "", "aa", *(f"n{at}" for at in range(200))]
    random.Random(4).shuffle(given)
    for id in given:
        numbers.insert(id, ALWAYS, 1.5)
    for word in words:
        texts.insert(word, ALWAYS, -1)
    texts.replace("é", ALWAYS)
    for k in (1, 3, 7, 1_000):
        assert numbers.top({}, k) == [(id, 1.5) for id in sorted(given)][:k]
        assert ids(texts.top({}, k)) == words[:k]
        again: rm.Matcher[str] = rm.Matcher.from_bytes(texts.to_bytes())
        assert again.top({}, k) == texts.top({}, k)
    texts.remove("b")
    texts.insert("b", ALWAYS, -1)
    assert ids(texts.top({}, 1_000)) == [*words[1:], "b"]


def test_a_replaced_condition_keeps_its_priority_unless_it_is_given_one() -> None:
    matcher = bids()
    assert matcher.replace("dear", rm.col("age") >= 0)
    assert matcher.top({"age": 1}, 1) == [("dear", 2.5)]
    assert matcher.replace("dear", rm.col("age") >= 0, priority=-1)
    assert matcher.top({"age": 1}, 2) == [("free", 0), ("dear", -1)]
    assert not matcher.replace("new", ALWAYS)
    assert not matcher.replace("newer", ALWAYS, 7)
    assert matcher.top({}, 2) == [("newer", 7), ("new", 0)]
    matcher.remove("newer")
    matcher.insert("newer", ALWAYS)
    assert matcher.priority("newer") == 0


def test_many_come_with_priorities_as_tuples_or_as_a_frame() -> None:
    matcher: rm.Matcher[int] = rm.Matcher({"age": int})
    assert matcher.insert_many([(1, ALWAYS), (2, ALWAYS, 3), (3, ALWAYS.to_json(), 2.5)]) == 3
    with rm.Database("sqlite://") as db:
        db.execute("create table filters (id int, condition text, bid real)")
        always = ALWAYS.to_json()
        rows = [{"id": 4, "condition": always, "bid": 2.75}]
        db.load("filters", rows)
        matcher.insert_many(db.fetch("select id, condition, bid from filters"))
    assert matcher.top({}, 9) == [(2, 3), (4, 2.75), (3, 2.5), (1, 0)]


def test_merges_keep_priorities() -> None:
    dice = random.Random(2)
    matcher: rm.Matcher[int] = rm.Matcher({"a": int})
    oracle: dict[int, tuple[int, float]] = {}
    for _ in range(4_000):
        id, low, bid = dice.randrange(500), dice.randrange(20), dice.randrange(30) / 4
        match dice.randrange(4):
            case 0 | 1:
                matcher.replace(id, rm.col("a") >= low, bid)
                oracle[id] = low, bid
            case 2 if id in oracle:
                matcher.remove(id)
                del oracle[id]
            case _:
                a = dice.randrange(20)
                ranked = sorted((-bid, id) for id, (low, bid) in oracle.items() if a >= low)
                assert matcher.top({"a": a}, 10) == [(id, -bid) for bid, id in ranked[:10]]
    matcher.settle()
    assert {id: matcher.priority(id) for id in matcher} == {
        id: bid for id, (_, bid) in oracle.items()
    }


def test_wrong_priorities_and_counts_are_told_of_and_do_no_harm() -> None:
    matcher: Any = bids()
    wrong: list[tuple[Any, type[Exception], str]] = [
        (float("nan"), rm.ProgrammingError, "a priority is a number, and NaN is none"),
        (decimal.Decimal("nan"), rm.ProgrammingError, "a priority is a number, and NaN is none"),
        (10**400, rm.ProgrammingError, "a priority is a float, and this number is too large"),
        ("high", TypeError, "a priority is a number, not 'high'"),
    ]
    for priority, kind, message in wrong:
        with pytest.raises(kind, match=message):
            matcher.insert("new", ALWAYS, priority)
        for id in ("new", "dear"):
            with pytest.raises(kind, match=message):
                matcher.replace(id, ALWAYS, priority)
        with pytest.raises(rm.ProgrammingError, match=f"the priority of 'y': {message}"):
            matcher.insert_many([("x", ALWAYS), ("y", ALWAYS, priority)])
    with pytest.raises(TypeError, match=r"takes tuples \(id, condition\)"):
        matcher.insert_many([("x", ALWAYS, 1, 2)])
    assert len(matcher) == 4
    for k in (-1, 1.5, "2", None):
        with pytest.raises(rm.ProgrammingError, match="k is how many ids are wanted, 0 or more"):
            matcher.top({"age": 1}, k)
    with pytest.raises(rm.ProgrammingError, match="no attribute"):
        matcher.top({"agee": 1}, 1)
    assert ids(matcher.top({"age": 70}, 2**62)) == ["dearest", "dear", "cheap", "free"]


def test_a_number_out_of_range_is_an_error_or_no_match() -> None:
    strict: rm.Matcher[int] = rm.Matcher({"a": int})
    lenient: rm.Matcher[int] = rm.Matcher({"a": int}, errors="skip")
    for one in (strict, lenient):
        one.insert(1, rm.col("a") * 2 > 0, 5)
        one.insert(2, ALWAYS)
    with pytest.raises(rm.DataError, match="out of range"):
        strict.top({"a": 2**62}, 1)
    assert lenient.top({"a": 2**62}, 1) == [(2, 0)]


def test_threads_ask_while_another_writes() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"a": int})
    matcher.insert_many((f"k{at:04}", rm.col("a") >= at, at) for at in range(3_000))
    over, wrong = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            found = ids(matcher.top({"a": 2_000}, 3))
            if found[-2:] != ["k2000", "k1999"] or not found[0].startswith("n"):
                wrong.append(found)

    matcher.insert("new", ALWAYS, 9_999)
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in range(1_000):
        matcher.replace("new", ALWAYS, 9_999 + at)
        matcher.replace(f"k{at:04}", rm.col("a") >= at)
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong

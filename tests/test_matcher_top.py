"""Which of the conditions that are true matter most: `Matcher.top`, by priority."""

from __future__ import annotations

import decimal
import random
import threading
from typing import Any

import pytest

import rowmill as rm

ALWAYS = rm.lit(True)


def bids() -> rm.Matcher[str]:
    matcher: rm.Matcher[str] = rm.Matcher({"age": int})
    matcher.insert("cheap", rm.col("age") >= 18, 0.25)
    matcher.insert("dear", rm.col("age") >= 21, priority=2.5)
    matcher.insert("dearest", rm.col("age") >= 65, 9)
    matcher.insert("free", rm.col("age") >= 0)
    return matcher


def test_the_highest_priorities_come_first() -> None:
    matcher = bids()
    assert matcher.top({"age": 30}, 2) == ["dear", "cheap"]
    assert matcher.top({"age": 70}, 1) == ["dearest"]
    assert matcher.top({"age": 70}, 100) == ["dearest", "dear", "cheap", "free"]
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


def test_ties_are_in_the_order_of_the_ids() -> None:
    numbers: rm.Matcher[int] = rm.Matcher({"age": int})
    texts: rm.Matcher[str] = rm.Matcher({"age": int})
    ids = [5, -1, 300, -(2**63), 2**63 - 1, 0, *range(1000, 1200)]
    words = ["b", "a", "é", "Z", "日本", "\U0001f600", "", "aa", *(f"n{at}" for at in range(200))]
    random.Random(4).shuffle(ids)
    for id in ids:
        numbers.insert(id, ALWAYS, 1.5)
    for word in words:
        texts.insert(word, ALWAYS, -1)
    for k in (1, 3, 7, 1_000):
        assert numbers.top({}, k) == sorted(ids)[:k]
        assert texts.top({}, k) == sorted(words)[:k]


def test_a_replaced_condition_keeps_its_priority_unless_it_is_given_one() -> None:
    matcher = bids()
    assert matcher.replace("dear", rm.col("age") >= 0)
    assert matcher.top({"age": 1}, 1) == ["dear"]
    assert matcher.replace("dear", rm.col("age") >= 0, priority=-1)
    assert matcher.top({"age": 1}, 2) == ["free", "dear"]
    assert not matcher.replace("new", ALWAYS)
    assert not matcher.replace("newer", ALWAYS, 7)
    assert matcher.top({}, 2) == ["newer", "new"]
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
    assert matcher.top({}, 9) == [2, 4, 3, 1]


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
                assert matcher.top({"a": a}, 10) == [id for _, id in ranked[:10]]
    matcher.settle()
    assert {id: matcher.priority(id) for id in matcher} == {
        id: bid for id, (_, bid) in oracle.items()
    }


def test_wrong_priorities_and_counts_are_told_of_and_do_no_harm() -> None:
    matcher: Any = bids()
    for id in ("new", "dear"):
        with pytest.raises(rm.ProgrammingError, match="a priority is a number, and NaN is none"):
            matcher.replace(id, ALWAYS, float("nan"))
    with pytest.raises(rm.ProgrammingError, match="the condition of 'y': a priority is a number"):
        matcher.insert_many([("x", ALWAYS), ("y", ALWAYS, decimal.Decimal("nan"))])
    with pytest.raises(
        rm.ProgrammingError, match="the priority of 'y': must be real number, not str"
    ):
        matcher.insert_many([("x", ALWAYS), ("y", ALWAYS, "dear")])
    with pytest.raises(rm.ProgrammingError, match=r"the priority of 'y': .*too large"):
        matcher.insert_many([("x", ALWAYS), ("y", ALWAYS, 10**400)])
    with pytest.raises(TypeError, match=r"takes tuples \(id, condition\)"):
        matcher.insert_many([("x", ALWAYS, 1, 2)])
    with pytest.raises(TypeError, match="must be real number, not str"):
        matcher.insert("x", ALWAYS, "dear")
    assert len(matcher) == 4
    for k in (-1, 1.5, "2", None):
        with pytest.raises(rm.ProgrammingError, match="k is how many ids are wanted, 0 or more"):
            matcher.top({"age": 1}, k)
    with pytest.raises(rm.ProgrammingError, match="no attribute"):
        matcher.top({"agee": 1}, 1)
    assert matcher.top({"age": 70}, 2**62) == ["dearest", "dear", "cheap", "free"]


def test_a_number_out_of_range_is_an_error_or_no_match() -> None:
    strict: rm.Matcher[int] = rm.Matcher({"a": int})
    lenient: rm.Matcher[int] = rm.Matcher({"a": int}, errors="skip")
    for one in (strict, lenient):
        one.insert(1, rm.col("a") * 2 > 0, 5)
        one.insert(2, ALWAYS)
    with pytest.raises(rm.DataError, match="out of range"):
        strict.top({"a": 2**62}, 1)
    assert lenient.top({"a": 2**62}, 1) == [2]


def test_threads_ask_while_another_writes() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"a": int})
    matcher.insert_many((f"k{at:04}", rm.col("a") >= at, at) for at in range(3_000))
    over, wrong = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            found = matcher.top({"a": 2_000}, 3)
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

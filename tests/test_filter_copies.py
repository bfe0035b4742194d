"""What a filter keeps is copied when it is asked for: the same rows come of every order of questions, and what they
are copied from is let go."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rowmill as rm
from tests.test_filter import CASES, rows

c = rm.col


def copied(frame: rm.Frame) -> rm.Frame:
    """The same rows in memory of their own."""
    return rm.Frame(pa.table(frame))


def texts(frame: rm.Frame) -> str:
    """All values; NaN is equal to itself as text."""
    return str(frame.to_tuples())


@pytest.mark.parametrize("count", [3, 100, 5000])
def test_filters_of_filters_keep_what_both_do(count: int) -> None:
    frame, dice = rm.Frame(rows(count)), random.Random(count)
    for _ in range(60):
        first, second, third = (CASES[name][0] for name in dice.choices(list(CASES), k=3))
        once = frame.filter(first)
        for name in dice.sample(frame.columns, dice.randint(0, 2)):
            once[name]
        columns = dice.choice([None, ["t", "id"], ["list", "id"], ["id"]])
        twice = once.filter(second, columns=columns)
        expected = copied(copied(frame.filter(first)).filter(second, columns=columns))
        assert texts(twice) == texts(expected)
        if columns is None:
            assert texts(once.filter(second).filter(third)) == texts(expected.filter(third))
        assert texts(once) == texts(copied(frame.filter(first)))


ASKED: dict[str, Callable[[rm.Frame], Any]] = {
    "rows": lambda frame: list(map(str, frame)),
    "a row": lambda frame: str(frame[-1]) if len(frame) else None,
    "a column": lambda frame: str(frame["t"].to_list()),
    "columns": lambda frame: texts(frame[["list", "n", "n"]]),
    "a slice": lambda frame: texts(frame[1:40:3]),
    "dict": lambda frame: str(frame.to_dict()),
    "json": lambda frame: frame.to_json(),
    "polars": lambda frame: str(frame.to_polars().rows()),
    "arrow": lambda frame: str(frame.to_arrow().to_pylist()),
    "repr": repr,
    "shape": lambda frame: (frame.shape, frame.columns, str(frame.schema)),
    "sort": lambda frame: texts(frame.sort("t", -c("id"))),
    "select": lambda frame: texts(frame.select("uuid", twice=c("id") * 2, up=c("t").upper())),
    "groups": lambda frame: texts(frame.group_by("t").agg(n=rm.count(), last=c("id").max())),
    "equal": lambda frame: frame == frame,
    "again": lambda frame: len(rm.Frame(frame)),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("count", [100, 5000])
def test_every_question_finds_the_rows(asked: str, count: int) -> None:
    frame, ask = rm.Frame(rows(count)), ASKED[asked]
    for condition in (c("id") % 2 == 1, c("id") < 3, c("id") >= 0, c("id") < 0):
        kept = frame.filter(condition)
        expected = ask(copied(kept))
        assert ask(frame.filter(condition)) == expected
        halfway = frame.filter(condition)
        halfway["d"], halfway["t"]
        assert ask(halfway) == expected
        assert ask(halfway) == expected
        assert texts(halfway) == texts(kept)


def memory(n: int) -> tuple[rm.Frame, int]:
    """A frame over memory of PyArrow alone, and how much that is."""
    before = pa.total_allocated_bytes()
    frame = rm.Frame({"i": pa.array(range(n)), "j": pa.array(range(n))})
    return frame, pa.total_allocated_bytes() - before


def test_what_rows_are_copied_from_is_held_until_they_are() -> None:
    before = pa.total_allocated_bytes()
    frame, size = memory(100_000)
    assert size >= 1_600_000
    half = frame.filter(c("i") % 2 == 0)
    both = half.filter(c("j") % 3 == 0)
    del frame
    assert pa.total_allocated_bytes() - before >= size
    assert half["i"].to_list()[:3] == [0, 2, 4]
    assert pa.total_allocated_bytes() - before >= size
    assert half["j"].to_list()[-1] == 99_998
    assert pa.total_allocated_bytes() - before >= size
    assert both.to_tuples()[1] == (6, 6)
    assert pa.total_allocated_bytes() == before


def test_a_copy_holds_nothing_else() -> None:
    before = pa.total_allocated_bytes()
    frame, _ = memory(100_000)
    half = frame.filter(c("i") % 2 == 0)
    copies = [half.copy(), frame[10:20].copy(), frame.copy(), half[["j"]].copy()]
    del frame, half
    assert pa.total_allocated_bytes() == before
    assert [len(copied) for copied in copies] == [50_000, 10, 100_000, 50_000]
    assert copies[0]["i"].to_list() == list(range(0, 100_000, 2))
    assert copies[1].to_tuples()[0] == (10, 10)


def test_only_the_columns_that_are_asked_for_are_held() -> None:
    before = pa.total_allocated_bytes()
    frame, size = memory(100_000)
    one = frame.filter(c("i") % 2 == 0, columns=["j"])
    none = frame.filter(c("i") % 2 == 0, columns=[])
    del frame
    assert 0 < pa.total_allocated_bytes() - before <= size // 2
    assert (none.shape, none.to_tuples()) == ((50_000, 0), [()] * 50_000)
    assert one.shape == (50_000, 1)
    del one
    assert pa.total_allocated_bytes() == before


def test_a_few_long_texts_do_not_hold_many() -> None:
    before = pa.total_allocated_bytes()
    frame = rm.Frame(
        pa.table({"i": range(500), "t": pa.array(["x" * 10_000] * 500, pa.large_string())})
    )
    few = frame.filter(c("i") < 3)
    del frame
    assert pa.total_allocated_bytes() == before
    assert few["t"].to_list() == ["x" * 10_000] * 3


def test_an_error_tells_the_row_of_the_frame_that_is_asked() -> None:
    wide = [None] * 70 + [10**45] * 30
    frame = rm.Frame({"i": range(100), "w": pa.array(wide, pa.decimal256(50, 0))})
    kept = frame.filter(c("i") >= 65)
    for asked in (kept, kept.copy()):
        with pytest.raises(rm.DataError, match='column "w", row 5 '):
            asked.filter(c("w") > 5)


def test_a_few_rows_do_not_hold_the_memory_of_many() -> None:
    before = pa.total_allocated_bytes()
    frame, _ = memory(100_000)
    few = frame.filter(c("i") < 100)
    del frame
    assert pa.total_allocated_bytes() == before
    assert few["j"].to_list() == list(range(100))


def test_columns_of_which_copies_may_fail_are_copied_at_once() -> None:
    table = pa.table(
        {
            "id": range(2000),
            "label": pa.array(["a", "b"] * 1000).dictionary_encode(),
            "pair": [{"x": n, "y": str(n)} for n in range(2000)],
        }
    )
    kept = rm.Frame(table).filter(c("id") >= 500).filter(c("label") == "a", columns=["pair", "id"])
    assert kept.to_arrow().to_pylist() == [
        {"pair": {"x": n, "y": str(n)}, "id": n} for n in range(500, 2000, 2)
    ]


def test_threads_that_ask_at_once_find_the_same() -> None:
    n = 300_000
    numbers = np.random.default_rng(3).integers(0, 1000, n)
    frame = rm.Frame({f"c{at}": numbers + at for at in range(6)})
    expected = [(numbers[numbers < 700] + at).tolist() for at in range(6)]
    for _ in range(5):
        kept = frame.filter(c("c0") < 700)
        found: list[Any] = [None] * 8

        def ask(at: int, kept: rm.Frame = kept, found: list[Any] = found) -> None:
            found[at] = kept[f"c{at}"].to_list() if at < 6 else kept.to_tuples()

        threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found[:6] == expected
        assert found[6] == found[7] == list(zip(*expected, strict=True))

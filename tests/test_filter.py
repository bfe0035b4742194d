"""Frames filtered, selected from and sorted by expressions: against a slow evaluation in Python, against
Polars and pandas where these agree, and against columns that came from them."""

from __future__ import annotations

import datetime as dt
import math
import random
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rowmill as rm

UTC = dt.UTC
TEXTS = [
    "",
    "a",
    "ab",
    "Ab",
    "aé",
    "50%",
    "exactly sixteen!",
    "longer than thirty-two bytes, all in all",
]


def rows(count: int, seed: int = 7) -> dict[str, list[Any]]:
    """Columns with NULL, NaN and extremes; the same for a seed."""
    dice = random.Random(seed)

    def some(make: Callable[[], Any]) -> list[Any]:
        return [None if dice.random() < 0.15 else make() for _ in range(count)]

    start = dt.datetime(2024, 1, 1)
    return {
        "id": list(range(count)),
        "n": some(lambda: dice.choice([0, 1, -1, 7, 100, 2**63 - 1, -(2**63)])),
        "f": some(lambda: dice.choice([0.0, -0.0, 1.0, 2.5, math.nan, math.inf, -math.inf])),
        "d": some(lambda: dice.choice([Decimal("0.00"), Decimal("2.50"), Decimal("-1.25")])),
        "b": some(lambda: dice.random() < 0.5),
        "t": some(lambda: dice.choice(TEXTS)),
        "day": some(lambda: dt.date(2024, 1, dice.randint(1, 28))),
        "wall": some(lambda: start + dt.timedelta(hours=dice.randint(0, 1000))),
        "at": some(lambda: (start + dt.timedelta(hours=dice.randint(0, 1000))).replace(tzinfo=UTC)),
        "uuid": some(lambda: uuid.UUID(int=dice.randint(0, 3))),
        "list": some(lambda: [dice.choice([None, 1, 2, 3]) for _ in range(dice.randint(0, 3))]),
    }


def less(a: Any, b: Any) -> bool:
    """The order of two values: NaN above all numbers, text by code points."""
    if isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)
        return bool(not math.isnan(a) and (math.isnan(b) or a < b))
    if isinstance(a, str):
        return a.encode() < str(b).encode()
    return bool(a < b)


def same(a: Any, b: Any) -> bool:
    return not less(a, b) and not less(b, a)


def strict(test: Callable[..., bool]) -> Callable[..., bool | None]:
    """NULL where an operand is."""
    return lambda *values: None if None in values else test(*values)


c = rm.col
START = dt.datetime(2024, 1, 15)

CASES: dict[str, tuple[rm.Expr[Any], Callable[[dict[str, Any]], bool | None]]] = {
    "int": (c("n") > 1, lambda r: strict(lambda n: n > 1)(r["n"])),
    "int and fraction": (c("n") <= 0.5, lambda r: strict(lambda n: n <= 0)(r["n"])),
    "int is no fraction": (c("n") == 2.5, lambda r: strict(lambda n: False)(r["n"])),
    "int against float": (
        c("n") < c("f"),
        lambda r: strict(less)(r["n"] if r["n"] is None else float(r["n"]), r["f"]),
    ),
    "float above": (c("f") > 1.0, lambda r: strict(lambda f: less(1.0, f))(r["f"])),
    "float is NaN": (c("f") == math.nan, lambda r: strict(same)(r["f"], math.nan)),
    "float is zero": (c("f") == 0, lambda r: strict(same)(r["f"], 0.0)),
    "decimal": (c("d") >= 2.5, lambda r: strict(lambda d: d >= Decimal("2.5"))(r["d"])),
    "bool": (c("b"), lambda r: r["b"]),
    "not": (~c("b"), lambda r: strict(lambda b: not b)(r["b"])),
    "text is": (c("t") == "ab", lambda r: strict(lambda t: t == "ab")(r["t"])),
    "text before": (c("t") < "aé", lambda r: strict(less)(r["t"], "aé")),
    "long text is": (c("t") != TEXTS[-1], lambda r: strict(lambda t: t != TEXTS[-1])(r["t"])),
    "like": (c("t").like("%a_"), lambda r: strict(lambda t: len(t) >= 2 and t[-2] == "a")(r["t"])),
    "ilike": (c("t").ilike("aB"), lambda r: strict(lambda t: t.lower() == "ab")(r["t"])),
    "contains": (c("t").contains("%"), lambda r: strict(lambda t: "%" in t)(r["t"])),
    "starts": (c("t").starts_with("a"), lambda r: strict(lambda t: t.startswith("a"))(r["t"])),
    "ends": (c("t").ends_with("b"), lambda r: strict(lambda t: t.endswith("b"))(r["t"])),
    "matches": (c("t").matches("^[a-z]+$"), lambda r: strict(lambda t: t in ("a", "ab"))(r["t"])),
    "length": (c("t").length() == 2, lambda r: strict(lambda t: len(t) == 2)(r["t"])),
    "lower": (c("t").lower() == "ab", lambda r: strict(lambda t: t.lower() == "ab")(r["t"])),
    "day": (
        c("day").between(dt.date(2024, 1, 5), dt.date(2024, 1, 9)),
        lambda r: strict(lambda d: 5 <= d.day <= 9)(r["day"]),
    ),
    "wall": (
        (c("wall") >= START) & (c("wall") < dt.datetime(2024, 1, 20)),
        lambda r: strict(lambda w: START <= w < dt.datetime(2024, 1, 20))(r["wall"]),
    ),
    "instant": (
        c("at") >= START.replace(tzinfo=UTC),
        lambda r: strict(lambda a: a >= START.replace(tzinfo=UTC))(r["at"]),
    ),
    "weekday": (c("at").weekday() == 1, lambda r: strict(lambda a: a.isoweekday() == 1)(r["at"])),
    "uuid": (c("uuid") == uuid.UUID(int=2), lambda r: strict(lambda u: u.int == 2)(r["uuid"])),
    "in": (c("n").in_([7, 100, 5]), lambda r: strict(lambda n: n in (7, 100))(r["n"])),
    "in texts": (
        c("t").in_(["ab", TEXTS[-1], "zz"]),
        lambda r: strict(lambda t: t in ("ab", TEXTS[-1]))(r["t"]),
    ),
    "in many": (
        c("n").in_(list(range(-5000, 100_000, 7))),
        lambda r: strict(lambda n: -5000 <= n < 100_000 and (n + 5000) % 7 == 0)(r["n"]),
    ),
    "not in": (c("t").not_in(["ab"]), lambda r: strict(lambda t: t != "ab")(r["t"])),
    "in nothing": (c("t").in_([]), lambda r: False),
    "not in nothing": (c("t").not_in([]), lambda r: True),
    "null": (c("t").is_null(), lambda r: r["t"] is None),
    "not null": (c("list").is_not_null(), lambda r: r["list"] is not None),
    "distinct": (c("n").is_distinct_from(7), lambda r: r["n"] != 7),
    "list has": (rm.col("list").contains_all([2]), lambda r: strict(lambda v: 2 in v)(r["list"])),
    "list overlaps": (
        c("list").overlaps([1, 3]),
        lambda r: strict(lambda v: 1 in v or 3 in v)(r["list"]),
    ),
    "list disjoint": (
        c("list").disjoint([1, 3]),
        lambda r: strict(lambda v: not (1 in v or 3 in v))(r["list"]),
    ),
    "sum": (c("id") + c("id") * 2 > 30, lambda r: r["id"] * 3 > 30),
    "remainder": (c("id") % 3 == 1, lambda r: r["id"] % 3 == 1),
    "by zero": (c("id") // 0 == 1, lambda r: None),
    "coalesce": (rm.coalesce(c("b"), False), lambda r: bool(r["b"])),
    "unknown": ((c("n") > 0).is_null(), lambda r: r["n"] is None),
}


def kept(said: Callable[[dict[str, Any]], bool | None], data: dict[str, list[Any]]) -> list[int]:
    names = list(data)
    every = (dict(zip(names, row, strict=True)) for row in zip(*data.values(), strict=True))
    return [row["id"] for row in every if said(row)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("count", [0, 1, 64, 100, 2500])
def test_a_row_is_kept_where_the_expression_is_true(name: str, count: int) -> None:
    expression, said = CASES[name]
    data = rows(count)
    frame = rm.Frame(data) if count else rm.Frame(rows(1))[:0]
    assert frame.filter(expression)["id"].to_list() == (kept(said, data) if count else [])


def test_kleene_logic_is_that_of_sql() -> None:
    three = [True, False, None]
    data = {"a": [a for a in three for _ in three], "b": three * 3}
    frame = rm.Frame(data)
    both = frame.select(both=c("a") & c("b"), either=c("a") | c("b"), no=~c("a"))
    assert both["both"].to_list() == [True, False, None, False, False, False, None, False, None]
    assert both["either"].to_list() == [True, True, True, True, False, None, True, None, None]
    assert both["no"].to_list() == [False] * 3 + [True] * 3 + [None] * 3


def test_several_conditions_are_joined_and_none_keeps_all() -> None:
    frame = rm.Frame(rows(100))
    both = frame.filter(c("n") > 0, c("b"))
    assert both == frame.filter((c("n") > 0) & c("b"))
    assert frame.filter() == frame


def test_only_the_columns_asked_for_come_back() -> None:
    frame = rm.Frame(rows(300))
    found = frame.filter(c("n") > 0, columns=["t", "id"])
    assert found.columns == ["t", "id"]
    assert found == frame.filter(c("n") > 0)[["t", "id"]]
    assert frame.filter(c("n") > 0, columns=()).shape == (len(found), 0)


def test_every_column_is_gathered_as_python_would() -> None:
    data = rows(1500)
    for expression in (c("id") % 2 == 0, c("id") > 700, c("id") % 100 == 7, c("id") != 5):
        found = rm.Frame(data).filter(expression)
        ids = found["id"].to_list()
        for name, values in data.items():
            assert repr(found[name].to_list()) == repr([values[at] for at in ids]), name


@pytest.mark.parametrize("offset", [0, 1, 63, 65])
def test_a_slice_is_filtered_as_its_copy(offset: int) -> None:
    data = rows(400)
    piece = rm.Frame(data)[offset:]
    copy = rm.Frame({name: values[offset:] for name, values in data.items()})
    for expression, _ in CASES.values():
        assert piece.filter(expression) == copy.filter(expression)


def test_polars_and_pandas_agree_where_they_mean_the_same() -> None:
    n = 3000
    random_numbers = np.random.default_rng(3)
    data = {
        "i": random_numbers.integers(-50, 50, n),
        "small": random_numbers.integers(-50, 50, n).astype(np.int16),
        "x": random_numbers.normal(size=n),
        "s": random_numbers.choice(["red", "green", "blue"], n),
    }
    frame, pandas, polars = rm.Frame(data), pd.DataFrame(data), pl.DataFrame(data)
    ours = frame.filter((c("i") > 3) & (c("small") <= 20) & ((c("x") < 0.5) | (c("s") == "red")))
    mask = (pandas.i > 3) & (pandas.small <= 20) & ((pandas.x < 0.5) | (pandas.s == "red"))
    theirs = polars.filter(
        (pl.col("i") > 3) & (pl.col("small") <= 20) & ((pl.col("x") < 0.5) | (pl.col("s") == "red"))
    )
    assert ours.to_polars().equals(theirs)
    assert ours["i"].to_list() == pandas[mask]["i"].to_list()


def foreign() -> dict[str, rm.Frame]:
    words = ["red", None, "green", "a rather long text of forty letters or so", "red"] * 30
    seconds = [
        None if word is None else dt.datetime(2024, 1, 1 + at % 28) for at, word in enumerate(words)
    ]
    plain = pa.table({"s": words, "w": seconds, "id": range(150)})

    def cast(text: pa.DataType, unit: str) -> rm.Frame:
        return rm.Frame(
            pa.table(
                {
                    "s": pa.array(words, pa.string()).cast(text),
                    "w": pa.array(seconds, pa.timestamp(unit)),
                    "id": pa.array(range(150), pa.int16()),
                }
            )
        )

    def coded(keys: pa.DataType) -> rm.Frame:
        codes = (
            pa.array(words, pa.string()).dictionary_encode().cast(pa.dictionary(keys, pa.string()))
        )
        return rm.Frame(pa.table({"s": codes, "w": seconds, "id": range(150)}))

    return {
        "utf8": cast(pa.string(), "us"),
        "large": cast(pa.large_string(), "s"),
        "view": cast(pa.string_view(), "ms"),
        "nanoseconds": cast(pa.string(), "ns"),
        "dictionary of int32": coded(pa.int32()),
        "dictionary of uint8": coded(pa.uint8()),
        "sliced": rm.Frame(plain.slice(0, 150)),
        "chunked": rm.Frame(pa.concat_tables([plain.slice(0, 70), plain.slice(70)])),
        "polars": rm.Frame(pl.from_arrow(plain)),
        "polars categorical": rm.Frame(
            pl.DataFrame(plain).with_columns(pl.col("s").cast(pl.Categorical))
        ),
        "pandas": rm.Frame(plain.to_pandas()),
    }


@pytest.mark.parametrize("layout", foreign())
def test_columns_of_other_layouts_mean_the_same(layout: str) -> None:
    frame = foreign()[layout]
    words = foreign()["utf8"]["s"].to_list()
    is_red = [at for at, word in enumerate(words) if word == "red"]
    is_long = [at for at, word in enumerate(words) if word and len(word) > 30]
    assert frame.filter(c("s") == "red")["id"].to_list() == is_red
    assert frame.filter(c("s").in_(["red"]))["id"].to_list() == is_red
    assert frame.filter(c("s").contains("forty"))["id"].to_list() == is_long
    assert frame.filter(c("s").length() > 30)["id"].to_list() == is_long
    assert frame.filter(c("s").is_null())["id"].to_list() == list(range(1, 150, 5))
    early = frame.filter(c("w") <= dt.datetime(2024, 1, 2))["id"].to_list()
    assert early == [at for at in range(150) if at % 28 < 2 and words[at] is not None]
    assert frame.sort("s")["s"].to_list() == sorted(filter(None, words)) + [None] * 30


def test_select_computes_columns_and_shares_the_others() -> None:
    frame = rm.Frame({"price": [2, None, 4], "count": [10, 20, 30], "name": ["a", "b", "c"]})
    found = frame.select(
        "name", c("count"), (c("price") * c("count")).label("total"), half=c("count") / 4
    )
    assert found.to_dict() == {
        "name": ["a", "b", "c"],
        "count": [10, 20, 30],
        "total": [20, None, 120],
        "half": [2.5, 5.0, 7.5],
    }
    assert np.shares_memory(found["count"].to_numpy(), frame["count"].to_numpy())
    assert [found[name].type for name in found.columns] == ["text", "int64", "int64", "float64"]
    upper = frame.select(u=rm.concat(c("name").upper(), "!"), one=rm.lit(1))
    assert upper.to_dict() == {"u": ["A!", "B!", "C!"], "one": [1, 1, 1]}
    exact = rm.Frame({"d": [Decimal("1.10"), None]}).select(x=c("d") * 3)
    assert exact["x"].to_list() == [Decimal("3.30"), None]


def test_sort_is_stable_and_says_where_null_goes() -> None:
    data: dict[str, list[Any]] = {
        "k": [2, 1, None, 2, 1, None],
        "x": [1.0, math.nan, 0.0, -1.0, None, 2.0],
        "id": list(range(6)),
    }
    frame = rm.Frame(data)

    def order(*keys: Any, **how: Any) -> list[Any]:
        return frame.sort(*keys, **how)["id"].to_list()

    assert order("k") == [1, 4, 0, 3, 2, 5]
    assert order(-c("k")) == [2, 5, 0, 3, 1, 4]
    assert order("k", nulls="first") == [2, 5, 1, 4, 0, 3]
    assert order(-c("k"), nulls="last") == [0, 3, 1, 4, 2, 5]
    assert order(c("k").nulls_first(), nulls="last") == [2, 5, 1, 4, 0, 3]
    assert order("x") == [3, 2, 0, 5, 1, 4]
    assert order(c("k").desc(), "x") == [2, 5, 3, 0, 1, 4]
    assert order(c("id") % 3, -c("id")) == [3, 0, 4, 1, 5, 2]
    assert order() == list(range(6))


def test_sort_agrees_with_polars() -> None:
    data = rows(2000)
    frame = rm.Frame(data)
    polars = pl.DataFrame({name: data[name] for name in ("id", "n", "t", "wall")})
    for name in ("n", "t", "wall"):
        for down in (False, True):
            theirs = polars.sort(name, "id", descending=[down, False], nulls_last=True)["id"]
            key = -c(name) if down else c(name)
            assert frame.sort(key, nulls="last")["id"].to_list() == theirs.to_list(), name


def failure(ask: Callable[[], Any], error: type[Exception] = rm.ProgrammingError) -> str:
    with pytest.raises(error) as raised:
        ask()
    return str(raised.value)


def test_what_makes_no_sense_is_one_clear_error() -> None:
    frame = rm.Frame({"name": ["a"], "total": [1], "amount": [2.5]})
    assert 'did you mean "total"?' in failure(lambda: frame.filter(c("totl") > 1))
    assert 'it has "name"' in failure(lambda: frame.filter(c("nothing at all") > 1))
    assert "text cannot be compared with int" in failure(lambda: frame.filter(c("name") == 1))
    assert "a condition is a bool" in failure(lambda: frame.filter(c("total")))
    assert "looks at many rows" in failure(lambda: frame.filter(c("total").sum() > 1))
    assert "takes conditions" in failure(lambda: frame.filter("total > 1"), TypeError)  # type: ignore[arg-type]
    assert "takes conditions" in failure(lambda: frame.filter(np.array([True])), TypeError)  # type: ignore[arg-type]
    assert 'col("name") has a minus, which text has not' in failure(
        lambda: frame.filter(-c("name"))
    )
    flags = rm.Frame({"flag": [True]})
    assert 'col("flag") has a minus, which bool has not' in failure(
        lambda: flags.filter(-c("flag"))
    )
    assert 'col("flag") has a minus' in failure(lambda: flags.filter(~(-c("flag"))))
    assert 'col("flag") has a minus' in failure(lambda: flags.select(x=-c("flag")))
    assert "columns is a list of names" in failure(lambda: frame.filter(columns="name"), TypeError)  # type: ignore[arg-type]
    assert "no column 'nome'" in failure(lambda: frame.filter(columns=["nome"]), KeyError)
    assert "has no name" in failure(lambda: frame.select(c("total") + 1))
    assert 'nulls is "first" or "last"' in failure(lambda: frame.sort("name", nulls="middle"))  # type: ignore[arg-type]
    assert "no order" in failure(lambda: rm.Frame({"x": [[1]]}).sort("x"), rm.DataError)
    large = rm.Frame({"n": [2**63 - 1]})
    assert "integer out of range" in failure(lambda: large.filter(c("n") + 1 > 0), rm.DataError)
    twice = rm.Frame(pa.table([[1], [2]], names=["x", "x"]))
    assert "more than one column" in failure(lambda: twice.filter(c("x") == 1))


def test_decimals_of_more_than_38_digits_are_one_clear_error() -> None:
    wide = rm.Frame(
        pa.table({"d": pa.array([Decimal(1), Decimal("9" * 50)], pa.decimal256(60, 0))})
    )
    large = rm.Frame({"d": [Decimal("9" * 38)], "tiny": [Decimal("1E-38")]})
    row = 'column "d", row 1 has more than 38 digits'
    for condition in (c("d") > 1, c("d") == c("d"), c("d") + 1 > 0, c("d").in_([Decimal(7)])):
        assert row in failure(lambda condition=condition: wide.filter(condition), rm.DataError)  # type: ignore[misc]
    assert "cast it in the statement" in failure(lambda: wide.filter(c("d") > 1), rm.DataError)
    assert row in failure(lambda: wide.select(x=rm.coalesce(c("d"), 0)), rm.DataError)
    assert wide.filter(c("d").is_not_null()).shape == (2, 1)
    for condition, shown in (
        (c("d") * 10 > 1, 'col("d") * Decimal("10")'),
        (c("d") + c("d") > 1, 'col("d") + col("d")'),
        (-(c("d") * c("d")) < 1, 'col("d") * col("d")'),
    ):
        said = failure(lambda condition=condition: large.filter(condition), rm.DataError)  # type: ignore[misc]
        assert "decimal out of range: a result has more than 38 digits; cast" in said
        assert said.endswith("\n" + shown)
    for value in (Decimal("9" * 39), Decimal("0." + "9" * 39)):
        literal = failure(lambda value=value: large.filter(c("d") < value))  # type: ignore[misc]
        assert f'Decimal("{value}") has more than 38 digits' in literal
    # Zero is below what is smaller than 38 digits show.
    assert large.filter(c("tiny") * Decimal("1E-30") > 0).shape == (1, 2)


@pytest.mark.parametrize("given", [[1, 2.5], [2.5, 1], [1, Decimal("2.5")], [2.5, 1, Decimal("7")]])
def test_numbers_of_several_kinds_are_one_list(given: list[Any]) -> None:
    within = c("x").in_(given)
    assert rm.Frame({"x": [1, 2, 3]}).filter(within)["x"].to_list() == [1]
    assert rm.Frame({"x": [1.0, 2.0, 2.5]}).filter(within)["x"].to_list() == [1.0, 2.5]
    amounts = [Decimal("1.0"), Decimal("2.0"), Decimal("2.5")]
    assert rm.Frame({"x": amounts}).filter(within)["x"].to_list() == [amounts[0], amounts[2]]
    large = rm.Frame({"x": [2**53 + 1, 2**53]})
    assert large.filter(c("x").in_([*given, 2**53 + 1]))["x"].to_list() == [2**53 + 1]


def test_a_long_chain_is_no_deep_one() -> None:
    frame = rm.Frame({"n": list(range(100))})
    chain = c("n") == 0
    for number in range(1, 3000):
        chain = chain | (c("n") == number)
    assert len(frame.filter(chain)) == 100
    deep = c("n") == 0
    for _ in range(10_000):
        deep = ~deep
    assert "levels" in failure(lambda: frame.filter(deep))


def test_the_same_expression_serves_frames_of_other_columns() -> None:
    expression = c("x") > 1
    for _ in range(3):
        assert rm.Frame({"x": [1, 2]}).filter(expression)["x"].to_list() == [2]
        assert rm.Frame({"x": [0.5, 1.5]}).filter(expression)["x"].to_list() == [1.5]
        assert rm.Frame({"y": [0], "x": [5]}).filter(expression)["y"].to_list() == [0]
        assert "cannot be compared" in failure(lambda: rm.Frame({"x": ["a"]}).filter(expression))


def test_a_large_frame_is_filtered_by_several_threads_as_by_one() -> None:
    n = 250_000
    random_numbers = np.random.default_rng(5)
    data = {
        "i": random_numbers.integers(0, 1000, n),
        "s": pa.array(random_numbers.choice(["red", "green", "blue"], n)),
        "x": pa.array(random_numbers.normal(size=n), mask=random_numbers.random(n) < 0.1),
    }
    frame = rm.Frame(data)
    whole = frame.filter((c("i") < 700) & (c("s") != "red"))
    parts = [
        frame[at : at + 50_000].filter((c("i") < 700) & (c("s") != "red"))
        for at in range(0, n, 50_000)
    ]
    assert pl.concat(part.to_polars() for part in parts).equals(whole.to_polars())
    with pytest.raises(rm.DataError, match="integer out of range"):
        frame.filter(c("i") * (2**62) * 8 > 0)


def test_many_threads_share_the_compiled_filters() -> None:
    frame = rm.Frame({"n": list(range(100))})
    expressions = [c("n") < limit for limit in range(100)]
    wrong: list[tuple[int, int]] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(2000):
            at = dice.randrange(100)
            if (found := len(frame.filter(expressions[at]))) != at:
                wrong.append((at, found))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Renamed(rm.Table, name="lines"):
    id: rm.Col[int] = rm.pk()
    body: rm.Col[str | None] = rm.column("text")


def test_a_column_of_another_name_is_found_by_what_queries_call_it(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute_script("""
            create table lines (id integer primary key, text text);
            insert into lines values (1, 'hello'), (2, null), (3, 'bye');
        """)
        asked = db.fetch(rm.select(Renamed).order_by(Renamed.id))
        plain = db.fetch("select id, text from lines order by id")
    for frame in (asked, plain):
        assert frame.filter(Renamed.body == "hello")["id"].to_list() == [1]
        assert frame.filter(Renamed.alias("o").body.is_null() | (Renamed.id == 3))[
            "id"
        ].to_list() == [2, 3]
        assert frame.sort(Renamed.body)["id"].to_list() == [3, 1, 2]
        assert frame.select(x=Renamed.body.upper())["x"].to_list() == ["HELLO", None, "BYE"]
    both = rm.Frame({"text": ["a", "b"], "body": ["b", "a"]})
    assert both.filter(Renamed.body == "a").to_tuples() == [("a", "b")]
    with pytest.raises(rm.ProgrammingError, match='the frame has no column "text"'):
        rm.Frame({"id": [1]}).filter(Renamed.body == "a")


@pytest.mark.parametrize("texts", [["0123456789abcdef", ""], ["x" * 32], ["x"] * 16, [""], []])
def test_texts_in_a_list_lie_on_nothing_else(texts: list[str]) -> None:
    lists = [texts, ["b" * 44], None, [None, "b"], ["b"]]
    flags = [True, None, False, None, True]
    kind = pa.large_list(pa.large_string())
    table = pa.table(
        {"id": range(5), "l": pa.array(lists, kind), "f": flags, "m": pa.array(lists, kind)}
    )
    frame = rm.Frame(table)
    for row in range(5):
        for columns in (None, ["l"], ["m", "f"]):
            found = frame.filter(c("id") == row, columns=columns)
            expected = table.slice(row, 1).select(columns or table.column_names).to_pylist()
            assert pa.table(found).to_pylist() == expected

"""A value means the same, and is refused alike, in whatever form a record is given."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import polars as pl
import pytest

import rowmill as rm

Match = Callable[[rm.Matcher[int], Any], list[int]]


@dataclasses.dataclass
class Given:
    a: Any


class Named(NamedTuple):
    a: Any


def by_batch(matcher: rm.Matcher[int], records: Any) -> list[int]:
    return [id for _, id in matcher.match_batch(records).to_tuples()]


def by_json(matcher: rm.Matcher[int], value: Any) -> list[int]:
    return matcher.match(json.dumps({"a": value}))


FORMS: dict[str, Match] = {
    "dict": lambda matcher, value: matcher.match({"a": value}),
    "dataclass": lambda matcher, value: matcher.match(Given(value)),
    "named tuple": lambda matcher, value: matcher.match(Named(value)),
    "row": lambda matcher, value: matcher.match(rm.Frame({"a": [value]})[0]),
    "batch": lambda matcher, value: by_batch(matcher, rm.Frame({"a": [value]})),
    "batch of dicts": lambda matcher, value: by_batch(matcher, [{"a": value}]),
}
FORM = pytest.mark.parametrize("match", FORMS.values(), ids=FORMS)


def matcher_of(kind: Any, *conditions: Any) -> rm.Matcher[int]:
    matcher: rm.Matcher[int] = rm.Matcher({"a": kind})
    matcher.insert_many(enumerate(conditions))
    return matcher


IS_X = rm.col("a")["k"] == "x"


@FORM
def test_text_for_json_is_json_text(match: Match) -> None:
    matcher = matcher_of(dict, IS_X, rm.col("a").is_null())
    assert match(matcher, '{"k": "x"}') == match(matcher, {"k": "x"}) == [0]
    assert match(matcher, ' {"k": "y"} ') == []
    assert match(matcher, None) == [1]
    said = 'the attribute "a" takes JSON, which "x" is not: give the dict or the list itself'
    with pytest.raises(rm.DataError, match=said):
        match(matcher, "x")
    with pytest.raises(rm.DataError, match="takes JSON, which"):
        match(matcher, "")


def test_text_within_json_stays_text() -> None:
    matcher = matcher_of(dict, IS_X, rm.col("a").is_null())
    for held in ('{"k": "x"}', "x"):
        assert by_json(matcher, held) == []
        assert matcher.match({"a": json.dumps(held)}) == []


def test_a_default_for_json_may_be_json_text() -> None:
    given: list[Any] = ['{"k": "x"}', {"k": "x"}]
    for default in given:
        matcher: rm.Matcher[int] = rm.Matcher({"a": dict, "n": int}, defaults={"a": default})
        matcher.insert(1, IS_X)
        assert matcher.match({}) == matcher.match({"n": 1}) == [1]
        again: rm.Matcher[int] = rm.Matcher.from_bytes(matcher.to_bytes())
        assert again.match({}) == again.match(b"{}") == [1]


def test_columns_of_structs_and_of_lists_are_json() -> None:
    matcher = matcher_of(dict, IS_X, rm.col("a")[1] == "x", rm.col("a").is_null())
    structs = pl.DataFrame({"a": [{"k": "x", "n": 1}, {"k": None, "n": 2}, None]})
    assert matcher.match_batch(structs).to_tuples() == [(0, 0), (2, 2)]
    assert matcher.match(rm.Frame(structs)[0]) == [0]
    lists = pl.DataFrame({"a": [["y", "x"], ["x", "y"], []]})
    assert matcher.match_batch(lists).to_tuples() == [(0, 1)]
    assert matcher.match({"a": ["y", "x"]}) == [1]
    with pytest.raises(rm.DataError, match='"a" is int, but is given named values'):
        matcher_of(int).match_batch(structs)


KEY = uuid.UUID(int=7)


@FORM
def test_text_for_a_uuid_is_the_uuid_that_it_spells(match: Match) -> None:
    matcher = matcher_of(uuid.UUID, rm.col("a") == KEY)
    assert match(matcher, str(KEY)) == match(matcher, KEY) == [0]
    assert match(matcher, str(uuid.UUID(int=8))) == []
    listed = matcher_of(list[uuid.UUID], rm.col("a").contains(KEY))
    assert match(listed, [str(KEY), None]) == [0]
    with pytest.raises(rm.DataError, match='"a" is uuid, but is given text; it is a text as "6ba7'):
        match(matcher, "x")
    with pytest.raises(rm.DataError, match=r"is list\[uuid\], but its list holds text"):
        match(listed, ["x"])


WHOLE = [0, -3, 2**53, 2**53 + 2, 2**60, -(2**63), 2**64 - 2**11, 2**70, -(2**100)]
INEXACT = [2**53 + 1, 2**60 + 1, -(2**60) - 1, 2**63 - 1, 2**64 - 1]


@FORM
@pytest.mark.parametrize("value", WHOLE)
def test_an_integer_is_the_float_that_it_is_exactly(match: Match, value: int) -> None:
    matcher = matcher_of(float, rm.col("a") == float(value))
    assert match(matcher, value) == [0]
    assert by_json(matcher, value) == [0]


def test_an_integer_may_be_written_as_floats_are() -> None:
    # As JavaScript writes 1234567890123456789: noughts stand for what its float does not tell.
    value = 1234567890123456800
    assert float(value) == 1234567890123456789.0 != value
    matcher = matcher_of(float, rm.col("a") == float(value))
    listed = matcher_of(list[float], rm.col("a").contains(float(value)))
    for match in FORMS.values():
        assert match(matcher, value) == match(listed, [value]) == [0]
    assert matcher.match(f'{{"a": {value}}}') == listed.match(f'{{"a": [{value}]}}') == [0]


@FORM
@pytest.mark.parametrize("value", INEXACT)
def test_an_integer_that_is_no_float_is_refused(match: Match, value: int) -> None:
    matcher, listed = matcher_of(float), matcher_of(list[float])
    said = f"{value}, which no float is exactly; round it, as float\\(\\) does, or declare"
    for form in (match, by_json):
        with pytest.raises(rm.DataError, match=f'"a" is float, but is given {said}'):
            form(matcher, value)
        with pytest.raises(rm.DataError, match=f"but its list holds {said}"):
            form(listed, [value])
    assert match(matcher_of(float, rm.col("a") > -1e300), float(value)) == [0]


@pytest.mark.parametrize("number", ["20.0", "2e1", "-0.0"])
def test_json_says_how_it_has_integers(number: str) -> None:
    said = "a float; JSON has an integer without point and exponent: 20, not 20.0"
    with pytest.raises(rm.DataError, match=f'"a" is int, but is given {said}'):
        matcher_of(int).match(f'{{"a": {number}}}')
    with pytest.raises(rm.DataError, match=rf'"a" is list\[int\], but its list holds {said}'):
        matcher_of(list[int]).match(f'{{"a": [1, {number}]}}')
    with pytest.raises(rm.DataError, match='"a" is int, but is given a number beyond 64 bits'):
        matcher_of(int).match(f'{{"a": {2**70}}}')
    for match in FORMS.values():
        with pytest.raises(rm.DataError, match=r"a float; .*convert_dtypes\(\) keeps them"):
            match(matcher_of(int), float(number))


class Strange:
    """What no column holds."""

    def __repr__(self) -> str:
        return "Strange()"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (int, "x", "is int"),
        (int, 1.5, "is int"),
        (int, 2**70, "is int"),
        (int, 10**50, "is int"),
        (int, Strange(), "is int"),
        (str, 3, "is text"),
        (str, "\ud800", "is text"),
        (bool, 1, "is bool"),
        (float, "1", "is float"),
        (float, 2**60 + 1, "is float"),
        (decimal.Decimal, True, "is decimal"),
        (decimal.Decimal, decimal.Decimal("NaN"), "is decimal"),
        (dict, "x", "takes JSON"),
        (dict, {"k": float("nan")}, "is json"),
        (uuid.UUID, "x", "is uuid"),
        (dt.datetime, dt.datetime(2024, 1, 1), r"is timestamp\[utc\]"),
        (dt.timedelta, rm.Interval(0, 0, 2**62), "is interval"),
        (list[str], [1], r"is list\[text\]"),
        (list[str], "x", r"is list\[text\]"),
    ],
    ids=repr,
)
def test_a_value_that_does_not_fit_is_wrong_data_in_every_form(
    kind: Any, value: Any, wanted: str
) -> None:
    matcher = matcher_of(kind)
    for form in ("dict", "dataclass", "named tuple", "batch of dicts"):
        with pytest.raises(rm.DataError, match='"a"'):
            FORMS[form](matcher, value)
    for ask in (matcher.match, matcher.count, matcher.any, lambda record: matcher.top(record, 1)):
        with pytest.raises(rm.DataError, match=f'the attribute "a".* {wanted}'):
            ask({"a": value})
    with pytest.raises(rm.ProgrammingError, match=f'^defaults: the attribute "a".* {wanted}'):
        rm.Matcher({"a": kind}, defaults={"a": value})


@pytest.mark.parametrize("record", ['{"a": "x"}', '{"a": ', "[]", '{"a": [1]}', b'{"a": "\xff"}'])
def test_json_that_is_no_record_is_wrong_data(record: str | bytes) -> None:
    with pytest.raises(rm.DataError, match="the record"):
        matcher_of(int).match(record)


def test_a_name_that_is_not_declared_is_a_mistake_of_the_program() -> None:
    matcher = matcher_of(int)
    said = 'there is no attribute "b"; is "a" meant'
    for record in ({"b": 1}, '{"b": 1}', b'{"a": 1, "b": "\\u0061"}', rm.Frame({"b": [1]})[0]):
        with pytest.raises(rm.ProgrammingError, match=said):
            matcher.match(record)
    with pytest.raises(rm.ProgrammingError, match=said):
        matcher.match_batch({"b": [1]})
    with pytest.raises(rm.ProgrammingError, match=f"defaults: {said}"):
        rm.Matcher({"a": int}, defaults={"b": 1})
    # What comes first is told of.
    with pytest.raises(rm.DataError, match='"a" is int'):
        matcher.match('{"a": "x", "b": 1}')


@pytest.mark.parametrize(
    ("kind", "elements", "said"),
    [
        (list[int], "[9223372036854775808]", "is list.*int.*holds a number beyond 64 bits"),
        (list[int], "[[1]]", r"expected what the attribute .a. holds, which is .*int"),
        (list[int], "[{}]", r"expected what the attribute .a. holds, which is .*int"),
        (list[int], "[1.0]", "is list.*int.*20, not 20.0"),
        (list[str], "[9223372036854775808]", "is list.*text.*holds"),
        (list[decimal.Decimal], '["x"]', '"x", which is no decimal'),
        (int, "{}", r"expected int as the attribute .a."),
    ],
)
def test_json_in_which_a_value_is_wrong_tells_of_which_attribute(
    kind: Any, elements: str, said: str
) -> None:
    with pytest.raises(rm.DataError, match=said) as raised:
        matcher_of(kind).match(f'{{"a": {elements}}}')
    assert '"a"' in str(raised.value)

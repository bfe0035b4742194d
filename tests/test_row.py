"""Rows: lazily decoded values that behave as a tuple with names."""

from __future__ import annotations

import copy
import datetime as dt
import gc
import pickle
import weakref
from typing import Any

import pytest

import rowmill as rm


def row(**values: Any) -> rm.Row:
    """A row of these values."""
    return rm.Frame({name: [value] for name, value in values.items()})[0]


@pytest.fixture
def ada() -> rm.Row:
    return row(id=7, name="Ada", total=1.5)


def test_values_by_name_position_and_attribute(ada: rm.Row) -> None:
    assert (ada["id"], ada[1], ada[-1], ada.name) == (7, "Ada", 1.5, "Ada")
    assert ada[:2] == (7, "Ada")
    assert len(ada) == 3


def test_it_is_a_sequence_of_values_and_a_mapping_by_name(ada: rm.Row) -> None:
    assert tuple(ada) == ada.to_tuple() == (7, "Ada", 1.5)
    assert ada.keys() == ("id", "name", "total")
    assert dict(ada) == ada.to_dict() == {"id": 7, "name": "Ada", "total": 1.5}
    assert "Ada" in ada
    number, *rest = ada
    assert (number, rest) == (7, ["Ada", 1.5])


def test_it_compares_sorts_and_hashes_as_a_tuple(ada: rm.Row) -> None:
    assert ada == (7, "Ada", 1.5)
    assert (7, "Ada", 1.5) == ada  # noqa: SIM300 - the other side asks
    assert ada == row(other=7, names=("Ada"), matter=1.5)
    assert ada != (7, "Ada")
    assert ada != [7, "Ada", 1.5]
    assert ada < (8,)
    assert sorted(rm.Frame({"n": [3, 1, 2]})) == [(1,), (2,), (3,)]
    assert {ada: 1}[(7, "Ada", 1.5)] == 1  # type: ignore[index]
    assert len({ada, row(id=7, name="Ada", total=1.5)}) == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(row(tags=["a"]))


def test_its_repr_names_the_values() -> None:
    assert repr(row(id=7, day=dt.date(2024, 1, 2))) == "Row(id=7, day=datetime.date(2024, 1, 2))"
    assert repr(row(**{"count(*)": 3})) == "Row('count(*)'=3)"


def test_its_methods_win_over_columns() -> None:
    both = row(keys=1, to_dict=2, __class__=3)
    assert both.keys() == ("keys", "to_dict", "__class__")
    assert both["keys"] == 1
    assert both.__class__ is rm.Row
    assert both["__class__"] == 3


def test_names_that_no_column_has(ada: rm.Row) -> None:
    with pytest.raises(KeyError, match="no column 'totl'; did you mean 'total'"):
        ada["totl"]
    with pytest.raises(AttributeError, match="no column 'nmae'; did you mean 'name'"):
        _ = ada.nmae
    with pytest.raises(IndexError, match="column 3 of a row of 3"):
        ada[3]
    with pytest.raises(IndexError):
        ada[-4]
    with pytest.raises(TypeError, match="not float"):
        ada[1.0]  # type: ignore[call-overload]
    assert not hasattr(ada, "nothing")
    assert "total" in dir(ada)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_holds_the_values(ada: rm.Row, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(ada, protocol))
    assert back == ada
    assert (back.name, back["id"], back[-1], back.keys()) == ("Ada", 7, 1.5, ada.keys())
    assert repr(back) == repr(ada)
    assert copy.copy(ada) == ada
    assert copy.deepcopy(ada) == ada
    assert pickle.loads(pickle.dumps(back)) == ada


def test_names_may_repeat(ada: rm.Row) -> None:
    twice = rm.Frame({"a": [1], "b": [2]})[["a", "b", "a"]][0]
    assert tuple(twice) == (1, 2, 1)
    with pytest.raises(rm.ProgrammingError, match='two columns are named "a"'):
        twice.to_dict()


def test_it_keeps_its_frame_alive_and_no_longer() -> None:
    frame = rm.Frame({"name": ["Ada", "Bob"]})
    last, seen = frame[-1], weakref.ref(frame)
    del frame
    gc.collect()
    assert last.name == "Bob"
    del last
    gc.collect()
    assert seen() is None


def test_a_value_beyond_python_says_where_and_what_to_do() -> None:
    import numpy as np

    far = np.array(["12024-01-02"], dtype="datetime64[us]")
    frame = rm.Frame({"day": far, "id": [1]})
    assert frame[0].id == 1
    with pytest.raises(
        rm.DataError, match=r'column "day", row 0: .*datetime cannot hold 12024'
    ) as e:
        _ = frame[0].day
    assert "to_arrow" in (e.value.hint or "")

"""Which conditions are true, as bits: `Matcher.match_into`."""

from __future__ import annotations

import array
import ctypes
from typing import Any

import numpy as np
import pytest

import rowmill as rm

ALWAYS = rm.lit(True)


def adults(ids: list[int]) -> rm.Matcher[int]:
    matcher: rm.Matcher[int] = rm.Matcher({"age": int})
    matcher.insert_many((id, rm.col("age") >= id) for id in ids)
    return matcher


def test_each_matching_id_sets_its_bit() -> None:
    matcher = adults([0, 7, 8, 30, 31])
    bitmap = bytearray(4)
    assert matcher.match_into(bitmap, {"age": 30}) == 4
    assert bitmap == bytes([0b1000_0001, 0b1, 0, 0b0100_0000])
    assert matcher.match_into(bitmap, {"age": -1}) == 0
    assert matcher.match_into(bitmap, b'{"age": 31}') == 5
    assert bitmap == bytes([0b1000_0001, 0b1, 0, 0b1100_0000]), "what was set stays"


def test_bits_are_where_numpy_has_them() -> None:
    matcher = adults([1, 5, 63, 64, 700, 999])
    for age in (0, 5, 64, 1_000):
        bitmap = np.zeros(125, np.uint8)
        count = matcher.match_into(bitmap, {"age": age})
        truth = np.unpackbits(bitmap, bitorder="little")
        assert sorted(np.flatnonzero(truth).tolist()) == sorted(matcher.match({"age": age}))
        assert count == truth.sum()


def test_any_memory_of_bytes_will_do() -> None:
    matcher = adults([3, 9])
    whole = bytearray(8)
    square = np.zeros((2, 2), np.uint8)
    kinds: list[Any] = [
        memoryview(whole)[2:],
        array.array("B", bytes(2)),
        square,
        (ctypes.c_uint8 * 2)(),  # of the format "<B"
    ]
    for lent in kinds:
        assert matcher.match_into(lent, {"age": 9}) == 2
        assert bytes(memoryview(lent).cast("B"))[:2] == b"\x08\x02"
    assert whole == b"\0\0\x08\x02\0\0\0\0"


def test_an_id_without_a_bit_is_told_of_and_no_bit_is_set() -> None:
    matcher = adults([1, 16, 23, -5])
    bitmap = bytearray(b"\x80\0")
    message = "the id 23 is beyond the bitmap, which has 2 bytes and would need 3"
    matcher.replace(-5, rm.lit(False))
    with pytest.raises(rm.ProgrammingError, match=message):
        matcher.match_into(bitmap, {"age": 30})
    assert bitmap == b"\x80\0"
    matcher.replace(-5, ALWAYS)
    with pytest.raises(rm.ProgrammingError, match="the id -5 has no bit in a bitmap"):
        matcher.match_into(bytearray(3), {"age": 30})
    matcher.remove(-5)
    assert matcher.match_into(bitmap, {"age": 15}) == 1, "an id that is not told needs no bit"
    assert bitmap == b"\x82\0"
    matcher.insert(2**63 - 1, ALWAYS)
    with pytest.raises(rm.ProgrammingError, match=f"would need {2**60}"):
        matcher.match_into(bitmap, {"age": 30})


WRONG: list[tuple[Any, str]] = [
    (b"\0\0", "this bytes is read-only"),
    (memoryview(b"\0\0"), "this memoryview is read-only"),
    (memoryview(bytearray(8))[::2], "this memoryview has gaps"),
    (np.zeros((2, 3), np.uint8, "F"), "this .*ndarray is in the order of Fortran, not of C"),
    (np.zeros(8, np.uint16), "this .*ndarray is of uint16"),
    (np.zeros(8, bool), "this .*ndarray is of bool"),
    (array.array("H", [0]), 'this .*array is of the format "H", not "B"'),
    ([0, 0], "this list lends no memory"),
    (None, "this NoneType lends no memory"),
]


@pytest.mark.parametrize(("lent", "message"), WRONG, ids=lambda value: type(value).__name__)
def test_what_is_no_bitmap_is_refused(lent: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"a bitmap is a bytearray, .*{message}"):
        adults([0]).match_into(lent, {"age": 1})


def test_ids_that_are_str_have_no_bits() -> None:
    matcher: rm.Matcher[str] = rm.Matcher({"age": int})
    assert matcher.match_into(bytearray(), {}) == 0
    matcher.insert("a", rm.lit(False))
    with pytest.raises(TypeError, match="ids of this matcher are str, and a bitmap is of ids that"):
        matcher.match_into(bytearray(1), {})


def test_what_fails_sets_no_bit() -> None:
    matcher = adults([0])
    bitmap = bytearray(1)
    with pytest.raises(rm.ProgrammingError, match="no attribute"):
        matcher.match_into(bitmap, {"agee": 1})
    matcher.insert(1, rm.col("age") * 2 > 0)
    with pytest.raises(rm.DataError, match="out of range"):
        matcher.match_into(bitmap, {"age": 2**62})
    assert bitmap == b"\0"
    bitmap.append(0)  # nobody holds it

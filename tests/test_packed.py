"""Packed records: what goes in comes out, from whatever memory, and nothing else does."""

from __future__ import annotations

import array
import contextlib
import copy
import datetime as dt
import pickle
import sqlite3
import uuid
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm


class Part(rm.Packed):
    number: int
    name: str | None = None


class Facts(rm.Packed):
    created: dt.datetime
    wall: dt.datetime = rm.column(naive=True)
    day: dt.date
    clock: dt.time
    span: dt.timedelta
    interval: rm.Interval
    size: int
    share: float
    is_open: bool
    price: Decimal
    key: uuid.UUID
    text: str
    raw: bytes
    numbers: list[int]
    labels: list[str]
    days: list[dt.date]
    part: Part
    parts: list[Part]
    note: str | None = None
    tags: list[str] = ["none"]  # noqa: RUF012 - it is packed, and stays as it is

    VERSION: ClassVar[int] = 1
    score: float | None = rm.transient()

    def words(self) -> int:
        return len(self.text.split())


VALUES: dict[str, Any] = {
    "created": dt.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=dt.UTC),
    "wall": dt.datetime(1, 1, 1),
    "day": dt.date(2024, 2, 29),
    "clock": dt.time(23, 59, 59, 999999),
    "span": dt.timedelta(days=-1, microseconds=1),
    "interval": rm.Interval(14, -3, 500_000),
    "size": -(2**63),
    "share": 0.1,
    "is_open": True,
    "price": Decimal("-12.50"),
    "key": uuid.UUID(int=2**127 + 1),
    "text": "Zoë is here",
    "raw": b"\0\xff",
    "numbers": [1, -2, 2**40],
    "labels": ["", "a", "ö\0"],
    "days": [dt.date(1, 1, 1), dt.date(9999, 12, 31)],
    "part": Part(number=1, name="one"),
    "parts": [Part(number=2), Part(number=3, name="")],
}
FACTS = Facts(**VALUES)


def test_what_is_given_is_read() -> None:
    for name, value in {**VALUES, "note": None, "tags": ["none"]}.items():
        assert getattr(FACTS, name) == value
        assert type(getattr(FACTS, name)) is type(value)
    assert str(FACTS.price) == "-12.50"
    assert FACTS.created.tzinfo is dt.UTC
    assert FACTS.words() == 3
    assert FACTS.VERSION == 1
    assert repr(Part(number=1)) == "Part(number=1, name=None)"
    assert repr(Part.number) == "<field Part.number: int>"


def test_a_record_is_its_bytes() -> None:
    data = bytes(FACTS)
    assert bytes(Facts.open(data)) is data
    others = [
        Facts.open(data),
        Facts.open(memoryview(b"12345678" + data + b"12345678")[8:-8]),
        Facts.open(bytearray(data)),
        Facts.open(array.array("B", data)),
        Facts(**dict(reversed(VALUES.items()))),
        pickle.loads(pickle.dumps(FACTS)),
        copy.copy(FACTS),
        copy.deepcopy(FACTS),
        FACTS.replace(),
    ]
    for other in others:
        assert other == FACTS
        assert hash(other) == hash(FACTS)
        assert repr(other) == repr(FACTS)
        assert bytes(other) == data
    assert FACTS.replace(size=1) != FACTS
    assert data != FACTS
    assert Part(number=1) != FACTS


def test_memory_that_may_change_is_copied() -> None:
    lent = bytearray(bytes(Part(number=1)))
    record = Part.open(lent)
    lent[:] = bytes(len(lent))
    assert record.number == 1


def test_a_record_in_a_record_is_one() -> None:
    assert bytes(FACTS.part) == bytes(VALUES["part"])
    assert {FACTS.parts[1]: 1}[Part(number=3, name="")] == 1
    assert pickle.loads(pickle.dumps(FACTS.part)) == FACTS.part


def test_values_of_other_classes_are_taken_where_nothing_is_lost() -> None:
    class Kind(Enum):
        NEW = "new"

    other = FACTS.replace(
        created=dt.datetime(2024, 1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        size=np.int64(5),
        share=3,
        text=Kind.NEW,
        numbers=(1, 2),
        labels=iter(["x"]),
        price=7,
        raw=bytearray(b"x"),
    )
    assert other.created == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert (other.size, other.share, other.text, other.raw) == (5, 3.0, "new", b"x")
    assert (other.numbers, other.labels, other.price) == ([1, 2], ["x"], Decimal(7))
    stamp = pd.Timestamp("2024-01-01T00:00:00.000001Z")
    assert FACTS.replace(created=stamp).created == stamp.to_pydatetime()


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"size": "7"}, TypeError, "Facts: the field 'size' is int, not str"),
        ({"size": True}, TypeError, "Facts: the field 'size' is int, not bool"),
        ({"size": None}, TypeError, "Facts: the field 'size' is int, not None"),
        ({"text": b"x"}, TypeError, "Facts: the field 'text' is str, not bytes"),
        ({"labels": "ab"}, TypeError, r"Facts: the field 'labels' is list\[str\], not str"),
        ({"labels": ["a", 1]}, TypeError, r"Facts: the field 'labels' is list\[str\], not int"),
        ({"labels": [None]}, TypeError, "'labels'"),
        ({"labels": 5}, TypeError, "'labels'"),
        ({"part": {"number": 1}}, TypeError, "Facts: the field 'part' is Part, not dict"),
        ({"parts": [FACTS]}, TypeError, "'parts'"),
        ({"colour": 1}, TypeError, r"Facts\(\) has no field 'colour'; it has created, wall"),
        ({"score": 1.0}, TypeError, "'score'"),
        ({"size": 2**63}, rm.DataError, "'size': 64 bits do not hold 9223372036854775808"),
        ({"share": 2**53 + 1}, rm.DataError, "'share': a float do"),
        ({"price": Decimal("NaN")}, rm.DataError, "'price': 38 digits"),
        ({"price": Decimal(10**38)}, rm.DataError, "38 digits"),
        ({"created": dt.datetime(2024, 1, 1)}, rm.ProgrammingError, "'created'.*has no time zone"),
        ({"wall": VALUES["created"]}, rm.ProgrammingError, "'wall'.*has a time zone"),
        ({"text": "\udc80"}, rm.ProgrammingError, "surrogate"),
    ],
)
def test_a_wrong_value_names_its_field(
    fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Facts(**{**VALUES, **fields})
    with pytest.raises(error, match=message):
        FACTS.replace(**fields)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(TypeError, match=r"^Part\(\) is missing 'number'$"):
        Part()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="by name"):
        Part(1, "one")  # type: ignore[call-arg]


def test_records_do_not_change() -> None:
    record: Any = Part(number=1)
    with pytest.raises(AttributeError):
        record.number = 2
    with pytest.raises(AttributeError):
        record.colour = 2
    with pytest.raises(TypeError):
        record < record  # noqa: B015 - it is the error that is wanted


def test_a_transient_is_no_part_of_the_record() -> None:
    record = FACTS.replace()
    assert record.score is None
    record.score = 0.5
    assert record.score == 0.5
    assert record == FACTS
    assert pickle.loads(pickle.dumps(record)).score is None


def grown(name: str, fields: dict[str, Any], **values: Any) -> Any:
    """A class made as a statement would make it."""
    make: Any = type(rm.Packed)
    return make(name, (rm.Packed,), {"__annotations__": fields, **values})


def test_fields_come_and_go() -> None:
    old = grown("Event", {"id": int, "kind": str, "at": dt.date | None})
    data = bytes(old(id=1, kind="new", at=None))
    new = grown(
        "Event",
        {"id": int, "kind": str, "at": dt.date | None, "labels": list[str], "part": Part},
        kind=rm.removed(),
        labels=["x"],
        part=Part(number=9),
    )
    record = new.open(data)
    assert (record.id, record.at, record.labels, record.part.number) == (1, None, ["x"], 9)
    assert not hasattr(record, "kind")
    assert "kind" not in repr(record)
    frame = rm.Frame.from_packed([data, bytes(new(id=2, at=None, labels=[]))], new)
    assert frame.columns == ["id", "at", "labels", "part"]
    assert frame["labels"].to_list() == [["x"], []]
    assert record.replace() != record
    assert record.replace().labels == ["x"]
    with pytest.raises(rm.DataError, match="5 fields, and Event has 3: it was written by a later"):
        old.open(bytes(record.replace()))
    # What may be NULL now may have been NULL in no record before.
    strict = grown("Event", {"id": int, "kind": str, "at": dt.date})
    assert strict.open(data).id == 1
    with pytest.raises(rm.DataError, match='the field "at" is NULL'):
        _ = strict.open(data).at
    required = grown("Event", {"id": int, "kind": str, "at": dt.date | None, "more": int})
    with pytest.raises(rm.DataError, match='without the field "more", which has no default'):
        _ = required.open(data).more
    for fields in ({"id": int, "kind": bytes, "at": dt.date}, {"id": int, "sort": str, "at": int}):
        with pytest.raises(rm.DataError, match="a record of another class"):
            grown("Event", fields).open(data)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_are_an_error_or_a_record(noise: bytes, at: int) -> None:
    data = bytes(FACTS)
    at %= len(data)
    for bytes_ in (noise, data[:at], data[:at] + noise, data[:16] + noise, noise + data):
        with contextlib.suppress(rm.DataError):
            repr(Facts.open(bytes_))
        with contextlib.suppress(rm.DataError):
            rm.Frame.from_packed([bytes_], Facts)


NUMBERS = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.builds(
    Part, number=NUMBERS, name=st.none() | st.text(st.characters(exclude_categories=["Cs"]))
)


@given(st.lists(st.none() | RECORDS))
def test_many_are_a_frame_and_back(records: list[Part | None]) -> None:
    frame = rm.Frame.from_packed(records, Part)
    expected = [
        (None, None) if record is None else (record.number, record.name) for record in records
    ]
    assert frame.to_tuples() == expected
    known = [record for record in records if record is not None]
    column = rm.Frame.from_packed(known, Part).to_packed(Part)
    assert Part.open_all(column) == known
    assert column.to_list() == [bytes(record) for record in known]


def test_every_type_is_a_column() -> None:
    other = FACTS.replace(note="n", tags=[], parts=[])
    frame = rm.Frame.from_packed([FACTS, None, other])
    assert frame["part"].type == "struct[number: int64, name: text]"
    assert frame["created"].to_list() == [VALUES["created"], None, VALUES["created"]]
    assert str(frame["price"][0]) == "-12.50"
    assert frame["parts"][0] == [{"number": 2, "name": None}, {"number": 3, "name": ""}]
    assert Facts.open_all(frame[::2].to_packed(Facts)) == [FACTS, other]
    two = rm.Frame.from_packed([FACTS], columns=["text", "size"])
    assert two.to_tuples() == [("Zoë is here", -(2**63))]
    with pytest.raises(rm.ProgrammingError, match='Facts has no field "colour"'):
        rm.Frame.from_packed([FACTS], columns=["colour"])


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_a_column_of_blobs_is_read_where_it_is(kind: pa.DataType) -> None:
    data = [bytes(Part(number=1)), None, bytes(Part(number=2, name="two"))]
    column = rm.Frame({"blob": pa.array(data, kind)})["blob"]
    assert rm.Frame.from_packed(column, Part)["number"].to_list() == [1, None, 2]
    assert Part.open_all(column[1:]) == [None, Part(number=2, name="two")]


def test_a_database_keeps_them() -> None:
    db = rm.Database("sqlite://")
    db.execute("create table cache (id integer primary key, part blob)")
    db.execute("insert into cache values ($1, $2)", 1, Part(number=7))
    frame = db.fetch("select part from cache")
    assert Part.open(frame[0].part).number == 7
    assert Part.open_all(frame["part"])[0] == Part(number=7)
    plain = sqlite3.connect(":memory:")
    (blob,) = plain.execute("select ?", (bytes(FACTS),)).fetchone()
    assert Facts.open(blob) == FACTS


def test_what_are_no_records_is_refused() -> None:
    with pytest.raises(rm.DataError, match=r"^record 1: Part: 3 bytes that are no packed record$"):
        rm.Frame.from_packed([Part(number=1), b"abc"])
    with pytest.raises(TypeError, match="bytes do not say of which class they are"):
        rm.Frame.from_packed([bytes(FACTS)])
    with pytest.raises(TypeError, match=r"record 0 is a .*Facts, not a Part"):
        rm.Frame.from_packed([FACTS], Part)
    with pytest.raises(TypeError, match='a column of bytes, and "a" is int64'):
        rm.Frame.from_packed(rm.Frame({"a": [1]})["a"], Part)
    with pytest.raises(TypeError, match="Interval is no class of packed records"):
        rm.Frame.from_packed([], rm.Interval)
    with pytest.raises(TypeError, match="is bytes or a memoryview of them, not int"):
        Part.open(7)  # type: ignore[arg-type]
    frame = rm.Frame({"number": ["1"]})
    with pytest.raises(rm.DataError, match='row 0: Part: the field "number" is int64, not text'):
        frame.to_packed(Part)
    with pytest.raises(rm.DataError, match='Part has no field for the column "more"'):
        rm.Frame({"number": [1], "more": [2]}).to_packed(Part)
    with pytest.raises(rm.DataError, match='"number" is missing'):
        rm.Frame({"name": ["x"]}).to_packed(Part)


def test_classes_that_make_no_sense_are_refused() -> None:
    def told(message: str, **fields: Any) -> None:
        with pytest.raises(TypeError, match=message):
            grown("Odd", fields)

    told("Odd.a: dict is no type of a field; it takes bool, int", a=dict)
    told(r"Odd.a: list\[list\[int\]\] is no type", a=list[list[int]])
    told("Odd.a: int | str is no type", a=int | str)
    told("Odd.open is what every packed record has", open=int)
    told("a record has 1 to 65535 fields, not 0")
    with pytest.raises(TypeError, match="Part is a packed class, which hands on no fields"):

        class More(Part):
            more: int

    with pytest.raises(TypeError, match="Odd: the field 'a' is int, not str"):
        grown("Odd", {"a": int}, a="x")


def test_what_is_said_of_a_field_fits_it() -> None:
    def told(message: str, fields: dict[str, Any], **values: Any) -> None:
        with pytest.raises(TypeError, match=message):
            grown("Odd", fields, **values)

    told(r"Odd.a: dict\[str, None\] is no type", {"a": dict[str, None]})
    told(r"Odd.a: tuple\[int, None\] is no type", {"a": tuple[int, None]})
    told("Odd.a: naive=True is for a datetime, and it is int", {"a": int}, a=rm.column(naive=True))
    told("Odd.a is a field of a record, of which", {"a": int}, a=rm.column("b"))
    told("Odd.a is a field of a record, of which", {"a": int}, a=rm.pk())
    for said in (rm.removed(), rm.transient(), rm.column()):
        told("Odd.b is a field: annotate it with its type", {"a": int}, b=said)
    kept = grown("Kept", {"a": "int", "b": "Unknown"}, b=rm.transient())
    assert kept(a=1).b is None


class Mixin:
    """It has no slots, so instances have a dict."""


def test_a_field_stays_what_it_is_beside_a_base_without_slots() -> None:
    class Mixed(Mixin, rm.Packed):
        number: int

    record: Any = Mixed(number=1)
    with pytest.raises(AttributeError, match=r"does not change: replace\(number=...\)"):
        record.number = 2
    with pytest.raises(AttributeError, match="does not change"):
        del record.number
    assert record.number == 1


def test_what_was_given_up_is_not_handed_on() -> None:
    old = grown("Event", {"id": int, "kind": str})
    new = grown("Event", {"id": int, "kind": str}, kind=rm.removed())
    record = new.open(bytes(old(id=1, kind="secret")))
    again = record.replace(id=2)
    assert b"secret" in bytes(record)
    assert b"secret" not in bytes(again)
    assert again == new(id=2)


class Odd(bytes):
    def __hash__(self) -> int:
        return 7


def test_bytes_of_another_class_are_bytes() -> None:
    data = bytes(Part(number=1, name="x"))
    record = Part.open(Odd(data))
    assert record == Part.open(data)
    assert hash(record) == hash(Part.open(data))
    assert type(bytes(record)) is bytes
    view = memoryview(data)
    view.release()
    with pytest.raises(ValueError, match="released"):
        Part.open(view)


def test_structs_with_more_than_the_fields_are_refused() -> None:
    class Whole(rm.Packed):
        part: Part

    frame = rm.Frame(pa.table({"part": [{"number": 1, "name": "x", "more": 5}]}))
    with pytest.raises(rm.DataError, match='Part has no field for the column "more"'):
        frame.to_packed(Whole)


def test_the_decorator_is_the_same_as_the_base() -> None:
    @rm.packed
    class Plain:
        """A part, said otherwise."""

        number: int
        name: str | None = None

        @property
        def label(self) -> str:
            return f"{self.number}: {self.name}"

    assert Plain.__doc__ == "A part, said otherwise."
    assert Plain.__qualname__.endswith("the_base.<locals>.Plain")
    record = Plain(number=1, name="x")
    assert isinstance(record, rm.Packed)
    assert record.label == "1: x"
    assert bytes(record) == bytes(Part(number=1, name="x"))
    assert rm.packed(Part) is Part

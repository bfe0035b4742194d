"""Rows as instances of classes."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import msgspec
import pydantic
import pytest

import rowmill as rm

TOKEN = "6f1d1f6e-6c1e-4b0e-9a55-0123456789ab"
FRAME = rm.Frame({"id": [1, 2], "name": ["Ada", None], "state": ["open", "paid"]})


class State(enum.StrEnum):
    OPEN = "open"
    PAID = "paid"


@dataclasses.dataclass
class Plain:
    name: str | None
    id: int
    state: str = "new"
    note: str = dataclasses.field(default="-", kw_only=True)
    seen: int = dataclasses.field(default=0, init=False)


class Tuple(NamedTuple):
    id: int
    name: str | None
    state: str = "new"


class Typed(TypedDict):
    id: int
    name: str | None
    state: str
    note: NotRequired[str]


class Struct(msgspec.Struct):
    id: int
    name: str | None
    state: State = State.OPEN


class Model(pydantic.BaseModel):
    id: int
    name: str | None
    state: State = State.OPEN


@pytest.mark.parametrize(
    ("cls", "first"),
    [
        (Plain, Plain("Ada", 1, "open")),
        (Tuple, Tuple(1, "Ada", "open")),
        (Typed, {"id": 1, "name": "Ada", "state": "open"}),
        (dict, {"id": 1, "name": "Ada", "state": "open"}),
        (Struct, Struct(1, "Ada", State.OPEN)),
        (Model, Model(id=1, name="Ada", state=State.OPEN)),
    ],
)
def test_frames_and_rows_become_instances(cls: Any, first: Any) -> None:
    made = FRAME.into(cls)
    assert (len(made), made[0], type(made[1])) == (2, first, cls if cls is not Typed else dict)
    assert FRAME[0].into(cls) == first
    assert FRAME[:0].into(cls) == []
    by_other_order = rm.Frame({"state": ["open"], "id": [1], "name": ["Ada"]})
    assert by_other_order.into(cls) == [first]


@pytest.mark.parametrize("cls", [Plain, Tuple, Struct, Model])
def test_fields_with_a_default_need_no_column(cls: Any) -> None:
    (one,) = rm.Frame({"name": ["Ada"], "id": [1]}).into(cls)
    assert (one.id, one.name, one.state) == (1, "Ada", "new" if cls in (Plain, Tuple) else "open")


@pytest.mark.parametrize("cls", [Plain, Tuple, Typed, Struct, Model])
def test_columns_and_fields_are_held_to_each_other(cls: Any) -> None:
    name = cls.__name__
    with pytest.raises(rm.ProgrammingError, match=rf"{name} wants a column 'id'; there are 'name'"):
        rm.Frame({"name": ["Ada"]}).into(cls)
    more = rm.Frame({"id": [1], "name": ["Ada"], "state": ["open"], "more": [5]})
    with pytest.raises(
        rm.ProgrammingError, match=rf"{name} has no field for the column 'more'; .*extra=\"ignore\""
    ):
        more.into(cls)
    with pytest.raises(rm.ProgrammingError, match="no field for the column 'more'"):
        more[0].into(cls)
    assert more.into(cls, extra="ignore") == FRAME[:1].into(cls)
    assert more[0].into(cls, extra="ignore") == FRAME[0].into(cls)


def test_what_cannot_be_made_is_refused(sqlite_url: str) -> None:
    with pytest.raises(TypeError, match=r"into\(\) takes a dataclass, .* not <class 'int'>"):
        FRAME.into(int)
    with pytest.raises(TypeError, match="into\\(\\) takes a dataclass"):
        FRAME[0].into(Plain("a", 1))  # type: ignore[arg-type]
    with pytest.raises(rm.ProgrammingError, match='extra is "error" or "ignore", not "no"'.replace('"no"', "'no'")):  # fmt: skip
        FRAME.into(dict, extra="no")  # type: ignore[arg-type]
    with rm.Database(sqlite_url) as db:
        twins = db.fetch("select 1 as id, 2 as id")
    with pytest.raises(rm.ProgrammingError, match="two columns are named 'id'"):
        twins.into(dict)


def test_a_class_may_have_defaults_alone() -> None:
    @dataclasses.dataclass
    class Nothing:
        note: str = "-"

    assert FRAME.into(Nothing, extra="ignore") == [Nothing(), Nothing()]
    assert FRAME[0].into(Nothing, extra="ignore") == Nothing()


class Outside(msgspec.Struct, rename="camel", kw_only=True):
    order_id: int
    token: UUID
    day: datetime.date | None = None
    is_paid: bool = False


class Aliased(pydantic.BaseModel):
    order_id: Annotated[int, pydantic.Field(alias="orderId")]
    token: UUID
    day: datetime.date | None = None
    is_paid: bool = pydantic.Field(False, validation_alias=pydantic.AliasChoices("isPaid", "paid"))


@pytest.mark.parametrize("cls", [Outside, Aliased])
@pytest.mark.parametrize("names", [("orderId", "isPaid"), ("order_id", "is_paid")])
def test_names_for_the_outside_are_names_too(cls: Any, names: tuple[str, str]) -> None:
    frame = rm.Frame(
        {names[0]: [7], "token": [TOKEN], "day": [datetime.date(2030, 1, 1)], names[1]: [1]}
    )
    for one in (*frame.into(cls), frame[0].into(cls)):
        assert (one.order_id, one.token, one.is_paid) == (7, UUID(TOKEN), True)
        assert one.day == datetime.date(2030, 1, 1)
    both = rm.Frame({"orderId": [1], "order_id": [1], "token": [TOKEN]})
    with pytest.raises(rm.ProgrammingError, match="'orderId' and 'order_id' are both for"):
        both.into(cls)


def test_a_model_may_take_more() -> None:
    class Open(pydantic.BaseModel, extra="allow"):
        id: int

    assert FRAME[0].into(Open).model_dump() == {"id": 1, "name": "Ada", "state": "open"}


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (
            Struct,
            r"the column 'state' does not fit Struct: Invalid enum value 'void' - at `\$\[1\]`",
        ),
        (Model, "the column 'state' of row 1 does not fit Model: Input should be 'open' or 'paid'"),
    ],
)
def test_a_value_that_does_not_fit(cls: Any, message: str) -> None:
    frame = rm.Frame({"id": [1, 2], "name": ["a", "b"], "state": ["open", "void"]})
    with pytest.raises(rm.DataError, match=message):
        frame.into(cls)


def test_a_null_does_not_fit_a_field_that_takes_none() -> None:
    for cls in (Struct, Model):
        with pytest.raises(rm.DataError, match="the column 'id'"):
            rm.Frame({"id": [1, None], "name": ["a", "b"]}).into(cls)


def test_a_model_that_refuses_a_row() -> None:
    class Ordered(pydantic.BaseModel):
        low: int
        high: int

        @pydantic.model_validator(mode="after")
        def check(self) -> Ordered:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    with pytest.raises(rm.DataError, match=r"the row 1 does not fit Ordered: .*low is above high"):
        rm.Frame({"low": [1, 5], "high": [2, 4]}).into(Ordered)


class Seen(msgspec.Struct):
    id: int
    token: UUID
    at: datetime.datetime
    score: float | None


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        yield db


def test_rows_of_both_databases(db: rm.Database) -> None:
    db.execute_script(
        "create table seen (id int primary key, token uuid, at timestamp, score double precision)"
    )
    at = datetime.datetime(2030, 1, 1, 12, 30)
    db.execute("insert into seen values ($1, $2, $3, $4)", 1, UUID(TOKEN), at, None)
    assert db.fetch("select * from seen").into(Seen) == [Seen(1, UUID(TOKEN), at, None)]
    row = db.fetch_one("select * from seen")
    assert row is not None
    assert row.into(Seen) == Seen(1, UUID(TOKEN), at, None)


def test_a_column_named_into_is_reached_by_its_name() -> None:
    (row,) = rm.Frame({"into": [5]})
    assert row["into"] == 5
    assert row.into(dict) == {"into": 5}

"""What type checkers make of tables and expressions: `assert_type` and unused `type: ignore`s are the type
checker's part (`./dev lint`), and what it flags is refused at run time too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, assert_type
from uuid import UUID

import pytest

import rowmill as rm

if TYPE_CHECKING:
    from rowmill._queries import Subquery


class Status(StrEnum):
    OPEN = "open"
    PAID = "paid"


class Colour(Enum):
    RED = "red"


class Customer(rm.Table, name="customers"):
    id: rm.Col[int] = rm.pk()
    name: rm.Col[str]


class Order(rm.Table, name="orders"):
    id: rm.Col[int] = rm.pk()
    customer_id: rm.Col[int | None] = rm.fk(Customer.id)
    total: rm.Col[Decimal]
    weight: rm.Col[float | None]
    note: rm.Col[str | None]
    status: rm.Col[Status]
    colour: rm.Col[Colour | None]
    is_paid: rm.Col[bool]
    day: rm.Col[date]
    at: rm.Col[datetime]
    token: rm.Col[UUID]
    tags: rm.Col[list[str]]
    extra: rm.Col[dict[str, Any]]


def test_columns_have_the_types_that_they_were_declared_with() -> None:
    assert_type(Order.total, rm.Col[Decimal])
    assert_type(Order.note, rm.Col[str | None])
    assert_type(Order.alias("other").total, rm.Col[Decimal])
    assert_type(rm.col("anything"), rm.Col[Any])
    assert isinstance(Order.total, rm.Col)


def test_comparisons_are_conditions() -> None:
    conditions = [
        assert_type(Order.total > 5, rm.Expr[bool]),
        assert_type(Order.total == Decimal("1.5"), rm.Expr[bool]),
        assert_type(Order.weight <= 2.5, rm.Expr[bool]),
        assert_type(Order.id == Order.customer_id, rm.Expr[bool]),
        assert_type(Order.note == "x", rm.Expr[bool]),
        assert_type(Order.status == Status.OPEN, rm.Expr[bool]),
        assert_type(Order.status != "void", rm.Expr[bool]),
        assert_type(Order.colour == Colour.RED, rm.Expr[bool]),
        assert_type(Order.colour != "red", rm.Expr[bool]),
        assert_type(Order.colour.in_(["red"]), rm.Expr[bool]),
        assert_type(Order.colour.not_in([Colour.RED]), rm.Expr[bool]),
        assert_type(Order.day < date(2030, 1, 1), rm.Expr[bool]),
        assert_type(Order.at.between(datetime.now().astimezone(), Order.at), rm.Expr[bool]),
        assert_type(Order.token == UUID(int=1), rm.Expr[bool]),
        assert_type(Order.id.in_([1, 2]), rm.Expr[bool]),
        assert_type(Order.id.in_(rm.select(Customer.id)), rm.Expr[bool]),
        assert_type(Order.tags.contains("a"), rm.Expr[bool]),
        assert_type(Order.tags.any() == "a", rm.Expr[bool]),
        assert_type(Order.tags.overlaps(["a"]), rm.Expr[bool]),
        assert_type(Order.note.contains("a"), rm.Expr[bool]),
        assert_type(Order.extra["a"]["b"] == "c", rm.Expr[bool]),
        assert_type(rm.col("a") > rm.col("b"), rm.Expr[bool]),
        assert_type((Order.total > 5) & ~Order.is_paid | Order.note.is_null(), rm.Expr[bool]),
        assert_type(rm.exists(rm.select(Order)), rm.Expr[bool]),
    ]
    assert all(isinstance(condition, rm.Expr) for condition in conditions)


def test_values_have_types() -> None:
    values = [
        assert_type(Order.id + 1, rm.Expr[int]),
        assert_type(Order.id * 1.5, rm.Expr[float]),
        assert_type(1 + Order.id, rm.Expr[int]),
        assert_type(Order.total * 2, rm.Expr[Decimal]),
        assert_type(Order.total + Order.id, rm.Expr[Decimal]),
        assert_type(Order.id / 2, rm.Expr[float]),
        assert_type(Order.id // 2, rm.Expr[int]),
        assert_type(Order.at + timedelta(days=1), rm.Expr[datetime]),
        assert_type(Order.note.lower(), rm.Expr[str]),
        assert_type(Order.note.length(), rm.Expr[int]),
        assert_type(Order.tags.length(), rm.Expr[int]),
        assert_type(Order.day.year(), rm.Expr[int]),
        assert_type(Order.at.trunc("day"), rm.Expr[datetime]),
        assert_type(Order.total.sum(), rm.Expr[Decimal]),
        assert_type(Order.total.sum().where(Order.is_paid), rm.Expr[Decimal]),
        assert_type(Order.id.mean(), rm.Expr[float]),
        assert_type(rm.count(), rm.Expr[int]),
        assert_type(rm.coalesce(Order.note, ""), rm.Expr[str]),
        assert_type(rm.row_number().over(order_by=-Order.id), rm.Expr[int]),
        assert_type(Order.note.cast(int), rm.Expr[int]),
        assert_type(rm.lit(5), rm.Expr[int]),
    ]
    assert all(isinstance(value, rm.Expr) for value in values)


def test_queries_have_types() -> None:
    query = rm.select(Order.id, total=Order.total).join(Customer).where(Order.is_paid)
    assert_type(query, rm.Select)
    assert_type(rm.insert(Order).values(id=1).returning(Order.id), rm.Insert)
    assert_type(rm.update(Order).set(note="").where(Order.id == 1), rm.Update)
    assert_type(rm.delete(Order).all_rows(), rm.Delete)
    part = query.subquery("part")
    if TYPE_CHECKING:
        assert_type(part, Subquery)
        assert_type(part.total, rm.Col[Any])
        assert_type(rm.Database().fetch(query), rm.Frame)
        assert_type(rm.Database().execute(rm.delete(Order).all_rows()), int)
    assert repr(part.total) == "part.total"


def test_sql_of_ones_own_stands_where_expressions_do() -> None:
    raw = rm.sql("random()")
    conditions = [
        assert_type(Order.total > raw, rm.Expr[bool]),
        assert_type(Order.note == raw, rm.Expr[bool]),
        assert_type(Order.at.between(raw, raw), rm.Expr[bool]),
        assert_type(Order.token.is_distinct_from(raw), rm.Expr[bool]),
        assert_type(Order.note.starts_with(raw), rm.Expr[bool]),
        assert_type(Order.is_paid & raw, rm.Expr[bool]),
    ]
    n = assert_type(rm.count().where(raw).over(partition_by=raw, order_by=[raw, Order.id]), rm.Expr[int])  # fmt: skip
    kind = assert_type(rm.case((raw, 1), default=raw), rm.Expr[Any])
    query = rm.select(Order.id, n=n, kind=kind).where(*conditions, raw)
    assert_type(query.order_by(raw), rm.Select)
    assert str(query.order_by(raw)).endswith("order by (random())")
    grouped = rm.select(n=rm.count()).from_(Order).group_by(raw).having(raw)
    assert str(grouped).endswith("group by (random()) having (random())")


def wrong(of: Callable[[], object]) -> Any:
    return pytest.param(of, id=f"line {of.__code__.co_firstlineno}")


@pytest.mark.parametrize(
    "use",
    [
        wrong(lambda: Order.total > "5"),  # type: ignore[operator]
        wrong(lambda: Order.note > 5),  # type: ignore[operator]
        wrong(lambda: Order.day < 5),  # type: ignore[operator]
        wrong(lambda: Order.total + "5"),  # type: ignore[operator]
        wrong(lambda: Order.id // 2.5),  # type: ignore[operator]
        wrong(lambda: Order.id.like("5%")),  # type: ignore[misc]
        wrong(lambda: Order.id.in_(5)),  # type: ignore[call-overload]
        wrong(lambda: Order.id.in_(["a"])),  # type: ignore[list-item]
        wrong(lambda: Order.id & Order.is_paid),  # type: ignore[operator]
        wrong(lambda: ~Order.note),  # type: ignore[misc]
        wrong(lambda: Order.note.year()),  # type: ignore[misc]
        wrong(lambda: Order.at.trunc("fortnight")),  # type: ignore[arg-type]
        wrong(lambda: Order.note.sum()),  # type: ignore[misc]
        wrong(lambda: Order.id.cast("uuid")),  # type: ignore[call-overload]
        wrong(lambda: Order.note.any() == "a"),  # type: ignore[misc]
        wrong(lambda: rm.select(Order).where(Order.total == "x")),  # type: ignore[arg-type]
        wrong(lambda: rm.select(Order).where(Order.note == None)),  # type: ignore[arg-type]  # noqa: E711
        wrong(lambda: rm.select(Order).where(True)),  # type: ignore[arg-type]
        wrong(lambda: rm.select(Order).where(Order.id)),  # type: ignore[arg-type]
        wrong(lambda: rm.select("id")),  # type: ignore[arg-type]
        wrong(lambda: rm.insert("orders")),  # type: ignore[arg-type]
        wrong(lambda: rm.select(Order).sql("mysql")),  # type: ignore[arg-type]
        wrong(lambda: Order.missing),  # type: ignore[attr-defined]
    ],
)
def test_what_is_flagged_is_refused(use: Callable[[], object]) -> None:
    with pytest.raises((rm.ProgrammingError, TypeError, AttributeError)):
        use()

"""Models of SQLAlchemy and Django as tables."""

from __future__ import annotations

import datetime as dt
import enum
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import rowmill as rm
from tests.query_tables import rows


class Base(DeclarativeBase):  # type: ignore[misc]
    pass


class State(enum.Enum):
    OPEN = 1
    PAID = 2


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column("full_name")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    total: Mapped[float] = mapped_column(sa.Numeric(10, 2))
    state: Mapped[State]
    note: Mapped[str | None]
    made: Mapped[Any] = mapped_column(sa.DateTime)
    seen: Mapped[Any] = mapped_column(sa.DateTime(timezone=True))
    data: Mapped[Any] = mapped_column(sa.JSON)
    tags: Mapped[Any] = mapped_column(sa.ARRAY(sa.Text))
    token: Mapped[Any] = mapped_column(sa.Uuid)


KINDS = {
    "id": "int",
    "customer_id": "int",
    "total": "decimal",
    "state": "text",
    "note": "text",
    "made": "timestamp",
    "seen": "timestamp[utc]",
    "data": "json",
    "tags": "list[text]",
    "token": "uuid",
}


def kind(column: Any) -> str:
    """What a column is, as the error of a comparison that makes no sense says."""
    for other in (b"", 5):
        try:
            column == other  # noqa: B015
        except rm.ProgrammingError as error:
            said = str(error)
            return "json" if said.startswith("JSON") else said.split(" cannot be compared")[0]
    return "any"


def test_a_declarative_class() -> None:
    order: Any = rm.from_sqlalchemy(Order)
    assert issubclass(order, rm.Table)
    assert order.__name__ == "Order"
    assert {name: kind(getattr(order, name)) for name in KINDS} == {**KINDS}
    customer: Any = rm.from_sqlalchemy(Customer)
    assert str(rm.select(order.id, customer.name).join(customer)) == (
        'select "orders"."id", "customers"."full_name" as "name" from "orders" '
        'join "customers" on "orders"."customer_id" = "customers"."id"'
    )
    assert str(rm.upsert(customer).values(id=1, name="x")).endswith(
        'on conflict ("id") do update set "full_name" = excluded."full_name"'
    )


def test_a_table_of_sqlalchemy() -> None:
    table = sa.Table("two_words", sa.MetaData(schema="s"), sa.Column("odd key", sa.Integer))
    made: Any = rm.from_sqlalchemy(table)
    assert made.__name__ == "TwoWords"
    assert (
        str(rm.select(made.odd_key))
        == 'select "two_words"."odd key" as "odd_key" from "s"."two_words"'
    )
    with pytest.raises(TypeError, match=r"takes a declarative class or a sqlalchemy\.Table"):
        rm.from_sqlalchemy(5)


class Moment(sa.types.UserDefinedType):  # type: ignore[misc]
    python_type = dt.datetime


def test_a_type_of_ones_own_is_any() -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("m", Moment))
    adopted: Any = rm.from_sqlalchemy(table)
    assert kind(adopted.m) == "any"


def test_rows_that_sqlalchemy_wrote(sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    Base.metadata.create_all(engine, tables=[Customer.__table__])
    with engine.begin() as connection:
        connection.execute(sa.insert(Customer).values(id=1, name="Ada"))
    engine.dispose()
    customer: Any = rm.from_sqlalchemy(Customer)
    with rm.Database(sqlite_url) as db:
        frame = db.fetch(rm.select(customer).where(customer.name == "Ada"))
        assert (frame.columns, rows(frame)) == (["id", "name"], [(1, "Ada")])


@pytest.fixture(scope="module")
def django() -> Any:
    from django.apps import apps
    from django.conf import settings

    settings.configure(INSTALLED_APPS=[], USE_TZ=True)
    apps.populate([])
    from django.db import models

    return models


def test_a_model_of_django(django: Any) -> None:
    class Author(django.Model):  # type: ignore[misc]
        name = django.CharField(max_length=50, db_column="full_name")

        class Meta:
            app_label = "library"

    class Book(django.Model):  # type: ignore[misc]
        author = django.ForeignKey(Author, django.CASCADE, null=True)
        price = django.DecimalField(max_digits=8, decimal_places=2)
        sold = django.DateTimeField()
        day = django.DateField(null=True)
        data = django.JSONField()
        token = django.UUIDField()
        took = django.DurationField()
        ok = django.BooleanField()
        address = django.GenericIPAddressField()

        class Meta:
            app_label = "library"
            db_table = "books"

    author, book = (rm.from_django(model) for model in (Author, Book))
    kinds = {
        "id": "int",
        "author_id": "int",
        "price": "decimal",
        "sold": "timestamp[utc]",
        "day": "date",
        "data": "json",
        "token": "uuid",
        "took": "interval",
        "ok": "bool",
        "address": "any",
    }
    assert {name: kind(getattr(book, name)) for name in kinds} == kinds
    assert str(rm.select(book.id, author.name).join(author)) == (  # type: ignore[attr-defined]
        'select "books"."id", "library_author"."full_name" as "name" from "books" '
        'join "library_author" on "books"."author_id" = "library_author"."id"'
    )


def test_what_is_no_model_is_refused(django: Any) -> None:
    class Abstract(django.Model):  # type: ignore[misc]
        class Meta:
            abstract = True
            app_label = "library"

    with pytest.raises(TypeError, match="Abstract is abstract: it has no table"):
        rm.from_django(Abstract)
    with pytest.raises(TypeError, match="takes a model of Django, not 5"):
        rm.from_django(5)


def test_neither_library_is_imported_before_it_is_asked() -> None:
    path = str(Path(rm.__file__).parent.parent)
    program = (
        f"import sys; sys.path[:0] = [{path!r}]; import rowmill as rm; rm.from_sqlalchemy; rm.from_django;"
        "rm.reflect(rm.Database('sqlite://')); print({'sqlalchemy', 'django', 'msgspec'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"

"""Queries that write, on both databases."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest

import rowmill as rm
from tests.query_tables import Channel, Line, fill, rows


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        fill(db)
        yield db


def slugs(db: rm.Database) -> dict[int, str]:
    return {row.id: row.slug for row in db.fetch(rm.select(Channel).order_by(Channel.id))}


@dataclasses.dataclass
class New:
    id: int
    slug: str


def test_insert_takes_rows_of_all_sorts(db: rm.Database) -> None:
    assert db.execute(rm.insert(Channel).values(id=4, slug="d")) == 1
    assert db.execute(rm.insert(Channel).values({"id": 5, "slug": "e"}, New(6, "f"))) == 2
    assert (
        db.execute(rm.insert(Channel).values([New(7, "g"), New(8, "h")]).values(New(9, "i"))) == 3
    )
    (row,) = db.fetch("select 10 as id, 'j' as slug")
    assert db.execute(rm.insert(Channel).values(row)) == 1
    assert db.execute(rm.insert(Channel).values({Channel.id: 11, Channel.slug: "k"})) == 1
    assert "".join(slugs(db).values()) == "abcdefghijk"


def test_names_may_be_given_as_a_dict(db: rm.Database) -> None:
    change = rm.update(Channel).set({Channel.slug: "x", "parent_id": 2})
    assert db.execute(change.where(Channel.id == 3)) == 1
    assert db.execute(change.set({"slug": "y"}, slug="z").where(Channel.id == 2)) == 1
    assert slugs(db) == {1: "a", 2: "z", 3: "x"}


class Note(rm.Table, name="notes"):
    id: rm.Col[int] = rm.pk()
    document: rm.Col[dict[str, object] | None]


def test_a_column_of_json_takes_what_can_be_read_again(db: rm.Database) -> None:
    db.execute("create table notes (id integer primary key, document json)")
    given = [{"a": 1}, [1, "x"], '"text"', " [2]", None]
    for at, document in enumerate(given):
        db.execute(rm.insert(Note).values(id=at, document=document))
    found = db.fetch(rm.select(Note).order_by(Note.id))["document"].to_list()
    assert [text and json.loads(text) for text in found] == [{"a": 1}, [1, "x"], "text", [2], None]


def test_insert_gives_back_what_it_made(db: rm.Database) -> None:
    made = rm.insert(Line).values(id=5, nick="ada", body="x")
    made = made.returning(Line.id, Line.body, Line.nick.upper().label("up"))
    frame = db.fetch(made)
    assert (frame.columns, rows(frame)) == (["id", "body", "up"], [(5, "x", "ADA")])
    assert rows(db.fetch(rm.insert(Channel).values(id=4, slug="d").returning(Channel))) == [
        (4, "d", None)
    ]


def test_insert_takes_expressions_and_queries(db: rm.Database) -> None:
    highest = rm.select(rm.coalesce(Channel.id.max(), 0) + 1).value()
    assert (
        db.fetch_value(rm.insert(Channel).values(id=highest, slug="d").returning(Channel.id)) == 4
    )
    copies = rm.select(Channel.id + 10, rm.concat(Channel.slug, "'")).where(Channel.id < 3)
    assert db.execute(rm.insert(Channel).from_select(copies, Channel.id, "slug")) == 2
    assert slugs(db) == {1: "a", 2: "b", 3: "c", 4: "d", 11: "a'", 12: "b'"}
    by_nick = rm.select(Line.nick, n=Line.id.max() + 20).group_by(Line.nick).cte("by_nick")
    assert (
        db.execute(rm.insert(Channel).from_select(rm.select(by_nick.n, by_nick.nick), "id", "slug"))
        == 3
    )
    assert slugs(db)[24] == "eve"


def test_insert_of_defaults(any_url: str) -> None:
    class Tick(rm.Table, name="ticks"):
        id: rm.Col[int]

    with rm.Database(any_url) as db:
        db.execute_script("create table ticks (id int default 7)")
        assert rows(db.fetch(rm.insert(Tick).returning(Tick.id))) == [7]


def test_upsert_changes_the_row_whose_key_is_there(db: rm.Database) -> None:
    new = rm.upsert(Channel).values({"id": 3, "slug": "cc"}, {"id": 4, "slug": "d"})
    assert db.execute(new) == 2
    assert slugs(db) == {1: "a", 2: "b", 3: "cc", 4: "d"}
    only = rm.upsert(Channel).values(id=3, slug="ccc", parent_id=2).set(Channel.slug)
    assert rows(db.fetch(only.returning(Channel))) == [(3, "ccc", 1)]
    told = rm.upsert(Channel).values(id=3, slug="z").set(slug=rm.concat(Channel.slug, "!"))
    assert rows(db.fetch(told.returning(Channel.slug))) == ["ccc!"]
    by_slug = (
        rm.upsert(Channel).values(id=99, slug="a", parent_id=2).on(Channel.slug).set("parent_id")
    )
    assert rows(db.fetch(by_slug.returning(Channel))) == [(1, "a", 2)]
    assert db.execute(rm.insert(Channel).values(id=3, slug="q").or_nothing()) == 0


@pytest.mark.parametrize(
    ("query", "after"),
    [
        (rm.upsert(Channel).or_nothing().values(id=2, slug="x"), (2, "b", 1)),
        (rm.upsert(Channel).values(id=2, slug="x").or_nothing(), (2, "b", 1)),
        (rm.insert(Channel).or_nothing().values(id=2, slug="x"), (2, "b", 1)),
        (rm.insert(Channel).on(Channel.id).or_nothing().values(id=2, slug="x"), (2, "b", 1)),
        (rm.insert(Channel).or_nothing().on(Channel.id).values(id=2, slug="x"), (2, "b", 1)),
        (rm.upsert(Channel).or_nothing().from_select(rm.select(rm.lit(2), rm.lit("x")), "id", "slug"), (2, "b", 1)),
        (rm.upsert(Channel).values(id=2, slug="x").set(slug="y").on(Channel.id), (2, "y", 1)),
        (rm.upsert(Channel).set("parent_id").on(Channel.id).values(id=2, slug="x", parent_id=3), (2, "b", 3)),
        (rm.upsert(Channel).on(Channel.id).values(id=2, slug="x"), (2, "x", 1)),
        (rm.upsert(Channel).values(id=2, slug="x").set(Channel.slug, slug="z"), (2, "z", 1)),
        (rm.update(Channel).set(slug="x").set(slug="y", parent_id=None).where(Channel.id == 2), (2, "y", None)),
    ],
)  # fmt: skip
def test_the_order_of_steps_is_free(
    db: rm.Database, query: rm.Insert | rm.Update, after: tuple[object, ...]
) -> None:
    db.execute(query)
    assert rows(db.fetch(rm.select(Channel).where(Channel.id == 2))) == [after]


def test_a_name_for_the_table_that_is_written_to(db: rm.Database) -> None:
    line = Line.alias("l")
    changed = rm.update(line).set(score=line.id + 1).where(line.id == 1)
    assert rows(db.fetch(changed.returning(line.id, line.score))) == [(1, 2.0)]
    twin = Line.alias("twin")
    newest = rm.select(twin.id.max()).where(twin.nick == line.nick).value()
    assert rows(db.fetch(changed.returning(line.nick.upper().label("up"), newest.label("n")))) == [("ADA", 3)]  # fmt: skip
    told = rm.upsert(line).values(id=1, nick="new").set(nick=rm.concat(line.nick, "!"))
    assert rows(db.fetch(told.returning(line))) == [(1, 1, "ada!", "hello", 2.0)]
    assert rows(db.fetch(rm.delete(line).where(line.id == 1).returning(line.id))) == [1]


def test_what_is_written_before_a_query_is_written_before_a_writing_one(db: rm.Database) -> None:
    top = rm.select(m=Channel.id.max()).cte("top")
    new = rm.insert(Channel).values(id=rm.select(top.m + 1).value(), slug="d")
    assert rows(db.fetch(new.returning(Channel.id))) == [4]
    told = rm.upsert(Channel).values(id=4, slug="x").set(parent_id=rm.select(top.m).value())
    assert rows(db.fetch(told.returning(Channel))) == [(4, "d", 4)]
    copied = rm.upsert(Channel).from_select(rm.select(top.m, rm.lit("q")), "id", "slug")
    assert rows(db.fetch(copied.set(parent_id=rm.select(top.m).value()).returning(Channel))) == [(4, "d", 4)]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        rm.select(Channel.id, rm.concat(Channel.slug, "-")),
        rm.select(Channel.id, rm.concat(Channel.slug, "-")).where(Channel.id < 9),
        rm.select(Channel.id, rm.concat(Channel.slug.min(), "-")).group_by(Channel.id),
        rm.select(Channel.id, rm.concat(Channel.slug, "-")).order_by(Channel.id).limit(9),
        rm.select(Channel.id, rm.concat(Channel.slug, "-"))
        .where(Channel.id == 1)
        .union_all(rm.select(Channel.id, rm.concat(Channel.slug, "-")).where(Channel.id > 1)),
        rm.select(rm.lit(1), rm.lit("a-")).union_all(rm.select(Channel.id, rm.concat(Channel.slug, "-")).where(Channel.id > 1).limit(5)),
        rm.select(Channel.id, rm.concat(Channel.slug, "-")).left_join(Channel.alias("up"), Channel.parent_id == Channel.alias("up").id),
    ],
    ids=["plain", "where", "group", "limit", "union", "limited union", "join"],
)  # fmt: skip
def test_upsert_from_every_form_of_query(db: rm.Database, source: rm.Select) -> None:
    assert db.execute(rm.upsert(Channel).from_select(source, Channel.id, Channel.slug)) == 3
    assert slugs(db) == {1: "a-", 2: "b-", 3: "c-"}


def test_update(db: rm.Database) -> None:
    assert (
        db.execute(rm.update(Line).set(body="x", score=Line.score + 1).where(Line.nick == "ada"))
        == 2
    )
    changed = (
        rm.update(Line).set(body=None).where(Line.id == 1).returning(Line.id, Line.body, Line.score)
    )
    assert rows(db.fetch(changed)) == [(1, None, 1.5)]
    named = rm.update(Line).set(nick=Channel.slug).from_(Channel)
    assert db.execute(named.where(Line.channel_id == Channel.id, Line.id == 2)) == 1
    assert db.fetch_value(rm.select(Line.nick).where(Line.id == 2)) == "b"
    assert db.execute(rm.update(Line).set(score=0).all_rows()) == 4
    counted = rm.select(Line.nick, n=rm.count()).group_by(Line.nick)
    for source in (counted.subquery("counted"), counted.cte("counted")):
        query = rm.update(Line).set(score=source.n).from_(source).where(Line.nick == source.nick)
        assert db.execute(query) == 4
    assert rows(db.fetch(rm.select(Line.score).order_by(Line.id))) == [2.0, 1.0, 2.0, 1.0]


def test_delete(db: rm.Database) -> None:
    gone = rm.delete(Line).where(Line.nick == "ada").where(Line.id > 1).returning(Line.id)
    assert rows(db.fetch(gone)) == [3]
    some = rm.select(Line.nick).where(Line.score < 1).cte("some")
    assert db.execute(rm.delete(Line).where(Line.nick.in_(rm.select(some.nick)))) == 1
    assert db.execute(rm.delete(Line).all_rows()) == 2


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_every_row_is_meant_only_where_it_is_said(db: rm.Database, verb: str) -> None:
    query = rm.update(Line).set(nick="x") if verb == "update" else rm.delete(Line)
    with pytest.raises(rm.ProgrammingError, match=rf"would {verb} every row .* or \.all_rows\(\)"):
        db.execute(query)
    assert repr(query).startswith(f"<rowmill.{verb.title()}, not complete: this would")
    assert db.fetch_value(rm.select(rm.count()).from_(Line)) == 4


def test_queries_show_their_sql() -> None:
    insert = rm.upsert(Line).values(id=1, body="x")
    assert str(insert) == (
        'insert into "lines" ("id", "text") values ($1, $2) '
        'on conflict ("id") do update set "text" = excluded."text"'
    )
    assert insert.sql("sqlite")[1] == [1, "x"]
    update = rm.update(Line).set(body="x").where(Line.id == 1)
    assert update.sql("sqlite") == (
        'update "lines" set "text" = ?1 where "lines"."id" = ?2',
        ["x", 1],
    )
    delete = rm.delete(Line).where(Line.id == 1)
    assert repr(delete) == '<rowmill.Delete delete from "lines" where "lines"."id" = $1::int8>'


class Price(rm.Table, name="prices"):
    id: rm.Col[int] = rm.pk()
    price: rm.Col[Decimal | None]


@rm.query
def repriced(id: int, price: Decimal) -> rm.Update:
    return rm.update(Price).set(price=price).where(Price.id == id)


@pytest.mark.parametrize("digits", ["123456789012345678.91", "12345678901234567890", "-0.10"])
def test_a_decimal_in_a_column_of_text_keeps_every_digit(digits: str) -> None:
    with rm.Database("sqlite://") as db:
        db.execute("create table prices (id integer primary key, price text)")
        price = Decimal(digits)
        db.execute(rm.insert(Price).values({"id": 1, "price": price}, {"id": 2, "price": None}))
        db.execute(rm.update(Price).set(price=price).where(Price.id == 2))
        db.execute(rm.upsert(Price).values(id=1, price=Decimal(1)).set(price=price))
        db.execute(rm.insert(Price).values(id=3))
        db.execute(repriced(3, price))
        assert db.fetch("select price from prices")["price"].to_list() == [digits] * 3


def test_a_decimal_in_a_column_of_numbers_is_a_number() -> None:
    with rm.Database("sqlite://") as db:
        db.execute("create table prices (id integer primary key, price numeric)")
        db.execute(rm.insert(Price).values({"id": 1, "price": Decimal("1.5")}, {"id": 2, "price": Decimal("2.0")}))  # fmt: skip
        assert rows(db.fetch("select typeof(price) from prices order by id")) == ["real", "integer"]
        assert rows(db.fetch(rm.select(Price.id).where(Price.price > Decimal("1.7")))) == [2]


class Kept(rm.Table, name="kept"):
    id: rm.Col[int] = rm.pk()
    f: rm.Col[float | None]
    u: rm.Col[uuid.UUID | None]
    parts: rm.Col[list[float] | None]


def test_what_fits_its_column_is_taken(any_url: str) -> None:
    is_sqlite = any_url.startswith("sqlite")
    types = "f double precision, u uuid, parts " + ("json" if is_sqlite else "double precision[]")
    one = uuid.UUID(int=1)
    with rm.Database(any_url) as db:
        db.execute(f"create table kept (id bigint primary key, {types})")
        db.execute(rm.insert(Kept).values({"id": 1.0, "u": one}, {"id": Decimal("9007199254740993"), "u": str(one)}))  # fmt: skip
        db.execute(rm.update(Kept).set(f=Decimal("0.5"), parts=[1, 2.5]).where(Kept.id == 1))
        assert rows(db.fetch(rm.select(Kept.id, Kept.f, Kept.u).order_by(Kept.id))) == [
            (1, 0.5, one),
            (9007199254740993, None, one),
        ]

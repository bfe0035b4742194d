"""Edges: what belongs to rows, by one query for each edge, on both databases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm


class Room(rm.Table, name="rooms"):
    id: rm.Col[int] = rm.pk()
    slug: rm.Col[str]
    parent: rm.Col[int | None] = rm.fk("rooms.id")
    words = rm.many(lambda: Word)
    inner = rm.many(lambda: Room)
    outer = rm.one(lambda: Room)


class Word(rm.Table, name="words"):
    id: rm.Col[int] = rm.pk()
    room_id: rm.Col[int | None] = rm.fk(Room.id)
    text: rm.Col[str]
    room = rm.one(lambda: Room)
    marks = rm.many(lambda: Mark.word)


class Mark(rm.Table, name="marks"):
    id: rm.Col[int] = rm.pk()
    word: rm.Col[int] = rm.fk(Word.id)
    other: rm.Col[int | None] = rm.fk(Word.id)
    what: rm.Col[str]


class Lost(rm.Table, name="words"):
    id: rm.Col[int] = rm.pk()
    to_nothing = rm.many(lambda: Room)
    to_two = rm.many(lambda: Mark)
    to_plain = rm.many(lambda: Mark.what)
    to_five = rm.many(lambda: 5)


class Twice(rm.Table, name="marks"):
    id: rm.Col[int] = rm.pk()
    first: rm.Col[int] = rm.fk(Word.id, "word")
    other: rm.Col[int | None] = rm.fk(Word.id)
    what: rm.Col[str]
    of_first = rm.one(lambda: Word, by="first")
    of_other = rm.one(lambda: Word, by="other")
    to_some = rm.one(lambda: Word)
    to_lost = rm.one(lambda: Word, by="wrod")
    by_what = rm.one(lambda: Word, by="what")


class Astray(rm.Table, name="words"):
    id: rm.Col[int] = rm.pk()
    room_id: rm.Col[int] = rm.fk("elsewhere.id")
    room = rm.one(lambda: Room, by="room_id")


MARKS = rm.select(Twice.id).order_by(Twice.id)

DECLARED = """
    create table rooms (id bigint primary key, slug text not null, parent bigint);
    create table words (id integer primary key, room_id integer, text text not null);
    create table marks (id integer primary key, word integer not null, other integer, what text not null)
"""


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        db.execute_script(DECLARED)
        db.load(
            "rooms",
            [{"id": at, "slug": f"s{at}", "parent": at // 2 if at else None} for at in range(4)],
        )
        db.load(
            "words",
            [
                {"id": at, "room_id": at % 3 if at < 8 else None, "text": f"k{at}"}
                for at in range(9)
            ],
        )
        db.load(
            "marks",
            [{"id": at, "word": at % 2, "other": None, "what": f"w{at}"} for at in range(5)],
        )
        yield db


ROOMS = rm.select(Room).order_by(Room.id)


def wrong(value: object) -> Any:
    """What a type checker would not let pass."""
    return value


def test_each_row_has_its_rows_in_their_order_by_two_queries(db: rm.Database) -> None:
    with db.expect(max_queries=2) as ran:
        frame = db.fetch(ROOMS.with_(Room.words.order_by(-Word.id)))
    assert len(ran.queries) == 2
    assert frame.columns == ["id", "slug", "parent", "words"]
    words = frame["words"].to_list()
    assert [[word["id"] for word in of] for of in words] == [[6, 3, 0], [7, 4, 1], [5, 2], []]
    assert words[0][0] == {"id": 6, "room_id": 0, "text": "k6"}
    assert frame[0].words == words[0]


def test_rows_and_edges_within_edges_as_json(db: rm.Database) -> None:
    query = (
        rm.select(Room.slug)
        .where(Room.id < 3)
        .order_by(Room.id)
        .with_(
            Room.words.order_by(-Word.id)
            .top(2)
            .select(Word.id)
            .with_(Word.marks.select(Mark.what).where(Mark.id > 0).order_by(Mark.id))
        )
    )
    with db.expect(max_queries=3):
        told = json.loads(db.fetch_json(query))
    assert told == [
        {"slug": "s0", "words": [{"id": 6, "marks": []}, {"id": 3, "marks": []}]},
        {"slug": "s1", "words": [{"id": 7, "marks": []}, {"id": 4, "marks": []}]},
        {"slug": "s2", "words": [{"id": 5, "marks": []}, {"id": 2, "marks": []}]},
    ]
    deep = (
        rm.select(Room.id)
        .where(Room.id == 0)
        .with_(
            Room.words.select(Word.text)
            .order_by(Word.id)
            .with_(Word.marks.select(Mark.what).order_by(Mark.id))
        )
    )
    assert json.loads(db.fetch_json(deep)) == [
        {
            "id": 0,
            "words": [
                {"text": "k0", "marks": [{"what": "w0"}, {"what": "w2"}, {"what": "w4"}]},
                {"text": "k3", "marks": []},
                {"text": "k6", "marks": []},
            ],
        }
    ]


def test_the_one_that_a_row_refers_to(db: rm.Database) -> None:
    query = rm.select(Word.text).order_by(Word.id).with_(Word.room.select(Room.slug))
    rooms = db.fetch(query)["room"].to_list()
    assert rooms == [{"slug": f"s{at % 3}"} for at in range(8)] + [None]


def test_a_table_with_itself_and_several_edges(db: rm.Database) -> None:
    query = ROOMS.select(Room.id).with_(
        Room.inner.select(Room.id).order_by(Room.id),
        Room.outer.select(Room.slug),
        Room.words.top(1).order_by(Word.id),
    )
    with db.expect(max_queries=4):
        frame = db.fetch(query)
    assert frame.columns == ["id", "inner", "outer", "words"]
    assert frame["inner"].to_list() == [[{"id": 1}], [{"id": 2}, {"id": 3}], [], []]
    assert frame["outer"].to_list() == [None, {"slug": "s0"}, {"slug": "s1"}, {"slug": "s1"}]
    assert [[word["id"] for word in of] for of in frame["words"].to_list()] == [[0], [1], [2], []]


def test_no_rows_have_no_edges(db: rm.Database) -> None:
    for edge in (Room.words, Room.words.order_by(Word.id).top(2), Room.outer):
        frame = db.fetch(rm.select(Room).where(Room.id > 99).with_(edge))
        assert frame.shape == (0, 4)
        assert db.fetch_json(rm.select(Room.id).where(Room.id > 99).with_(edge)) == b"[]"
        assert db.fetch_one(rm.select(Room).where(Room.id > 99).with_(edge)) is None


def test_the_first_row_is_asked_for_alone(db: rm.Database) -> None:
    query = (
        rm.select(Room.id).order_by(-Room.id).with_(Room.words.select(Word.id).order_by(Word.id))
    )
    with db.expect(max_queries=2) as ran:
        row = db.fetch_one(query)
    assert row is not None
    assert row.to_dict() == {"id": 3, "words": []}
    assert ran.queries[0].endswith("limit 1")
    assert db.fetch_one(query.limit(0)) is None
    assert db.fetch_one(query.limit(3).offset(1)).to_dict() == {  # type: ignore[union-attr]
        "id": 2,
        "words": [{"id": 2}, {"id": 5}],
    }
    top = rm.select(Room).order_by(-Room.id).top_n(1, per=Room.parent, groups=[1, 0])
    assert db.fetch_one(top.with_(Room.words)).id == 3  # type: ignore[union-attr]


def test_keys_that_are_not_selected_do_not_change_the_rows(db: rm.Database) -> None:
    parts = rm.select(Room.slug).where((Room.id == 1) | (Room.slug == "s2"))
    for query in (
        rm.select(Word.room_id).distinct(),
        rm.select(Room.slug).distinct(),
        rm.select(rm.count()).from_(Room),
        rm.select(Room.slug).union(rm.select(Room.slug)),
        parts.union_or(),
    ):
        edge = Word.marks if "words" in str(query) else Room.words
        with pytest.raises(rm.ProgrammingError, match="want selected: select it too"):
            db.fetch(query.with_(edge))
    kept = (
        parts.select(Room.id, Room.slug)
        .order_by(Room.id)
        .union_or()
        .with_(Room.words.select(Word.id))
    )
    assert [len(of) for of in db.fetch(kept)["words"].to_list()] == [3, 2]
    rooms = (
        rm.select(Word.room_id).distinct().order_by(Word.room_id).with_(Word.room.select(Room.slug))
    )
    assert db.fetch(rooms)["room"].to_list() == [
        {"slug": "s0"},
        {"slug": "s1"},
        {"slug": "s2"},
        None,
    ]


def test_edges_in_a_transaction_see_what_it_did(db: rm.Database) -> None:
    with db.transaction() as tx:
        tx.execute(rm.update(Word).set(room_id=3).all_rows())
        frame = tx.fetch(ROOMS.with_(Room.words))
        assert [len(of) for of in frame["words"].to_list()] == [0, 0, 0, 9]


@pytest.mark.anyio
async def test_edges_under_asyncio(any_url: str, db: rm.Database) -> None:
    query = rm.select(Room.id).order_by(Room.id).with_(Room.words.select(Word.id).order_by(Word.id))
    async with rm.AsyncDatabase(any_url) as other:
        with other.expect(max_queries=2):
            assert (await other.fetch(query)).to_tuples() == db.fetch(query).to_tuples()
        assert await other.fetch_json(query) == db.fetch_json(query)
        row = await other.fetch_one(query)
        assert row is not None
        assert row.words == [{"id": 0}, {"id": 3}, {"id": 6}]
        assert await other.fetch_one(query.where(Room.id > 99)) is None
        async with other.transaction() as tx:
            assert (await tx.fetch(query)).to_tuples() == db.fetch(query).to_tuples()


def test_many_rows_are_one_query(db: rm.Database) -> None:
    db.load("words", [{"id": at, "room_id": at % 4, "text": "é"} for at in range(100, 30_100)])
    query = rm.select(Word.id).where(Word.id >= 100).with_(Word.room.select(Room.id))
    with db.expect(max_queries=2):
        frame = db.fetch(query)
    assert all(room["id"] == at % 4 for at, room in frame)
    words = db.fetch(rm.select(Room.id).with_(Room.words.select(Word.text).where(Word.id >= 100)))
    assert [len(of) for of in words["words"].to_list()] == [7500] * 4


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        (
            lambda db: db.fetch(rm.select(Astray).with_(Astray.room)),
            TypeError,
            r"refers to elsewhere\.id, which rooms does not declare",
        ),
        (lambda db: list(db.stream(ROOMS.with_(Room.words))), rm.ProgrammingError, "runs by fetch"),
        (lambda db: db.execute(ROOMS.with_(Room.words)), rm.ProgrammingError, "runs by fetch"),
        (lambda db: db.fetch_value(ROOMS.with_(Room.words)), rm.ProgrammingError, "runs by fetch"),
        (lambda db: ROOMS.with_(wrong(3)), rm.ProgrammingError, "takes edges, .* not int"),
        (lambda db: ROOMS.with_(wrong(Word)), rm.ProgrammingError, "takes edges"),
        (lambda db: Word.room.top(2), TypeError, r"has one row for each; top\(\) is of rm.many"),
        (
            lambda db: db.fetch(rm.select(Room.id, words=Room.slug).with_(Room.words)),
            rm.DataError,
            'there is a column "words" already',
        ),
        (
            lambda db: db.fetch(ROOMS.with_(Room.words, Room.words)),
            rm.DataError,
            'there is a column "words" already',
        ),
        (
            lambda db: db.fetch(ROOMS.with_(Room.words.top(2))),
            rm.ProgrammingError,
            r"top_n\(\) wants an order",
        ),
        (
            lambda db: db.fetch(ROOMS.with_(Room.words.order_by(Word.id).top(0))),
            rm.ProgrammingError,
            "one row at least",
        ),
        (
            lambda db: db.fetch(ROOMS.with_(Lost.to_nothing)),
            TypeError,
            "there is no foreign key between",
        ),
        (
            lambda db: db.fetch(ROOMS.with_(Lost.to_two)),
            TypeError,
            "there are 2 foreign keys between",
        ),
        (lambda db: db.fetch(MARKS.with_(Twice.to_some)), TypeError, r"rm.one\(lambda: T, by="),
        (
            lambda db: db.fetch(MARKS.with_(Twice.to_lost)),
            TypeError,
            "has no column 'wrod'; it has id",
        ),
        (lambda db: db.fetch(MARKS.with_(Twice.by_what)), TypeError, "is no foreign key"),
        (lambda db: db.fetch(ROOMS.with_(Lost.to_plain)), TypeError, "is no foreign key"),
        (lambda db: db.fetch(ROOMS.with_(Lost.to_five)), TypeError, "leads to a table or a column"),
        (
            lambda db: db.fetch(ROOMS.with_(rm.many(lambda: Word))),
            TypeError,
            "attribute of a table",
        ),
        (lambda db: ROOMS.with_(Room.words).union(ROOMS), rm.ProgrammingError, "has no edges"),
        (lambda db: ROOMS.union(ROOMS.with_(Room.words)), rm.ProgrammingError, "has no edges"),
        (lambda db: ROOMS.with_(Room.words).subquery("s"), rm.ProgrammingError, "has no edges"),
        (lambda db: ROOMS.with_(Room.words).exists(), rm.ProgrammingError, "has no edges"),
        (lambda db: rm.exists(ROOMS.with_(Room.words)), rm.ProgrammingError, "has no edges"),
        (
            lambda db: rm.select(Room.id).with_(Room.words).value(),
            rm.ProgrammingError,
            "has no edges",
        ),
        (
            lambda db: Room.id.in_(rm.select(Room.id).with_(Room.words)),
            rm.ProgrammingError,
            "has no edges",
        ),
        (
            lambda db: Room.id == rm.select(Room.id).with_(Room.words),
            rm.ProgrammingError,
            "has no edges",
        ),
        (lambda db: rm.sql("{q}", q=ROOMS.with_(Room.words)), rm.ProgrammingError, "has no edges"),
        (
            lambda db: rm.insert(Room).from_select(ROOMS.with_(Room.words)),
            rm.ProgrammingError,
            "has no edges",
        ),
    ],
)
def test_what_cannot_be_says_so(
    db: rm.Database, asked: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        asked(db)


def test_one_of_several_columns_that_refer_to_a_table(db: rm.Database) -> None:
    db.execute(rm.update(Mark).set(other=7).where(Mark.id == 4))
    query = MARKS.with_(Twice.of_first.select(Word.text), Twice.of_other.select(Word.text))
    frame = db.fetch(query)
    assert frame["of_first"].to_list() == [{"text": f"k{at % 2}"} for at in range(5)]
    assert frame["of_other"].to_list() == [None] * 4 + [{"text": "k7"}]


def _both_ways(
    db: rm.Database, own: str, other: str, values: tuple[str, str], kind: Any
) -> tuple[Any, ...]:
    """The children of the one parent, and of two children the one parent, whose keys are of two types."""
    db.execute_script(f"""
        drop table if exists kids;
        drop table if exists owners;
        create table owners (id {own} primary key);
        create table kids (k integer primary key, owner {other});
        insert into owners values ({values[0]});
        insert into kids values (1, {values[1]}), (2, null);
    """)

    class Owner(rm.Table, name="owners"):
        id: rm.Col[kind] = rm.pk()
        kids = rm.many(lambda: Kid)

    class Kid(rm.Table, name="kids"):
        k: rm.Col[int] = rm.pk()
        owner: rm.Col[kind | None] = rm.fk(Owner.id)
        of = rm.one(lambda: Owner.alias("up"))

    many = rm.select(Owner).with_(Owner.kids.select(Kid.k))
    top = rm.select(Owner).with_(Owner.kids.select(Kid.k).order_by(Kid.k).top(1))
    one = rm.select(Kid.k).order_by(Kid.k).with_(Kid.of)
    found = [of is not None for of in db.fetch(one)["of"].to_list()]
    return db.fetch(many)[0].kids, db.fetch(top)[0].kids, found


MET = ([{"k": 1}], [{"k": 1}], [True, False])


@pytest.mark.parametrize(
    ("own", "other", "values", "kind"),
    [
        ("bigint", "smallint", ("1", "1"), int),
        ("numeric(10,0)", "integer", ("1", "1"), Decimal),
        ("integer", "numeric(10,2)", ("100", "100"), Decimal),
        ("numeric(10,2)", "numeric(12,3)", ("1.5", "1.500"), Decimal),
        ("numeric(10,2)", "double precision", ("1.5", "1.5"), Decimal),
        ("double precision", "real", ("-0.0", "0.0"), float),
        ("varchar(10)", "text", ("'é'", "'é'"), str),
        ("date", "date", ("'2024-01-01'", "'2024-01-01'"), dt.date),
    ],
)
def test_keys_meet_that_the_database_holds_equal(
    any_url: str, own: str, other: str, values: tuple[str, str], kind: Any
) -> None:
    with rm.Database(any_url) as db:
        assert _both_ways(db, own, other, values, kind) == MET


@pytest.mark.parametrize(
    ("own", "other", "values"),
    [
        ("char(5)", "varchar(20)", ("'a'", "'a'")),
        ("varchar(20)", "char(5)", ("'a'", "'a'")),
        ("char(5)", "char(9)", ("'a'", "'a'")),
        ("citext", "citext", ("'Ada'", "'aDA'")),
    ],
)
def test_text_keys_meet_as_postgres_compares_them(
    pg_url: str, own: str, other: str, values: tuple[str, str]
) -> None:
    with rm.Database(pg_url) as db:
        if own == "citext":
            has = "select count(*) from pg_available_extensions where name = 'citext'"
            if not db.fetch_value(has):
                pytest.skip("this server has no citext")
            db.execute("create extension if not exists citext")
        many, top, one = _both_ways(db, own, other, values, str)
        assert (many, one) == (MET[0], MET[2])
        # Groups that are named are compared as text.
        assert top == ([] if own == "citext" else MET[1])
        # Blanks that are part of a text are none of a char's.
        db.execute_script("""
            create table holders (id text primary key);
            create table children (k integer primary key, owner text);
            insert into holders values ('a ');
            insert into children values (1, 'a'), (2, 'a ');
        """)

        class Owner(rm.Table, name="holders"):
            id: rm.Col[str] = rm.pk()
            kids = rm.many(lambda: Kid)

        class Kid(rm.Table, name="children"):
            k: rm.Col[int] = rm.pk()
            owner: rm.Col[str] = rm.fk(Owner.id)

        query = rm.select(Owner).with_(Owner.kids.select(Kid.k))
        assert db.fetch(query).to_tuples() == [("a ", [{"k": 2}])]


def test_blobs_and_texts_of_any_case_are_keys_on_sqlite(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        assert _both_ways(db, "blob", "blob", ("x'00ff'", "x'00ff'"), bytes) == MET
        nocase = "text collate nocase"
        assert _both_ways(db, nocase, nocase, ("'Ada'", "'aDA'"), str) == MET
        with pytest.raises(rm.ProgrammingError, match="the list holds an integer"):
            _both_ways(db, "text", "integer", ("'1'", "1"), str)


def test_bytes_are_keys_on_postgres(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        assert _both_ways(db, "bytea", "bytea", (r"'\x00ff'", r"'\x00ff'"), bytes) == MET


def test_an_alias_has_the_edges_of_its_table(db: rm.Database) -> None:
    outer = Room.alias("o")
    query = (
        rm.select(outer.id)
        .order_by(outer.id)
        .with_(outer.words.select(Word.id).order_by(Word.id).top(1), outer.outer.select(Room.slug))
    )
    assert db.fetch(query).to_tuples() == [
        (0, [{"id": 0}], None),
        (1, [{"id": 1}], {"slug": "s0"}),
        (2, [{"id": 2}], {"slug": "s1"}),
        (3, [], {"slug": "s1"}),
    ]
    assert repr(outer.words) == "<rowmill.Edge Room.words>"
    assert outer.words is not Room.words


def test_tables_of_one_name_in_two_schemas_are_two(pg_url: str) -> None:
    class First(rm.Table, name="p", schema="a"):
        id: rm.Col[int] = rm.pk()
        kids = rm.many(lambda: Child)

    class Second(rm.Table, name="p", schema="b"):
        id: rm.Col[int] = rm.pk()
        kids = rm.many(lambda: Child)

    class Child(rm.Table, name="kids"):
        id: rm.Col[int] = rm.pk()
        x: rm.Col[int] = rm.fk(First.id)
        y: rm.Col[int] = rm.fk("b.p.id")
        first = rm.one(lambda: First)

    with rm.Database(pg_url) as db:
        db.execute_script("""
            create schema a; create table a.p (id integer primary key); insert into a.p values (1);
            create schema b; create table b.p (id integer primary key); insert into b.p values (2);
            create table kids (id integer primary key, x integer, y integer); insert into kids values (7, 1, 2);
        """)
        for table, own in ((First, 1), (Second, 2)):
            frame = db.fetch(rm.select(table).with_(table.kids.select(Child.id)))
            assert frame.to_tuples() == [(own, [{"id": 7}])]
        assert db.fetch(rm.select(Child).with_(Child.first))["first"].to_list() == [{"id": 1}]

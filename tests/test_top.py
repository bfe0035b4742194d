"""The first rows of each group, and an `or` as a union, on both databases."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm


class Room(rm.Table, name="rooms"):
    id: rm.Col[int] = rm.pk()
    slug: rm.Col[str]


class Word(rm.Table, name="words"):
    id: rm.Col[int] = rm.pk()
    room: rm.Col[int | None] = rm.fk(Room.id)
    score: rm.Col[int | None]
    kind: rm.Col[str]


class Pair(rm.Table, name="pairs"):
    one: rm.Col[int] = rm.pk()
    two: rm.Col[int] = rm.pk()
    of: rm.Col[str]


DECLARED = """
    create table rooms (id integer primary key, slug text);
    create table words (id integer primary key, room integer, score integer, kind text);
    create table pairs (one integer, two integer, of text, primary key (one, two));
    create index by_room on words (room, score, id)
"""
PICK = random.Random(3)
WORDS = [
    {
        "id": at,
        "room": PICK.choice([*range(10), None]),
        "score": PICK.choice([None, 1, 2, 3]),
        "kind": PICK.choice("ab"),
    }
    for at in range(300)
]


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        db.execute_script(DECLARED)
        db.load("rooms", [{"id": at, "slug": f"s{at}"} for at in range(10)])
        db.load("words", WORDS)
        db.load("pairs", [{"one": at // 4, "two": at % 4, "of": "xy"[at % 2]} for at in range(20)])
        yield db


def first(
    rows: int,
    groups: Any,
    keep: Callable[[dict[str, Any]], bool] = lambda word: True,
    down: bool = True,
) -> list[int]:
    """The same by Python."""

    def key(word: dict[str, Any]) -> Any:
        null = word["score"] is None
        if down:
            return (not null, -(word["score"] or 0), -word["id"])
        return (null, word["score"] or 0, word["id"])

    found: list[int] = []
    for group in groups:
        mine = [word for word in WORDS if word["room"] == group and keep(word)]
        found += [word["id"] for word in sorted(mine, key=key)[:rows]]
    return found


DOWN = rm.select(Word).order_by(-Word.score, -Word.id)
NAMED = (
    rm.select(Word.id, Room.slug).join(Room).where(Word.kind == "a").order_by(Word.score, Word.id)
)


EITHER = rm.select(Word.id, Word.score).where(
    (Word.kind == "a") | (Word.score == 2) | (Word.room == 3)
)


def is_a(word: dict[str, Any]) -> bool:
    return bool(word["kind"] == "a")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # groups come in the order of the list; those that are not there are none
        (DOWN.top_n(3, per=Word.room, groups=[4, 2, 9, 77]), first(3, [4, 2, 9])),
        (DOWN.top_n(1, per=Word.room, groups=(9, 1)), first(1, [9, 1])),
        (DOWN.top_n(2, per=Word.room, groups=[2, 1, 2]), first(2, [2, 1])),
        (DOWN.top_n(3, per=Word.room, groups=[]), []),
        (DOWN.top_n(1000, per=Word.room, groups=[5]), first(1000, [5])),
        # all there are: NULL is a group, above the others
        (DOWN.top_n(3, per=Word.room), first(3, [*range(10), None])),
        (NAMED.top_n(2, per=Word.room, groups=[5, 1]), first(2, [5, 1], is_a, down=False)),
        (NAMED.top_n(2, per=Word.room), first(2, range(10), is_a, down=False)),
        (
            DOWN.where((Word.kind == "a") | (Word.id < 0)).top_n(2, per=Word.room, groups=[3]),
            first(2, [3], is_a),
        ),
    ],
)
def test_the_first_of_each_group(db: rm.Database, query: rm.Select, expected: list[int]) -> None:
    assert db.fetch(query)["id"].to_list() == expected


@rm.query
def of_rooms(rooms: list[int]) -> rm.Select:
    return DOWN.top_n(2, per=Word.room, groups=rooms)


def test_a_group_that_is_named_twice_counts_once(db: rm.Database) -> None:
    assert db.fetch(of_rooms([4, 2, 4, 4, 2]))["id"].to_list() == first(2, [4, 2])


def test_of_the_first_rows_it_is_asked_by_way_of_a_name(db: rm.Database) -> None:
    rows = DOWN.top_n(3, per=Word.room, groups=[4, 2]).subquery("rows")
    expected = sorted(first(3, [4, 2]))
    assert db.fetch(rm.select(rows).order_by(rows.id))["id"].to_list() == expected
    few = rm.select(rows).where(rows.id > expected[0]).order_by(rows.id).limit(2)
    assert db.fetch(few)["id"].to_list() == expected[1:3]


def test_the_first_of_each_group_where_a_row_has_several_partners(db: rm.Database) -> None:
    many = rm.select(Room.slug, word=Word.id).join(Word).order_by(-Word.score, -Word.id)
    some = db.fetch(many.top_n(3, per=Room.id, groups=[4, 2, 77]))
    assert some["word"].to_list() == first(3, [4, 2])
    assert some["slug"].to_list() == ["s4"] * 3 + ["s2"] * 3
    assert db.fetch(many.top_n(3, per=Room.id))["word"].to_list() == first(3, range(10))
    other = Word.alias("other")
    crossed = (
        rm.select(Word.id, o=other.id)
        .left_join(other, (other.room == Word.room) & (other.score == 1))
        .order_by(-other.id, Word.id)
        .top_n(2, per=Word.room, groups=[3])
    )
    ones = sorted(word["id"] for word in WORDS if word["room"] == 3 and word["score"] == 1)
    mine = sorted(word["id"] for word in WORDS if word["room"] == 3)
    assert [tuple(row) for row in db.fetch(crossed)] == [(at, ones[-1]) for at in mine[:2]]


def test_columns_of_one_name_are_told_apart(db: rm.Database) -> None:
    twins = rm.select(Word.id, Room.id).join(Room).order_by(Word.id)
    for query in (twins.top_n(1, per=Word.room, groups=[3, 4]), twins.top_n(1, per=Word.room)):
        frame = db.fetch(query)
        assert frame.columns == ["id", "id"]
        by_word = {word["id"]: word["room"] for word in WORDS}
        assert [by_word[word] for word, room in frame] == [room for word, room in frame]


def test_keys_of_several_columns(db: rm.Database) -> None:
    query = rm.select(Pair).order_by(-Pair.two, Pair.one)
    expected = [(0, 2, "x"), (1, 2, "x"), (0, 3, "y"), (1, 3, "y")]
    assert [
        tuple(row) for row in db.fetch(query.top_n(2, per=Pair.of, groups=["x", "y"]))
    ] == expected
    assert [tuple(row) for row in db.fetch(query.top_n(2, per=Pair.of))] == expected


VALUES: list[tuple[str, Any, Any, list[Any]]] = [
    ("text", "text", str, ["it's", 'a"b', "", "é\n"]),
    ("date", "date", dt.date, [dt.date(2024, 2, 29), dt.date(1969, 1, 1)]),
    ("timestamp", "timestamp", None, [dt.datetime(2024, 1, 1, 2, 3, 4, 5), dt.datetime(1, 1, 1)]),
    ("uuid", "text", uuid.UUID, [uuid.UUID(int=5), uuid.UUID(int=2**127)]),
    ("double precision", "real", float, [0.1, -1e300, 5.0]),
    ("numeric", "numeric", Decimal, [Decimal("1.5"), Decimal("-2")]),
    ("boolean", "boolean", bool, [True, False]),
    ("bigint", "bigint", int, [2**63 - 1, -(2**63), 0]),
]


@pytest.mark.parametrize("at", range(len(VALUES)))
def test_groups_of_every_kind(any_url: str, at: int) -> None:
    postgres, sqlite, kind, values = VALUES[at]
    if kind is None:

        class Wall(rm.Table, name="of_kind"):
            id: rm.Col[int] = rm.pk()
            per: rm.Col[dt.datetime] = rm.column(naive=True)

        table: Any = Wall
    else:
        names = {"id": rm.Col[int], "per": rm.Col[kind]}  # type: ignore[valid-type]
        make: Any = type(rm.Table)
        body = {"__annotations__": names, "id": rm.pk()}
        table = make("Kinds", (rm.Table,), body, name="of_kind")
    with rm.Database(any_url) as db:
        of = postgres if any_url.startswith("postgres") else sqlite
        db.execute(f"create table of_kind (id integer primary key, per {of})")
        rows = [
            {"id": 10 * at + n, "per": value} for at, value in enumerate(values) for n in (1, 2, 3)
        ]
        db.execute(rm.insert(table).values(rows))
        query = rm.select(table.id).order_by(-table.id)
        expected = [10 * at + n for at in range(len(values)) for n in (3, 2)]
        assert db.fetch(query.top_n(2, per=table.per, groups=values))["id"].to_list() == expected
        everything = db.fetch(query.top_n(2, per=table.per))["id"].to_list()
        assert sorted(everything) == sorted(expected)


def test_known_groups_are_found_by_the_index(db: rm.Database, any_url: str) -> None:
    query = DOWN.top_n(2, per=Word.room, groups=[1, 2])
    if any_url.startswith("postgres"):
        text, values = query.sql("postgresql")
        with db.transaction() as tx:
            tx.execute("set local enable_seqscan = off")
            plan = "\n".join(tx.fetch(f"explain {text}", *values)["QUERY PLAN"].to_list())
        assert "by_room" in plan
    else:
        text, values = query.sql("sqlite")
        plan = "\n".join(db.fetch(f"explain query plan {text}", *values)["detail"].to_list())
        assert "SEARCH words USING COVERING INDEX by_room (room=?)" in plan
        assert "SCAN words" not in plan


class Keyless(rm.Table, name="words"):
    id: rm.Col[int]
    room: rm.Col[int | None]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: DOWN.order_by().top_n(3, per=Word.room), r"top_n\(\) wants an order"),
        (lambda: DOWN.top_n(0, per=Word.room), "one row at least, not 0"),
        (lambda: DOWN.top_n(3, per=Word.room, groups=["x"]), "is int, but the list holds text"),
        (lambda: DOWN.top_n(3, per=Word.room, groups=[1, None]), "None"),
        (lambda: DOWN.limit(3).top_n(3, per=Word.room), r"without group_by\(\)"),
        (lambda: DOWN.distinct().top_n(3, per=Word.room), r"without group_by\(\)"),
        (
            lambda: DOWN.union(DOWN).top_n(3, per=Word.room),
            r"top_n\(\) comes before queries are put",
        ),
        (
            lambda: rm.select(Keyless).order_by(Keyless.id).top_n(1, per=Keyless.room),
            "finds rows by their primary key, and words declares none",
        ),
        (
            lambda: (
                rm.select(Word.id + 1)
                .join(Room)
                .order_by(Word.id)
                .top_n(1, per=Word.room, groups=[1])
            ),
            "has no name: give it one with .label()",
        ),
        (lambda: DOWN.union_or(), "wants a condition of the form a | b"),
        (
            lambda: EITHER.where((Word.id == 1) | (Word.id == 2)).union_or(),
            "one condition of the form a | b apart, there are 2",
        ),
        (lambda: EITHER.distinct().union_or(), "of plain rows"),
        (lambda: EITHER.union_or().limit(3), r"union_or\(\) comes last: limit\(\) before it"),
        (lambda: EITHER.union_or().offset(3), r"union_or\(\) comes last: offset\(\) before it"),
        (lambda: EITHER.union_or().order_by(Word.id), r"comes last: order_by\(\) before it"),
        (
            lambda: EITHER.select(n=rm.row_number().over(order_by=Word.id)).union_or(),
            "has a window, which would see the rows of one part",
        ),
    ],
)
def test_what_cannot_be_says_so(any_url: str, asked: Any, said: str) -> None:
    dialect = "postgresql" if any_url.startswith("postgres") else "sqlite"
    if "has no name" in said or "primary key" in said:
        dialect = "postgresql" if "has no name" in said else "sqlite"
    with pytest.raises(rm.ProgrammingError, match=said):
        asked().sql(dialect)


@pytest.mark.parametrize(
    "query",
    [
        EITHER.order_by(Word.id),
        EITHER.where(Word.id > 10).order_by(Word.id).limit(40),
        EITHER.order_by(-Word.score, Word.id).limit(7),
        EITHER.order_by(Word.score.nulls_first(), -Word.id).limit(7).offset(5),
        EITHER.order_by(Word.id).offset(150),
        EITHER.join(Room).order_by(Word.id),
        # a part that is NULL is no row's reason to be left out, nor to be there
        rm.select(Word.id).where((Word.score != 2) | (Word.kind == "b")).order_by(Word.id),
        rm.select(Word.id)
        .where((Word.score > 1) | (Word.score > 2) | (Word.score > 0))
        .order_by(Word.id),
        # columns that differ in a value alone
        EITHER.select(a=Word.id % 7, b=Word.id % 5, i=Word.id).order_by(
            Word.id % 5, Word.id % 7, Word.id
        ),
    ],
)
def test_an_or_as_a_union_has_the_same_rows(db: rm.Database, query: rm.Select) -> None:
    expected = [tuple(row) for row in db.fetch(query)]
    assert expected
    assert [tuple(row) for row in db.fetch(query.union_or())] == expected


def test_an_or_as_a_union_shares_the_parameters() -> None:
    text, values = EITHER.where(Word.id > 10).union_or().sql("sqlite")
    assert values == [10, "a", 2, 3]
    assert text.count("?1") == 3
    many = Word.id == 0
    for at in range(1, 70):
        many = many | (Word.id == at)
    with pytest.raises(
        rm.ProgrammingError, match=r"has 70 parts, union_or\(\) takes 64: is it an in_"
    ):
        rm.select(Word).where(many).union_or()

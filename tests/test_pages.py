"""Pages by the place of a row: each row once, in order, forwards and backwards, on both databases."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import rowmill as rm
from rowmill._rowmill import Paging


class Post(rm.Table, name="posts"):
    id: rm.Col[int] = rm.pk()
    score: rm.Col[int | None]
    nick: rm.Col[str]
    kind: rm.Col[int]
    price: rm.Col[decimal.Decimal | None]
    ratio: rm.Col[float | None]
    day: rm.Col[dt.date]
    at: rm.Col[dt.datetime] = rm.column(naive=True)
    seen: rm.Col[dt.datetime | None]
    key: rm.Col[uuid.UUID]
    raw: rm.Col[bytes]
    open: rm.Col[bool]
    parent: rm.Col[int | None] = rm.fk("posts.id")


class Up(rm.Table, name="posts"):
    id: rm.Col[int] = rm.pk()
    parent: rm.Col[int | None] = rm.fk("posts.id")
    children = rm.many(lambda: Up)


ROWS = 83
DECLARED = """
    create table posts (id integer primary key, score integer, nick text not null, kind integer not null,
        price {price}, ratio double precision, day date not null, at timestamp not null, seen {instant},
        key {uuid} not null, raw {bytes} not null, open boolean not null, parent integer)
"""
TYPES = {
    True: {"price": "numeric", "instant": "timestamptz", "uuid": "uuid", "bytes": "bytea"},
    False: {"price": "numeric", "instant": "timestamp", "uuid": "text", "bytes": "blob"},
}


def post(pick: random.Random, at: int, nan: float) -> dict[str, Any]:
    dec = decimal.Decimal
    return {
        "id": at,
        "score": pick.choice([None, None, 1, 2, 3, 4]),
        "nick": pick.choice(["x", "y", "z", "Ünï", "", "it's", "%_"]),
        "kind": pick.randrange(5),
        "price": pick.choice([None, dec("1.5"), dec("-3.25"), dec("10"), dec("9.75")]),
        "ratio": pick.choice([None, nan, float("inf"), float("-inf"), -0.0, 0.0, 1.5, 0.1]),
        "day": dt.date(2024, 1, 1) + dt.timedelta(pick.randrange(-9, 9)),
        "at": dt.datetime(2024, 1, 1, pick.randrange(24), 0, 0, pick.randrange(3)),
        "seen": pick.choice([None, dt.datetime(1969, 1, 1, pick.randrange(9), tzinfo=dt.UTC)]),
        "key": uuid.UUID(int=pick.getrandbits(128), version=4),
        "raw": bytes([pick.randrange(4), pick.randrange(255)]),
        "open": pick.choice([True, False]),
        "parent": pick.choice([None, pick.randrange(ROWS)]),
    }


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    postgres = any_url.startswith("postgres")
    pick = random.Random(1)
    with rm.Database(any_url) as db:
        db.execute_script(DECLARED.format(**TYPES[postgres]))
        # SQLite has no NaN.
        nan = float("nan") if postgres else 2.5
        db.load("posts", [post(pick, at, nan) for at in range(ROWS)])
        yield db


def walked(db: Any, query: rm.Select, size: int) -> list[tuple[Any, ...]]:
    """All rows by pages forwards; backwards from the last page they are the same."""
    page = db.page(query, size)
    assert not page.has_previous
    names = page.rows.columns
    found = [tuple(row) for row in page]
    while page.next:
        assert len(page) == size
        page = db.page(query, size, after=page.next)
        assert page.rows.columns == names
        found += [tuple(row) for row in page]
        assert len(found) <= 20 * ROWS
    back = [tuple(row) for row in page]
    while page.previous:
        page = db.page(query, size, before=page.previous)
        back = [tuple(row) for row in page] + back
        assert page.has_next
    assert repr(back) == repr(found)
    return found


ID = Post.id
ORDERS = [
    ((ID,), ()),
    ((-ID,), ()),
    ((Post.score,), (ID,)),
    ((-Post.score,), (-ID,)),
    ((Post.score.nulls_first(), -Post.nick), (-ID,)),
    ((Post.score.desc().nulls_last(), ID), ()),
    ((-Post.score, Post.nick, -Post.kind), (-ID,)),
    ((Post.nick, -Post.kind), (-ID,)),
    ((Post.nick, Post.kind), (ID,)),
    ((-Post.nick, -Post.kind, -ID), ()),
    ((Post.nick, Post.score, -ID), ()),
    ((Post.nick, -Post.score.nulls_last()), (-ID,)),
    ((Post.nick, Post.score.nulls_first(), Post.price.desc().nulls_last()), (-ID,)),
    # expressions, two of which differ in their values alone
    ((Post.kind % 3, Post.nick), (ID,)),
    ((Post.kind % 5, Post.kind % 3), (ID,)),
    ((rm.coalesce(Post.score, 0) % 4, Post.score % 3), (ID,)),
    ((Post.nick.length(), -Post.score), (-ID,)),
    # kinds of values
    ((Post.price,), (ID,)),
    ((-Post.price,), (-ID,)),
    ((Post.ratio,), (ID,)),
    ((-Post.ratio,), (-ID,)),
    ((Post.ratio.nulls_first(), Post.price), (ID,)),
    ((Post.day,), (ID,)),
    ((-Post.at,), (-ID,)),
    ((Post.seen,), (ID,)),
    ((-Post.seen, Post.day), (ID,)),
    ((Post.key,), ()),
    ((-Post.key, Post.nick), ()),
    ((Post.open, -Post.key), ()),
    ((Post.raw,), (ID,)),
    ((-Post.raw, Post.price), (ID,)),
    ((Post.open, Post.score), (ID,)),
]


@pytest.mark.parametrize("order", range(len(ORDERS)))
def test_pages_hold_each_row_once_in_order(db: rm.Database, order: int) -> None:
    keys, rest = ORDERS[order]
    query = rm.select(Post.nick, ID).order_by(*keys)
    whole = [tuple(row) for row in db.fetch(query.order_by(*keys, *rest))]
    assert len(whole) == ROWS
    for size in (1, 7, ROWS, 200):
        assert walked(db, query, size) == whole


UP = Post.alias("up")
NICKS = rm.select(Post.nick, n=rm.count()).group_by(Post.nick)


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        # a join with twin names, one to many, one that has none
        (
            rm.select(ID, UP.id).join(UP, Post.parent == UP.id).order_by(Post.score),
            [Post.score, ID, UP.id],
        ),
        (
            rm.select(ID, child=UP.id).join(UP, Post.kind == UP.kind).order_by(-Post.nick),
            [-Post.nick, -ID, -UP.id],
        ),
        (
            rm.select(ID, up=UP.nick).left_join(UP, Post.parent == UP.id).order_by(UP.nick),
            [UP.nick, ID, UP.id],
        ),
        (
            rm.select(ID, up=UP.id).full_join(UP, Post.parent == UP.id).order_by(-UP.nick),
            [-UP.nick, -ID, -UP.id],
        ),
        # groups, by their columns and by what is counted of them
        (NICKS.order_by(-Post.nick), [-Post.nick]),
        (NICKS.order_by(-rm.count()), [-rm.count(), -Post.nick]),
        (
            rm.select(Post.score, n=rm.count(), top=Post.price.max())
            .group_by(Post.score)
            .having(rm.count() > 1)
            .order_by(Post.price.max(), rm.count()),
            [Post.price.max(), rm.count(), Post.score],
        ),
        # distinct rows, whose own columns tell them apart
        (rm.select(Post.nick).distinct().order_by(Post.nick), [Post.nick]),
        (
            rm.select(Post.nick, Post.score).distinct().order_by(-Post.score),
            [-Post.score, -Post.nick],
        ),
        (
            rm.select(Post.nick, third=Post.kind % 3).distinct().order_by(Post.kind % 3),
            [rm.col("third"), Post.nick],
        ),
        # labels, conditions, and a query with a name
        (rm.select(ID, s=-Post.score).order_by(rm.col("s")), [rm.col("s"), -ID]),
        (NICKS.order_by(-rm.col("n")), [-rm.count(), -Post.nick]),
        (NICKS.order_by(rm.col("n").desc(), rm.col("nick")), [-rm.count(), Post.nick]),
        (
            rm.select(Post.score.label("s"), n=Post.nick, i=ID).order_by(-Post.score, Post.nick),
            [-Post.score, Post.nick, ID],
        ),
        (
            rm.select(ID).where((Post.kind == 1) | (Post.nick == "x")).order_by(Post.price),
            [Post.price, ID],
        ),
    ],
)
def test_pages_of_every_kind_of_query(
    db: rm.Database, query: rm.Select, whole: list[rm.Expr[Any]]
) -> None:
    rows = [tuple(row) for row in db.fetch(query.order_by(*whole))]
    assert len(rows) > 4
    for size in (1, 3, 50):
        assert walked(db, query, size) == rows


def test_pages_of_a_union_and_of_a_window_go_by_a_name(db: rm.Database) -> None:
    low, high = rm.select(ID, Post.nick).where(ID < 9), rm.select(ID, Post.nick).where(ID >= 9)
    union = low.union_all(high).subquery("u")
    query = rm.select(union).order_by(union.nick, union.id)
    assert walked(db, query, 5) == [tuple(row) for row in db.fetch(query)]
    ranks = rm.select(ID, place=rm.row_number().over(order_by=-ID)).subquery("r")
    query = rm.select(ranks.id).order_by(ranks.place)
    assert walked(db, query, 9) == [(at,) for at in reversed(range(ROWS))]


def test_an_order_that_tells_rows_not_apart_is_refused_before_a_row_is_lost(
    db: rm.Database,
) -> None:
    named = rm.select(Post.nick, Post.kind).subquery("s")
    with pytest.raises(rm.DataError, match="does not tell apart"):
        walked(db, rm.select(named).order_by(named.nick), 4)
    whole = db.page(rm.select(named).order_by(named.nick), ROWS)
    assert (len(whole), whole.next) == (ROWS, None)


def test_a_key_that_is_null_against_its_declaration_is_refused(db: rm.Database) -> None:
    class Wrong(rm.Table, name="posts"):
        id: rm.Col[int] = rm.pk()
        score: rm.Col[int]

    with pytest.raises(rm.DataError, match=r"posts.score is NULL here .* rm.Col\[type \| None\]"):
        # SQLite has its NULLs first here, PostgreSQL last.
        for size in (3, ROWS - 1):
            db.page(rm.select(Wrong.id).order_by(Wrong.score), size)


def test_rows_that_come_and_go_move_no_others(db: rm.Database) -> None:
    query = rm.select(ID).where(ID >= 10).order_by(ID)
    first = db.page(query, 5)
    assert [row.id for row in first] == [10, 11, 12, 13, 14]
    db.execute(rm.delete(Post).where(ID.in_([10, 14, 15])))
    second = db.page(query, 5, after=first.next)
    assert [row.id for row in second] == [16, 17, 18, 19, 20]
    assert [row.id for row in db.page(query, 5, before=second.previous)] == [11, 12, 13]
    db.execute(rm.delete(Post).where(ID > 20))
    empty = db.page(query, 5, after=second.next)
    assert (len(empty), empty.next, empty.previous, list(empty)) == (0, None, None, [])
    assert repr(empty) == "<rowmill.Page of 0 rows>"
    assert empty.rows.columns == ["id"]


def test_tokens_are_of_one_order_and_one_secret(db: rm.Database) -> None:
    query = rm.select(Post).order_by(Post.score)
    token = db.page(query, 3, secret="s").next
    assert token is not None
    assert len(db.page(query, 9, after=token, secret=b"s")) == 9  # the size may change
    # Of the same order: it names a place, whatever is asked of the rows behind it.
    kept = db.page(query.where(ID > 10), 9, after=token, secret="s")
    assert len(kept) > 0
    assert all(row.id > 10 for row in kept)
    other = [
        (query, token, None),
        (query, token, "t"),
        (query.order_by(-Post.score), token, "s"),
        (query.order_by(Post.score.nulls_first()), token, "s"),
        (query.order_by(Post.score, Post.nick), token, "s"),
        (query, "", "s"),
        (query, "é", "s"),
        (query, "A" * 100_000, "s"),
        (query, token + "A", "s"),
        *(
            (query, token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :], "s")
            for at in range(len(token))
        ),
        *((query, token[:at], "s") for at in range(len(token))),
    ]
    for of, wrong, secret in other:
        with pytest.raises(rm.DataError, match="the page token is none of this query's"):
            db.page(of, 3, after=wrong, secret=secret)


def test_tokens_last_as_long_as_address_and_secret(any_url: str, db: rm.Database) -> None:
    query = rm.select(ID).order_by(-ID)
    token = db.page(query, 3).next
    with rm.Database(any_url) as again:
        assert [row.id for row in again.page(query, 2, after=token)] == [ROWS - 4, ROWS - 5]


def test_a_value_that_looks_like_sql_stays_a_value(db: rm.Database) -> None:
    nick = "'); drop table posts; --"
    db.execute(rm.update(Post).set(nick=nick).where(ID < 40))
    query = rm.select(Post.nick, ID).order_by(Post.nick, -Post.kind)
    assert len(walked(db, query, 3)) == ROWS


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda db, q: db.page(q, 0), "size is at least 1, not 0"),
        (lambda db, q: db.page(q, -1), "size is at least 1, not -1"),
        (lambda db, q: db.page(q.order_by()), "pages want an order"),
        (lambda db, q: db.page(q.limit(3)), "leave limit.. and offset.. away"),
        (lambda db, q: db.page(q.offset(3)), "leave limit.. and offset.. away"),
        (lambda db, q: db.page(q.union(q)), "a union has no pages by itself"),
        (lambda db, q: db.page(q.top_n(1, per=Post.nick)), r"top_n\(\) has no pages by itself"),
        (
            lambda db, q: db.page(q, after="x", before="y"),
            "after one token or before one, not both",
        ),
        (lambda db, q: db.page(q, 3, before=db.page(q, 3).next), "is a page's `next`"),
        (
            lambda db, q: db.page(q, 3, after=db.page(q, 3, after=db.page(q, 3).next).previous),
            "is a page's `previous`",
        ),
        (lambda db, q: db.page(q, 3, secret=5), "secret is bytes or a str, not int"),
        (
            lambda db, q: db.page(q.select(Post.nick).distinct(), 3),
            "a page of distinct rows is ordered by columns that are selected",
        ),
        (
            lambda db, q: db.page(q.order_by(rm.row_number().over(order_by=Post.nick)), 3),
            "has a window, .*: page over the query with a name",
        ),
        (
            lambda db, q: db.page(q.select(n=rm.row_number().over(order_by=ID)), 3),
            "has a window, which would see the rows of one page",
        ),
        (lambda db, q: db.page(q.with_(Up.children)), "a page has no edges"),
    ],
)
def test_what_has_no_pages_says_so(db: rm.Database, asked: Any, said: str) -> None:
    with pytest.raises((rm.ProgrammingError, rm.DataError, ValueError), match=said):
        asked(db, rm.select(Post).order_by(Post.score))


@rm.query
def from_id(floor: int, nick: str = "") -> rm.Select:
    return rm.select(Post).where(Post.id >= floor, Post.nick >= nick).order_by(Post.score)


@rm.query
def gone(floor: int) -> rm.Delete:
    return rm.delete(Post).where(Post.id >= floor)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("select 1", "not str"),
        (None, "not NoneType"),
        (Post, "not rowmill._table._Columns"),
        (rm.delete(Post).all_rows(), "not rowmill.Delete"),
        (rm.sql("select 1"), "not rowmill.Raw"),
        (gone(1), "not rowmill.Call"),
        (from_id, "not a function under rm.query by itself: call it with its values"),
    ],
)
async def test_what_is_no_query_that_reads(any_url: str, asked: Any, said: str) -> None:
    wanted = rf"page\(\) takes a query as of rm.select\(\), with an order, {said}"
    with rm.Database(any_url) as db, pytest.raises(TypeError, match=wanted):
        db.page(asked, 3)
    async with rm.AsyncDatabase(any_url) as adb:
        with pytest.raises(TypeError, match=wanted):
            await adb.page(asked, 3)


async def test_a_call_has_pages(any_url: str, db: rm.Database) -> None:
    query = rm.select(Post).where(ID >= 30, Post.nick >= "").order_by(Post.score)
    expected = [row.id for row in db.fetch(query.order_by(Post.score, ID))]
    page = db.page(from_id(30), 7)
    found = [row.id for row in page]
    back: list[int] = []
    while page.next is not None:
        page = db.page(from_id(30), 7, after=page.next)
        found += [row.id for row in page]
    assert found == expected
    with db.transaction() as tx:
        before = tx.page(from_id(30), 500, before=page.previous)
        back = [row.id for row in before]
    assert back + [row.id for row in page] == expected
    async with rm.AsyncDatabase(any_url) as adb:
        first = await adb.page(from_id(30), 7)
        second = await adb.page(from_id(30), 7, after=first.next)
        assert [row.id for page in (first, second) for row in page] == expected[:14]


def test_pages_in_a_transaction_see_what_it_did(db: rm.Database) -> None:
    with db.transaction() as tx:
        tx.execute(rm.delete(Post).where(ID > 10))
        assert walked(tx, rm.select(ID).order_by(-ID), 3) == [(at,) for at in range(10, -1, -1)]


@pytest.mark.anyio
async def test_pages_under_asyncio(any_url: str, db: rm.Database) -> None:
    query = rm.select(Post.nick, ID).order_by(Post.score.nulls_first(), -Post.nick)
    sync = db.page(query, 30)
    async with rm.AsyncDatabase(any_url) as other:
        page = await other.page(query, 30)
        assert (page.next, page.rows.to_tuples()) == (sync.next, sync.rows.to_tuples())
        async with other.transaction() as tx:
            page = await tx.page(query, 30, after=page.next)
        assert (page.has_next, page.has_previous, len(page)) == (True, True, 30)
        back = await other.page(query, 30, before=page.previous)
        assert back.rows.to_tuples() == sync.rows.to_tuples()
        with pytest.raises(ValueError, match="size is at least 1"):
            await other.page(query, 0)


class Many(rm.Table, name="many"):
    id: rm.Col[int] = rm.pk()
    a: rm.Col[int]
    b: rm.Col[int]
    c: rm.Col[int | None]


@pytest.fixture
def many(any_url: str) -> Iterator[rm.Database]:
    pick = random.Random(2)
    with rm.Database(any_url) as db:
        db.execute_script(
            "create table many (id integer primary key, a integer not null, b integer not null, c integer);"
            "create index by_a on many (a, id); create index by_ab on many (a, b desc, id desc);"
            "create index by_c on many (c, id)"
        )
        db.load(
            "many",
            [
                {
                    "id": at,
                    "a": pick.randrange(4000),
                    "b": pick.randrange(9),
                    "c": pick.choice([None, at]),
                }
                for at in range(8000)
            ],
        )
        if any_url.startswith("postgres"):
            db.execute("analyze many")
        yield db


@pytest.mark.parametrize(
    "order",
    [
        (Many.id,),
        (Many.a, Many.id),
        (-Many.a, -Many.id),
        (Many.a, -Many.b, -Many.id),
        (-Many.a, Many.b, Many.id),
        (Many.c, Many.id),
        (-Many.c, -Many.id),
    ],
    ids=str,
)
def test_a_deep_page_looks_at_no_more_rows_than_it_gives(
    many: rm.Database, any_url: str, order: tuple[rm.Expr[Any], ...]
) -> None:
    query, postgres = rm.select(Many).order_by(*order), any_url.startswith("postgres")
    deep = many.page(query, 3000, secret="s")  # among values and NULLs in turn
    deeper = many.page(query, 3000, after=deep.next, secret="s")
    tokens = [(deep.next, None), (deeper.next, None), (None, deeper.previous)]
    for after, before in tokens:
        page = Paging(query, 10, after, before, "s", "")
        text, values = page.query().sql("postgresql" if postgres else "sqlite")
        if postgres:
            plan = json.loads(many.fetch_value(f"explain (analyze, format json) {text}", *values))
            assert looked_at(plan[0]["Plan"]) <= 120, text
        else:
            plan = many.fetch(f"explain query plan {text}", *values)["detail"].to_list()
            assert not [line for line in plan if line.startswith("SCAN many")], (text, plan)


def looked_at(node: dict[str, Any]) -> int:
    """Rows that the nodes of a plan had in hand."""
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(own) + sum(looked_at(below) for below in node.get("Plans", ()))

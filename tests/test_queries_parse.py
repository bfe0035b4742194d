"""Whole queries are SQL to somebody else's parser too, and of the form that was asked for."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
import sqlglot
from sqlglot import exp

import rowmill as rm
from rowmill._rowmill import Paging
from tests.query_tables import Channel, Line, fill

UP = Channel.alias("up")
COUNTS = rm.select(Line.nick, n=rm.count()).group_by(Line.nick)
COUNTED, NAMED = COUNTS.subquery("counted"), COUNTS.cte("named")
TOP = rm.select(Line).order_by(-Line.score, Line.id)
ID = rm.select(Line.id)
ROWS = [{"id": 7, "nick": "x"}, {"id": 8, "nick": "y"}]
CLAUSES = {
    "from_": "from",
    "joins": "join",
    "where": "where",
    "group": "group",
    "having": "having",
    "order": "order",
    "limit": "limit",
    "offset": "offset",
    "distinct": "distinct",
    "with_": "with",
    "returning": "returning",
    "conflict": "conflict",
}

# Each query, what it is, and the clauses that its outermost level has.
QUERIES: dict[str, tuple[Any, type[exp.Expr], str]] = {
    "plain": (rm.select(Line), exp.Select, "from"),
    "no table": (rm.select(one=rm.lit(1)), exp.Select, ""),
    "rows": (
        rm.select(Line.nick).distinct().where(Line.id > 1, Line.body.is_null() | (Line.score >= 2))
        .order_by(-Line.nick.lower().nulls_first()).limit(5).offset(2),
        exp.Select, "from where order limit offset distinct",
    ),
    "offset alone": (ID.order_by(Line.id).offset(2), exp.Select, "from order offset"),
    "joins": (
        rm.select(Line.id, Channel.slug, UP.slug.label("above")).from_(Line).join(Channel).left_join(UP, Channel.parent_id == UP.id),
        exp.Select, "from join",
    ),
    "full and cross": (
        rm.select(Line.id).full_join(Channel, Line.channel_id == Channel.id).cross_join(UP),
        exp.Select, "from join",
    ),
    "groups": (
        rm.select(Line.nick, Line.score.sum().label("all"), some=rm.count().where(Line.body.is_null()), each=Line.id.count_distinct())
        .group_by(Line.nick).having(rm.count() > 1).order_by(-rm.count()),
        exp.Select, "from group having order",
    ),
    "windows": (
        rm.select(Line.id, at=rm.row_number().over(partition_by=[Line.nick], order_by=-Line.id), before=Line.id.lag(2).over(order_by=[Line.score, Line.id])),
        exp.Select, "from",
    ),
    "sub-query": (rm.select(COUNTED).join(Line, Line.nick == COUNTED.nick), exp.Select, "from join"),
    "named query": (rm.select(NAMED.n).where(NAMED.n == rm.select(NAMED.n.max()).value()), exp.Select, "from where with"),
    "operands": (
        ID.where(Line.channel_id.in_(rm.select(Channel.id)), ~rm.exists(rm.select(Channel).where(Channel.id == Line.id)), Line.id.not_in([1, 2])),
        exp.Select, "from where",
    ),
    "case": (rm.select(k=rm.case((Line.id > 3, "high"), default=Line.nick)), exp.Select, "from"),
    "union": (ID.union(rm.select(Channel.id)), exp.Union, "distinct"),
    "union all of limits": (TOP.limit(1).union_all(TOP.limit(1)).order_by(-Line.id).limit(1), exp.Union, "order limit"),
    "intersect": (ID.intersect(rm.select(Channel.id)), exp.Intersect, "distinct"),
    "except": (ID.except_(rm.select(Channel.id)), exp.Except, "distinct"),
    "union_or": (TOP.where((Line.nick == "ada") | (Line.id == 2)).limit(3).union_or(), exp.Union, "order limit"),
    "top of all": (TOP.top_n(2, per=Line.nick), exp.Select, "from join where order"),
    "insert": (rm.insert(Line).values(ROWS), exp.Insert, ""),
    "insert and give back": (rm.insert(Line).values(ROWS).returning(Line.id, Line.nick.upper().label("up")), exp.Insert, "returning"),
    "defaults": (rm.insert(Line).returning(Line.id), exp.Insert, "returning"),
    "insert from": (rm.insert(Channel).from_select(rm.select(NAMED.n, NAMED.nick), "id", "slug"), exp.Insert, "with"),
    "upsert": (rm.upsert(Line).values(ROWS), exp.Insert, "conflict"),
    "upsert and set": (rm.upsert(Line).values(ROWS).set("nick", score=Line.score + 1).on(Line.id).returning(Line), exp.Insert, "conflict returning"),
    "upsert from": (rm.upsert(Channel).from_select(rm.select(Channel.id, Channel.slug), "id", "slug"), exp.Insert, "conflict"),
    "or nothing": (rm.insert(Line).values(ROWS).or_nothing(), exp.Insert, "conflict"),
    "update": (rm.update(Line).set(body=None, score=Line.score + 1).where(Line.id == 1).returning(Line), exp.Update, "where returning"),
    "update from": (rm.update(Line).set(score=COUNTED.n).from_(COUNTED).where(COUNTED.nick == Line.nick), exp.Update, "from where"),
    "delete": (rm.delete(Line).where(Line.nick.in_(rm.select(NAMED.nick))).returning(Line.id), exp.Delete, "where with returning"),
    "delete all": (rm.delete(Line).all_rows(), exp.Delete, ""),
}  # fmt: skip

READERS: list[tuple[Literal["postgresql", "sqlite"], str]] = [
    ("postgresql", "postgres"),
    ("sqlite", "sqlite"),
]


def read(query: Any, dialect: Literal["postgresql", "sqlite"], reader: str) -> exp.Expr:
    """The one statement that the other parser sees, whose parameters are those that are sent."""
    text, values = query.sql(dialect)
    # That parser knows no numbers of placeholders in SQLite's dialect.
    text = re.sub(r"\?(\d+)", r":p\1", text)
    (found,) = sqlglot.parse(text, dialect=reader)
    assert found is not None
    assert not list(found.find_all(exp.Command))
    places = {int(place) for place in re.findall(r"(?:\$|:p)(\d+)", text)}
    assert places == set(range(1, len(values) + 1))
    return found


def clauses(found: exp.Expr) -> set[str]:
    return {name for clause, name in CLAUSES.items() if found.args.get(clause)}


@pytest.mark.parametrize(("dialect", "reader"), READERS)
@pytest.mark.parametrize("name", QUERIES)
def test_each_query_is_read_as_what_it_is(
    name: str, dialect: Literal["postgresql", "sqlite"], reader: str
) -> None:
    query, kind, expected = QUERIES[name]
    found = read(query, dialect, reader)
    assert type(found) is kind
    # SQLite has no offset without a limit.
    own = {"limit"} if dialect == "sqlite" and name == "offset alone" else set()
    assert clauses(found) == set(expected.split()) | own
    tables = {table.name for table in found.find_all(exp.Table)}
    # A function that gives rows has no name.
    assert tables <= {"lines", "channels", "named", ""}


@pytest.mark.parametrize(("dialect", "reader"), READERS)
def test_the_first_rows_of_known_groups_are_read(
    dialect: Literal["postgresql", "sqlite"], reader: str
) -> None:
    found = read(TOP.top_n(2, per=Line.nick, groups=["ada", "eve"]), dialect, reader)
    assert clauses(found) == {"from", "join", "order"}
    wide = TOP.join(UP, UP.parent_id == Line.channel_id).top_n(2, per=Line.nick)
    assert clauses(read(wide, dialect, reader)) == {"from", "where", "order"}


@pytest.mark.parametrize("order", [Line.id, Line.nick, -Line.score, Line.score.nulls_first()])
@pytest.mark.parametrize("size", [1, 3])
def test_the_queries_of_pages_are_read(order: Any, size: int) -> None:
    query = rm.select(Line.id).order_by(order)
    seen: list[Any] = []
    with rm.Database("sqlite://") as db:
        fill(db)
        page = db.page(query, size, secret="s")
        while page.next is not None:
            seen += [row.id for row in page.rows]
            for dialect, reader in READERS:
                after = Paging(query, size, page.next, None, "s", "").query()
                found = read(after, dialect, reader)
                assert isinstance(found, exp.Select | exp.Union)
                assert {"order", "limit"} <= clauses(found)
            page = db.page(query, size, after=page.next, secret="s")
            for dialect, reader in READERS:
                before = Paging(query, size, None, page.previous, "s", "").query()
                assert {"order", "limit"} <= clauses(read(before, dialect, reader))
        seen += [row.id for row in page.rows]
    assert sorted(seen) == [1, 2, 3, 4]

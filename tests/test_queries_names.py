"""Names that two things have: what is written is what is meant, or one error says which name to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

import rowmill as rm
from tests.query_tables import Channel, Line, fill, rows

ID = rm.select(Line.id).order_by(Line.id)


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        fill(db)
        yield db


def said_by(nick: str) -> rm.Select:
    return rm.select(Line.id, Line.nick).where(Line.nick == nick)


def two_ctes() -> rm.Select:
    ada, bob = said_by("ada").cte("said"), said_by("bob").cte("said")
    return ID.where(Line.id.in_(rm.select(ada.id)) | Line.id.in_(rm.select(bob.id)))


def two_subqueries() -> rm.Select:
    ada, bob = said_by("ada").subquery("said"), said_by("bob").subquery("said")
    return rm.select(ada.id, bob.nick)


def another_subquery() -> rm.Select:
    ada, bob = said_by("ada").subquery("said"), said_by("bob").subquery("said")
    return rm.select(ada.id).where(bob.nick == "bob")


def joined_subqueries() -> rm.Select:
    ada, bob = said_by("ada").subquery("said"), said_by("bob").subquery("said")
    return rm.select(ada.id).join(bob, ada.id == bob.id)


def nearer_alias() -> rm.Select:
    other = Channel.alias("lines")
    return ID.where(rm.exists(rm.select(other).where(other.id == Line.id)))


def nearer_subquery() -> rm.Select:
    other = said_by("ada").subquery("lines")
    return ID.where(rm.exists(rm.select(other).where(other.id == Line.id)))


def hidden_table() -> rm.Select:
    first = rm.select(Channel.id).where(Channel.id == 1).cte("channels")
    rest = rm.select(Channel.id).where(Channel.id == 2)
    return ID.where(Line.channel_id.in_(rm.select(first.id)) | Line.channel_id.in_(rest))


def table_of_its_own_name() -> rm.Select:
    return rm.select(rm.select(Line.id).cte("lines"))


def written_from_its_own_name() -> rm.Update:
    other = Channel.alias("lines")
    return rm.update(Line).set(nick=other.slug).from_(other).where(Line.id == 1)


NEARER = "two sources are named lines, and lines.id is not of the nearer one: give one another name"
HIDES = "is a table and the name of a query, which hides it: give the query another name"


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        (two_ctes, 'two queries are named "said": give one another name, or make it once'),
        (two_subqueries, "two sources are named said: give one another name"),
        (another_subquery, "two sources are named said, and said.nick is not of the nearer one"),
        (joined_subqueries, "two sources are named said: give one another name"),
        (nearer_alias, NEARER),
        (nearer_subquery, NEARER),
        (hidden_table, f"channels {HIDES}"),
        (table_of_its_own_name, f"lines {HIDES}"),
        (written_from_its_own_name, "two sources are named lines: give one another name"),
    ],
)
def test_a_name_of_two_is_refused(
    query: Callable[[], Any], message: str, dialect: Literal["postgresql", "sqlite"]
) -> None:
    # What was built before, and is alike but for values, leaves no text that would be taken.
    for _ in range(2):
        with pytest.raises(rm.ProgrammingError) as raised:
            query().sql(dialect)
        assert message in str(raised.value)


def test_sqlite_takes_names_for_one_whatever_their_capitals() -> None:
    other = Channel.alias("LINES")
    query = ID.where(rm.exists(rm.select(other).where(other.id == Line.id)))
    assert '"LINES"."id" = "lines"."id"' in query.sql("postgresql")[0]
    with pytest.raises(rm.ProgrammingError, match="two sources are named lines"):
        query.sql("sqlite")


def test_one_query_under_one_name_is_used_as_often_as_one_likes(db: rm.Database) -> None:
    ada = said_by("ada")
    either = Line.id.in_(rm.select(ada.cte("said").id)) & Line.id.in_(rm.select(ada.cte("said").id))
    assert rows(db.fetch(ID.where(either))) == [1, 3]
    alike = [rm.select(Line.channel_id).cte("used") for _ in range(2)]
    some = rm.select(Channel.id).order_by(Channel.id)
    for one in alike:
        some = some.where(Channel.id.in_(rm.select(one.channel_id)))
    assert rows(db.fetch(some)) == [1, 2]
    other, named = Channel.alias("other"), rm.select(Line.id, Line.nick).cte("named")
    found = ID.where(rm.exists(rm.select(other).where(other.id == Line.id)))
    assert rows(db.fetch(found)) == [1, 2, 3]
    twin = rm.select(named.id).where(rm.exists(rm.select(Line).where(Line.id == named.id)))
    assert len(db.fetch(twin)) == 4


def test_what_is_refused_once_is_not_taken_by_what_was_written_before(db: rm.Database) -> None:
    ada = said_by("ada").cte("said")
    one = ID.where(Line.id.in_(rm.select(ada.id)) | Line.id.in_(rm.select(ada.id)))
    assert rows(db.fetch(one)) == [1, 3]
    with pytest.raises(rm.ProgrammingError, match="two queries are named"):
        db.fetch(two_ctes())

"""Queries that make no sense: one error each, which says what to write."""

from __future__ import annotations

import datetime
import gc
import types
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm
from tests.query_tables import Channel, Line, fill, rows

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
NICKS = rm.select(Line.nick)
FIRST = rm.select(Line).order_by(-Line.id).top_n(1, per=Line.nick)
BOTH = NICKS.union(NICKS)


class Author(rm.Table, name="authors"):
    id: rm.Col[int] = rm.pk()
    posts = rm.many(lambda: Post)


class Post(rm.Table, name="posts"):
    id: rm.Col[int] = rm.pk()
    author_id: rm.Col[int] = rm.fk("Author.id")


class Tag(rm.Table, name="tags"):
    id: rm.Col[int] = rm.pk()


class PostTag(rm.Table, name="post_tags"):
    post_id: rm.Col[int] = rm.fk(Post.id, primary=True)
    tag_id: rm.Col[int] = rm.fk(Tag.id, primary=True)


class Free(rm.Table, name="free"):
    text: rm.Col[str]
    at: rm.Col[datetime.datetime]
    document: rm.Col[dict[str, int]]
    span: rm.Col[datetime.timedelta]


class Kinds(rm.Table, name="kinds"):
    id: rm.Col[int] = rm.pk()
    n: rm.Col[int]
    f: rm.Col[float]
    u: rm.Col[uuid.UUID]
    names: rm.Col[list[str]]
    numbers: rm.Col[list[int]]
    flag: rm.Col[bool]


def annotated(namespace: dict[str, Any]) -> None:
    namespace["__annotations__"] = {"id": rm.Col[int]}


def branching(nick: str) -> rm.Select:
    return NICKS.where(Line.nick == nick) if nick else NICKS


def _wanted(ids: list[int]) -> Any:
    return rm.select(Line.id).where(Line.id.in_(ids))


WANTED: Any = rm.query(_wanted)
CHANGE: Any = rm.update(Kinds)


def _json(given: Any) -> Any:
    return rm.insert(Free).values(document=given)


def refused(
    of: Callable[[], object], message: str, error: type[Exception] = rm.ProgrammingError
) -> Any:
    return pytest.param(of, message, error, id=f"line {of.__code__.co_firstlineno}")


@pytest.mark.parametrize(
    ("use", "message", "error"),
    [
        # names
        refused(lambda: Line.nik, "Line has no column 'nik'; did you mean 'nick'?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: Free.zzz, "Free has no column 'zzz'; it has text, at, document, span", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: rm.update(Line).set({Channel.slug: "x"}), "slug is a column of another table than lines"),
        refused(lambda: rm.insert(Line).values({Channel.id: 1}), "id is a column of another table than lines"),
        refused(lambda: rm.query(_json), 'column "document" takes JSON: annotate the parameter given as dict'),
        refused(lambda: rm.update(Free).set(at=rm.Expr.from_json('{"date": 2147483647}')), 'column "at" takes'),
        refused(lambda: rm.update(Line).set(nik="x"), "lines: no column 'nik'; did you mean 'nick'?"),
        refused(lambda: rm.insert(Line).values(nik="x"), "lines: no column 'nik'; did you mean 'nick'?"),
        refused(lambda: rm.upsert(Line).on("nik"), "lines: no column 'nik'; did you mean 'nick'?"),
        refused(lambda: rm.insert(Line).from_select(NICKS, "nik"), "lines: no column 'nik'; did you mean 'nick'?"),
        refused(lambda: NICKS.subquery("s").nik, 's has no column "nik"; it has nick', AttributeError),
        refused(lambda: NICKS.subquery("s")["nik"], "it has nick", KeyError),
        refused(lambda: str(rm.select(rm.col("")).from_("t")), "a name is empty"),
        refused(lambda: str(rm.select(Line.id.label("a\0b"))), r'the name "a\0b" holds a NUL character'),
        refused(lambda: rm.select(Line.id, Channel.id).join(Channel).subquery("s"), 'two columns of s are named "id": give one another name with .label()'),
        refused(lambda: rm.select(Line.id + 1).subquery("s"), "the column lines.id + 1 of s has no name: give it one with .label()"),
        refused(lambda: str(rm.select(Line.id).join(Channel.alias("lines"), rm.lit(True))), 'two sources are named lines: give one another name with .alias("other")'),
        refused(lambda: str(rm.select(NICKS.cte("c").nick).where(rm.exists(rm.select(rm.select(Line.id).cte("c").id)))), 'two queries are named "c"'),
        *(
            refused(of, r"\ud800' has a surrogate, so it is not Unicode text")
            for of in (
                lambda: rm.col("\ud800"),
                lambda: types.new_class("Odd", (rm.Table,), {"name": "\ud800"}, annotated),
                lambda: type("Odd", (rm.Table,), {"__annotations__": {"\ud800": rm.Col[int]}}),
                lambda: Line.alias("\ud800"),
                lambda: Line.id.label("\ud800"),
                lambda: rm.select(**{"\ud800": Line.id}),
                lambda: NICKS.from_("\ud800"),
                lambda: NICKS.subquery("\ud800"),
                lambda: NICKS.cte("\ud800"),
                lambda: rm.sql("select \ud800"),
                lambda: rm.insert(Line).values({"\ud800": 1}),
                lambda: rm.update(Line).set(**{"\ud800": 1}),
                lambda: Free.at.trunc("\ud800"),  # type: ignore[arg-type]
                lambda: rm.Frame({"\ud800": [1]}),
                lambda: rm.Frame({"x": [1]}).select("\ud800"),
                lambda: rm.Frame({"x": [1]}).sort("\ud800"),
                lambda: rm.Database("sqlite:\ud800"),
            )
        ),
        refused(lambda: rm.lit("\ud800"), "a str with a surrogate is not Unicode text"),
        refused(lambda: Line.nick == "\ud800", "a str with a surrogate is not Unicode text"),
        refused(lambda: rm.Frame({"x": [1]})["\ud800"], "no column", KeyError),
        refused(lambda: Line.id.isin([1]), "'rowmill.Col' object has no attribute 'isin'; did you mean .in_()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: Line.id.is_(None), "did you mean .is_null()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: Line.nick.startswith("a"), "did you mean .starts_with()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: Line.id.avg(), "did you mean .mean()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: Line.id.count_distnct(), "did you mean .count_distinct()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: NICKS.filter(Line.id == 1), "'rowmill.Select' object has no attribute 'filter'; did you mean .where()?", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: NICKS.first(), "has no attribute 'first'; a database runs it: db.fetch_one(q)", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: NICKS.scalar(), "a database runs it: db.fetch_value(q)", AttributeError),  # type: ignore[attr-defined]
        refused(lambda: NICKS.outerjoin(Channel), "did you mean .left_join()?", AttributeError),  # type: ignore[attr-defined]
        # kinds
        refused(lambda: Line.id & Line.id == 1, "takes bool, not int: each condition stands in parentheses, (a == 1) & (b == 2)"),  # type: ignore[misc, operator]
        refused(lambda: Line.id == 1 | Line.id == 2, "takes bool, not int: each condition stands in parentheses"),  # type: ignore[operator]
        refused(lambda: Line.nick + "!", "takes numbers, not text: rm.concat(a, b) joins texts"),  # type: ignore[misc, operator]
        refused(lambda: Free.document["k"] == 3, 'what JSON has under a key is text here; free.document["k"].cast("int") is a number'),
        refused(lambda: 1 + Free.document["a"][2], 'free.document["a"][2].cast("int") is a number'),  # type: ignore[operator]
        refused(lambda: rm.count(Line.id), "count() is of rows and takes nothing; lines.id.count() is of those that have a value"),  # type: ignore[call-arg]
        refused(lambda: Line.id == "x", "int cannot be compared with text: give an int, as of int(text)"),
        refused(lambda: Line.nick + 1, "takes numbers, not text"),  # type: ignore[operator]
        refused(lambda: Line.id.between(1, "x"), "int cannot be compared with text"),  # type: ignore[call-overload]
        refused(lambda: Line.id.in_(NICKS), "int cannot be compared with text"),
        refused(lambda: Line.id.in_([1, "x"]), "lines.id is int, but the list holds text"),  # type: ignore[list-item]
        refused(lambda: Line.id.in_("abc"), "in_() and not_in() take a list, a tuple, a set or a query, not str"),  # type: ignore[arg-type]
        refused(lambda: Free.document == {"a": 1}, 'JSON is not compared as a whole; take a value out with ["key"]'),
        refused(lambda: rm.insert(Free).values(document="no JSON"), "column \"document\" takes JSON, which 'no JSON' is not: give the dict or the list itself"),
        refused(lambda: rm.insert(Free).values(document=5), 'column "document" takes json, not int (5)'),
        refused(lambda: rm.update(Free).set(document=Free.text), 'column "document" takes json, not text'),
        refused(lambda: rm.update(Line).set(nick=Line.id > 1), 'column "nick" takes text, not bool (lines.id > 1): a condition is kept as what its .to_json() gives'),
        refused(lambda: rm.update(Line).set(id="x"), "column \"id\" takes int, not text ('x')"),
        refused(lambda: rm.case((Line.id > 1, "x"), default=5), "is int where another value is text"),
        refused(lambda: Free.at < datetime.datetime(2030, 1, 1), "give the datetime a tzinfo, or declare the column with rm.column(naive=True)"),
        refused(lambda: NICKS.where(Line.id), "lines.id is no condition: it is int, not bool"),  # type: ignore[arg-type]
        refused(lambda: NICKS.where(Line.nick.label("x")), "a label names a column of an answer; it stands in select() alone"),  # type: ignore[arg-type]
        *(
            refused(of, message)
            for message, of in (
                ('column "n" takes int, which 1.5 is not: round it', lambda: CHANGE.set(n=1.5)),
                ('column "n" takes int, which Decimal(\'1.5\') is not', lambda: CHANGE.set(n=Decimal("1.5"))),
                ('column "n" takes int, which 9223372036854775808 is not: it has more than 64 bits; declare', lambda: CHANGE.set(n=2**63)),
                ('column "n" takes int, which nan is not', lambda: CHANGE.set(n=float("nan"))),
                ('column "n" takes int, which inf is not', lambda: rm.insert(Kinds).values(n=float("inf"))),
                ('column "n" takes int, which 1.5 is not', lambda: rm.upsert(Kinds).values(id=1).set(n=1.5)),
                ('column "f" takes float, which 1000', lambda: CHANGE.set(f=10**400)),
                ('column "u" takes uuid, which \'x\' is not: give a uuid.UUID, or its text', lambda: CHANGE.set(u="x")),
                ('column "names" takes list[text], which [\'a\', 1] is not: every element is of one kind', lambda: CHANGE.set(names=["a", 1])),
                ('column "numbers" takes list[int], which [1, 1.5] is not', lambda: CHANGE.set(numbers=[1, 1.5])),
                ('column "f" takes float, not text ("zz")', lambda: rm.insert(Kinds).from_select(rm.select(rm.lit(7), rm.lit("zz")), "id", "f")),
                ('column "n" takes int, not bool (kinds.flag)', lambda: rm.insert(Kinds).from_select(rm.select(Kinds.flag), Kinds.n)),
                ("ids takes list[int], not [1, 'a']", lambda: WANTED([1, "a"])),
                ("ids takes list[int], not ['a', 1]", lambda: WANTED(["a", 1])),
                ("ids takes list[int], not [1, None]", lambda: WANTED([1, None])),
                ("have int as column 1 here (kinds.id) and bool there (kinds.flag): .cast()", lambda: rm.select(Kinds.id).union(rm.select(Kinds.flag))),
                ("have text as column 2 here (lines.nick) and uuid there (kinds.u)", lambda: rm.select(Line.id, rm.lit(None)).union_all(rm.select(Line.id, Line.nick), rm.select(Kinds.id, Kinds.u))),
            )
        ),
        # None
        refused(lambda: Line.body == None, "write lines.text.is_null(), or is_not_distinct_from() to compare NULLs too"),  # noqa: E711
        refused(lambda: Line.body != None, "write lines.text.is_not_null(), or is_distinct_from() to compare NULLs too"),  # noqa: E711
        refused(lambda: Line.body == None, "a comparison with None is never true in SQL; write lines.text.is_null()"),  # noqa: E711
        refused(lambda: Line.body != None, "write lines.text.is_not_null()"),  # noqa: E711
        refused(lambda: Line.nick.starts_with(None), "a condition on None is never true in SQL; leave it out, or write lines.nick.is_null()"),  # type: ignore[arg-type]
        refused(lambda: Line.nick.contains(None), "a condition on None is never true"),  # type: ignore[arg-type]
        refused(lambda: rm.lit(None).starts_with("a"), "a condition on None is never true"),
        refused(lambda: rm.lit(None).like("a"), "a condition on None is never true"),
        refused(lambda: rm.lit(None).matches("a"), "a condition on None is never true"),
        refused(lambda: Line.nick.matches(None), "a regular expression is a str, not None"),  # type: ignore[arg-type]
        refused(lambda: Line.id.in_([1, None]), "the list of in_() holds None"),  # type: ignore[list-item]
        # Python's own logic
        refused(lambda: bool(Line.id == 1), "combine conditions with & | ~", TypeError),
        refused(lambda: (Line.id == 1) and (Line.id == 2), "combine conditions with & | ~", TypeError),
        refused(lambda: 1 < Line.id < 5, "write between() for a < x < b", TypeError),
        refused(lambda: 5 in Line.id, "`in` gives a bool at once", TypeError),
        refused(lambda: list(Line.id), "nothing to iterate over", TypeError),
        refused(lambda: NICKS.where(Line.id is None), "a condition is False before it meets a row"),  # type: ignore[arg-type]
        # lists and edges
        refused(lambda: NICKS.where([Line.id == 1]), "a list holds the expression lines.id == 1: expressions are given one by one"),  # type: ignore[arg-type]
        refused(lambda: rm.select(Author.id, Author.posts), "<rowmill.Edge Author.posts> is an edge, whose rows come beside these: .with_(...) takes it"),
        refused(lambda: NICKS.order_by(Line.id).top_n(1, per=[Line.id, Line.nick]), "top_n(per=...) takes one expression; of several the first rows are found by rm.row_number()"),  # type: ignore[arg-type]
        *(
            refused(of, f"{verb}() comes after top_n() alone: of those rows it is asked by way of a name: rows = q.subquery(")
            for verb, of in (
                ("limit", lambda: FIRST.limit(1)),
                ("offset", lambda: FIRST.offset(1)),
                ("distinct", lambda: FIRST.distinct()),
                ("group_by", lambda: FIRST.group_by(Line.nick)),
                ("having", lambda: FIRST.having(rm.count() > 1)),
                ("top_n", lambda: FIRST.top_n(1, per=Line.id)),
            )
        ),
        *(
            refused(of, f"{verb}() comes before top_n(), whose rows it would change; of those rows it is asked by way of a name: rows = q.subquery(")
            for verb, of in (
                ("where", lambda: FIRST.where(Line.id > 1)),
                ("join", lambda: FIRST.join(Channel)),
                ("join", lambda: FIRST.left_join(Channel)),
                ("order_by", lambda: FIRST.order_by(Line.nick)),
            )
        ),
        refused(lambda: str(NICKS.top_n(1, per=Line.nick)), "top_n() wants an order, by which rows are the first, and so does top() of an edge: order_by()"),
        refused(lambda: rm.many("Post"), "rm.many() takes a function, for the other class may come later: rm.many(lambda: Post)", TypeError),  # type: ignore[arg-type]
        refused(lambda: rm.one(Author), "rm.one(lambda: Author)", TypeError),
        refused(lambda: rm.query(branching), "nick has no value yet: the function under rm.query runs once, for all calls; branch outside of it, or write two", TypeError),
        # what was meant otherwise
        *(
            refused(of, message, TypeError)
            for message, of in (
                ("where() takes conditions and no keywords: write where(T.id == 1)", lambda: NICKS.where(id=1)),  # type: ignore[call-arg]
                ("write where(T.id == 1), where T is the class of kinds", lambda: CHANGE.where(id=1)),
                ("write where(T.nick == 'x'), where T is the class of lines", lambda: rm.delete(Line).where(nick="x")),  # type: ignore[call-arg]
                ("in_() takes one list of values: write in_([1, 2])", lambda: Line.id.in_(1, 2)),  # type: ignore[call-overload]
                ("not_in() takes one list of values: write not_in([1, 2, ...])", lambda: Line.id.not_in(1, 2, 3)),  # type: ignore[call-overload]
                ("exists() takes a query, not a table by itself: rm.exists(rm.select(T).where(...))", lambda: rm.exists(Line)),  # type: ignore[arg-type]
                ("exists() takes a query, not int", lambda: rm.exists(5)),  # type: ignore[arg-type]
                ("set() takes columns by name, set(total=0), or a dict of them, not kinds.n == 1", lambda: CHANGE.set(Kinds.n == 1)),
                ("_wanted() has no parameter idd; it takes ids", lambda: WANTED(idd=[1])),
                ("_wanted() has no parameter idd; it takes ids", lambda: WANTED([1], idd=[1])),
                ("no value is given for ids", lambda: WANTED()),
            )
        ),
        refused(lambda: NICKS.where(Line.body.is_null), "lines.text.is_null is a method that was not called: write lines.text.is_null()"),  # type: ignore[arg-type]
        refused(lambda: NICKS.order_by("-nick"), 'order_by() takes columns and expressions, not \'-nick\': rm.col("nick").desc() for a column downwards'),  # type: ignore[arg-type]
        refused(lambda: str(NICKS.having(Line.id > 1)), "stands in having(), but there are no groups: name them in group_by(), or put it into where()"),
        refused(lambda: str(NICKS.having(rm.count() > 1)), "lines.nick has many values in a group"),
        refused(lambda: str(rm.upsert(Line).values(id=1).on()), "on() names no column: leave it away for the primary key, or say by which columns a row is known"),
        # joins
        refused(lambda: rm.select(Post).join(Author), "no foreign key is declared between authors and what is selected from (posts.author_id refers to Author.id): say how"),
        refused(lambda: rm.select(Post.id, Tag.id).join(PostTag).join(Tag), "post_tags.tag_id == tags.id); or say first where rows come from, with .from_(...)"),
        refused(lambda: rm.select(Line).join(Channel).join(Channel), 'channels is there already: join it under another name, as channels.alias("other")'),
        refused(lambda: rm.select(Channel).join(Channel), "channels is there already"),
        refused(lambda: rm.select(Channel).join(Channel.alias("up")), "up can be joined in more than one way: say which, as join(up, channels.parent_id == up.id) or (up.parent_id == channels.id)"),
        refused(lambda: rm.select(Line).join(Free), "no foreign key is declared between free and what is selected from"),
        refused(lambda: rm.select(Line).join("channels"), "join() takes a table, or a query with a name, not str"),  # type: ignore[arg-type]
        refused(lambda: str(rm.select(Line.id, Channel.id)), "lines and channels are both selected from, but not joined"),
        refused(lambda: str(rm.select(Line.id).where(Channel.id == 1)), "channels.id is used, but rows come from lines: join channels"),
        # groups, windows, orders
        refused(lambda: str(NICKS.where(rm.count() > 1)), "count() > 1 looks at groups: it goes into having()"),
        refused(lambda: str(NICKS.where(rm.row_number().over() == 1)), "has a window, which comes after where(): filter a query over this one"),
        refused(lambda: Line.id.over(), "lines.id is neither an aggregate nor a function of windows"),
        refused(lambda: Line.id.sum().sum(), "an aggregate takes no other aggregate"),
        refused(lambda: (Line.id > 1).min(), "bool has no lowest and no highest"),
        refused(lambda: Line.id.where(Line.id > 1), "lines.id is no aggregate"),
        refused(lambda: str(rm.select(Line.id.desc())), "lines.id.desc() is an order's key, not a value"),
        refused(lambda: -Line.nick == "x", "lines.nick has a minus, which text has not outside of order_by()"),
        refused(lambda: ~(-(Line.id == 1)), "lines.id == 1 has a minus, which bool has not outside of order_by()"),
        refused(lambda: str(rm.select(-Line.nick)), "lines.nick has a minus, which text has not outside of order_by()"),
        refused(lambda: str(NICKS.where(-(Line.id == 1))), "-(lines.id == 1) is an order's key, for order_by() alone"),
        refused(lambda: rm.least(Free.document, Free.document), "json has no order"),
        refused(lambda: rm.greatest(Free.span, datetime.timedelta(1)), "interval has no order"),
        refused(lambda: Line.id.desc() > 1, "lines.id.desc() is an order's key, for order_by() alone"),
        refused(lambda: str(rm.select(Line.id).join(Channel, Channel.id == Line.id.max())), "looks at groups, which come after join()"),
        refused(lambda: str(rm.select(Line.id).left_join(Channel, rm.row_number().over() == 1)), "has a window, which comes after join()"),
        refused(lambda: str(rm.select(rm.count()).group_by(Line.id.max())), "lines.id.max() looks at groups, which come after group_by()"),
        refused(lambda: str(rm.select(rm.count()).group_by(rm.rank().over(order_by=Line.id))), "has a window, which comes after group_by()"),
        refused(lambda: str(rm.select(rm.count()).group_by(Line.id.desc())), "lines.id.desc() is an order's key, for order_by() alone"),
        refused(lambda: str(NICKS.group_by(Line.nick).having(rm.rank().over(order_by=Line.nick) == 1)), "has a window, which comes after having()"),
        refused(lambda: str(rm.select(Line.id, n=rm.row_number())), "row_number() is of a window: say which, as .over(order_by=...)"),
        refused(lambda: str(rm.select(n=rm.row_number() + 1)), "row_number() is of a window"),
        refused(lambda: str(NICKS.order_by(Line.id.lag())), "lines.id.lag(1) is of a window"),
        refused(lambda: str(rm.select(n=rm.rank().over(order_by=rm.row_number()))), "row_number() is of a window"),
        refused(lambda: rm.delete(Line).returning("id"), "returning() takes tables, columns and expressions, not a str: rm.col('id') for a column"),  # type: ignore[arg-type]
        refused(lambda: str(rm.delete(Line).where(Line.id == 1).returning(rm.count())), "count() looks at groups, which come after returning()"),
        refused(lambda: str(rm.insert(Line).values(id=1).returning(rm.rank().over(order_by=Line.id))), "has a window, which comes after returning()"),
        refused(lambda: str(rm.delete(Line).where(Line.id.max() == 1)), "looks at groups, which come after where()"),
        refused(lambda: str(rm.update(Line).set(id=rm.row_number().over()).where(Line.id == 1)), "is no value of one row"),
        refused(lambda: rm.select(Line.id).union_all(*[rm.select(Line.id)] * 500).sql("sqlite"), "501 queries are put together, SQLite takes 500"),
        refused(lambda: str(rm.select(Line.nick, n=rm.count().over()).order_by(Line.id).top_n(1, per=Line.nick)), "has a window, which would see the rows of one group"),
        refused(lambda: str(NICKS.order_by(-rm.rank().over(order_by=Line.id)).top_n(1, per=Line.nick)), "has a window, which would see the rows of one group"),
        refused(lambda: NICKS.order_by("nick"), "order_by() takes columns and expressions, not 'nick': rm.col('nick') for a column"),  # type: ignore[arg-type]
        refused(lambda: NICKS.order_by(1), "order_by() takes columns and expressions, not 1: name the column"),  # type: ignore[arg-type]
        refused(lambda: NICKS.group_by("nick"), "group_by() takes columns and expressions, not 'nick': rm.col('nick') for a column"),  # type: ignore[arg-type]
        refused(lambda: NICKS.top_n(1, per="nick"), "top_n(per=...) takes columns and expressions, not 'nick'"),  # type: ignore[arg-type]
        refused(lambda: rm.count().over(partition_by="nick"), "over(partition_by=...) takes columns and expressions, not 'nick'"),  # type: ignore[arg-type]
        refused(lambda: rm.count().over(order_by=[Line.id, "nick"]), "over(order_by=...) takes columns and expressions, not 'nick'"),  # type: ignore[list-item]
        refused(lambda: Free.at.trunc("fortnight"), "trunc() takes"),  # type: ignore[arg-type]
        # steps
        refused(lambda: rm.select(), "select() takes a table, or columns"),
        refused(lambda: rm.select("id"), 'not a str: rm.col(\'id\') for a column, rm.lit(\'id\') for the text'),  # type: ignore[arg-type]
        refused(lambda: NICKS.limit(-1), "limit() takes a number of rows from 0, not -1"),
        refused(lambda: NICKS.limit(True), "limit() takes a number of rows from 0, not True"),
        refused(lambda: NICKS.offset("5"), "offset() takes a number of rows from 0, not '5'"),  # type: ignore[arg-type]
        refused(lambda: str(NICKS.union(rm.select(Line))), "queries that are put together have 1 columns here and 5 there"),
        refused(lambda: NICKS.union("x"), "takes queries, not str"),  # type: ignore[arg-type]
        refused(lambda: BOTH.where(Line.id == 1), "where() comes before queries are put together"),
        refused(lambda: BOTH.having(rm.count() > 1), "having() comes before queries are put together"),
        refused(lambda: BOTH.group_by(Line.id), "group_by() comes before queries are put together"),
        refused(lambda: BOTH.distinct(), "distinct() comes before queries are put together"),
        refused(lambda: BOTH.select(Line.id), "select() comes before queries are put together"),
        refused(lambda: BOTH.join(Channel), "join() comes before queries are put together"),
        refused(lambda: str(BOTH.order_by(Line.id)), "is no column of the queries that are put together"),
        refused(lambda: Line.id.in_(rm.select(Line)), "a query stands here for one column, but selects 5"),
        refused(lambda: rm.case(), "case() takes one (condition, value) at least"),
        refused(lambda: rm.case(5), "case() takes pairs"),  # type: ignore[arg-type]
        refused(lambda: rm.coalesce(), "coalesce() takes one value at least"),
        refused(lambda: Line.nick.matches("(a"), 'the regular expression "(a" is none'),
        refused(lambda: NICKS.where(None), "a condition is None, of which no row is true"),  # type: ignore[arg-type]
        refused(lambda: Line.nick.like(None), "a pattern is a str, not None"),  # type: ignore[arg-type]
        refused(lambda: str(rm.select(Line.nick, rm.count())), "lines.nick has many values in a group"),
        refused(lambda: str(rm.select(rm.count()).from_(Line).having(Line.score > 1)), "lines.score has many values in a group"),
        refused(lambda: str(rm.select(Line.nick).group_by(Line.nick).order_by(Line.id)), "lines.id has many values in a group"),
        refused(lambda: rm.update(Line).set(nick=Line.id), 'column "nick" takes text, not int'),
        refused(lambda: Line.nick.matches("a{2}{3}"), "repeats a repetition"),
        refused(lambda: Line.nick.matches("a?{2}"), "repeats a repetition"),
        refused(lambda: Line.nick.matches("^*a"), "repeats ^, which PostgreSQL does not"),
        refused(lambda: Line.nick.matches("a{256}"), "repeats more than 255 times"),
        refused(lambda: Line.nick.matches("(?=a)"), 'the regular expression "(?=a)" has a group'),
        refused(lambda: Line.nick.like("a\\"), "ends in a backslash that takes nothing"),
        # writing
        refused(lambda: rm.insert(Line).values({"id": 1}, {"id": 2, "nick": "x"}), 'row 1 has "nick", which row 0 has not: all rows name the same columns'),
        refused(lambda: rm.insert(Line).values({"id": 1, "nick": "x"}).values(id=2), 'row 1 has no "nick", which row 0 has'),
        refused(lambda: rm.insert(Line).values(5), "row 0 is a dict, a dataclass or a Row, not int"),  # type: ignore[arg-type]
        refused(lambda: rm.insert(Line).values([]), "values() is given no rows; where there may be none, db.load() takes a list of any length"),
        refused(lambda: rm.insert(Line).values(), "values() is given no rows"),
        refused(lambda: rm.insert(Line).values({}), "row 0 names no column; rm.insert(T) by itself adds a row of defaults"),
        refused(lambda: str(rm.upsert(Line).values(id=1).set()), "nothing is set"),
        refused(lambda: rm.insert("lines"), "takes a table as of rm.Table, not str"),  # type: ignore[arg-type]
        refused(lambda: rm.insert(NICKS.subquery("s")), "takes a table as of rm.Table"),  # type: ignore[arg-type]
        refused(lambda: str(rm.insert(Line).from_select(NICKS, "id", "nick")), "the query gives 1 columns, 2 are inserted"),
        refused(lambda: str(rm.insert(Line).values(nick="x").from_select(NICKS)), "values() and from_select() are both given"),
        refused(lambda: str(rm.upsert(Free).values(text="x")), "free declares no primary key: say with .on(...)"),
        refused(lambda: str(rm.upsert(Channel).from_select(rm.select(Channel))), "an upsert names the columns that it gives"),
        refused(lambda: str(rm.upsert(Line)), "no rows are given: name them with values() or from_select()"),
        refused(lambda: rm.insert(Line).values(id=1).set(nick="x"), "set() is for rm.upsert(): an insert changes no row"),
        refused(lambda: str(rm.update(Line).where(Line.id == 1)), "nothing is set"),
        refused(lambda: str(rm.upsert(Channel).values(slug="a")), "a row of channels is known by id, which is not given: say with .on(...) by which columns it is known here"),
        refused(lambda: str(rm.delete(Line).where(Line.channel_id == Channel.id)), "channels.id is used, but rows come from lines: a delete asks other tables by a query, .where(rm.exists("),
        refused(lambda: str(rm.delete(Line).where(rm.exists(NICKS.where(Channel.id == 1)))), "join channels with .join(channels, on)"),
        refused(lambda: str(rm.update(Line).set(nick="x").where(Line.channel_id == Channel.id)), "name the other table with .from_(), and how its rows belong with .where()"),
        # SQL of one's own
        refused(lambda: rm.sql("select 1 where 1 in {ids}", ids=[1]), "after which `in` takes none: give the condition, rm.sql(\"... where {c}\", c=T.id.in_(ids))"),
        refused(lambda: rm.sql("{a} not IN ( {ids})", a=1, ids=[1]), "after which `in` takes none"),
        refused(lambda: rm.sql("select {a}"), "no value is given for {a}"),
        refused(lambda: rm.sql("select 1", a=1), "a is given, but the SQL has no {a}"),
        refused(lambda: rm.sql("select {a", a=1), "a { without its }"),
        refused(lambda: rm.sql("select }"), "a } without its {"),
        refused(lambda: rm.sql("select $1"), "takes its values by name in braces"),
        refused(lambda: rm.sql("select :x"), "takes its values by name in braces"),
        refused(lambda: rm.sql("select '{a}'", a=1), "stands inside of quotes, a comment or a word"),
        refused(lambda: rm.sql("select '{a}', {b}", a=1, b=2), "stands inside of quotes, a comment or a word"),
        refused(lambda: rm.sql("select 1 -- {a}\n, {b}", a=1, b=2), "stands inside of quotes, a comment or a word"),
        refused(lambda: rm.sql("select ?, {a}", a=1).sql("sqlite"), "takes its values by name in braces, {floor}, not as SQLite's ?"),
        refused(lambda: NICKS.where(rm.sql("nick = ?1 or {a}", a=True)).sql("sqlite"), "not as SQLite's ?"),
        refused(lambda: rm.sql("select @a, {b}", b=1).sql("sqlite"), "not as SQLite's @"),
        refused(lambda: rm.sql("select $a, {b}", b=1).sql("sqlite"), "not as SQLite's $"),
        refused(lambda: rm.sql("select [{a}]", a=1).sql("sqlite"), "stands in brackets, within which SQLite reads a name"),
        refused(lambda: NICKS.sql("mysql"), 'the dialect is "postgresql", "sqlite" or that of a database, which is given itself, not "mysql"'),  # type: ignore[arg-type]
        refused(lambda: NICKS.sql(5), "which is given itself, not int"),  # type: ignore[arg-type]
        refused(lambda: NICKS.sql(rm.Database), "which is given itself, not type"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_one_clear_error(use: Callable[[], object], message: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        use()
    assert type(raised.value) is error
    assert message in str(raised.value)


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        fill(db)
        yield db


def test_the_wrong_part_is_marked() -> None:
    with pytest.raises(rm.ProgrammingError) as raised:
        _ = (Line.nick == "ada") & (Line.id == "x")
    assert str(raised.value).splitlines()[1:] == ['  lines.id == "x"', "              ^^^"]


def test_what_only_the_database_knows_it_says(db: rm.Database) -> None:
    with pytest.raises(
        rm.ProgrammingError, match=r"no such column: nik|column \"nik\" does not exist"
    ):
        db.fetch(rm.select(rm.col("nik")).from_(Line))
    with pytest.raises(rm.ProgrammingError, match="ambiguous"):
        db.fetch(rm.select(Line.nick).join(Channel).where(rm.col("id") == 1))
    with pytest.raises(rm.ProgrammingError, match="a query holds its values"):
        db.fetch(rm.select(Line), 1)
    with pytest.raises(
        TypeError, match=r"takes SQL as a str, or a query as of rm\.select\(\), not a table"
    ):
        db.fetch(Line)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ['x"; drop table lines; --', "'; drop table lines; --", "`a``b`", "[x]", "%s {x} $1", "é ñ", "select"]
)  # fmt: skip
def test_names_are_names_whatever_is_in_them(db: rm.Database, name: str) -> None:
    odd: Any = type("Odd", (rm.Table,), {"__annotations__": {"id": rm.Col[int], "name": rm.Col[str]}, "name": rm.column(name)}, name=name)  # fmt: skip
    quoted = '"' + name.replace('"', '""') + '"'
    db.execute_script(f"create table {quoted} (id int, {quoted} text)")
    assert db.execute(rm.insert(odd).values(id=1, name=name)) == 1
    own = rm.select(odd.name.label(name)).where(odd.name == name).order_by(rm.col(name))
    frame = db.fetch(own)
    assert (frame.columns, rows(frame)) == ([name], [name])
    other = odd.alias(name + name)
    joined = rm.select(n=rm.count()).from_(odd).join(other, odd.name == other.name)
    assert rows(db.fetch(joined)) == [1]
    assert rows(db.fetch(rm.select(rm.col(name)).from_(name))) == [name]
    assert rows(db.fetch(rm.sql("select {c} from {t}", c=odd.name, t=odd))) == [name]
    assert db.execute(rm.update(odd).set(name="x").where(odd.id == 1)) == 1
    assert db.fetch_value(rm.select(rm.count()).from_(Line)) == 4


def deep(levels: int, step: Callable[[Any, int], Any]) -> Any:
    made: Any = Line.id > 0
    for level in range(levels):
        made = step(made, level)
    return made


@pytest.mark.parametrize("levels", [10_000, 100_000])
@pytest.mark.parametrize(
    "step",
    [
        lambda made, at: made & (Line.id > at) | (Line.id == at),
        lambda made, at: ~made,
        lambda made, at: rm.case((made, Line.id > at), default=False),
        lambda made, at: rm.coalesce(made, Line.id > at),
    ],
    ids=["and or", "not", "case", "coalesce"],
)
def test_a_deep_expression_is_an_error(
    db: rm.Database, levels: int, step: Callable[[Any, int], Any]
) -> None:
    made = deep(levels, step)
    assert len(repr(made)) < 1000
    with pytest.raises(rm.ProgrammingError, match="levels, more than the database reads"):
        db.fetch(rm.select(Line.id).where(made))
    del made
    gc.collect()


def test_a_long_chain_is_not_deep(db: rm.Database) -> None:
    left = deep(10_000, lambda made, at: made & (Line.id > -at))
    right = deep(10_000, lambda made, at: (Line.id > -at) & made)
    either = deep(10_000, lambda made, at: made | (Line.id == at))
    for condition in (left, right, either):
        assert db.fetch_value(rm.select(rm.count()).from_(Line).where(condition)) == 4
    query = rm.select(rm.count()).from_(Line)
    for at in range(5_000):
        query = query.where(Line.id > -at)
    assert db.fetch_value(query) == 4


def test_what_is_used_twice_doubles(db: rm.Database) -> None:
    with pytest.raises(rm.ProgrammingError, match="parts when written out, 1000000 are allowed"):
        made = Line.id + 1
        for _ in range(1_000):
            made = made + made
    query = rm.select(Line.id).where(Line.id > 0)
    with pytest.raises(rm.ProgrammingError, match=r"parts when written out.* written once as a \.cte\(\)"):  # fmt: skip
        for _ in range(60):
            query = query.union_all(query)
    query = rm.select(Line.id)
    with pytest.raises(rm.ProgrammingError, match="parts when written out"):
        for _ in range(60):
            query = rm.select(Line.id).where(Line.id.in_(query) | Line.id.not_in(query))


@pytest.mark.parametrize(
    "step",
    [
        lambda query: rm.select(query.subquery("s")),
        lambda query: rm.select(query.cte("s")),
        lambda query: rm.select(Line.id).where(Line.id.in_(query)),
        lambda query: rm.select(Line.id).where(rm.exists(query)),
        lambda query: rm.select(query.value()),
        lambda query: query.union(rm.select(Line.id)),
    ],
    ids=["subquery", "cte", "in", "exists", "value", "union"],
)
def test_queries_within_queries_end_somewhere(step: Callable[[rm.Select], rm.Select]) -> None:
    query = rm.select(Line.id)
    with pytest.raises(
        rm.ProgrammingError, match="queries stand within each other 64 deep at most"
    ):
        for _ in range(10_000):
            query = step(query)
    del query
    gc.collect()


def test_too_many_parameters(db: rm.Database) -> None:
    many = rm.insert(Channel).values([{"id": at, "slug": str(at)} for at in range(40_000)])
    with pytest.raises(rm.ProgrammingError, match=r"80000 parameters, .* loaded by db\.load\(\)"):
        db.execute(many)

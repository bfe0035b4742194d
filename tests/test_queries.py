"""Queries that read, on both databases."""

from __future__ import annotations

import datetime
import gc
import uuid
import weakref
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import rowmill as rm
from tests.query_tables import CHANNELS, Channel, Line, fill, rows


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        fill(db)
        yield db


def asked(of: Callable[[], rm.Select], expected: list[Any]) -> Any:
    return pytest.param(of, expected, id=f"line {of.__code__.co_firstlineno}")


UP = Channel.alias("up")
BY_NICK = rm.select(Line.nick, lines=rm.count()).group_by(Line.nick)
COUNTED = BY_NICK.subquery("counted")
NAMED = BY_NICK.cte("named")
ODD = rm.select(Line.nick).where(Line.id.in_([1, 3]))
EVEN = rm.select(Line.nick).where(Line.id.in_([2, 3]))
ID = rm.select(Line.id).order_by(Line.id)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # columns
        asked(lambda: rm.select(Channel).order_by(Channel.id), CHANNELS),
        asked(lambda: rm.select(Line.id, n=Line.nick.upper()).where(Line.id == 1), [(1, "ADA")]),
        asked(lambda: rm.select(rm.lit(5).label("five"), t=rm.lit("t")), [(5, "t")]),
        asked(lambda: rm.select(Line).select(Line.nick).where(Line.id == 4), ["eve"]),
        asked(lambda: rm.select(rm.col("nick")).from_("lines").where(rm.col("id") == 4), ["eve"]),
        asked(lambda: rm.select(Line.nick).distinct().order_by(Line.nick), ["ada", "bob", "eve"]),
        # rows
        asked(lambda: ID.where(Line.id > 1, Line.id < 4).where(Line.nick == "ada"), [3]),
        asked(lambda: ID.where(Line.body.is_null() | (Line.score >= 2)), [2, 4]),
        asked(lambda: ID.where(~(Line.score > 0.7)), [1]),
        asked(lambda: ID.where(Line.id.in_([])), []),
        asked(lambda: ID.where(Line.id.not_in([])), [1, 2, 3, 4]),
        asked(lambda: ID.where(Line.id.in_(range(100_000))), [1, 2, 3, 4]),
        asked(lambda: ID.where(Line.id.in_([1, 2.5, Decimal("3")])), [1, 3]),
        asked(lambda: ID.where(rm.col("score").in_([1, 0.5])), [1, 2]),
        asked(lambda: ID.limit(2).offset(1), [2, 3]),
        asked(lambda: ID.offset(3), [4]),
        asked(lambda: ID.limit(2).limit(None), [1, 2, 3, 4]),
        asked(lambda: ID.where(rm.sql("{id} % 2 = {odd}", id=Line.id, odd=1)), [1, 3]),
        # order: NULL is above all values on both
        asked(lambda: rm.select(Line.id).order_by(Line.score), [1, 2, 4, 3]),
        asked(lambda: rm.select(Line.id).order_by(-Line.score), [3, 4, 2, 1]),
        asked(lambda: rm.select(Line.id).order_by(Line.score.nulls_first()), [3, 1, 2, 4]),
        asked(lambda: rm.select(Line.id).order_by(Line.score.desc().nulls_last()), [4, 2, 1, 3]),
        asked(lambda: rm.select(Line.id).order_by(Line.nick.asc(), -Line.id), [3, 1, 2, 4]),
        asked(lambda: ID.order_by().order_by(-Line.id).limit(1), [4]),
        # joins
        asked(
            lambda: ID.select(Line.id, Channel.slug).join(Channel), [(1, "a"), (2, "b"), (3, "b")]
        ),
        asked(
            lambda: ID.select(Line.id, Channel.slug).left_join(Channel).where(Line.id > 2),
            [(3, "b"), (4, None)],
        ),
        asked(
            lambda: rm.select(Line.id, Channel.slug).left_join(Channel).order_by(-Channel.slug, Line.id),
            [(4, None), (2, "b"), (3, "b"), (1, "a")],
        ),
        asked(
            lambda: rm.select(Line.id, Channel.slug)
            .full_join(Channel, (Line.channel_id == Channel.id) & (Line.id < 3))
            .order_by(Line.id, Channel.slug),
            [(1, "a"), (2, "b"), (3, None), (4, None), (None, "c")],
        ),
        asked(lambda: rm.select(n=rm.count()).from_(Line).cross_join(Channel), [12]),
        asked(
            lambda: rm.select(Channel.slug, UP.slug.label("above"))
            .join(UP, Channel.parent_id == UP.id)
            .order_by(Channel.slug),
            [("b", "a"), ("c", "a")],
        ),
        # groups
        asked(
            lambda: rm.select(
                Line.nick,
                n=rm.count(),
                total=Line.score.sum(),
                silent=rm.count().where(Line.body.is_null()),
            )
            .group_by(Line.nick)
            .order_by(Line.nick),
            [("ada", 2, 0.5, 0), ("bob", 1, 1.0, 1), ("eve", 1, 2.0, 0)],
        ),
        asked(lambda: BY_NICK.having(rm.count() > 1), [("ada", 2)]),
        asked(lambda: BY_NICK.order_by(-rm.count(), Line.nick).limit(2), [("ada", 2), ("bob", 1)]),
        asked(lambda: BY_NICK.order_by(-rm.col("lines"), -Line.nick).limit(2), [("ada", 2), ("eve", 1)]),
        asked(
            lambda: rm.select(
                Line.nick.count_distinct(), Line.body.count(), Line.id.min(), Line.id.max(), Line.score.mean()
            ),
            [(3, 3, 1, 4, pytest.approx(3.5 / 3))],
        ),
        # queries in a table's place
        asked(lambda: rm.select(COUNTED).where(COUNTED.lines > 1), [("ada", 2)]),
        asked(
            lambda: ID.select(Line.id, COUNTED.lines).join(COUNTED, COUNTED.nick == Line.nick).limit(2),
            [(1, 2), (2, 1)],
        ),
        asked(
            lambda: rm.select(NAMED.nick).where(NAMED.lines == rm.select(NAMED.lines.max()).value()),
            ["ada"],
        ),
        asked(
            lambda: ID.join(Channel, rm.exists(rm.select(NAMED).where(NAMED.nick == Line.nick))).limit(2),
            [1, 1],
        ),
        # queries as operands
        asked(lambda: ID.where(Line.channel_id.in_(rm.select(Channel.id).where(Channel.slug == "b"))), [2, 3]),
        asked(lambda: ID.where(Line.channel_id.not_in(rm.select(Channel.id).where(Channel.slug == "b"))), [1]),
        asked(
            lambda: rm.select(Channel.slug)
            .where(rm.select(Line).where(Line.channel_id == Channel.id, Line.nick == "bob").exists()),
            ["b"],
        ),
        asked(
            lambda: rm.select(Channel.slug)
            .where(~rm.exists(rm.select(Line).where(Line.channel_id == Channel.id))),
            ["c"],
        ),
        asked(
            lambda: rm.select(
                Channel.slug,
                n=rm.select(rm.count()).from_(Line).where(Line.channel_id == Channel.id).value(),
            ).order_by(Channel.slug),
            [("a", 1), ("b", 2), ("c", 0)],
        ),
        asked(lambda: ID.where(Line.id == rm.select(Line.id.max())), [4]),
        # queries put together
        asked(lambda: ODD.union(EVEN).order_by(Line.nick), ["ada", "bob"]),
        asked(lambda: ODD.union_all(EVEN).order_by(rm.col("nick")), ["ada", "ada", "ada", "bob"]),
        asked(lambda: EVEN.intersect(ODD), ["ada"]),
        asked(lambda: EVEN.except_(ODD), ["bob"]),
        asked(lambda: ID.limit(1).union_all(ID.order_by(-Line.id).limit(1)).order_by(-Line.id), [4, 1]),
        asked(lambda: ODD.union_all(EVEN, ODD).limit(5).offset(4).order_by(Line.nick), ["ada", "bob"]),
        asked(lambda: rm.select(n=rm.count()).from_(ODD.union_all(EVEN).subquery("all")), [4]),
        # windows
        asked(
            lambda: rm.select(
                Line.id,
                number=rm.row_number().over(partition_by=Line.nick, order_by=-Line.id),
                before=Line.id.lag().over(order_by=Line.id),
                after=Line.id.lead(2).over(order_by=Line.id),
                total=Line.id.sum().over(partition_by=[Line.nick]),
            ).order_by(Line.id),
            [(1, 2, None, 3, 4), (2, 1, 1, 4, 2), (3, 1, 2, None, 4), (4, 1, 3, None, 4)],
        ),
        asked(
            lambda: rm.select(
                rank=rm.rank().over(order_by=Line.nick),
                dense=rm.dense_rank().over(order_by=Line.nick),
                first=Line.id.first_value().over(order_by=Line.id),
                last=Line.id.last_value().over(order_by=Line.id),
            ).order_by(Line.id),
            [(1, 1, 1, 1), (3, 2, 1, 2), (1, 1, 1, 3), (4, 3, 1, 4)],
        ),
        # values
        asked(
            lambda: ID.select(k=rm.case((Line.id > 3, "high"), (Line.id > 1, "mid"), default="low")),
            ["low", "mid", "mid", "high"],
        ),
        asked(lambda: ID.select(t=rm.coalesce(Line.body, "-")), ["hello", "-", "bye", "hi"]),
        asked(lambda: ID.select(t=rm.concat(Line.nick, "!")).limit(1), ["ada!"]),
        asked(lambda: ID.select(t=rm.greatest(Line.score, 0.75)), [0.75, 1.0, 0.75, 2.0]),
    ],
)  # fmt: skip
def test_the_rows_of_a_query(
    db: rm.Database, query: Callable[[], rm.Select], expected: list[Any]
) -> None:
    assert rows(db.fetch(query())) == expected


def test_a_lateral_query_sees_the_row_beside_it(pg_url: str) -> None:
    newest = rm.select(Line.id).where(Line.channel_id == Channel.id).order_by(-Line.id).limit(1)
    newest_of = newest.lateral("newest")
    query = rm.select(Channel.slug, newest_of.id).cross_join(newest_of).order_by(Channel.slug)
    with rm.Database(pg_url) as db:
        fill(db)
        assert rows(db.fetch(query)) == [("a", 1), ("b", 3)]
    with pytest.raises(rm.ProgrammingError, match="SQLite has no lateral queries"):
        query.sql("sqlite")


def test_every_verb_takes_a_query(db: rm.Database) -> None:
    query = rm.select(Line.id, Line.body).where(Line.id < 3).order_by(Line.id)
    assert db.fetch(query).columns == ["id", "body"]
    assert tuple(db.fetch_one(query) or ()) == (1, "hello")
    assert db.fetch_one(query.where(Line.id < 0)) is None
    assert db.fetch_value(query) == 1
    assert db.fetch_json(query) == b'[{"id":1,"body":"hello"},{"id":2,"body":null}]'
    assert db.fetch_json(query, orient="columns") == b'{"id":[1,2],"body":["hello",null]}'
    assert [len(part) for part in db.stream(rm.select(Line), batch_rows=3)] == [3, 1]
    assert db.execute(query) == 2
    assert len(db.fetch(query, timeout=30)) == 2


def test_a_transaction_takes_queries(db: rm.Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as tx:
        assert tx.execute(rm.delete(Line).where(Line.id == 1)) == 1
        assert tx.fetch_value(rm.select(rm.count()).from_(Line)) == 3
        assert tx.fetch_json(rm.select(Line.id).where(Line.id == 4)) == b'[{"id":4}]'
        assert [len(part) for part in tx.stream(rm.select(Line))] == [3]
        raise ZeroDivisionError
    assert db.fetch_value(rm.select(rm.count()).from_(Line)) == 4


async def test_asyncio_takes_queries(any_url: str) -> None:
    with rm.Database(any_url) as db:
        fill(db)
    query = rm.select(Line.id).order_by(Line.id)
    async with rm.AsyncDatabase(any_url) as adb:
        assert rows(await adb.fetch(query.limit(2))) == [1, 2]
        assert tuple(await adb.fetch_one(query) or ()) == (1,)
        assert await adb.fetch_value(rm.select(rm.count()).from_(Line)) == 4
        assert await adb.fetch_json(query.limit(1)) == b'[{"id":1}]'
        assert [rows(part) async for part in adb.stream(query, batch_rows=3)] == [[1, 2, 3], [4]]
        assert await adb.execute(rm.update(Line).set(score=1).where(Line.id < 3)) == 2
        async with adb.transaction() as tx:
            done = await tx.fetch(rm.delete(Line).where(Line.id == 4).returning(Line.nick))
            assert rows(done) == ["eve"]
            assert [rows(part) async for part in tx.stream(query)] == [[1, 2, 3]]
        with pytest.raises(rm.ProgrammingError, match="a query holds its values"):
            await adb.fetch(query, 5)
        with pytest.raises(
            TypeError, match=r"SQL as a str, or a query as of rm\.select\(\), not int"
        ):
            await adb.fetch(5)  # type: ignore[arg-type]


def test_a_query_is_shown_in_the_dialect_of_a_database(any_url: str, db: rm.Database) -> None:
    query = rm.select(Line.id).where(Line.id.in_([1, 2]))
    own = query.sql("sqlite" if any_url.startswith("sqlite") else "postgresql")
    assert query.sql(db) == own
    with db.transaction() as tx:
        assert query.sql(tx) == own


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime.date(2024, 1, 2), 'date("2024-01-02")'),
        (datetime.time(12, 30), 'time("12:30:00")'),
        (
            datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.UTC),
            'datetime("2024-01-02 03:00:00+00")',
        ),
        (datetime.timedelta(days=1, seconds=5), 'interval("1 day 00:00:05")'),
        (uuid.UUID(int=77), 'UUID("00000000-0000-0000-0000-00000000004d")'),
        (b'a"\0', 'b"a\\"\\x00"'),
        (b"a" * 41, f'b"{"a" * 40}…"'),
        ("a" * 40, f'"{"a" * 40}"'),
        ("a" * 41, f'"{"a" * 40}…"'),
    ],
)
def test_an_expression_shows_its_values(value: object, shown: str) -> None:
    assert repr(rm.col("x") == value) == f'col("x") == {shown}'


def test_a_query_does_not_change(db: rm.Database) -> None:
    query = rm.select(Line.id)
    narrow = query.where(Line.id == 1)
    narrow.order_by(-Line.id).limit(1)
    assert str(query) == 'select "lines"."id" from "lines"'
    assert narrow.sql("sqlite") == ('select "lines"."id" from "lines" where "lines"."id" = ?1', [1])
    assert repr(narrow).startswith('<rowmill.Select select "lines"."id"')


def test_a_value_that_is_shared_is_one_parameter(db: rm.Database) -> None:
    own = Line.nick == "ada"
    query = rm.select(Line.id).where(own & (Line.id > 1) | own & Line.body.is_null())
    assert query.sql("sqlite")[1] == ["ada", 1]
    assert query.sql()[1] == ["ada", 1]
    assert rows(db.fetch(query)) == [3]


def test_raw_sql_takes_values_tables_expressions_and_queries(db: rm.Database) -> None:
    assert rows(db.fetch(rm.sql("select '{{}}' as t"))) == ["{}"]
    raw = rm.sql(
        "select count(*) as n from {lines} where {short} and nick = {nick} or nick = {nick} and id in ({ids})",
        lines=Line,
        short=Line.body.length() > 3,
        nick="ada",
        ids=rm.select(Line.id).where(Line.id == 3),
    )
    assert db.fetch_value(raw) == 2
    assert raw.sql("sqlite")[1] == [3, "ada", 3]
    assert db.execute(rm.sql("delete from {t} where {id} = {n}", t=Line, id=Line.id, n=2)) == 1
    assert repr(rm.sql("select {n}", n=5)).startswith("<rowmill.Raw ")


def test_raw_sql_keeps_what_only_looks_like_a_parameter(db: rm.Database) -> None:
    raw = rm.sql(
        "select '?', '@a[', \"nick\" as a$b /* ? */ from {t} where id = {n} -- ?", t=Line, n=4
    )
    assert rows(db.fetch(raw)) == [("?", "@a[", "eve")]
    own = rm.sql("select data ? {key}, (array[1, 2])[{at}]", key="a", at=1)
    assert own.sql()[0] == "select data ? $1, (array[1, 2])[$2]"


def test_texts_in_values_are_values(db: rm.Database) -> None:
    text = "'; drop table lines; --\\\" {x} $1 ?1 :x"
    assert db.execute(rm.update(Line).set(body=text).where(Line.id == 1)) == 1
    assert rows(db.fetch(rm.select(Line.body).where(Line.body == text))) == [text]
    assert rows(db.fetch(rm.sql("select text from lines where text = {t}", t=text))) == [text]


class Stamped:
    made_by: rm.Col[str] = rm.column("nick")
    body: rm.Col[str | None] = rm.column("text")


class Keyed(Stamped):
    id: rm.Col[int] = rm.pk()


def test_columns_of_plain_classes_are_columns(db: rm.Database) -> None:
    class Said(Keyed, rm.Table, name="lines"):
        channel_id: rm.Col[int | None] = rm.fk(Channel.id)
        body: rm.Col[str] = rm.column("text")

    query = rm.select(Said).where(Said.id == 1)
    assert db.fetch(query).columns == ["made_by", "body", "id", "channel_id"]
    assert rows(db.fetch(query.select(Said.made_by))) == ["ada"]
    other = Said.alias("other")
    joined = rm.select(other.body).join(Channel).where(other.id == 3)
    assert rows(db.fetch(joined)) == ["bye"]
    assert isinstance(Keyed.__dict__["id"], type(rm.pk()))


def test_every_column_of_a_query_with_a_name_is_its_attribute(db: rm.Database) -> None:
    names = rm.select(
        name=Line.nick, alias=Line.id, columns=Line.score, labels=Line.id, table=Line.id
    ).subquery("q")
    query = rm.select(names.name, names.alias, names.columns).where(names.table == names.labels)
    assert rows(db.fetch(query.order_by(names.alias).limit(1))) == [("ada", 1, 0.5)]
    assert repr(names) == "<rowmill.Subquery q>"


def test_what_may_be_missing_within_may_be_missing_of_it(db: rm.Database) -> None:
    said = rm.select(Channel.id, line=Line.id).left_join(
        Line, (Line.channel_id == Channel.id) & (Line.id < 3)
    )
    full = rm.select(Channel.id, line=Line.id).full_join(Line, Line.id == Channel.id)
    for query, expected in (
        (said, [(1, 1), (2, 2), (3, None)]),
        (full, [(1, 1), (2, 2), (3, 3), (None, 4)]),
        (rm.select(Line.id, line=Line.id).union_all(rm.select(Line.id, Line.channel_id).where(Line.id > 3)),
         [(1, 1), (2, 2), (3, 3), (4, 4), (4, None)]),
    ):  # fmt: skip
        for part in (query.subquery("s"), query.cte("s"), rm.select(query.subquery("i")).cte("s")):
            ordered = rm.select(part).order_by(part.line, part.id)
            assert rows(db.fetch(ordered)) == expected
            paged, page = [], db.page(ordered, size=1)
            while True:
                paged += rows(page.rows)
                if page.next is None:
                    break
                page = db.page(ordered, size=1, after=page.next)
            assert paged == expected


def test_table_declarations_are_checked() -> None:
    with pytest.raises(TypeError, match=r"Odd.alias is what every table has; .* alias_: rm.Col"):

        class Odd(rm.Table):
            alias: rm.Col[int]  # type: ignore[assignment]

    with pytest.raises(TypeError, match=r"Nothing declares no column: name: rm\.Col\[type\]"):

        class Nothing(rm.Table):
            id: int

    with pytest.raises(TypeError, match=r"Bare\.id is a column: annotate it as rm\.Col\[type\]"):

        class Bare(rm.Table):
            id = rm.pk()
            name: rm.Col[str]

    with pytest.raises(TypeError, match="Unnamed: a table's name is not empty"):

        class Unnamed(rm.Table, name=""):
            id: rm.Col[int] = rm.pk()

    said = r"Half\.n: int is no column: write n: rm\.Col\[int\], or ClassVar\[\.\.\.\] for what is none"
    with pytest.raises(TypeError, match=said):

        class Half(rm.Table):
            id: rm.Col[int]
            n: int

    with pytest.raises(TypeError, match=r"Half\.n: int is no column"):
        type("Half", (rm.Table,), {"__annotations__": {"id": rm.Col[int], "n": int}})

    class Whole(rm.Table):
        id: rm.Col[int]
        _cache: dict[str, int]
        kinds: ClassVar[list[str]] = []

    assert rm.select(Whole).sql()[0] == 'select "Whole"."id" from "Whole"'
    with pytest.raises(TypeError, match=r"rm\.Col\[complex\] is no type of a column"):

        class Wrong(rm.Table):
            id: rm.Col[complex]

    with pytest.raises(TypeError, match="Child: Line is a table, which hands on no columns"):

        class Child(Line):
            more: rm.Col[int]

    with pytest.raises(TypeError, match="names a table and has no instances"):
        Line()
    with pytest.raises(TypeError, match=r"fk\(\) takes a column of a table"):

        class Astray(rm.Table):
            id: rm.Col[int] = rm.fk("nowhere")


def test_classes_of_tables_are_freed() -> None:
    class Metaclass(type(rm.Table)):  # type: ignore[misc]
        pass

    made = Metaclass("Made", (), {})
    Metaclass.keep = made
    left = weakref.ref(Metaclass)
    del Metaclass, made
    gc.collect()
    assert left() is None
    with pytest.raises(AttributeError, match="Table has no attribute 'nothing'"):
        rm.Table.nothing  # type: ignore[attr-defined] # noqa: B018

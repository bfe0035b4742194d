"""Queries that look alike and are not the same: each has its own SQL, its own page and its own values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.query_tables import Channel, Line, fill, rows


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        fill(db)
        yield db


def ids(found: Any) -> list[Any]:
    return [row[0] for row in found.to_tuples()]


def test_a_limit_is_no_offset(db: rm.Database) -> None:
    db.execute("create table many (id integer primary key)")
    db.load("many", {"id": range(20)})
    query = rm.select(rm.col("id")).from_("many").order_by(rm.col("id"))
    assert ids(db.fetch(query.limit(11))) == list(range(11))
    assert ids(db.fetch(query.offset(11))) == list(range(11, 20))


def test_two_classes_of_one_table_have_each_its_own_sql(db: rm.Database) -> None:
    class Sure(rm.Table, name="lines"):
        id: rm.Col[int] = rm.pk()
        score: rm.Col[float]

    class Unsure(rm.Table, name="lines"):
        id: rm.Col[int] = rm.pk()
        score: rm.Col[float | None]

    db.fetch(rm.select(Sure.id).order_by(Sure.score))
    assert ids(db.fetch(rm.select(Unsure.id).order_by(Unsure.score))) == [1, 2, 4, 3]


def test_columns_declared_as_other_kinds_are_computed_as_those(
    db: rm.Database, any_url: str
) -> None:
    class Whole(rm.Table, name="prices"):
        x: rm.Col[int] = rm.pk()
        y: rm.Col[int]

    class Exact(rm.Table, name="prices"):
        x: rm.Col[Decimal] = rm.pk()
        y: rm.Col[Decimal]

    db.execute("create table prices (x numeric, y numeric)")
    db.execute("insert into prices values (3, 4)")
    whole = db.fetch_value(rm.select(Whole.x / Whole.y))
    exact = db.fetch_value(rm.select(Exact.x / Exact.y))
    assert (whole, type(whole)) == (0.75, float)
    assert exact == (Decimal("0.75") if any_url.startswith("postgres") else 0.75)


def score_of(nick: str) -> Any:
    of = Line.alias("of")
    return rm.select(of.id.max()).where(of.nick == nick).value()


@pytest.mark.parametrize("size", [1, 2])
def test_a_page_is_ordered_by_the_query_within_that_it_names(db: rm.Database, size: int) -> None:
    ada, eve = Line.id + score_of("ada"), Line.id * (score_of("eve") - 5)
    query = rm.select(Line.id, ada.label("ada")).order_by(eve)
    assert ids(db.page(query, size).rows) == ids(db.fetch(query.limit(size)))


def test_a_token_of_one_query_within_is_none_of_another(db: rm.Database) -> None:
    one = rm.select(Line.id).order_by(Line.id + score_of("ada"))
    other = rm.select(Line.id).order_by(Line.id + score_of("eve"))
    token = db.page(one, 1).next
    assert token
    assert ids(db.page(one, 1, after=token).rows) == [2]
    with pytest.raises(rm.DataError, match="token"):
        db.page(other, 1, after=token)


def test_long_texts_that_begin_alike_are_two(db: rm.Database) -> None:
    def at_end(letter: str) -> Any:
        return rm.case((Line.nick == "x" * 60 + letter, 1), default=Line.id)

    query = rm.select(Line.id, a=at_end("a")).order_by(-at_end("b"))
    assert ids(db.page(query, 2).rows) == ids(db.fetch(query.limit(2)))
    token = db.page(query, 1).next
    with pytest.raises(rm.DataError, match="token"):
        db.page(query.order_by(-at_end("c")), 1, after=token)


def test_aggregates_of_integers_are_integers_and_floats(db: rm.Database) -> None:
    late = Line.id > 2
    query = rm.select(
        s=Line.id.sum(), m=Line.id.mean(), f=Line.id.sum().where(late), a=Line.id.mean().where(late)
    )
    (row,) = db.fetch(query).to_tuples()
    assert row == (10, 2.5, 7, 3.5)
    assert [type(value) for value in row] == [int, float, int, float]
    running = rm.select(w=Line.id.sum().over(order_by=Line.id), v=Line.id.mean().over())
    first, *_ = db.fetch(running.order_by(Line.id)).to_tuples()
    assert first == (1, 2.5)
    assert [type(value) for value in first] == [int, float]
    total = rm.select(s=Line.id.sum()).subquery("t")
    assert db.fetch_value(rm.select(total.s // 4)) == 2


class Big(rm.Table, name="big"):
    n: rm.Col[int] = rm.pk()


def test_a_sum_beyond_64_bits_is_an_error(db: rm.Database) -> None:
    db.execute("create table big (n bigint)")
    db.load("big", {"n": [2**62, 2**62, 2**62]})
    with pytest.raises(rm.DatabaseError, match=r"(?i)out of range|overflow"):
        db.fetch(rm.select(Big.n.sum()))


def test_a_declared_float_may_be_stored_as_an_integer(db: rm.Database) -> None:
    class Stored(rm.Table, name="stored"):
        a: rm.Col[float] = rm.pk()
        b: rm.Col[float]

    db.execute("create table stored (a numeric, b numeric)")
    db.execute("insert into stored values (1, 2)")
    assert float(db.fetch_value(rm.select(Stored.a / Stored.b))) == 0.5
    assert rows(db.fetch(rm.select(rm.count()).where(Stored.a / Stored.b > 0.4))) == [1]


def test_groups_by_a_value_are_found_where_they_stand_again(db: rm.Database) -> None:
    query = rm.select(odd=Line.id % 2, n=rm.count()).group_by(Line.id % 2).order_by(Line.id % 2)
    assert db.fetch(query).to_tuples() == [(0, 2), (1, 2)]
    more = query.having((Line.id % 2) + 1 > 1).order_by(-(Line.id % 2))
    assert db.fetch(more).to_tuples() == [(1, 2)]
    assert query.sql("postgresql")[1] == [2]


def test_a_number_of_rows_given_to_a_call_is_one(db: rm.Database) -> None:
    @rm.query
    def first(rows: int) -> Any:
        return rm.select(Line.id).order_by(Line.id).limit(rows)

    assert ids(db.fetch(first(2))) == [1, 2]
    with pytest.raises(rm.ProgrammingError, match="-1 is no number of rows"):
        db.fetch(first(-1))


def test_steps_into_json_are_keys_or_places(db: rm.Database, any_url: str) -> None:
    class Doc(rm.Table, name="docs"):
        id: rm.Col[int] = rm.pk()
        d: rm.Col[dict[str, Any]]

    kind = "jsonb" if any_url.startswith("postgres") else "text"
    db.execute(f"create table docs (id integer primary key, d {kind})")
    db.execute("""insert into docs values (1, '{"0": "key", "c": ["a", "b"]}')""")
    paths = [Doc.d["0"], Doc.d[0], Doc.d["c"][0], Doc.d["c"]["0"], Doc.d["c"][-1], Doc.d["c"]["-1"]]
    row = db.fetch(rm.select(*(path.label(f"p{n}") for n, path in enumerate(paths)))).to_tuples()
    assert row == [("key", None, "a", None, "b", None)]


def deep_window(levels: int) -> Any:
    key: Any = Line.id
    for _ in range(levels):
        key = rm.row_number().over(order_by=key)
    return key


def deep_in(levels: int) -> Any:
    within = rm.select(Channel.id == 1)
    condition: Any = Line.id == 1
    for _ in range(levels):
        condition = condition.in_(within)
    return condition


@pytest.mark.parametrize("deep", [deep_window, deep_in])
def test_deep_windows_and_queries_are_refused_without_recursion(db: rm.Database, deep: Any) -> None:
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            db.fetch(rm.select(Line.id).where(Line.id == 1).select(x=deep(30_000)))
        except rm.Error as error:
            failed.append(error)

    size = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert "deeper than" in str(failed[0])


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f"]
)
def test_pages_over_dates_in_another_form_end_with_an_error(form: str, tmp_path: Path) -> None:
    class Event(rm.Table, name="events"):
        id: rm.Col[int] = rm.pk()
        at: rm.Col[datetime] = rm.column(naive="Z" not in form)

    with rm.Database(f"sqlite:///{tmp_path}/dates.db") as db:
        db.execute("create table events (id integer primary key, at timestamp)")
        for minute in range(6):
            db.execute(
                "insert into events (at) values ($1)",
                datetime(2024, 1, 1, 10, minute).strftime(form),
            )
        query = rm.select(Event.id).order_by(Event.at)
        token = db.page(query, 2).next
        with pytest.raises(rm.DataError, match="begins with a row that the page before it had"):
            db.page(query, 2, after=token)


def test_classes_of_patterns_are_ascii_in_every_collation(pg_url: str) -> None:
    class Word(rm.Table, name="words"):
        w: rm.Col[str] = rm.pk()

    with rm.Database(pg_url) as db, db.transaction() as transaction:
        if not transaction.fetch_value(
            "select count(*) from pg_collation where collname = 'en-x-icu'"
        ):
            pytest.skip("this PostgreSQL comes without ICU")
        transaction.execute('create temp table words (w text collate "en-x-icu")')
        transaction.execute("insert into words values ('é'), ('٣'), ('\u00a0'), ('e3 ')")
        query = rm.select(Word.w)
        assert ids(transaction.fetch(query.where(Word.w.matches(r"^\w\d\s$")))) == ["e3 "]
        assert len(transaction.fetch(query.where(Word.w.matches(r"^[^a]$")))) == 3
        assert len(transaction.fetch(query.where(Word.w.matches(r"\w|\d|\s")))) == 1


def test_a_row_that_a_group_is_keyed_by_has_one_value_of_each(db: rm.Database) -> None:
    query = rm.select(Channel.slug, n=rm.count()).join(Line).group_by(Channel.id)
    assert db.fetch(query.order_by(Channel.slug)).to_tuples() == [("a", 1), ("b", 2)]


def test_dates_are_written_as_their_column_is(db: rm.Database) -> None:
    class Day(rm.Table, name="days"):
        id: rm.Col[int] = rm.pk()
        day: rm.Col[date]
        wall: rm.Col[datetime] = rm.column(naive=True)
        at: rm.Col[datetime]

    db.execute(
        "create table days (id bigint primary key, day date, wall timestamp, at timestamptz)"
    )
    zoned = datetime(2024, 5, 6, 12, tzinfo=UTC)
    noon = zoned.replace(tzinfo=None)
    db.execute(rm.insert(Day).values(id=1, day=noon.date(), wall=noon.date(), at=zoned))
    midnight = noon.replace(hour=0)
    assert db.fetch(rm.select(Day.day, Day.wall)).to_tuples() == [(noon.date(), midnight)]
    wrong: list[tuple[str, Any]] = [("day", noon), ("wall", zoned), ("at", noon), ("day", Day.wall)]
    for column, value in wrong:
        with pytest.raises(rm.ProgrammingError, match=f'column "{column}" takes'):
            rm.update(Day).set(**{column: value})


def test_a_frame_has_no_row_of_true_or_false() -> None:
    frame = rm.Frame({"id": [1, 3]})
    with pytest.raises(TypeError, match=r"rows are chosen by frame.filter\(rm.col"):
        frame[frame["id"] == 3]


class Whole(int):
    """An int of a class of its own."""


LISTS: list[list[Any]] = [
    [],
    [3],
    [3, 1, 2**40],
    [1, 2**63],
    [1, True],
    [1, Whole(2)],
    [1, 2.0],
    [1.5, 2],
    [1, Decimal(2)],
    [1, None],
    [1, "a"],
    ["a", 1],
    [1, 2**70],
    [1, [2]],
]


@pytest.mark.parametrize("values", LISTS, ids=repr)
def test_a_list_means_what_its_elements_mean(db: rm.Database, values: list[Any]) -> None:
    """Integers are kept otherwise than other values; a tuple, a list and one in two steps are the same."""
    frame = rm.Frame({"n": [1, 2, 3, None], "x": [1.0, 2.5, None, 3.0]})

    def said(given: Any) -> list[Any]:
        out: list[Any] = []
        makers: list[Callable[[], Any]] = [
            lambda: rm.select(Line.id).where(Line.id.in_(given)).order_by(Line.id),
            lambda: rm.select(Line.id).where(Line.score.not_in(given)).order_by(Line.id),
        ]
        for make in makers:
            try:
                query = make()
                out += [query.sql(), db.fetch(query).to_tuples()]
            except (rm.Error, TypeError) as error:
                out.append(str(error))
        for name in ("n", "x"):
            try:
                condition = rm.col(name).in_(given)
                out += [repr(condition), frame.filter(condition).to_tuples()]
            except (rm.Error, TypeError) as error:
                out.append(str(error))
        return out

    class List(list[Any]):
        """Not a list as such."""

    assert said(values) == said(tuple(values)) == said(List(values))

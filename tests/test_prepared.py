"""Functions that are queries: what a call takes, and that it is what the query built afresh would be."""

import asyncio
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import rowmill as rm


class Log(rm.Table, name="logs"):
    id: rm.Col[int] = rm.pk()
    channel: rm.Col[int]
    at: rm.Col[dt.datetime] = rm.column(naive=True)
    nick: rm.Col[str]
    command: rm.Col[str | None]
    score: rm.Col[float | None]
    price: rm.Col[Decimal | None]


START = dt.datetime(2024, 1, 1)


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        db.execute(
            "create table logs (id integer primary key, channel integer, at timestamp, nick text, command text, "
            "score double precision, price numeric)"
        )
        db.load(
            "logs",
            [
                {
                    "id": at,
                    "channel": at % 7,
                    "at": START + dt.timedelta(hours=at),
                    "nick": f"n{at % 3}",
                    "command": [None, "a", "b"][at % 3],
                    "score": at / 4,
                    "price": Decimal(at) / 2,
                }
                for at in range(100)
            ],
        )
        yield db


@rm.query
def day(
    channel: int,
    begin: dt.datetime,
    end: dt.datetime,
    commands: list[str] = ["a"],  # noqa: B006 - it is bound, never changed
    *,
    limit: int = 5,
) -> Any:
    """A day of a channel."""
    window = (Log.at >= begin, Log.at < end, Log.command.in_(commands))
    return rm.select(Log.id).where(Log.channel == channel, *window).order_by(-Log.id).limit(limit)


@rm.query
def quoted(ch: "int", nick: "str | None" = None, wanted: "list[int]" = ()) -> Any:  # type: ignore[assignment]
    return rm.select(Log.id).where(Log.channel == ch, (Log.nick == nick) | Log.id.in_(wanted))


@rm.query
def alike(nick: "str | None") -> Any:
    return rm.select(Log.id).where(Log.nick.is_not_distinct_from(nick))


@rm.query
def among(wanted: list[int] | None) -> Any:
    return rm.select(Log.id).where(Log.id.in_(wanted))  # type: ignore[arg-type]


@rm.query
def not_among(wanted: list[int] | None) -> Any:
    return rm.select(Log.id).where(Log.id.not_in(wanted))  # type: ignore[arg-type]


@rm.query
def beginning(text: str | None) -> Any:
    return rm.select(Log.id).where(Log.nick.starts_with(text))  # type: ignore[arg-type]


@rm.query
def fitting(text: str | None) -> Any:
    return rm.select(Log.id).where(Log.nick.like(text))  # type: ignore[arg-type]


@rm.query
def optional(nick: str | None = None, wanted: list[int] | None = None) -> Any:
    return rm.select(Log.id).where(
        rm.lit(nick).is_null() | (Log.nick == nick),
        rm.lit(wanted).is_null() | Log.id.in_(wanted),  # type: ignore[arg-type]
    )


@rm.query
def since_or_all(at: dt.datetime | None = None, price: Any = None) -> Any:
    return rm.select(Log.id).where(
        rm.lit(at).is_null() | (Log.at > rm.lit(at)),
        (Log.price > rm.lit(price)) | rm.lit(price).is_null(),
    )


@rm.query
def asked_elsewhere(nick: str | None) -> Any:
    asked = rm.lit(nick).is_null().label("x")
    return rm.select(Log.id, asked).where(Log.nick == rm.lit(nick))


END = START + dt.timedelta(days=4)


def ids(frame: rm.Frame) -> list[int]:
    return sorted(frame["id"].to_list())


def test_a_call_is_the_query_built_afresh(db: rm.Database) -> None:
    def afresh(channel: int, commands: list[str], limit: int) -> list[int]:
        query = day.__wrapped__(channel, START, END, commands, limit=limit)
        return ids(db.fetch(query))

    assert ids(db.fetch(day(3, START, END))) == afresh(3, ["a"], 5) == [10, 31, 52, 73, 94]
    assert ids(db.fetch(day(3, START, END, limit=2))) == afresh(3, ["a"], 2)
    assert ids(db.fetch(day(3, end=END, begin=START, commands=["b", "a"]))) == afresh(
        3, ["b", "a"], 5
    )
    assert ids(db.fetch(day(3, START, END, []))) == afresh(3, [], 5) == []
    assert ids(db.fetch(day(3, START, END, ["it's"]))) == []
    assert ids(db.fetch(day(3, START, END, limit=0))) == []


def test_a_prepared_query_says_what_it_is() -> None:
    assert (day.__name__, day.__doc__) == ("day", "A day of a channel.")
    assert day.__module__ == __name__
    text, values = day(3, START, END, ["b"]).sql("sqlite")
    assert text == day.sql("sqlite")
    assert values == [3, START, END, ["b"], 5]
    assert "rowmill.Prepared select" in repr(day)
    assert "rowmill.Call select" in repr(day(3, START, END))


def test_annotations_as_text_and_null(db: rm.Database) -> None:
    with pytest.raises(rm.ProgrammingError, match="a comparison with None is never true"):
        quoted(3)
    assert ids(db.fetch(quoted(3, "n1")))[:2] == [10, 31]
    assert ids(db.fetch(quoted(3, "", wanted=[3, 17]))) == [3, 17]
    assert ids(db.fetch(quoted(ch=3, nick="", wanted=[3]))) == [3]
    assert ids(db.fetch(alike(None))) == []
    assert len(ids(db.fetch(alike("n1")))) > 2


@pytest.mark.parametrize(
    "use",
    [
        lambda name: f"{name}@x.org",
        lambda name: str(name.upper()),
        lambda name: {"ada": 1}.get(name),
        lambda name: rm.sql(f"nick = {name}"),
    ],
)
def test_a_stand_in_is_no_text(use: Any) -> None:
    def lines(name: str) -> Any:
        return rm.select(Log.id).where(Log.nick == use(name))

    with pytest.raises(TypeError, match="name has no value yet"):
        rm.query(lines)


# Wrong calls are errors of types too.
ANY_DAY: Any = day


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: ANY_DAY(), TypeError, "no value is given for channel"),
        (lambda: ANY_DAY(1, START), TypeError, "no value is given for end"),
        (lambda: ANY_DAY("x", START, END), rm.ProgrammingError, "channel takes int, not 'x'"),
        (lambda: ANY_DAY(True, START, END), rm.ProgrammingError, "channel takes int, not True"),
        (lambda: ANY_DAY(1.0, START, END), rm.ProgrammingError, "channel takes int, not 1.0"),
        (lambda: ANY_DAY(2**63, START, END), Exception, "channel|9223372036854775808|64"),
        (lambda: ANY_DAY(1, "d", END), rm.ProgrammingError, "begin takes datetime, not 'd'"),
        (lambda: ANY_DAY(1, START.date(), END), rm.ProgrammingError, "begin takes datetime"),
        (lambda: ANY_DAY(None, START, END), rm.ProgrammingError, "channel takes int, not None"),
        (lambda: ANY_DAY(1, None, END), rm.ProgrammingError, "begin takes datetime, not None"),
        (lambda: ANY_DAY(1, START, END, ["a", None]), rm.ProgrammingError, "commands takes"),
        (lambda: ANY_DAY(1, START, END, [1]), rm.ProgrammingError, "commands takes"),
        (lambda: ANY_DAY(1, START, END, "a"), rm.ProgrammingError, "commands takes"),
        (lambda: ANY_DAY(1, START, END, None), rm.ProgrammingError, "commands takes"),
        (
            lambda: ANY_DAY(1, START, END, ["a"], 5),
            TypeError,
            "takes 4 values by position, 5 given",
        ),
        (lambda: ANY_DAY(1, START, END, begin=START), TypeError, "begin is given twice"),
        (lambda: ANY_DAY(1, START, END, foo=3), TypeError, "no parameter foo"),
        (lambda: ANY_DAY(1, START, END, limit="5"), rm.ProgrammingError, "limit takes int"),
        (lambda: ANY_DAY(1, START, object()), Exception, "object"),
    ],
)
def test_what_a_call_refuses(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()


def star(*given: int) -> Any:
    return rm.select(Log)


def odd(given: complex) -> Any:
    return rm.select(Log)


class Room(rm.Table, name="rooms"):
    id: rm.Col[int] = rm.pk()
    parent: rm.Col[int] = rm.fk("rooms.id")
    inner = rm.many(lambda: Room)


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        (lambda x: 3, TypeError, "returns a query, as of rm.select.., not int"),
        (lambda x: None, TypeError, "returns a query"),
        (lambda x: rm.select(Log) if x else None, TypeError, "x has no value yet"),
        (lambda: rm.select(Room).with_(Room.inner), rm.ProgrammingError, "has no edges"),
        (star, TypeError, r"no \* and \*\*"),
        (odd, TypeError, "given"),
        (print, TypeError, "rm.query takes a function, not builtin_function_or_method"),
        (5, TypeError, "rm.query takes a function, not int"),
    ],
)
def test_what_is_no_prepared_query(function: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        rm.query(function)


def test_a_query_is_called_before_it_is_run(db: rm.Database) -> None:
    with pytest.raises(
        TypeError, match=r"a function under rm\.query by itself: call it with its values"
    ):
        db.fetch(ANY_DAY)
    with pytest.raises(rm.ProgrammingError, match="a query holds its values"):
        db.fetch(day(1, START, END), 5)
    with pytest.raises(rm.ProgrammingError, match="a query holds its values"):
        db.fetch(day(1, START, END), channel=2)


@rm.query
def typed(
    number: float, price: Decimal, nick: str, numbers: list[float], anything: Any, plain: Any = None
) -> Any:
    return rm.select(Log.id).where(
        Log.score > number,
        Log.price < price,
        Log.nick == nick,
        Log.score.in_(numbers),
        Log.channel == anything,
        Log.command.is_distinct_from(plain),
    )


def test_values_of_many_kinds(db: rm.Database) -> None:
    assert ids(db.fetch(typed(1, Decimal("9.5"), "n1", [2.5, 4.0, 9.0], 3))) == [10]
    assert ids(db.fetch(typed(0.5, Decimal(20), "n1", [2.5, 7.75], 3, "b"))) == [10, 31]
    assert ids(db.fetch(typed(float("inf"), Decimal(99), "n1", [2.5], 3))) == []
    any_typed: Any = typed
    assert ids(db.fetch(any_typed(0.5, 20, "n1", (2.5, 7.75), 3, "b"))) == [10, 31]
    with pytest.raises(rm.ProgrammingError, match=r"price takes decimal, not 9\.5"):
        any_typed(0.5, 9.5, "n1", [2.5], 3)


class Zoned(rm.Table, name="logs"):
    id: rm.Col[int] = rm.pk()
    at: rm.Col[dt.datetime]


@rm.query
def since(begin: dt.datetime) -> Any:
    return rm.select(Log.id).where(Log.at >= begin)


@rm.query
def since_any(begin: Any) -> Any:
    return rm.select(Log.id).where(Log.at >= begin, Log.id.in_(rm.select(Log.id)))


@rm.query
def since_zoned(begin: dt.datetime) -> Any:
    return rm.select(Zoned.id).where(Zoned.id.in_(rm.select(Zoned.id).where(Zoned.at >= begin)))


def test_a_value_fits_what_it_is_compared_with_as_in_a_query_built_afresh(db: rm.Database) -> None:
    late = START + dt.timedelta(hours=98)
    zoned = late.replace(tzinfo=dt.UTC)
    wrong: list[tuple[Any, dt.datetime]] = [(since, zoned), (since_any, zoned), (since_zoned, late)]
    for prepared, begin in wrong:
        with pytest.raises(
            rm.ProgrammingError, match="give the datetime a tzinfo, or declare"
        ) as afresh:
            prepared.__wrapped__(begin)
        with pytest.raises(rm.ProgrammingError) as called:
            prepared(begin)
        assert str(called.value) == str(afresh.value)
    assert ids(db.fetch(since(late))) == ids(db.fetch(since_any(late))) == [98, 99]
    # A day is its midnight.
    day_four: Any = since_any((START + dt.timedelta(days=4)).date())
    assert ids(db.fetch(day_four)) == [96, 97, 98, 99]
    with pytest.raises(rm.ProgrammingError, match="a comparison with None is never true"):
        since_any(None)


@pytest.mark.parametrize("prepared", [among, not_among, beginning, fitting])
def test_none_is_no_value_to_look_for(db: rm.Database, prepared: Any) -> None:
    with pytest.raises(
        rm.ProgrammingError, match="a comparison with None is never true in SQL; make"
    ):
        prepared(None)


def test_a_query_may_say_what_none_means(db: rm.Database) -> None:
    assert ids(db.fetch(optional())) == list(range(100))
    assert ids(db.fetch(optional("n1", [1, 2, 4]))) == [1, 4]
    assert ids(db.fetch(optional(wanted=[1, 2, 4]))) == [1, 2, 4]
    assert ids(db.fetch(since_or_all())) == list(range(100))
    assert ids(db.fetch(since_or_all(START + dt.timedelta(hours=97)))) == [98, 99]
    assert ids(db.fetch(since_or_all(START, Decimal("49")))) == [99]
    with pytest.raises(rm.ProgrammingError, match="a comparison with None is never true"):
        asked_elsewhere(None)
    with pytest.raises(rm.ProgrammingError, match="at takes datetime"):
        db.fetch(since_or_all("x"))  # type: ignore[arg-type]


@rm.query
def around(t: dt.datetime, by: dt.timedelta) -> Any:
    return rm.select(Log.id).where(Log.at >= t - by - dt.timedelta(0), by + t >= Log.at)


@rm.query
def moved_any(t: dt.datetime | None) -> Any:
    return rm.select(Log.id).where(Log.at >= t - dt.timedelta(1))  # type: ignore[operator]


def test_a_moment_to_come_is_moved(any_url: str, db: rm.Database) -> None:
    call = around(START, dt.timedelta(hours=2))
    if any_url.startswith("sqlite"):
        with pytest.raises(rm.ProgrammingError, match="which SQLite cannot do exactly"):
            db.fetch(call)
        return
    assert ids(db.fetch(call)) == [0, 1, 2]
    with pytest.raises(rm.ProgrammingError, match="never true in SQL"):
        db.fetch(moved_any(None))
    with pytest.raises(rm.DataError, match="wants a wall clock"):
        db.fetch(around(START.replace(tzinfo=dt.UTC), dt.timedelta(hours=2)))


def test_calls_by_every_verb(db: rm.Database) -> None:
    call = day(3, START, END)
    assert db.fetch_one(call).id == 94  # type: ignore[union-attr]
    assert db.fetch_value(call) == 94
    assert db.fetch_json(call).startswith(b'[{"id":94}')
    assert [len(part) for part in db.stream(call, batch_rows=2)] == [2, 2, 1]
    with db.transaction() as tx:
        assert len(tx.fetch(call)) == 5
        assert sum(len(part) for part in tx.stream(call)) == 5


@rm.query
def said(at: int, channel: int, nick: str, command: str | None = None) -> Any:
    row = {"id": at, "channel": channel, "nick": nick, "command": command}
    return rm.insert(Log).values(**row).returning(Log.id)


@rm.query
def renamed(before: str, after: str) -> Any:
    return rm.update(Log).set(nick=after).where(Log.nick == before)


@rm.query
def gone(of: list[int]) -> Any:
    return rm.delete(Log).where(Log.id.in_(of))


def test_calls_that_write(db: rm.Database) -> None:
    assert db.fetch_value(said(1000, 3, "it's; drop table logs")) == 1000
    assert db.execute(renamed("it's; drop table logs", "calm")) == 1
    row = db.fetch_one(rm.select(Log.nick, Log.command).where(Log.id == 1000))
    assert row is not None
    assert tuple(row) == ("calm", None)
    with db.transaction() as tx:
        assert tx.execute(gone(list(range(50)))) == 50
    assert db.execute(gone([1000, 5000])) == 1
    with pytest.raises(rm.IntegrityError):
        db.execute(said(60, 1, "twice"))


def test_calls_under_asyncio(any_url: str, db: rm.Database) -> None:
    async def run() -> None:
        async with rm.AsyncDatabase(any_url) as other:
            frames = await asyncio.gather(*(other.fetch(day(at, START, END)) for at in range(7)))
            assert [ids(frame) for frame in frames] == [
                ids(db.fetch(day(at, START, END))) for at in range(7)
            ]
            async with other.transaction() as tx:
                assert await tx.execute(gone([1, 2])) == 2
            assert [len(part) async for part in other.stream(day(3, START, END), batch_rows=3)] == [
                3,
                2,
            ]

    asyncio.run(run())


def test_annotations_are_names_of_the_function_around() -> None:
    number = int

    @rm.query
    def local(key: uuid.UUID, of: "list[dt.date]", at: "number") -> Any:  # type: ignore[valid-type]
        return rm.select(rm.lit(1)).where(rm.lit(dt.date(2024, 1, 1)).in_(of), rm.lit(at) == at)

    with pytest.raises(rm.ProgrammingError, match="key takes uuid, not 5"):
        local(5, [], 1)  # type: ignore[arg-type]
    with pytest.raises(rm.ProgrammingError, match="at takes int, not 'x'"):
        local(uuid.uuid4(), [], "x")


class Sample(rm.Table, name="samples"):
    id: rm.Col[int] = rm.pk()
    count: rm.Col[int | None]
    key: rm.Col[uuid.UUID | None]
    at: rm.Col[dt.datetime | None] = rm.column(naive=True)
    ratio: rm.Col[float | None]


@rm.query
def sampled(id: int, count: float | None, key: str | None, at: Any = None, ratio: int = 0) -> Any:
    return rm.insert(Sample).values(id=id, count=count, key=key, at=at, ratio=ratio)


@rm.query
def counted(id: int, count: Decimal) -> Any:
    return rm.update(Sample).set(count=count).where(Sample.id == id)


@rm.query
def merged(id: int, count: float) -> Any:
    return rm.upsert(Sample).values(id=id, count=0).set(count=count)


def test_what_comes_to_a_column_is_held_against_its_kind(any_url: str) -> None:
    key = uuid.UUID(int=5)
    with rm.Database(any_url) as db:
        db.execute(
            "create table samples (id integer primary key, count integer, key uuid, at timestamp, "
            "ratio double precision)"
        )
        db.execute(sampled(1, 2.0, str(key), dt.date(2024, 5, 1), 3))
        db.execute(sampled(2, None, None))
        db.execute(counted(2, Decimal("7.00")))
        db.execute(merged(1, 4.0))
        frame = db.fetch(rm.select(Sample).order_by(Sample.id))
        assert frame["count"].to_list() == [4, 7]
        assert frame["ratio"].to_list() == [3.0, 0.0]
        assert frame["at"].to_list() == [dt.datetime(2024, 5, 1), None]
        wrong: list[tuple[Callable[[], Any], str]] = [
            (lambda: sampled(3, 1.5, None), 'column "count" takes int, which 1.5 is not'),
            (
                lambda: counted(1, Decimal("0.5")),
                'column "count" takes int, which Decimal..0.5.. is not',
            ),
            (lambda: merged(1, 2.0**63), 'column "count" takes int, which .* is not'),
            (lambda: sampled(3, 1.0, "five"), 'column "key" takes uuid, which .five. is not'),
            (lambda: sampled(3, 1.0, None, "noon"), 'column "at" takes .*, not text'),
        ]
        for call, said in wrong:
            with pytest.raises(rm.ProgrammingError, match=said):
                db.execute(call())
        assert db.fetch_value("select count(*) from samples") == 2


class Paper(rm.Table, name="papers"):
    id: rm.Col[int] = rm.pk()
    body: rm.Col[dict[str, Any] | None]
    score: rm.Col[float | None]


@rm.query
def filed(id: int, body: dict[str, Any] | None, score: float | None = None) -> Any:
    return rm.insert(Paper).values(id=id, body=body, score=score)


@rm.query
def rescored(score: float) -> Any:
    return rm.update(Paper).set(score=score).all_rows()


def test_json_and_floats_to_come(any_url: str) -> None:
    given: list[Any] = [{"a": [1, "x"]}, [1, None], '{"b": 2}', "[]", None]
    with rm.Database(any_url) as db:
        kind = "text" if any_url.startswith("sqlite") else "jsonb"
        db.execute(f"create table papers (id integer primary key, body {kind}, score float)")
        for at, body in enumerate(given):
            assert db.execute(filed(at, body)) == 1
        kept = db.fetch(rm.select(Paper.body).order_by(Paper.id))["body"].to_list()
        found = [json.loads(text) if isinstance(text, str) else text for text in kept]
        assert found == [{"a": [1, "x"]}, [1, None], {"b": 2}, [], None]
        wrong: list[Any] = ["nope", 5, True, (1,)]
        for body in wrong:
            with pytest.raises(rm.ProgrammingError, match="body takes a dict, a list or text"):
                filed(9, body)
        assert db.execute(rescored(2**60)) == 5
        for call in (
            lambda: rescored(2**60 + 1),
            lambda: rm.update(Paper).set(score=2**60 + 1).all_rows(),
            lambda: rm.insert(Paper).values(id=7, score=2**60 + 1),
        ):
            with pytest.raises(rm.ProgrammingError, match=r"takes float.*1152921504606846977"):
                db.execute(call())
        assert db.fetch(rm.select(Paper.score))["score"].to_list() == [float(2**60)] * 5

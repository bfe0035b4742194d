"""Tables of a live database as classes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rowmill as rm
from tests.query_tables import DECLARED, fill, rows


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        yield db


SHOP = """\
import rowmill as rm


class Channels(rm.Table, name="channels"):
    id: rm.Col[int] = rm.pk()
    slug: rm.Col[str]
    parent_id: rm.Col[int | None] = rm.fk("channels.id")


class Lines(rm.Table, name="lines"):
    id: rm.Col[int] = rm.pk()
    channel_id: rm.Col[int | None] = rm.fk("channels.id")
    nick: rm.Col[str]
    text: rm.Col[str | None]
    score: rm.Col[float | None]
"""


def test_declarations_are_those_that_one_writes(db: rm.Database, tmp_path: Path) -> None:
    fill(db)
    tables = rm.reflect(db)
    assert tables.source() == repr(tables) == SHOP
    query = rm.select(tables.Lines.id, tables.Channels.slug).join(tables.Channels)
    assert rows(db.fetch(query.order_by(tables.Lines.id))) == [(1, "a"), (2, "b"), (3, "b")]
    assert tables["channels"] is tables.Channels
    assert [len(db.fetch(rm.select(table))) for table in tables] == [3, 4]
    assert len(tables) == 2
    pasted = tmp_path / "shop.py"
    pasted.write_text(tables.source() + "\n\nprint(rm.select(Lines.id).join(Channels))\n")
    path = f"import sys; sys.path[:0] = {[str(Path(rm.__file__).parent.parent)]!r}; import runpy; runpy.run_path({str(pasted)!r})"
    done = subprocess.run([sys.executable, "-c", path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(rm.select(tables.Lines.id).join(tables.Channels))


async def test_the_awaited_twin(any_url: str, db: rm.Database) -> None:
    fill(db)
    async with rm.AsyncDatabase(any_url) as adb:
        tables = await rm.reflect(adb)
        assert tables.source() == SHOP
        assert len(await adb.fetch(rm.select(tables.Lines))) == 4
        assert len(await rm.reflect(adb, tables=["lines"])) == 1
        with pytest.raises(rm.ProgrammingError, match=r"there is no .* 'zzz'"):
            await rm.reflect(adb, schema="zzz")


def test_some_tables_alone(db: rm.Database) -> None:
    fill(db)
    assert rm.reflect(db, tables=["channels"]).source() == SHOP.split("\n\n\nclass Lines")[0] + "\n"
    with pytest.raises(
        rm.ProgrammingError, match="no table 'chanels'; there are 'channels', 'lines'"
    ):
        rm.reflect(db, tables=["chanels"])
    with pytest.raises(TypeError, match="tables is a list of names"):
        rm.reflect(db, tables="channels")
    with pytest.raises(AttributeError, match="no table for 'Chanels'; there are Channels, Lines"):
        _ = rm.reflect(db).Chanels
    with pytest.raises(TypeError, match="reflect\\(\\) takes a Database, not str"):
        rm.reflect("sqlite://")  # type: ignore[call-overload]


def test_a_database_without_tables(db: rm.Database) -> None:
    assert (len(rm.reflect(db)), rm.reflect(db).source()) == (0, "import rowmill as rm\n")


def test_names_that_python_does_not_take(db: rm.Database) -> None:
    db.execute_script(
        'create table "odd ""table""; --" ("class" int, "two words" text, "2nd" int, _x int, alias int, "a""b" int)'
    )
    tables = rm.reflect(db)
    assert [line.strip() for line in tables.source().splitlines()[3:]] == [
        """class OddTable(rm.Table, name='odd "table"; --'):""",
        'class_: rm.Col[int | None] = rm.column("class")',
        'two_words: rm.Col[str | None] = rm.column("two words")',
        'c_2nd: rm.Col[int | None] = rm.column("2nd")',
        'c_x: rm.Col[int | None] = rm.column("_x")',
        'alias_: rm.Col[int | None] = rm.column("alias")',
        """a_b: rm.Col[int | None] = rm.column('a"b')""",
    ]
    odd = tables.OddTable
    assert db.execute(rm.insert(odd).values(two_words="x", class_=1)) == 1
    assert rows(db.fetch(rm.select(odd.two_words).where(odd.class_ == 1))) == ["x"]
    assert db.fetch(rm.select(odd)).columns[:2] == ["class_", "two_words"]


def test_types_of_postgres(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("""
            create type mood as enum ('sad', 'glad');
            create domain price as numeric(10, 2);
            create table every (
                a smallint, b int, c bigint, d real, e double precision, f numeric, g price, h text,
                i varchar(5), j mood, k bytea, l bool, m uuid, n date, o time, p timestamp, q timestamptz,
                r interval, s json, t jsonb, u int[], v text[], w inet, x int4range, y timestamp[],
                primary key (a, p));
            create view seen as select a, h from every;
            create table referring (one smallint, at timestamp, foreign key (one, at) references every)
        """)
        tables = rm.reflect(db)
        lines = [line.strip() for line in tables.source().splitlines()]
        kinds = {line.split(":")[0]: line.split(": ")[1] for line in lines if ": rm.Col" in line}
        expected = {
            **dict.fromkeys("bc", "int"),
            **dict.fromkeys("de", "float"),
            **dict.fromkeys("fg", "Decimal"),
            **dict.fromkeys("hij", "str"),
            "k": "bytes",
            "l": "bool",
            "m": "UUID",
            "n": "date",
            "o": "time",
            "q": "datetime",
            "r": "timedelta",
            "s": "dict",
            "t": "dict",
            "u": "list[int]",
            "v": "list[str]",
        }
        assert {name: kinds[name] for name in expected} == {
            name: f"rm.Col[{kind} | None]" for name, kind in expected.items()
        }
        assert kinds["x"] == "rm.Col[Any]"
        assert "p: rm.Col[datetime] = rm.pk(naive=True)" in lines
        assert [line for line in lines if line.startswith("class")] == [
            'class Every(rm.Table, name="every"):',
            'class Referring(rm.Table, name="referring"):',
            'class Seen(rm.Table, name="seen"):',
        ]
        assert "rm.fk" not in tables.source(), "a key of two columns joins no table by one"
        assert lines[0] == "from datetime import date, datetime, time, timedelta"
        assert len(db.fetch(rm.select(tables.Every).where(tables.Every.u.contains(1)))) == 0


def test_a_schema_of_postgres(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script(f"create schema other; set local search_path = other; {DECLARED}")
        db.execute_script(
            "create table visits (id int primary key, channel_id bigint references other.channels)"
        )
        here, there = rm.reflect(db), rm.reflect(db, schema="other")
        assert here.source().splitlines()[-1].endswith('= rm.fk("other.channels.id")')
        assert 'class Lines(rm.Table, name="lines", schema="other"):' in there.source()
        joined = rm.select(there.Lines.id).join(there.Channels)
        assert '"other"."lines"' in str(joined)
        assert len(db.fetch(joined)) == 0
        assert len(db.fetch(rm.select(here.Visits.id).join(there.Channels))) == 0


def test_what_sqlite_leaves_out(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script("""
            create table parent (a int, b int, id integer primary key);
            create table child (
                short references parent, a int, b int, made int generated always as (a + 1),
                day date, at timestamptz, wall timestamp, price decimal(10, 2), data json, key uuid, ok boolean,
                foreign key (a, b) references parent (a, b)
            );
            create table both (x int, y int, primary key (x, y)) without rowid
        """)
        lines = [line.strip() for line in rm.reflect(db).source().splitlines()]
    for line in (
        'short: rm.Col[Any] = rm.fk("parent.id")',
        "a: rm.Col[int | None]",
        "made: rm.Col[int | None]",
        "day: rm.Col[date | None]",
        "at: rm.Col[datetime | None]",
        "wall: rm.Col[datetime | None] = rm.column(naive=True)",
        "price: rm.Col[float | None]",
        "data: rm.Col[dict | None]",
        "key: rm.Col[UUID | None]",
        "ok: rm.Col[bool | None]",
        "x: rm.Col[int] = rm.pk()",
        "y: rm.Col[int] = rm.pk()",
    ):
        assert line in lines


def test_a_schema_that_is_not_there_is_an_error(db: rm.Database, any_url: str) -> None:
    near = "public" if any_url.startswith("postgres") else "main"
    with pytest.raises(
        rm.ProgrammingError, match=rf"there is no .* '{near}s'; there are '{near}'$"
    ):
        rm.reflect(db, schema=f"{near}s")
    with pytest.raises(rm.ProgrammingError, match=rf"there is no .* 'zzz'; there are .*'{near}'"):
        rm.reflect(db, schema="zzz")


def test_enums_and_arrays_of_arrays(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script("""
            create type mood as enum ('sad', 'so_so', 'happy');
            create table days (id integer primary key, mood mood, moods mood[], grid integer[][]);
            insert into days values (1, 'happy', '{sad,happy}', '{{1,2},{3,4}}'), (2, 'sad', '{}', null);
        """)
        tables = rm.reflect(db)
        source = tables.source()
        assert "mood: rm.Col[str | None]" in source
        assert "moods: rm.Col[list[str] | None]" in source
        assert "grid: rm.Col[Any]" in source
        mood, moods = tables.Days.mood, tables.Days.moods
        for condition in (
            mood == "happy",
            mood > "so_so",
            mood.in_(["happy"]),
            mood.like("h%"),
            mood.ilike("H%"),
            mood.matches("^ha"),
            mood.contains("app"),
            mood.upper() == "HAPPY",
            moods.contains("happy"),
        ):
            assert rows(db.fetch(rm.select(tables.Days.id).where(condition))) == [1], condition


def test_datetimes_of_sqlite_are_what_their_values_are(sqlite_url: str) -> None:
    with rm.Database(sqlite_url) as db:
        db.execute_script("""
            create table events (id integer primary key, at datetime, wall timestamp, none_yet datetime, odd datetime);
            insert into events values (1, null, null, null, 'soon'),
                (2, '2024-01-01T10:00:00Z', '2024-01-01 10:00:00', null, 'later');
        """)
        source = rm.reflect(db).source()
        assert "    at: rm.Col[datetime | None]\n" in source
        assert "    wall: rm.Col[datetime | None] = rm.column(naive=True)\n" in source
        assert "    none_yet: rm.Col[datetime | None] = rm.column(naive=True)\n" in source
        events = rm.reflect(db).Events
        db.execute("update events set at = '2024-01-01 10:00:00+00:00' where id = 2")
        ten = dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC)
        assert rows(db.fetch(rm.select(events.id).where(events.at == ten))) == [2]

"""Dates that SQLite stores as Julian day numbers or as Unix time, with SQLite's own functions as oracle."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rowmill as rm
from tests.type_strategies import examples

NUMBERS = ["julian", "unix"]
MILLISECOND = timedelta(milliseconds=1)
INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 1),
    max_value=datetime(9999, 12, 31, 23, 59, 59),
    timezones=st.just(UTC),
)
# Where a float of seconds holds each microsecond.
NEAR = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
)
TABLE = "create table t (n integer primary key, at datetime, day date, clock time)"


def of(dates: str, path: Path | None = None) -> rm.Database:
    return rm.Database(f"sqlite:///{path or ':memory:'}?dates={dates}")


@settings(max_examples=examples(200), deadline=None)
@given(
    instants=st.lists(
        INSTANTS.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)), max_size=5
    )
)
def test_julian_days_are_those_of_sqlite(instants: list[datetime]) -> None:
    with of("julian") as db:
        db.execute_script(TABLE)
        db.execute_many("insert into t (at) values ($1)", [[at] for at in instants])
        frame = db.fetch("select at, strftime('%Y-%m-%d %H:%M:%f', at) as text from t order by n")
        assert frame["at"].to_list() == instants
        assert frame["text"].to_list() == [
            at.isoformat(" ", "milliseconds")[:23] for at in instants
        ]
        assert (
            db.fetch_value("select count(*) from t where typeof(at) not in ('real', 'integer')")
            == 0
        )


@settings(max_examples=examples(200), deadline=None)
@given(instants=st.lists(NEAR, max_size=5))
def test_unix_times_are_those_of_sqlite(instants: list[datetime]) -> None:
    with of("unix") as db:
        db.execute_script(TABLE)
        db.execute_many("insert into t (at) values ($1)", [[at] for at in instants])
        frame = db.fetch(
            "select at, strftime('%Y-%m-%d %H:%M:%S', at, 'unixepoch') as text from t order by n"
        )
        assert frame["at"].to_list() == instants
        # SQLite itself counts milliseconds, and rounds to them before it cuts the seconds.
        expected = [(at + MILLISECOND / 2).replace(microsecond=0) for at in instants]
        assert frame["text"].to_list() == [at.isoformat(" ")[:19] for at in expected]


@pytest.mark.parametrize("dates", ["text", *NUMBERS])
def test_all_columns_of_time(dates: str, tmp_path: Path) -> None:
    at = datetime(2024, 2, 29, 13, 45, 30, 125_000, tzinfo=timezone(timedelta(hours=-3)))
    with of(dates, tmp_path / "a.db") as db:
        db.execute_script(TABLE)
        db.execute(
            "insert into t (at, day, clock) values ($1, $2, $3)", at, at.date(), time(13, 45)
        )
        db.load("t", {"at": [at, None], "day": [date(1, 1, 1), None], "clock": [time(), None]})
        frame = db.fetch("select at, day, clock from t order by n")
        assert frame["at"].to_list() == [at, at, None]
        assert frame["day"].to_list() == [at.date(), date(1, 1, 1), None]
        assert frame["clock"].to_list() == [time(13, 45), time(), None]
        assert (
            db.fetch_value("select count(*) from t where at = $1 and day = $2", at, at.date()) == 1
        )
        assert (
            db.fetch_value(
                "select count(*) from t where day in (select value from json_each($1))",
                [at.date(), date(1, 1, 1)],
            )
            == 2
        )
        row = db.fetch_one("select at, day from t where n = 1")
        assert row is not None
        assert (row.at, row.day) == (at, at.date())
        parts = [
            part["at"].to_list() for part in db.stream("select at from t order by n", batch_rows=1)
        ]
        assert parts == [[at], [at], [None]]
        stored = db.fetch_value("select typeof(day) from t where n = 1")
        assert stored == {"text": "text", "julian": "real", "unix": "integer"}[dates]


@pytest.mark.parametrize("dates", NUMBERS)
def test_text_is_read_too(dates: str) -> None:
    with of(dates) as db:
        db.execute_script(TABLE)
        db.execute_script(
            "insert into t (at, day) values ('2024-01-02 03:04:05', '2024-01-02'), ('2024-01-02T03:04:05+01:00', null)"
        )
        db.execute("insert into t (at) values ($1)", datetime(2024, 1, 2, tzinfo=UTC))
        frame = db.fetch("select at, day from t order by n")
        assert frame["at"].to_list() == [
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC),
            datetime(2024, 1, 2, tzinfo=UTC),
        ]


@pytest.mark.parametrize("dates", NUMBERS)
def test_a_document_keeps_its_dates_as_text(dates: str) -> None:
    with of(dates) as db:
        document = db.fetch_value(
            "select json($1)", {"day": date(2024, 1, 2), "all": [date(2024, 1, 3)]}
        )
        assert document == '{"day":"2024-01-02","all":["2024-01-03"]}'


@pytest.mark.parametrize("dates", NUMBERS)
def test_a_timestamp_without_a_zone_is_no_instant(dates: str) -> None:
    with of(dates) as db:
        db.execute_script(TABLE)
        with pytest.raises(rm.DataError, match=r"(?s)\$1 .*without a time zone.*replace\(tzinfo"):
            db.execute("insert into t (at) values ($1)", datetime(2024, 1, 2))
        with pytest.raises(rm.DataError, match=r'^column "at", row 0, .*without a time zone'):
            db.load("t", {"at": [datetime(2024, 1, 2, tzinfo=None)]})
        assert db.fetch_value("select count(*) from t") == 0


MISFITS: list[tuple[str, str, Any, str]] = [
    ("text", "at", 1_700_000_000, r"(?s)the integer 1700000000 is not a timestamp.*dates=unix"),
    ("text", "day", 2460000.5, r"(?s)the float 2460000.5 is not a date.*dates=julian"),
    ("unix", "at", 1_700_000_000_000, "1700000000000 is not .*milliseconds are divided by 1000"),
    ("unix", "at", 1e300, "seconds since 1970"),
    ("unix", "at", float("inf"), "seconds since 1970"),
    ("unix", "at", -(2**63), "seconds since 1970"),
    ("unix", "day", 1_700_000_000, "midnight"),
    ("unix", "day", 86_400.5, "midnight"),
    ("julian", "at", 1_700_000_000, "a Julian day number"),
    ("julian", "at", -1e300, "a Julian day number"),
    ("julian", "day", 2460000, "midnight"),
    ("julian", "at", b"\x00", "a blob of 1 bytes is not a timestamp"),
]


@pytest.mark.parametrize(("dates", "column", "cell", "message"), MISFITS)
def test_a_number_that_is_no_date(dates: str, column: str, cell: Any, message: str) -> None:
    with of(dates) as db:
        db.execute_script(TABLE)
        db.execute(f"insert into t ({column}) values ($1)", cell)
        with pytest.raises(rm.DataError, match=message):
            db.fetch(f"select {column} from t")


@pytest.mark.parametrize("dates", NUMBERS)
def test_the_first_and_the_last_that_sqlite_knows(dates: str) -> None:
    with of(dates) as db:
        db.execute_script(TABLE)
        ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
        db.execute_many("insert into t (at) values ($1)", [[at] for at in ends])
        assert db.fetch("select at from t order by n")["at"].to_list() == ends
    with of("unix") as db, pytest.raises(rm.DataError, match="loses microseconds"):
        db.execute("select $1", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


async def test_async_takes_the_option_too() -> None:
    async with rm.AsyncDatabase("sqlite://?dates=unix") as db:
        await db.execute_script(TABLE)
        at = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
        await db.execute("insert into t (at) values ($1)", at)
        assert await db.fetch_value("select at from t") == at
        assert await db.fetch_value("select at + 0.0 from t") == pytest.approx(at.timestamp())


def test_an_option_that_is_none() -> None:
    with pytest.raises(
        rm.InterfaceError,
        match=r"(?s)dates=iso is not an option.*dates=text, dates=julian or dates=unix",
    ):
        rm.Database("sqlite://?dates=iso")

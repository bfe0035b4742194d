"""Functions that expressions need and SQLite has not, from Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rowmill as rm


class Word(rm.Table, name="words"):
    id: rm.Col[int] = rm.pk()
    text: rm.Col[str | None]


@pytest.fixture
def db(sqlite_url: str) -> Iterator[rm.Database]:
    with rm.Database(sqlite_url) as db:
        db.execute("create table words (id integer primary key, text)")
        db.execute(
            "insert into words values (1, 'Hello'), (2, null), (3, 'a' || char(10) || 'b'), (4, 'x9')"
        )
        yield db


def found(db: rm.Database, pattern: str) -> list[int]:
    query = rm.select(Word.id).where(Word.text.matches(pattern)).order_by(Word.id)
    ids: list[int] = db.fetch(query)["id"].to_list()
    return ids


def test_patterns_are_found_in_every_row(db: rm.Database) -> None:
    assert found(db, "l+") == [1]
    assert found(db, "^a.b$") == [3]
    assert found(db, r"\d$") == [4]
    assert found(db, "") == [1, 3, 4]


def test_patterns_in_sql(db: rm.Database) -> None:
    ask = "select id from words where text regexp $1"
    assert db.fetch(ask, "^H")["id"].to_list() == [1]
    assert db.fetch(ask, None)["id"].to_list() == []
    assert db.fetch_value("select null regexp 'a'") is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "unclosed group"),
        ("a{5000}{5000}", "size limit"),
        (b"a", "a pattern of regexp is text"),
        (5, "a pattern of regexp is text"),
    ],
)
def test_a_bad_pattern_is_an_error_and_the_connection_goes_on(
    db: rm.Database, pattern: object, said: str
) -> None:
    with pytest.raises(rm.Error, match=said):
        db.fetch("select id from words where text regexp $1", pattern)
    assert db.fetch_value("select 'a' regexp 'a'") == 1


def test_a_blob_is_no_text(db: rm.Database) -> None:
    db.execute("insert into words values (5, x'61')")
    with pytest.raises(rm.Error, match="regexp takes text, not a blob"):
        db.fetch("select id from words where text regexp 'a'")


def test_rounding(db: rm.Database) -> None:
    row = db.fetch_one(
        "select floor(-1.5) as a, ceil(-1.5) as b, floor(null) as c, floor(7) as d, ceil('1.2') as e, floor('x') as f"
    )
    assert row is not None
    assert tuple(row) == (-2.0, -1.0, None, 7, 2.0, None)


def test_distances(db: rm.Database) -> None:
    metres = db.fetch_value("select rowmill_metres(52.52, 13.405, 48.8566, 2.3522)")
    assert 876_000 < metres < 879_000
    assert db.fetch_value("select rowmill_metres(null, 0, 0, 0)") is None


def test_an_index_may_hold_them_and_readers_find_by_it(sqlite_url: str, db: rm.Database) -> None:
    db.execute("create index by_floor on words (floor(id / 2.0))")
    ask = "select id from words where floor(id / 2.0) = 1"
    plan = db.fetch(f"explain query plan {ask}")["detail"].to_list()
    assert any("by_floor" in line for line in plan)
    assert db.fetch(ask)["id"].to_list() == [2, 3]
    with rm.Database(f"{sqlite_url}?mode=ro") as reader:
        assert reader.fetch(ask)["id"].to_list() == [2, 3]

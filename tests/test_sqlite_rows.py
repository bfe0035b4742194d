"""SQLite's first rows: fetch_one and fetch_value, which read no more than they return."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

TABLE = """
    create table person (id integer primary key, name text, share real, photo blob, note, born date);
    insert into person values (7, 'Zoë', 0.5, x'00ff', null, '2024-01-02'), (8, null, 1, x'', 3, null);
"""
PLAIN = "select id, name, share, photo, note from person order by id"


@pytest.fixture(params=["file", "memory"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rm.Database]:
    url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'test.db'}"
    with rm.Database(url) as database:
        database.execute_script(TABLE)
        yield database


def first(db: rm.Database, sql: str, *parameters: object) -> rm.Row:
    row = db.fetch_one(sql, *parameters)
    assert row is not None
    return row


def test_values_by_name_position_and_attribute(db: rm.Database) -> None:
    row = first(db, PLAIN)
    assert (row.id, row["name"], row[2], row[-2], row[-1]) == (7, "Zoë", 0.5, b"\0\xff", None)
    assert (len(row), row[1:3]) == (5, ("Zoë", 0.5))
    assert tuple(row) == row.to_tuple() == (7, "Zoë", 0.5, b"\0\xff", None)
    assert row.keys() == ("id", "name", "share", "photo", "note")
    assert dict(row) == row.to_dict() == dict(zip(row.keys(), row, strict=True))
    assert "Zoë" in row
    assert {"id", "name"} <= set(dir(row))
    assert repr(row) == r"Row(id=7, name='Zoë', share=0.5, photo=b'\x00\xff', note=None)"


def test_it_equals_the_row_of_a_frame(db: rm.Database) -> None:
    for sql in [PLAIN, "select * from person", "select born, id from person", "select 1 as one"]:
        row, of_frame = first(db, sql), db.fetch(sql)[0]
        assert row == of_frame == tuple(of_frame)
        assert hash(row) == hash(of_frame)
        assert [type(value) for value in row] == [type(value) for value in of_frame]
        assert (repr(row), row.keys()) == (repr(of_frame), of_frame.keys())
        for missing in ["nam", "nothing"]:
            for read in [lambda row, name: row[name], getattr]:
                with pytest.raises((KeyError, AttributeError)) as owned:
                    read(row, missing)
                with pytest.raises((KeyError, AttributeError)) as viewed:
                    read(of_frame, missing)
                assert (owned.type, str(owned.value)) == (viewed.type, str(viewed.value))


def test_its_own_methods_win_over_columns_of_their_names(db: rm.Database) -> None:
    row = first(db, "select 1 as keys, 2 as to_dict, 3 as __class__, 4 as name, 5 as name")
    assert row.keys() == ("keys", "to_dict", "__class__", "name", "name")
    assert (row["keys"], row["__class__"], row.__class__) == (1, 3, rm.Row)
    assert (row.name, row[4]) == (4, 5)
    with pytest.raises(rm.ProgrammingError, match='two columns are named "name"'):
        row.to_dict()


def test_what_it_is_not_asked_for(db: rm.Database) -> None:
    row = first(db, PLAIN)
    with pytest.raises(IndexError, match="column 5 of a row of 5"):
        row[5]
    with pytest.raises(TypeError, match="a row takes a name"):
        row[1.5]  # type: ignore[call-overload]
    with pytest.raises(KeyError, match="did you mean 'name'"):
        row["nam"]
    with pytest.raises(AttributeError, match="did you mean 'name'"):
        row.nam  # noqa: B018
    assert not hasattr(row, "__array__")


def test_it_is_copied_and_pickled(db: rm.Database) -> None:
    row = first(db, PLAIN)
    for twin in [pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)]:
        assert (tuple(twin), twin.keys(), twin.name) == (tuple(row), row.keys(), "Zoë")


def test_it_outlives_its_database(db: rm.Database) -> None:
    row = first(db, PLAIN)
    db.execute("delete from person")
    db.close()
    assert tuple(row) == (7, "Zoë", 0.5, b"\0\xff", None)


def test_the_first_value(db: rm.Database) -> None:
    values = [db.fetch_value(f"select {name} from person where id = 7") for name in
              ["id", "name", "share", "photo", "note", "born"]]  # fmt: skip
    assert values == [7, "Zoë", 0.5, b"\0\xff", None, dt.date(2024, 1, 2)]
    assert db.fetch_value("select share from person where id = 8") == 1.0
    assert db.fetch_value("select id from person where id = $1", 9) is None
    assert db.fetch_one("select id from person where id = :id", id=9) is None
    assert db.fetch_value("delete from person returning id") == 7
    assert db.fetch_value("select count(*) from person") == 0


def test_later_rows_are_not_read(db: rm.Database) -> None:
    db.execute_script("create table t (n integer); insert into t values (1), ('broken')")
    assert db.fetch_value("select n from t order by rowid") == 1
    assert (
        first(
            db, "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
        ).i
        == 1
    )
    with pytest.raises(rm.DataError, match='row 1: the text "broken" is not an integer'):
        db.fetch("select n from t order by rowid")
    db.execute("insert into t values (3)")
    assert db.fetch_value("select count(*) from t") == 3


@pytest.mark.parametrize(
    ("declared", "stored", "message"),
    [
        ("integer", "'many'", 'row 0: the text "many" is not an integer'),
        ("text", "x'00'", "row 0: a blob of 1 bytes is not text"),
        ("text", "cast(x'ff' as text)", "row 0: the text is not valid UTF-8"),
        ("blob", "'text'", 'row 0: the text "text" is not bytes'),
        ("date", "'soon'", 'row 0: the text "soon" is not a date'),
    ],
)
def test_a_cell_that_does_not_fit(
    db: rm.Database, declared: str, stored: str, message: str
) -> None:
    db.execute_script(f"create table t (x {declared}); insert into t values ({stored})")
    for verb in [db.fetch_one, db.fetch_value, db.fetch]:
        with pytest.raises(rm.DataError) as error:
            verb("select x from t")
        assert message in str(error.value)
        assert error.value.query == "select x from t"
        assert error.value.hint


CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.binary(),
)


@given(values=st.lists(CELLS, min_size=1, max_size=12))
def test_it_is_what_sqlite3_reads(values: list[object]) -> None:
    marks = range(1, len(values) + 1)
    sql = "select " + ", ".join(f"?{mark} as c{mark}" for mark in marks)
    with closing(sqlite3.connect(":memory:")) as peer:
        expected = peer.execute(sql, values).fetchone()
    with rm.Database("sqlite://") as db:
        row = first(db, sql.replace("?", "$"), *values)
        assert repr(tuple(row)) == repr(expected)
        assert [row[f"c{mark}"] for mark in marks] == list(expected)

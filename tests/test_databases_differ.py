"""What docs/databases.md says of the two databases."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

import rowmill as rm

TABLE = "create table t (id integer primary key, n integer check (n > 0) not null)"


def ids(db: rm.Database) -> list[int]:
    found: list[int] = db.fetch("select id from t order by id")["id"].to_list()
    return found


def test_a_statement_that_fails_in_a_transaction(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute(TABLE)
        is_sqlite = any_url.startswith("sqlite")
        ends = (
            contextlib.nullcontext()
            if is_sqlite
            else pytest.raises(rm.OperationalError, match="savepoint")
        )
        with ends, db.transaction() as tx:
            tx.execute("insert into t values (1, 1)")
            with pytest.raises(rm.IntegrityError):
                tx.execute("insert into t values (1, 2)")
            if is_sqlite:
                tx.execute("insert into t values (2, 2)")
            else:
                with pytest.raises(rm.Error, match="savepoint") as caught:
                    tx.execute("insert into t values (2, 2)")
                assert caught.value.sqlstate == "25P02"
        assert ids(db) == ([1, 2] if is_sqlite else [])


def test_a_script_that_fails(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute(TABLE)
        with pytest.raises(rm.IntegrityError):
            db.execute_script("insert into t values (1, 1); insert into t values (1, 2)")
        assert ids(db) == ([1] if any_url.startswith("sqlite") else [])


def test_a_key_twice_in_one_load(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute(TABLE)
        rows = {"id": [1, 1], "n": [1, 2]}
        if any_url.startswith("sqlite"):
            db.load("t", rows, on_conflict="update")
            assert db.fetch_value("select n from t") == 2
        else:
            with pytest.raises(rm.Error) as caught:
                db.load("t", rows, on_conflict="update")
            assert caught.value.sqlstate == "21000"


def test_constraints_have_one_code_and_name_their_place(any_url: str) -> None:
    with rm.Database(any_url) as db:
        db.execute(TABLE)
        db.execute(
            "create table u (t integer references t (id), m integer constraint small check (m < 9))"
        )
        db.execute("insert into t values (1, 1)")
        violations = [
            ("insert into t values (1, 5)", "23505", "t"),
            ("insert into t values (2, null)", "23502", "t"),
            ("insert into u (t) values (77)", "23503", None),
            ("insert into u (m) values (10)", "23514", None),
        ]
        found = []
        for sql, code, table in violations:
            with pytest.raises(rm.IntegrityError) as caught:
                db.execute(sql)
            assert caught.value.sqlstate == code
            assert table is None or caught.value.table == table
            found.append(caught.value)
        assert found[1].column == "n"
        assert found[3].constraint == "small"
        with pytest.raises(rm.IntegrityError) as loaded:
            db.load("t", {"id": [1], "n": [4]})
        assert (loaded.value.sqlstate, loaded.value.table) == ("23505", "t")


def test_what_is_set_on_a_file(tmp_path: Path) -> None:
    with rm.Database(tmp_path / "a.db") as db:
        db.execute(TABLE)
        assert db.fetch_value("pragma journal_mode") == "wal"
        with db.transaction() as tx:
            assert tx.fetch_value("pragma foreign_keys") == 1
            assert tx.fetch_value("pragma synchronous") == 1

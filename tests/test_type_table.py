"""docs/types.md says of each type what each library receives, and no more than that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rowmill as rm
from tests.postgres_server import PostgresServer
from tests.type_table import POSTGRES, documented, key, postgres_rows, set_up, sqlite_rows


@pytest.fixture(scope="module")
def db(postgres: PostgresServer) -> Iterator[rm.Database]:
    with postgres.fresh_database() as url, rm.Database(url) as database:
        set_up(database)
        yield database


def test_each_type_of_postgresql_is_as_documented(db: rm.Database) -> None:
    page, made = documented("PostgreSQL"), postgres_rows(db)
    assert {known: page.get(known) for known in made} == made


def test_no_row_is_without_a_case() -> None:
    cases = {key(f"`{case.sql}` | `{case.kind}`") for case in POSTGRES}
    assert documented("PostgreSQL").keys() == cases


def test_each_type_of_sqlite_is_as_documented() -> None:
    assert documented("SQLite") == sqlite_rows()

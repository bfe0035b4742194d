"""conformance/queries.md, asked of both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.expression_cases import ANNOTATIONS, SQL
from tests.postgres_server import PostgresServer
from tests.query_tables import rows

PAGE = Path(__file__).parent.parent / "conformance" / "queries.md"
TABLE = re.compile(r"^`(\w+)`, the table `(\w+)`:\n\n(.*\n)\|---.*\n((?:\|.*\n)+)", re.MULTILINE)
CASE = re.compile(r"^- `(?P<query>.+)` gives\n +`(?P<rows>\[.*\])`\.( [A-Z].*)?$", re.MULTILINE)
TEXT = PAGE.read_text("utf-8")
CASES = [(match["query"], match["rows"]) for match in CASE.finditer(TEXT)]
LIBRARY: dict[str, Any] = {
    name: getattr(rm, name)
    for name in (
        "case", "coalesce", "col", "count", "dense_rank", "exists", "rank", "row_number", "select",
    )
}  # fmt: skip


class Page:
    """The page's tables, as classes and as what they hold."""

    def __init__(self) -> None:
        self.names = dict(LIBRARY)
        self.tables: list[tuple[str, str, dict[str, list[Any]]]] = []
        for name, table, head, body in TABLE.findall(TEXT):
            self._declare(name, table, _cells(head), [_cells(row) for row in body.splitlines()])
        said = self.names["Said"]
        counts = rm.select(said.nick, n=rm.count()).group_by(said.nick)
        self.names |= {
            "Up": self.names["Room"].alias("up"),
            "Counts": counts.subquery("counts"),
            "Named": counts.cte("named"),
        }

    def _declare(self, name: str, table: str, head: list[str], body: list[list[str]]) -> None:
        fields: dict[str, Any] = {"__annotations__": {}}
        made, values = [], {}
        for at, cell in enumerate(head):
            column, kind = cell.split(": ")
            values[column] = [eval(row[at]) if row[at] else None for row in body]
            declared = ANNOTATIONS[kind] | None if None in values[column] else ANNOTATIONS[kind]
            fields["__annotations__"][column] = rm.Col[declared]  # type: ignore[valid-type]
            made.append(f"{column} {SQL[kind][0][0]}")
        fields["id"] = rm.pk()
        self.names[name] = type(name, (rm.Table,), fields, name=table)
        self.tables.append((table, ", ".join(made), values))

    def fill(self, db: rm.Database) -> None:
        """Makes the tables."""
        for table, made, values in self.tables:
            db.execute(f"create table {table} ({made}, primary key (id))")
            db.load(table, values)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


PAGE_OF = Page()


@pytest.fixture(scope="module", params=["PostgreSQL", "SQLite"])
def db(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[rm.Database]:
    if request.param == "SQLite":
        with rm.Database("sqlite://") as db:
            PAGE_OF.fill(db)
            yield db
        return
    with postgres.fresh_database() as url, rm.Database(url) as db:
        PAGE_OF.fill(db)
        yield db


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_each_query_gives_these_rows(db: rm.Database, query: str, expected: str) -> None:
    assert rows(db.fetch(eval(query, PAGE_OF.names))) == eval(expected)


def test_every_line_of_the_page_is_a_case() -> None:
    assert len(CASES) == len(re.findall(r"^- ", TEXT, re.MULTILINE)) > 60
    assert [table for table, _, _ in PAGE_OF.tables] == ["rooms", "said"]

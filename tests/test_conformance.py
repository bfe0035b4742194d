"""The pages of conformance/, asked of each engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import rowmill as rm
from tests.expression_cases import SQL, Column, element
from tests.expression_engines import VALUES, Database, Filter, Matcher, expression
from tests.expression_interpreter import NAMES, Node, OutOfRangeError, value
from tests.postgres_server import PostgresServer

PAGES = Path(__file__).parent.parent / "conformance"
ENGINES = ["PostgreSQL", "SQLite", "filter", "matcher", "interpreter"]
CASE = re.compile(
    r"- `(?P<text>.+?)` (?P<outcome>keeps [\d, ]*\d|keeps nothing|fails with `[^`]+`)"
    r"(; SQLite (?P<sqlite>keeps [\d, ]*\d|keeps nothing|refuses it))?\.( [A-Z].*)?"
)
HEAD = re.compile(r"(?P<name>\w+): (?P<kind>[\w\[\]]+)( \((?P<postgres>\w+)\))?")


@dataclass
class Case:
    """An expression, and what comes of it."""

    place: str
    text: str
    outcome: str
    sqlite: str | None
    columns: list[Column]


@dataclass
class _Reader:
    """A page, read line by line."""

    cases: list[Case] = field(default_factory=list)
    table: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)

    def line(self, place: str, line: str) -> None:
        if line.startswith("|"):
            self.table.append(line)
            return
        if self.table:
            self.columns, self.table = _columns(self.table), []
        if line.startswith("- "):
            case = CASE.fullmatch(line)
            assert case is not None, f"{place} is no case: {line}"
            self.cases.append(
                Case(place, case["text"], case["outcome"], case["sqlite"], self.columns)
            )


def _columns(table: list[str]) -> list[Column]:
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    columns = []
    for at, cell in enumerate(head):
        known = HEAD.fullmatch(cell)
        assert known is not None, f"{cell} is no column"
        kind = known["kind"]
        postgres, sqlite = SQL[element(kind) if kind.startswith("list[") else kind][0]
        if kind.startswith("list["):
            postgres, sqlite = f"{postgres}[]", "json"
        values = [eval(row[at], dict(VALUES)) if row[at] else None for row in rows]
        columns.append(Column(known["name"], kind, known["postgres"] or postgres, sqlite, values))
    return columns


def _read() -> list[Case]:
    reader = _Reader()
    for page in sorted(PAGES.glob("*.md")):
        if page.stem == "queries":  # of test_conformance_queries.py
            continue
        for number, line in enumerate(page.read_text().splitlines(), 1):
            reader.line(f"{page.stem}:{number}", line)
    return reader.cases


CASES = _read()


class Interpreter:
    """The slow one, asked as the others are."""

    def __init__(self, columns: list[Column]) -> None:
        self.names = {column.name: Node.column(column.name, column.kind) for column in columns}
        rows = range(len(columns[0].values))
        self.rows = [{column.name: column.values[row] for column in columns} for row in rows]

    def ids(self, condition: Node) -> set[int]:
        """The rows for which a condition is true."""
        try:
            return {row["id"] for row in self.rows if value(condition, row) is True}
        except OutOfRangeError as error:
            raise rm.DataError("integer out of range") from error


class Engines:
    """The engines over each page's tables, which are made once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: dict[tuple[str, int], Any] = {}

    def of(self, engine: str, columns: list[Column]) -> Any:
        """An engine that has these rows."""
        key = (engine, id(columns))
        if key not in self._made:
            self._made[key] = self._make(engine, columns)
        return self._made[key]

    def _make(self, engine: str, columns: list[Column]) -> Any:
        if engine == "interpreter":
            return Interpreter(columns)
        if engine in ("filter", "matcher"):
            database = self.of("PostgreSQL", columns)
            frame = database.db.fetch(f"select * from {database.name}")
            return Filter(frame) if engine == "filter" else Matcher(frame)
        url = "sqlite://" if engine == "SQLite" else self._url
        return Database(url, columns, f"t{len(self._made)}")

    def close(self) -> None:
        """Ends their connections."""
        for made in self._made.values():
            if isinstance(made, Database):
                made.close()


@pytest.fixture(scope="module")
def engines(postgres: PostgresServer) -> Iterator[Engines]:
    with postgres.fresh_database() as url:
        made = Engines(url)
        yield made
        made.close()


def _outcome(engine: Any, text: str) -> str:
    names = dict(engine.names)
    try:
        if isinstance(engine, Interpreter):
            kept = engine.ids(eval(text, {**VALUES, **NAMES, **names}))
        else:
            kept = engine.ids(expression(text, names))
    except rm.ProgrammingError:
        return "refuses it"
    except rm.DataError as error:
        return f"fails with `{error}`"
    return f"keeps {', '.join(map(str, sorted(kept))) or 'nothing'}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_each_engine_keeps_these_rows(case: Case, engine: str, engines: Engines) -> None:
    if engine == "filter" and not hasattr(rm.Frame, "filter"):
        pytest.skip("frames have no filter yet")
    wanted = case.sqlite if engine == "SQLite" and case.sqlite else case.outcome
    found = _outcome(engines.of(engine, case.columns), case.text)
    if wanted.startswith("fails"):
        reason = wanted.removeprefix("fails with `").removesuffix("`")
        assert found.startswith("fails")
        assert reason in found
    else:
        assert found == wanted


def test_the_pages_hold_cases() -> None:
    assert len(CASES) > 200
    assert {case.place.partition(":")[0] for case in CASES} == {
        page.stem for page in PAGES.glob("*.md") if page.stem not in ("README", "queries")
    }

"""An expression means the same to PostgreSQL, to SQLite, to a filter of columns, and to the interpreter.

Schemas, rows and expressions are drawn from seeds. `ROWMILL_LAW_CASES=200000` runs so many; `ROWMILL_LAW_SEED`
draws others; `-s` shows how often each operator was drawn.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

import rowmill as rm
from tests.expression_cases import NOTATION, POOLS, Column, Maker, schema
from tests.expression_engines import VALUES, Database, Filter, agree, expression, plain
from tests.expression_interpreter import NAMES, Node, OutOfRangeError, UnsureError, computed, value
from tests.postgres_server import PostgresServer

CASES = int(os.environ.get("ROWMILL_LAW_CASES", "4000"))
BLOCK = 4000  # cases of one test: no test may take minutes
SEED = int(os.environ.get("ROWMILL_LAW_SEED", "1"))
A_SCHEMA = 100  # expressions
ROWS = 24
DEPTH = 5

# What a row says where the interpreter gives no value to compare with.
OUT_OF_RANGE, UNSURE = "out of range", "unsure"
# Operators that may leave an operand uncomputed, and with it its error.
LAZY = ("&", "|", "case(", "coalesce(", ".between(")
# SQLite has no NaN and no intervals, and nothing in JSON is infinite.
NOT_SQLITE = ("nan", "iv0", "iv1", "timedelta", "Interval")


@dataclass
class Report:
    """What happened to the cases."""

    wrong: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    open: int = 0  # cases with rows of which the interpreter says nothing


@dataclass
class Case:
    """An expression, and what the interpreter says of it."""

    text: str
    kind: str
    node: Node
    rows: list[dict[str, Any]]
    known: dict[bool, dict[int, Any]] = field(default_factory=dict)

    def wanted(self, *, sqlite: bool) -> dict[int, Any]:
        """The value in each row."""
        if sqlite not in self.known:
            self.known[sqlite] = {row["id"]: self._wanted(row, sqlite) for row in self.rows}
        return self.known[sqlite]

    def _wanted(self, row: dict[str, Any], sqlite: bool) -> Any:
        try:
            return plain(value(self.node, row, sqlite=sqlite), self.kind)
        except OutOfRangeError:
            return OUT_OF_RANGE
        except UnsureError:
            return UNSURE

    def must_fail(self, wanted: dict[int, Any]) -> bool:
        """Whether a number is out of range in a row in which nothing keeps it from being computed."""
        if any(word in self.text for word in LAZY):
            return False
        outside = [row for row in self.rows if wanted[row["id"]] == OUT_OF_RANGE]
        return any(computed(self.node, row) for row in outside)

    def used(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row's values that the expression names."""
        words = set(re.findall(r"\w+", self.text))
        return {name: row[name] for name in row if name in words}


def differences(case: Case, engine: Database | Filter, names: dict[str, Any]) -> str | None:
    """What an engine says otherwise than the interpreter, if anything."""
    sqlite = isinstance(engine, Database) and engine.is_sqlite
    wanted = case.wanted(sqlite=sqlite)
    settled = {row: one for row, one in wanted.items() if one not in (OUT_OF_RANGE, UNSURE)}
    try:
        made = expression(case.text, names)
        found = {row: plain(one, case.kind) for row, one in engine.values(made).items()}
        kept = engine.ids(made) if case.kind == "bool" else None
    except rm.DataError as error:
        # Beyond the range of its kind, or of Python's dates, or of the 38 digits that a filter has.
        if len(settled) < len(wanted):
            return None
        if isinstance(engine, Filter) and "decimal out of range" in str(error):
            return None
        return f"{type(error).__name__}: {error}"
    except rm.Error as error:
        return f"{type(error).__name__}: {error}"
    if case.must_fail(wanted) and not sqlite:
        return "no error, where a number is out of range"
    for row, one in settled.items():
        if not agree(one, found[row]):
            return f"{found[row]!r} in place of {one!r} for {case.used(case.rows[row])}"
        if kept is not None and (row in kept) != (one is True):
            return f"{row in kept} in where() and {one!r} for {case.used(case.rows[row])}"
    return None


def run(
    columns: list[Column], dice: random.Random, engines: dict[str, Any], report: Report
) -> None:
    """Some expressions over one schema."""
    rows = [{column.name: column.values[row] for column in columns} for row in range(ROWS)]
    nodes = {column.name: Node.column(column.name, column.kind) for column in columns}
    maker = Maker(dice, columns)
    for _ in range(A_SCHEMA):
        kind = dice.choice(["bool", "bool", "bool", *POOLS])
        text = maker.expression(kind, dice.randrange(1, DEPTH + 1))
        case = Case(text, kind, eval(text, {**VALUES, **NAMES, **nodes}), rows)
        report.open += any(
            one in (OUT_OF_RANGE, UNSURE) for one in case.wanted(sqlite=False).values()
        )
        for name, engine in engines.items():
            beyond = OUT_OF_RANGE in case.wanted(sqlite=True).values() or "inf" in text
            if name == "SQLite" and (beyond or any(word in text for word in NOT_SQLITE)):
                continue
            report.asked[name] += 1
            if (found := differences(case, engine, engine.names)) is not None:
                report.wrong.append(f"{name}: {text}\n    {found}")
    report.reached.update(maker.reached)


@pytest.mark.parametrize("block", range(-(-CASES // BLOCK)))
def test_all_engines_give_an_expression_the_same_meaning(
    postgres: PostgresServer, block: int
) -> None:
    report = Report()
    for at in range(BLOCK // A_SCHEMA):
        dice = random.Random(f"{SEED} {block} {at}")
        columns = schema(dice, ROWS)
        with postgres.fresh_database() as url:
            engines: dict[str, Any] = {
                "PostgreSQL": Database(url, columns),
                "SQLite": Database("sqlite://", columns),
            }
            if hasattr(rm.Frame, "filter"):
                engines["filter"] = Filter(engines["PostgreSQL"].db.fetch("select * from t"))
            run(columns, dice, engines, report)
            engines["PostgreSQL"].close()
            engines["SQLite"].close()
    print(f"\nquestions: {dict(report.asked)}, with rows that are left open: {report.open}")
    print(", ".join(f"{name} {report.reached[name]}" for name in NOTATION))
    assert not report.wrong, f"{len(report.wrong)} disagreements\n" + "\n".join(report.wrong[:10])
    assert report.open < BLOCK / 5
    assert not [name for name in NOTATION if not report.reached[name]]

"""`explain`: asks the database for a plan, and where it is wanted runs the statement, undone."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rowmill._aio import AsyncDatabase, AsyncTransaction, _Verbs
from rowmill._errors import InterfaceError, QueryTimeout
from rowmill._explain_postgres import postgres_plan
from rowmill._explain_sqlite import sqlite_plan
from rowmill._rowmill import Call, Delete, Insert, Prepared, Raw, Select, Transaction, Update

if TYPE_CHECKING:
    from rowmill._plan import Plan
    from rowmill._rowmill import Database, Frame
    from rowmill._transact import AsyncSavepoint

# What SQLite has a plan for. Of its others one must not even ask: a pragma acts while it is prepared.
PLANNED = {"select", "values", "with", "insert", "replace", "update", "delete"}
FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*(\w*)", re.DOTALL)


class Ask(NamedTuple):
    """A statement that is to be run, for its Frame."""

    sql: str
    undone: bool = False


class Measure(NamedTuple):
    """A statement that is to be run for how many rows it gives and how many seconds it takes."""

    sql: str
    undone: bool


def conversation(is_sqlite: bool, sql: str, analyze: bool) -> Generator[Ask | Measure, Any, Plan]:
    """Asks, and gives the plan in the end. What is asked one after the other is the same for both
    worlds; each answers in its own way."""
    if not is_sqlite:
        options = "analyze, buffers, format json" if analyze else "format json"
        # Also what only reads: it may call functions that write.
        frame = yield Ask(f"explain ({options}) {sql}", undone=analyze)
        return postgres_plan(sql, frame)
    word = first_word(sql)
    if word not in PLANNED:
        raise InterfaceError(
            f"SQLite has no plan for {word or 'nothing'}",
            hint=f"it has one for {', '.join(sorted(PLANNED))}; leave the word explain out",
        )
    steps = yield Ask(f"explain query plan {sql}")
    if not analyze:
        return sqlite_plan(sql, steps)
    program = yield Ask(f"explain {sql}")
    rows, seconds = yield Measure(sql, undone=writes(program))
    return sqlite_plan(sql, steps, rows, seconds)


def opened(
    dialect: str, sql: object, parameters: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[str, tuple[Any, ...]]:
    """A query as its text and parameters; text as it is."""
    if isinstance(sql, str):
        return sql, parameters
    if isinstance(sql, Prepared):
        raise TypeError("a function under rm.query is explained with its values: explain(f(...))")
    if not isinstance(sql, (Select, Insert, Update, Delete, Raw, Call)):
        raise TypeError(f"the statement is a str or a query, not {type(sql).__name__}")
    if parameters or named:
        raise TypeError("a query holds its values: parameters are given beside SQL alone")
    spell: Any = sql.sql  # with the names of dialects that are each database's own
    written, values = spell(dialect)
    return written, tuple(values)


def first_word(sql: str) -> str:
    """The first word in lower case, behind comments."""
    match = FIRST_WORD.match(sql)
    return match[1].lower() if match else ""


def writes(program: Frame) -> bool:
    """Whether SQLite's program for a statement begins a transaction that writes."""
    opcodes, seconds = program["opcode"].to_list(), program["p2"].to_list()
    return any(op == "Transaction" and p2 for op, p2 in zip(opcodes, seconds, strict=True))


class _Undone(Exception):  # noqa: N818 - it is no error
    """Leaves a block so that what it did is rolled back."""


def explain(
    target: Database | Transaction,
    sql: object,
    parameters: tuple[Any, ...],
    named: Mapping[str, Any] | None,
    analyze: bool,
    timeout: float | None,
) -> Plan:
    """The plan of a statement, for a database or a transaction."""
    named = named or {}
    text, parameters = opened(target._dialect, sql, parameters, named)
    talk = conversation(target._is_sqlite, text, analyze)

    def run(asked: Ask | Measure, on: Database | Transaction) -> Any:
        if isinstance(asked, Ask):
            return on.fetch(asked.sql, *parameters, timeout=timeout, **named)
        clock = Clock(timeout)
        with on.stream(asked.sql, *parameters, timeout=timeout, **named) as parts:
            for part in parts:
                clock.add(part)
        return clock.read()

    answer = None
    while True:
        try:
            asked = talk.send(answer)
        except StopIteration as end:
            plan: Plan = end.value
            return plan
        if not asked.undone:
            answer = run(asked, target)
            continue
        try:
            with (
                target.savepoint() if isinstance(target, Transaction) else target.transaction()
            ) as on:
                answer = run(asked, on)
                raise _Undone
        except _Undone:
            pass


async def explain_async(
    target: _Verbs,
    sql: object,
    parameters: tuple[Any, ...],
    named: Mapping[str, Any],
    analyze: bool,
    timeout: float | None,
) -> Plan:
    """The same, awaited."""
    text, parameters = opened(target._dialect, sql, parameters, named)
    talk = conversation(target._is_sqlite, text, analyze)

    async def run(asked: Ask | Measure, on: _Verbs) -> Any:
        if isinstance(asked, Ask):
            return await on.fetch(asked.sql, *parameters, timeout=timeout, **named)
        clock = Clock(timeout)
        async with on.stream(asked.sql, *parameters, timeout=timeout, **named) as parts:
            async for part in parts:
                clock.add(part)
        return clock.read()

    answer = None
    while True:
        try:
            asked = talk.send(answer)
        except StopIteration as end:
            plan: Plan = end.value
            return plan
        if not asked.undone:
            answer = await run(asked, target)
            continue
        try:
            async with _part(target) as on:
                answer = await run(asked, on)
                raise _Undone
        except _Undone:
            pass


def _part(target: _Verbs) -> AsyncSavepoint | AsyncTransaction:
    """What can be undone as a whole."""
    if isinstance(target, AsyncTransaction):
        return target.savepoint()
    assert isinstance(target, AsyncDatabase)
    return target.transaction()


class Clock:
    """Counts rows and seconds. A stream's deadline is each part's, so that of all is kept here."""

    def __init__(self, timeout: float | None) -> None:
        self._rows = 0
        self._timeout = timeout
        self._began = time.perf_counter()

    def add(self, part: Frame) -> None:
        """Count a part; raise where time is up."""
        self._rows += len(part)
        if self._timeout is not None and time.perf_counter() - self._began > self._timeout:
            raise QueryTimeout(f"the statement took longer than {self._timeout:g} s")

    def read(self) -> tuple[int, float]:
        """Rows and seconds."""
        return self._rows, time.perf_counter() - self._began

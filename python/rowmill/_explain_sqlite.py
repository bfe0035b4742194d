"""SQLite's `explain query plan` as a Plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rowmill._plan import Plan, PlanNode

if TYPE_CHECKING:
    from rowmill._rowmill import Frame

# `SEARCH o USING COVERING INDEX i (id=?)`. Names stand there as they are, without quotes, so that a
# table with USING in its name is cut wrongly; `detail` has the whole line.
ACCESS = re.compile(
    r"(SCAN|SEARCH) (.+?)"
    r"(?: USING (?:(AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX (.*?)|(INTEGER PRIMARY KEY|PRIMARY KEY)))?"
    r"(?: (\([^()]*(?:\?|NULL)[^()]*\)))?(?: LEFT-JOIN| EXISTS)*",
    re.DOTALL,
)
# What has no rows of a table behind it.
CONSTANT = re.compile(r"CONSTANT ROW|\d+ CONSTANT ROWS|\d+-ROW VALUES CLAUSE|\(subquery-\d+\)")
# What the statement makes for itself: no index could be made of it.
MADE = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (.+)", re.DOTALL)


def sqlite_plan(
    sql: str, steps: Frame, rows: int | None = None, seconds: float | None = None
) -> Plan:
    """The plan of these steps, and what running the statement came to."""
    below: dict[int, list[tuple[int, str]]] = {}
    own = {match[1] for detail in steps["detail"].to_list() if (match := MADE.fullmatch(detail))}
    columns = (steps[name].to_list() for name in ("id", "parent", "detail"))
    for step, parent, detail in zip(*columns, strict=True):
        below.setdefault(parent, []).append((step, detail))
    made: dict[int, PlanNode] = {}
    # A step comes after its parent, so that children are made first from the end.
    for parent in sorted(below, reverse=True):
        for step, detail in below[parent]:
            made[step] = _node(detail, tuple(made[child] for child, _ in below.get(step, ())), own)
    return Plan(
        database="sqlite",
        sql=sql,
        nodes=tuple(made[step] for step, _ in below.get(0, ())),
        analyzed=seconds is not None,
        execution_ms=None if seconds is None else seconds * 1000,
        rows=rows,
    )


def _node(detail: str, children: tuple[PlanNode, ...], own: set[str]) -> PlanNode:
    match = ACCESS.fullmatch(detail)
    if match is None:
        return PlanNode(kind=detail, detail=detail, children=children, warnings=_warnings(detail))
    kind, table, automatic, index, key, condition = match.groups()
    warnings = []
    virtual = " VIRTUAL TABLE INDEX " in detail
    if virtual:
        table, _, index = table.partition(" VIRTUAL TABLE INDEX ")
    elif kind == "SCAN" and not index and table not in own and not CONSTANT.fullmatch(table):
        warnings.append(f"reads the whole of {table}")
    if automatic:
        index = None
        if table not in own:
            warnings.append(
                f"makes an index of {table} for this one statement: a lasting one would spare that"
            )
    return PlanNode(
        kind=kind,
        table=table,
        index=index or (key.lower() if key else None),
        detail=detail,
        conditions=(("Condition", condition[1:-1]),) if condition else (),
        warnings=tuple(warnings),
        children=children,
    )


def _warnings(detail: str) -> tuple[str, ...]:
    if detail.startswith("USE TEMP B-TREE FOR "):
        what = detail.removeprefix("USE TEMP B-TREE FOR ").lower()
        return (f"sorts all rows for {what}: an index in this order would spare it",)
    if detail.startswith("CORRELATED "):
        return ("runs again for each row outside",)
    return ()

"""PostgreSQL's `explain (format json)` as a Plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rowmill._errors import NotSupportedError
from rowmill._explain_warnings import node_warnings, plan_warnings
from rowmill._plan import Plan, PlanBuffers, PlanNode

if TYPE_CHECKING:
    from rowmill._rowmill import Frame

# Keys of a node that say on what it works, in the order in which they are shown.
CONDITIONS = (
    *("Index Cond", "Recheck Cond", "TID Cond", "Order By", "Hash Cond", "Merge Cond"),
    *("Join Filter", "One-Time Filter", "Sort Key", "Presorted Key", "Group Key", "Grouping Sets"),
    *("Cache Key", "Conflict Resolution", "Conflict Arbiter Indexes", "Subplan Name", "CTE Name"),
    *("Function Name", "Table Function Name", "Sampling Method", "Remote SQL"),
)
# Words that stand before the kind in `explain`'s own text.
DETAILS = ("Join Type", "Strategy", "Operation", "Scan Direction", "Command")
USUAL = {"Inner", "Forward", "Plain"}
BLOCKS = {
    "hit": "Shared Hit Blocks",
    "read": "Shared Read Blocks",
    "dirtied": "Shared Dirtied Blocks",
    "written": "Shared Written Blocks",
    "temp_read": "Temp Read Blocks",
    "temp_written": "Temp Written Blocks",
}
# Nodes that read all of their input before they give a row: what stops them early stops nothing
# below.
BLOCKING = {"Sort", "Hash", "Incremental Sort", "Materialize"}


# What may end before one who is below it does.
STOPPING = {"Limit", "Merge Join"}


def postgres_plan(sql: str, frame: Frame) -> Plan:
    """The plan in an answer of `explain (format json)`."""
    try:
        return _plan(sql, json.loads(frame[0][0]))
    except RecursionError:
        raise NotSupportedError(
            "the plan is nested deeper than Python's stack",
            hint="explain a part of the statement, or fetch `explain` itself, which gives text",
        ) from None


def _plan(sql: str, explained: list[dict[str, Any]]) -> Plan:
    # Rules may make several statements of one.
    roots = [plan for plan in explained if "Plan" in plan]
    top = explained[0] if explained else {}
    analyzed = "Execution Time" in top
    nodes = tuple(_node(plan["Plan"], 1, False, {}) for plan in roots)
    rows = roots[-1]["Plan"].get("Actual Rows") if analyzed and roots else None
    return Plan(
        database="postgresql",
        sql=sql,
        nodes=nodes,
        analyzed=analyzed,
        planning_ms=top.get("Planning Time"),
        execution_ms=top.get("Execution Time"),
        rows=None if rows is None else round(rows),
        triggers=tuple(
            (
                str(trigger.get("Constraint Name") or trigger.get("Trigger Name", "")),
                int(trigger.get("Calls", 0)),
                float(trigger.get("Time", 0.0)),
            )
            for plan in explained
            for trigger in plan.get("Triggers", ())
        ),
        warnings=plan_warnings(top),
    )


def _node(raw: dict[str, Any], processes: int, cut: bool, unread: dict[str, float]) -> PlanNode:
    """A node and all below it.

    Args:
        raw: As the server tells it.
        processes: How many share the work of this node.
        cut: Whether somebody above may stop it before its last row.
        unread: Milliseconds of the CTEs that were met, and not yet who reads them.
    """
    kind = str(raw["Node Type"])
    loops = raw.get("Actual Loops")
    total = _total(raw, processes)
    launched = raw.get("Workers Launched")
    below = processes if launched is None else launched + 1
    stops = kind in STOPPING or raw.get("Join Type") in {"Semi", "Anti"}
    cut_below = (cut or stops) and not _blocks(raw)
    parts = raw.get("Plans", [])
    children, inside = [], []
    for part in parts:
        child = _node(part, below, cut_below, unread)
        children.append(child)
        name = str(part.get("Subplan Name", ""))
        if name.startswith("CTE "):
            # Its time is spent where it is first read, in a CTE Scan, and not where it is listed.
            unread[name.removeprefix("CTE ")] = child.total_ms or 0.0
        else:
            inside.append(child)
    elsewhere = unread.pop(raw["CTE Name"], 0.0) if raw.get("CTE Name") else 0.0
    cost = raw.get("Total Cost")
    return PlanNode(
        kind=kind,
        table=raw.get("Relation Name"),
        alias=raw.get("Alias"),
        index=raw.get("Index Name"),
        detail=_detail(raw),
        cost=cost,
        own_cost=None if cost is None else max(0.0, cost - sum(c.cost or 0.0 for c in inside)),
        rows_estimated=raw.get("Plan Rows"),
        rows=raw.get("Actual Rows"),
        loops=loops,
        own_ms=None
        if total is None
        else max(0.0, total - elsewhere - sum(c.total_ms or 0.0 for c in inside)),
        total_ms=total,
        buffers=_buffers(raw),
        filter=raw.get("Filter"),
        rows_removed=raw.get("Rows Removed by Filter"),
        conditions=tuple((key, _said(raw[key])) for key in CONDITIONS if raw.get(key)),
        warnings=node_warnings(raw, cut),
        children=tuple(children),
    )


def _total(raw: dict[str, Any], processes: int) -> float | None:
    """Milliseconds of all loops: the server tells the mean of one, each process's being its own."""
    each, loops = raw.get("Actual Total Time"), raw.get("Actual Loops")
    if each is None or loops is None:
        return None
    return float(each) * max(1.0, loops / processes) if loops else 0.0


def _blocks(raw: dict[str, Any]) -> bool:
    return raw["Node Type"] in BLOCKING or raw.get("Strategy") in {"Hashed", "Plain"}


def _detail(raw: dict[str, Any]) -> str:
    words = [str(raw[key]) for key in DETAILS if raw.get(key) and raw[key] not in USUAL]
    parallel = ["Parallel"] if raw.get("Parallel Aware") else []
    return " ".join([*parallel, *words])


def _said(value: Any) -> str:
    return ", ".join(map(_said, value)) if isinstance(value, list) else str(value)


def _buffers(raw: dict[str, Any]) -> PlanBuffers | None:
    if "Shared Hit Blocks" not in raw:
        return None
    return PlanBuffers(**{name: int(raw.get(key, 0)) for name, key in BLOCKS.items()})

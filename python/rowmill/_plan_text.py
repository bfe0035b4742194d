"""A plan as text: numbers to the left, the tree to the right, the most expensive node marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rowmill._cli_text import cells, cut, printable

if TYPE_CHECKING:
    from rowmill._plan import Plan, PlanNode

# Characters of a condition: generated ones list thousands of values.
WIDEST = 120
MARK = "▶"


def drawn(plan: Plan) -> str:
    """The tree, and what concerns the whole statement below it."""
    hottest = plan.hottest
    lines = [line for node in plan.nodes for line in _lines(node, "", "", hottest)]
    if not lines:
        return "(no plan)"
    header = _header(plan)
    widths = [max(cells(row[at]) for row, _ in lines if row) for at in range(len(header))]
    widths = [max(width, cells(name)) for width, name in zip(widths, header, strict=True)]
    # A column in which nothing is told is left out, and the header where that leaves no number.
    kept = [at for at in range(len(header)) if any(row and row[at] for row, _ in lines)]
    blank = [""] * len(header)
    named = [(header, "")] if kept[1:] else []
    out = [
        "  ".join([*(_right((row or blank)[at], widths[at]) for at in kept), tree]).rstrip()
        for row, tree in [*named, *lines]
    ]
    return "\n".join([*out, *facts(plan)])


def facts(plan: Plan) -> list[str]:
    """What concerns the whole statement, a line each."""
    told = []
    if plan.planning_ms is not None:
        told.append(f"planned in {plan.planning_ms:,.2f} ms")
    if plan.execution_ms is not None:
        told.append(f"ran in {plan.execution_ms:,.2f} ms")
    if plan.analyzed and plan.rows is not None:
        told.append(f"{plan.rows:,} row{'' if plan.rows == 1 else 's'}")
    lines = [", ".join(told)] if told else []
    lines += [
        f"{printable(name)}: {calls:,} call{'' if calls == 1 else 's'}, {ms:,.2f} ms"
        for name, calls, ms in plan.triggers
    ]
    return lines + [f"! {printable(warning)}" for warning in plan.warnings]


def _header(plan: Plan) -> list[str]:
    return ["", "own ms", "total ms", "rows", "expected", "loops", "" if plan.analyzed else "cost"]


def numbers(node: PlanNode) -> list[str]:
    """Own and total milliseconds, rows, rows expected, loops, cost; empty where not told."""
    if node.loops == 0:
        return ["", "", "never", _whole(node.rows_estimated), "0", ""]
    return [
        _ms(node.own_ms),
        _ms(node.total_ms),
        _whole(node.rows),
        _whole(node.rows_estimated),
        _whole(node.loops),
        # Where times are known nobody asks for costs.
        _whole(node.cost) if node.own_ms is None else "",
    ]


def _lines(
    node: PlanNode, first: str, rest: str, hottest: PlanNode | None
) -> Iterator[tuple[list[str] | None, str]]:
    # Not by recursion: a plan of a generated statement is thousands deep.
    waiting = [(node, first, rest)]
    while waiting:
        node, first, rest = waiting.pop()
        mark = MARK if node is hottest else ""
        yield [mark, *numbers(node)], first + _one(node.title)
        inner = rest + ("│  " if node.children else "   ")
        for text in notes(node):
            yield None, f"{inner}{_one(text)}"
        last = len(node.children) - 1
        waiting += [
            (
                child,
                rest + ("└─ " if at == last else "├─ "),
                rest + ("   " if at == last else "│  "),
            )
            for at, child in reversed(list(enumerate(node.children)))
        ]


def notes(node: PlanNode) -> Iterator[str]:
    """What stands below a node: its conditions, what a filter took away, warnings."""
    if node.cost is not None:
        for name, said in node.conditions:
            yield f"{name.lower()}: {said}"
    if node.filter:
        removed = node.rows_removed
        took = "" if removed is None else f", took away {removed:,.0f} rows"
        each = " a loop" if removed and (node.loops or 0) > 1 else ""
        yield f"filter: {cut(node.filter, WIDEST - 40, '…')}{took}{each}"
    for warning in node.warnings:
        yield f"! {warning}"


def _one(text: str) -> str:
    return cut(printable(text), WIDEST, "…")


def _right(text: str, width: int) -> str:
    return " " * (width - cells(text)) + text


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"

"""How a database runs a statement: a tree of nodes that prints itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBuffers:
    """Blocks (8 KiB unless the server was built otherwise) that a node and its children touched."""

    __module__ = "rowmill"

    hit: int = 0
    """Found in the server's cache."""
    read: int = 0
    """Asked of the operating system."""
    dirtied: int = 0
    """Changed."""
    written: int = 0
    """Written to make room."""
    temp_read: int = 0
    """Of temporary files, read."""
    temp_written: int = 0
    """Of temporary files, written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """One step of a plan. What the database does not tell is None.

    Rows are those of one loop, as the database counts them; times are of all loops together. Below
    a Gather of PostgreSQL they are divided by the processes that shared the work.
    """

    __module__ = "rowmill"

    kind: str
    """What is done, in the database's words: `Seq Scan`, `SEARCH`."""
    table: str | None = None
    """What is read or written. SQLite names it by its alias."""
    alias: str | None = None
    index: str | None = None
    detail: str = ""
    """More of what is done: `Left`, `Hashed`; of SQLite its whole line."""
    cost: float | None = None
    """The planner's estimate for this node and its children, in its own unit."""
    own_cost: float | None = None
    """The same without the children."""
    rows_estimated: float | None = None
    rows: float | None = None
    loops: int | None = None
    own_ms: float | None = None
    """Milliseconds in the node itself."""
    total_ms: float | None = None
    """Milliseconds in the node and its children."""
    buffers: PlanBuffers | None = None
    filter: str | None = None
    """What rows were held against after they were read."""
    rows_removed: float | None = None
    """How many the filter took away, in one loop."""
    conditions: tuple[tuple[str, str], ...] = ()
    """Keys and conditions: ("Index Cond", "(id = 1)")."""
    warnings: tuple[str, ...] = ()
    """What is worth a look, in a sentence each."""
    children: tuple[PlanNode, ...] = ()

    @property
    def title(self) -> str:
        """The node in a few words: `Index Scan on orders o by orders_pkey`."""
        if self.cost is None:
            return self.detail or self.kind
        words = f"{self.detail} {self.kind}".strip()
        if self.table:
            words += f" on {self.table}"
        if self.alias and self.alias != self.table:
            words += f" {self.alias}" if self.table else f" on {self.alias}"
        return f"{words} by {self.index}" if self.index else words

    def walk(self) -> Iterator[PlanNode]:
        """This node and all below it, from the top."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `explain` gives: `print(plan)` is a tree, a notebook shows it as a picture.

    >>> import rowmill as rm
    >>> plan = rm.Database("sqlite://").explain("select * from json_each('[1, 2]') order by value")
    >>> [node.kind for node in plan.walk()]
    ['SCAN', 'USE TEMP B-TREE FOR ORDER BY']
    """

    __module__ = "rowmill"

    database: str
    """`postgresql` or `sqlite`."""
    sql: str
    """The statement."""
    nodes: tuple[PlanNode, ...]
    """The top of the tree: on PostgreSQL one node, on SQLite what runs one after the other."""
    analyzed: bool = False
    """Whether the statement was run."""
    planning_ms: float | None = None
    execution_ms: float | None = None
    """Milliseconds the statement took: of PostgreSQL the server's own, of SQLite by our clock."""
    rows: int | None = None
    """Rows the statement gave, where it was run."""
    triggers: tuple[tuple[str, int, float], ...] = ()
    """Triggers and foreign keys that ran: name, calls, milliseconds."""
    warnings: tuple[str, ...] = ()
    """What concerns the whole statement; nodes have warnings of their own."""

    def walk(self) -> Iterator[PlanNode]:
        """All nodes, from the top."""
        for node in self.nodes:
            yield from node.walk()

    @property
    def hottest(self) -> PlanNode | None:
        """The node that takes the most by itself: time where the plan was run, else cost. SQLite
        tells neither: there it is the first with a warning, or none."""
        nodes = list(self.walk())
        for of in ("own_ms", "own_cost"):
            known = [node for node in nodes if getattr(node, of) is not None]
            if known:
                return max(known, key=lambda node: float(getattr(node, of)))
        return next((node for node in nodes if node.warnings), None)

    def __str__(self) -> str:
        from rowmill._plan_text import drawn

        return drawn(self)

    def __repr__(self) -> str:
        top = self.nodes[0].title if self.nodes else "nothing"
        return f"<rowmill.Plan {top}>"

    def to_html(self) -> str:
        """The plan as one HTML page that needs nothing else: no network, no script."""
        from rowmill._plan_html import page

        return page(self)

    def _repr_html_(self) -> str:
        from rowmill._plan_html import picture

        return picture(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page of `to_html` to a file."""
        Path(path).write_text(self.to_html(), encoding="utf-8")

    def to_json(self) -> bytes:
        """The plan as JSON in UTF-8, with the names of the attributes."""
        made: dict[int, dict[str, Any]] = {}
        # From the last to the first, so that children are made before who has them.
        for node in reversed(list(self.walk())):
            plain = {field.name: getattr(node, field.name) for field in fields(node)}
            plain["buffers"] = node.buffers and asdict(node.buffers)
            plain["children"] = [made[id(child)] for child in node.children]
            made[id(node)] = plain
        whole = {field.name: getattr(self, field.name) for field in fields(self)}
        whole["nodes"] = [made[id(node)] for node in self.nodes]
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()

"""Medians as tables: on the terminal, and between markers in bench/README.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.harness import Results

TITLES = {
    "rss_mb": "peak MB",
    "after_ms": "after last byte ms",
    "convert_ms": "convert ms",
    "p50_us": "p50 us",
    "p99_us": "p99 us",
    "json_bytes": "bytes",
    "importtime_ms": "importtime ms",
    "third_party": "third-party modules",
    "late_p50_ms": "late p50 ms",
    "late_p99_ms": "late p99 ms",
    "late_max_ms": "late max ms",
    "cpu": "CPU",
}
OURS = ("rowmill", "rowmill async")

Table = list[list[str]]


def number(value: float) -> str:
    """Three significant digits, thousands separated."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def unit(values: Sequence[float]) -> tuple[str, float]:
    """The unit of time in which the smallest value reads well, and its factor."""
    smallest = min(values, default=1.0)
    if smallest < 1e-3:
        return "us", 1e6
    return ("ms", 1e3) if smallest < 0.1 else ("s", 1.0)


def table(results: Results, task: str, columns: Sequence[str]) -> Table:
    """The peers of one task, one row each; columns nobody has a figure for are left out."""
    failed = results.failures(task)
    peers = [p for p in results.peers(task) if p not in failed]
    base = next((p for p in OURS if p in peers), peers[0] if peers else "")
    head, body = [task], [[p] for p in peers]
    for column in columns:
        if column == "third_party":
            texts = {r["peer"]: r.get(column, "") for r in results.records if r["task"] == task}
            cells = [texts[p] for p in peers]
            name = TITLES[column]
        elif column == "rate":
            cells, name = rates(results, task, peers)
        else:
            medians = [results.median(task, p, column) for p in peers]
            known = [m for m in medians if m is not None]
            suffix, factor = unit(known) if column in ("wall", "cpu") else ("", 1.0)
            cells = ["" if m is None else number(m * factor) for m in medians]
            name = f"{TITLES.get(column, column.replace('_', ' '))} {suffix}".strip()
        if any(cells):
            head.append(name)
            for row, cell in zip(body, cells, strict=True):
                row.append(cell)
    for figure, name in (("wall", "wall x"), ("cpu", "CPU x")):
        own = results.median(task, base, figure)
        if own and len(peers) > 1:
            head.append(name)
            for row, peer in zip(body, peers, strict=True):
                row.append(f"{(results.median(task, peer, figure) or 0) / own:.2f}")
    return [head, *body]


def rates(results: Results, task: str, peers: Sequence[str]) -> tuple[list[str], str]:
    """Million rows a second where the answer has rows, else answers a second."""
    cells, name = [], "per second"
    for peer in peers:
        wall = results.median(task, peer, "wall")
        rows = results.median(task, peer, "rows")
        single = results.median(task, peer, "p50_us") is not None or "point" in task
        if not wall:
            cells.append("")
        elif rows and not single and task != "JSON":
            cells.append(number(rows / wall / 1e6))
            name = "M rows/s"
        else:
            cells.append(number(1 / wall))
    return cells, name


def plain(rows: Table) -> str:
    """Aligned by spaces; numbers to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def markdown(rows: Table) -> str:
    """The same as a Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|" + "--:|" * (len(rows[0]) - 1))
    return "\n".join(lines)


def notes(results: Results, task: str) -> list[str]:
    """Who did not run, and why."""
    return [f"{peer}: not measured ({why})" for peer, why in results.failures(task).items()]


def write(readme: Path, workload: str, text: str) -> None:
    """Replaces the text between the workload's markers, or appends it with markers."""
    begin, end = f"<!-- {workload} -->", f"<!-- /{workload} -->"
    section = f"{begin}\n{text}\n{end}"
    old = readme.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(old):
        new = pattern.sub(lambda _: section, old)
    else:
        new = f"{old.rstrip()}\n\n{section}\n"
    readme.write_text(new)

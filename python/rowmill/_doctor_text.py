"""A report for people: the worst first, each with its meaning, its way out and its evidence."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rowmill._cli_table import Style, Table
from rowmill._cli_text import cut, printable
from rowmill._doctor_limits import SHOWN
from rowmill._rowmill import Frame

if TYPE_CHECKING:
    from rowmill._doctor_report import Finding, Report

WIDTH = 100
# Characters of a cell, where no terminal says how many there is room for.
CELL = 60
INDENT = 4
COLOURS = {"problem": "31;1", "warning": "33;1", "note": "36", "ok": "32"}


def shown(report: Report, style: Style | None = None) -> str:
    """The whole report."""
    style = style or Style()
    return "\n".join(_lines(report, style)) + "\n"


def _lines(report: Report, style: Style) -> Iterator[str]:
    name = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[report.database]
    yield f"{name} {printable(report.version)}: {summary(report)}"
    for finding in report.findings:
        if finding.severity != "ok":
            yield ""
            yield from _finding(finding, style)
    fine = [finding for finding in report.findings if finding.severity == "ok"]
    if fine:
        yield ""
    for finding in fine:
        yield f"{_word('ok', style)} {printable(finding.title)}"
    if report.skipped:
        yield ""
        yield "Not looked at:"
    for check, why in report.skipped:
        yield from _wrapped(f"{check}: {why}", style)


def summary(report: Report) -> str:
    """How many findings there are of each kind."""
    told = []
    for severity, one, many in (
        ("problem", "problem", "problems"),
        ("warning", "warning", "warnings"),
        ("note", "note", "notes"),
        ("ok", "check is fine", "checks are fine"),
    ):
        count = sum(finding.severity == severity for finding in report.findings)
        if count:
            told.append(f"{count} {one if count == 1 else many}")
    return ", ".join(told) or "nothing to look at"


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    title = printable(finding.title)
    if style.colour:
        title = f"\x1b[1m{title}\x1b[0m"
    yield f"{_word(finding.severity, style)} {title}"
    yield from _wrapped(finding.meaning, style)
    yield from _wrapped(finding.advice, style)
    for statement in finding.statements[:SHOWN]:
        yield f"{' ' * INDENT}> {printable(statement)};"
    if len(finding.statements) > SHOWN:
        yield f"{' ' * INDENT}> {style.ellipsis} {len(finding.statements) - SHOWN:,} more"
    if finding.evidence:
        yield from _evidence(finding, style)


def _evidence(finding: Finding, style: Style) -> Iterator[str]:
    rows = [_readable(row) for row in finding.evidence[:SHOWN]]
    # Values of a column may be of several kinds here, which a Frame's may not.
    columns = {name: _alike([row[name] for row in rows]) for name in rows[0]}
    printed: list[str] = []
    width = None if style.width is None else max(20, style.width - INDENT)
    table = Table(printed.append, replace(style, width=width))
    table.write(Frame(columns))
    for line in "".join(printed).splitlines():
        yield f"{' ' * INDENT}{line}"
    if len(finding.evidence) > SHOWN:
        yield f"{' ' * INDENT} {style.ellipsis} {len(finding.evidence) - SHOWN:,} more"


def _alike(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and kinds <= {int, float, bool}:
        return values
    return [None if value is None else cut(printable(str(value)), CELL, "…") for value in values]


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with sizes and times as people say them, and names without their units."""
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_bytes"):
            told[name.removesuffix("_bytes")] = None if value is None else size(value)
        elif name.endswith("_seconds"):
            told[name.removesuffix("_seconds")] = None if value is None else duration(value)
        else:
            told[name.replace("_", " ")] = value
    return told


def size(count: float) -> str:
    """Bytes, as people say it."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:,.0f} bytes" if unit == "bytes" else f"{count:,.1f} {unit}"


def duration(seconds: float) -> str:
    """Seconds, as people say it: the two largest units."""
    rest, told = round(seconds), []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        many, rest = divmod(rest, length)
        if many:
            told.append(f"{many} {unit}")
    return " ".join(told[:2]) or "0 s"


def _word(severity: str, style: Style) -> str:
    word = f"{severity:<7}"
    return f"\x1b[{COLOURS[severity]}m{word}\x1b[0m" if style.colour else word


def _wrapped(text: str, style: Style) -> list[str]:
    indent = " " * INDENT
    width = max(40, min(WIDTH, style.width or WIDTH))
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

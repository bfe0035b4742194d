"""What `doctor` found: findings with their evidence, and what could not be looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["ok", "note", "warning", "problem"]

# In a title: `{index|indexes}`.
COUNTED = re.compile(r"\{([^{}|]+)\|([^{}|]+)\}")
# From best to worst.
SEVERITIES: tuple[Severity, ...] = ("ok", "note", "warning", "problem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check came to."""

    __module__ = "rowmill"

    check: str
    """The check's name, which stays the same: `unused-indexes`."""
    severity: Severity
    """`ok`, `note` (nice to know), `warning` (will cost you) or `problem` (does already)."""
    title: str
    """What was found, in a few words."""
    meaning: str = ""
    """What that means, in a sentence or two."""
    advice: str = ""
    """The way out, where it is no statement."""
    statements: tuple[str, ...] = ()
    """Statements that mend it, names quoted. Nobody has run them: read them first."""
    evidence: tuple[Mapping[str, Any], ...] = ()
    """The rows it was concluded from. Names that end in `_bytes` and `_seconds` are such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `rm.doctor(db)` gives: `print(report)` is for people, `to_json` for machines."""

    __module__ = "rowmill"

    database: str
    """`postgresql` or `sqlite`."""
    version: str
    """Of the server, or of the SQLite library."""
    findings: tuple[Finding, ...]
    """The worst first."""
    skipped: tuple[tuple[str, str], ...] = ()
    """What could not be looked at, or not all of it: the check's name, and why."""

    @property
    def worst(self) -> Severity:
        """The worst severity there is."""
        return max((f.severity for f in self.findings), key=SEVERITIES.index, default="ok")

    def __getitem__(self, check: str) -> tuple[Finding, ...]:
        """The findings of a check."""
        return tuple(finding for finding in self.findings if finding.check == check)

    def __str__(self) -> str:
        from rowmill._doctor_text import shown

        return shown(self)

    def __repr__(self) -> str:
        return f"<rowmill.Report {self.database} {self.version}: {self.worst}>"

    def to_json(self) -> bytes:
        """The report as JSON in UTF-8, with the names of the attributes, and `worst`."""
        plain = {**asdict(self), "worst": self.worst}
        plain["skipped"] = [{"check": check, "why": why} for check, why in self.skipped]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def concluded(
    check: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    fine: str,
    severity: Severity,
    title: str,
    meaning: str,
    advice: str = "",
) -> Finding:
    """A finding of rows that each stand for something bad: none is `ok`.

    A row's value under "statement", where it has one, is the statement that mends it, or several.

    Args:
        check: The check's name.
        rows: The evidence.
        fine: What is said where there is none.
        severity: Where there is some.
        title: The same; `{index|indexes}` becomes `1 index` or `2 indexes`.
        meaning: See `Finding`.
        advice: See `Finding`.
    """
    if not rows:
        return Finding(check=check, severity="ok", title=fine)
    return Finding(
        check=check,
        severity=severity,
        title=COUNTED.sub(lambda words: plural(len(rows), words[1], words[2]), title),
        meaning=meaning,
        advice=advice,
        statements=tuple(dict.fromkeys(statement for row in rows for statement in _mends(row))),
        evidence=evidence(rows),
    )


def _mends(row: Mapping[str, Any]) -> Iterable[str]:
    mends = row.get("statement") or ()
    return (mends,) if isinstance(mends, str) else mends


def evidence(rows: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The rows without their statements."""
    return tuple({k: v for k, v in row.items() if k != "statement"} for row in rows)


def plural(count: int, one: str, many: str) -> str:
    """`1 index`, `2 indexes`."""
    return f"{count:,} {one if count == 1 else many}"

"""The doctor's visit to an SQLite file, by a connection that can only read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from rowmill import _doctor_sqlite_file as file
from rowmill import _doctor_sqlite_schema as schema
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding
from rowmill._errors import DatabaseError, QueryTimeout
from rowmill._rowmill import Database

Check: TypeAlias = Callable[[Look], Iterable[Finding]]


def visit(
    db: Database, path: str, timeout: float, full: bool
) -> tuple[str, list[Finding], list[tuple[str, str]]]:
    """The library's version, the findings, and what could not be looked at."""
    checks: dict[str, Check] = {
        "file": lambda look: file.facts(look, path),
        "journal": lambda look: file.journal(look, path),
        "free-space": file.free_space,
        "tables-without-key": schema.without_key,
        "foreign-keys-without-index": schema.foreign_keys,
        "redundant-indexes": schema.redundant,
        "statistics": schema.statistics,
        # Those that read the whole file come last: they may take all the time there is.
        "integrity": lambda look: file.integrity(look, full),
        "broken-references": file.references,
        "sizes": file.sizes,
    }
    findings: list[Finding] = []
    look = Look(db, time.monotonic() + timeout)
    version = db.fetch_value("select sqlite_version()")
    for name, check in checks.items():
        if look.left() <= 0:
            look.skipped.append((name, f"no time was left of {timeout:g} s"))
            continue
        try:
            findings.extend(check(look))
        except QueryTimeout:
            look.skipped.append((name, f"it takes longer than the {timeout:g} s there were"))
        except DatabaseError as error:
            look.skipped.append((name, str(error).splitlines()[0]))
    return str(version), findings, look.skipped

"""The doctor's visit to a PostgreSQL server: one transaction that only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from rowmill import _doctor_limits as limits
from rowmill import _doctor_pg_indexes as indexes
from rowmill import _doctor_pg_server as server
from rowmill import _doctor_pg_sessions as sessions
from rowmill import _doctor_pg_tables as tables
from rowmill._doctor_look import Look
from rowmill._doctor_pg_statements import slow_statements
from rowmill._doctor_report import Finding
from rowmill._errors import ConnectionLost, DatabaseError
from rowmill._rowmill import Database

Check: TypeAlias = Callable[[Look], Iterable[Finding]]

CHECKS: dict[str, Check] = {
    "version": server.version,
    "rights": server.rights,
    "cache": server.cache,
    "connections": server.connections,
    "settings": server.settings,
    "wraparound": server.wraparound,
    "unused-indexes": indexes.unused,
    "duplicate-indexes": indexes.duplicates,
    "foreign-keys-without-index": indexes.foreign_keys,
    "missing-indexes": indexes.missing,
    "invalid-indexes": indexes.invalid,
    "table-bloat": tables.table_bloat,
    "index-bloat": tables.index_bloat,
    "dead-rows": tables.dead_rows,
    "never-analyzed": tables.never_analyzed,
    "sequences": tables.sequences,
    "long-transactions": sessions.long_transactions,
    "idle-in-transaction": sessions.idle,
    "blocked-sessions": sessions.blocked,
    "prepared-transactions": sessions.prepared,
    "replication-slots": sessions.slots,
    "slow-statements": slow_statements,
}


def visit(db: Database, timeout: float) -> tuple[str, list[Finding], list[tuple[str, str]]]:
    """The server's version, the findings, and what could not be looked at."""
    findings: list[Finding] = []
    deadline = time.monotonic() + timeout
    with db.transaction(read_only=True) as tx:
        look = Look(tx, deadline)
        each = max(1, round(1000 * min(limits.STATEMENT, timeout)))
        tx.execute(f"set local statement_timeout = {each}", timeout=limits.STATEMENT)
        tx.execute(f"set local lock_timeout = {limits.LOCK_MS}", timeout=limits.STATEMENT)
        version = tx.fetch_value("show server_version", timeout=limits.STATEMENT)
        for name, check in CHECKS.items():
            if look.left() <= 0:
                look.skipped.append((name, f"no time was left of {timeout:g} s"))
                continue
            try:
                with tx.savepoint():
                    findings.extend(check(look))
            except ConnectionLost:
                raise
            except DatabaseError as error:
                look.skipped.append((name, _reason(error)))
    return str(version), findings, look.skipped


def _reason(error: DatabaseError) -> str:
    """Why a check could not be made, in a line."""
    first: Any = str(error).splitlines()[0]
    if error.sqlstate == "42501":
        return f"{first}: the role lacks the right (grant pg_monitor to it)"
    return str(first)

"""`rm.doctor`: a look at a database's health, which touches nothing."""

from __future__ import annotations

from urllib.parse import quote

from rowmill import _doctor_limits as limits
from rowmill._doctor_report import SEVERITIES, Report
from rowmill._rowmill import Database


def doctor(db: Database, /, *, timeout: float | None = None, full: bool = False) -> Report:
    """A look at the health of a database: what is wrong, what it means, and the way out.

    >>> import rowmill as rm
    >>> rm.doctor(rm.Database("sqlite://")).worst
    'ok'

    It looks and never touches: on PostgreSQL in one transaction that only reads, on an SQLite file
    by a connection of its own that can do no more. No lock is waited for (but to open an SQLite
    file that another has for itself alone is tried for 5 seconds). What it advises it does not do. docs/doctor.md lists the checks.

    Args:
        db: The database. On PostgreSQL that of its URL alone is looked at, and of the server as much
            as the role may see.
        timeout: Seconds for all of it; None is 60. Checks that there was no time for are named.
        full: Whether an SQLite file is read to its last index (`integrity_check`, not `quick_check`).

    Raises:
        OperationalError: The database cannot be reached.
    """
    if not isinstance(db, Database):
        raise TypeError(f"the database is a rowmill.Database, not {type(db).__name__}")
    seconds = limits.ALL if timeout is None else timeout
    if not 0 < seconds < float("inf"):
        raise ValueError(f"timeout is a number of seconds above zero, not {timeout}")
    if db._is_sqlite:
        from rowmill import _doctor_sqlite

        kind = "sqlite"
        file = next(
            (row.file for row in db.fetch("pragma database_list") if row.name == "main"), ""
        )
        if file:
            with Database(f"sqlite:///{quote(file)}?mode=ro", pool_size=1) as own:
                # Another's lock is not waited for.
                own.fetch("pragma busy_timeout = 0")
                found = _doctor_sqlite.visit(own, file, seconds, full)
        else:
            found = _doctor_sqlite.visit(db, "", seconds, full)
    else:
        from rowmill import _doctor_postgres

        kind = "postgresql"
        found = _doctor_postgres.visit(db, seconds)
    version, findings, skipped = found
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))
    return Report(database=kind, version=version, findings=tuple(findings), skipped=tuple(skipped))


# Where a name is public is where its documentation says it lives.
doctor.__module__ = "rowmill"

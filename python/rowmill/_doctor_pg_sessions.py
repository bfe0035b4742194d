"""Who is at work, who waits for whom, and what holds old rows and old log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, concluded

# Characters of a statement that are shown.
QUERY = 200

TRANSACTIONS = f"""
select pid, usename as "user", datname as database, application_name as application, state,
       extract(epoch from now() - xact_start)::bigint as open_seconds,
       extract(epoch from now() - state_change)::bigint as since_seconds, left(query, {QUERY}) as query,
       format('select pg_terminate_backend(%s)', pid) as statement
  from pg_stat_activity
 where pid <> pg_backend_pid() and backend_type = 'client backend' and xact_start is not null
"""

LONG = (
    TRANSACTIONS
    + """ and state not like 'idle in transaction%' and now() - xact_start >= make_interval(secs => $1)
 order by xact_start limit $2"""
)

IDLE = (
    TRANSACTIONS
    + """ and state like 'idle in transaction%' and now() - state_change >= make_interval(secs => $1)
 order by xact_start limit $2"""
)


def seen(look: Look, finding: Finding) -> Iterator[Finding]:
    """The finding, unless it is that all is well with sessions that this role does not see."""
    if finding.severity != "ok" or look.sees_sessions:
        yield finding


def long_transactions(look: Look) -> Iterator[Finding]:
    """Transactions that run for long."""
    rows = look.rows(LONG, float(limits.LONG_TRANSACTION), limits.EVIDENCE)
    longest = max((row["open_seconds"] for row in rows), default=0)
    yield from seen(
        look,
        concluded(
            "long-transactions",
            rows,
            fine="no transaction has been running for long",
            severity="problem" if longest >= limits.VERY_LONG_TRANSACTION else "warning",
            title="{transaction has|transactions have} been running for long",
            meaning="Vacuum keeps every row, of every table, that died since the oldest of them began.",
            advice="pg_cancel_backend ends the statement alone, pg_terminate_backend the session.",
        ),
    )


def idle(look: Look) -> Iterator[Finding]:
    """Transactions that are open and do nothing."""
    yield from seen(
        look,
        concluded(
            "idle-in-transaction",
            look.rows(IDLE, float(limits.IDLE_IN_TRANSACTION), limits.EVIDENCE),
            fine="no transaction is open and idle",
            severity="warning",
            title="{transaction is|transactions are} open and idle",
            meaning="They hold their locks, and the rows that vacuum would remove, while their application is"
            " busy with something else, or forgot them.",
            advice="Set idle_in_transaction_session_timeout, and look for what the application does in between.",
        ),
    )


# Only for those who wait is it asked who holds them up, for the question stops all lock traffic for
# a moment.
BLOCKED = f"""
select w.pid, w.usename as "user", extract(epoch from now() - w.state_change)::bigint as waiting_seconds,
       left(w.query, {QUERY}) as query, b.pid as blocked_by, b.state as blocker_is,
       left(b.query, {QUERY}) as blocker_query, format('select pg_cancel_backend(%s)', b.pid) as statement
  from (select * from pg_stat_activity where wait_event_type = 'Lock' limit 100) w
  cross join lateral unnest(pg_blocking_pids(w.pid)) as by(pid)
  left join pg_stat_activity b on b.pid = by.pid
 order by 3 desc limit $1
"""


def blocked(look: Look) -> Iterator[Finding]:
    """Sessions that wait for another's lock."""
    rows = look.rows(BLOCKED, limits.EVIDENCE)
    longest = max((row["waiting_seconds"] or 0 for row in rows), default=0)
    yield from seen(
        look,
        concluded(
            "blocked-sessions",
            rows,
            fine="nobody waits for a lock",
            severity="problem" if longest >= limits.BLOCKED_PROBLEM else "warning",
            title="{session waits|sessions wait} for a lock",
            meaning="The session under `blocked_by` has what the other wants, until its transaction ends.",
            advice="Where the one that blocks is idle in transaction, only pg_terminate_backend ends it.",
        ),
    )


PREPARED = """
select gid, owner as "user", database, extract(epoch from now() - prepared)::bigint as open_seconds,
       format('rollback prepared %L', gid) as statement
  from pg_prepared_xacts where now() - prepared >= make_interval(secs => $1)
 order by prepared limit $2
"""


def prepared(look: Look) -> Iterator[Finding]:
    """Transactions of two phases whose second never came."""
    yield concluded(
        "prepared-transactions",
        look.rows(PREPARED, float(limits.LONG_TRANSACTION), limits.EVIDENCE),
        fine="no prepared transaction was forgotten",
        severity="warning",
        title="{prepared transaction waits|prepared transactions wait} for an end",
        meaning="They hold locks and dead rows, and outlive a restart of the server.",
        advice="Ask the transaction manager what was decided: `commit prepared` is the other end.",
    )


SLOTS = """
select slot_name as slot, slot_type as type, database, active, wal_status,
       pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                       restart_lsn)::bigint as held_bytes,
       format('select pg_drop_replication_slot(%L)', slot_name) as statement
  from pg_replication_slots order by 6 desc nulls last limit $1
"""


def slots(look: Look) -> Iterator[Finding]:
    """Replication slots that hold the write-ahead log."""
    yield judged_slots(look.rows(SLOTS, limits.EVIDENCE))


def judged_slots(rows: list[dict[str, Any]]) -> Finding:
    """What slots mean: one that nobody reads holds more and more."""
    bad = [
        row
        for row in rows
        if not row["active"]
        or (row["held_bytes"] or 0) >= limits.SLOT_WARNING
        or row["wal_status"] in ("unreserved", "lost")
    ]
    most = max((row["held_bytes"] or 0 for row in bad), default=0)
    for row in bad:
        if row["active"]:
            row["statement"] = None
    return concluded(
        "replication-slots",
        bad,
        fine="no replication slot holds back the log",
        severity="problem" if most >= limits.SLOT_PROBLEM else "warning",
        title="{replication slot holds|replication slots hold} back the log",
        meaning="The server keeps every byte of its log that they have not read, until the disk is full.",
        advice="Start the reader again; drop a slot only when nobody will ever come back for it."
        " max_slot_wal_keep_size bounds what they hold.",
    )

"""The server as a whole: its version, cache, connections, settings and transaction ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from rowmill import _doctor_limits as limits
from rowmill._doctor_look import Look
from rowmill._doctor_report import Finding, Severity, concluded, evidence

# When each major version gets its last release, as postgresql.org/support/versioning has it.
LAST_RELEASE = {
    13: date(2025, 11, 13),
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}

VERSION = """
select current_setting('server_version') as version, current_database() as database,
       current_setting('server_version_num')::int / 10000 as major, current_date as today,
       extract(epoch from now() - pg_postmaster_start_time())::bigint as up_seconds,
       (select sum(relpages::bigint) * current_setting('block_size')::int from pg_class
         where relkind in ('r', 'i', 't', 'm'))::bigint as database_bytes
"""


def version(look: Look) -> Iterator[Finding]:
    """Which version, and for how long it has been up."""
    (row,) = look.rows(VERSION)
    major, today = row.pop("major"), row.pop("today")
    end = LAST_RELEASE.get(major, date.max if major > max(LAST_RELEASE) else date.min)
    old = end < today
    yield Finding(
        check="version",
        severity="warning" if old else "ok",
        title=f"PostgreSQL {row['version']}" + (" is no longer maintained" if old else ""),
        meaning="Its holes are known and stay open: this major version gets no releases any more."
        if old
        else "",
        advice="Move to a later major version, by pg_upgrade or a replica." if old else "",
        evidence=evidence([row]),
    )


UNREADABLE = """
select format('%I.%I', n.nspname, c.relname) as "table"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and not (has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select'))
 order by 1 limit $1
"""


def rights(look: Look) -> Iterator[Finding]:
    """What this role may not see, which other checks would silently lack."""
    look.sees_sessions = look.value(
        "select pg_has_role(current_user, 'pg_read_all_stats', 'usage')"
    )
    if not look.sees_sessions:
        look.skipped.append(
            (
                "sessions",
                "other roles' sessions and statements are hidden from this one"
                " (grant pg_monitor to it)",
            )
        )
    if tables := look.rows(UNREADABLE, limits.EVIDENCE):
        names = ", ".join(row["table"] for row in tables[: limits.SHOWN])
        more = f" and {len(tables) - limits.SHOWN} more" if len(tables) > limits.SHOWN else ""
        look.skipped.append(
            (
                "bloat",
                f"statistics of tables that this role may not read: {names}{more}"
                " (grant pg_read_all_data to it)",
            )
        )
    yield from ()


CACHE = """
select 'tables' as what, sum(heap_blks_hit)::float8 as hit, sum(heap_blks_read)::float8 as read
  from pg_statio_user_tables
union all
select 'indexes', sum(idx_blks_hit)::float8, sum(idx_blks_read)::float8 from pg_statio_user_indexes
"""


def cache(look: Look) -> Iterator[Finding]:
    """How many of the blocks asked for were in the server's cache."""
    rows = look.rows(CACHE)
    told = []
    severity: Severity = "ok"
    for row in rows:
        hit, read = row["hit"] or 0.0, row["read"] or 0.0
        if hit + read < limits.CACHE_BLOCKS:
            continue
        ratio = hit / (hit + read)
        told.append(f"{ratio:.1%} of {row['what']}")
        row["ratio"] = round(ratio, 4)
        if ratio < limits.CACHE_WARNING:
            severity = "warning"
        elif ratio < limits.CACHE_NOTE and severity == "ok":
            severity = "note"
    title = f"cache hits: {', '.join(told)}" if told else "cache hits: too little was read to say"
    if severity == "ok":
        yield Finding(check="cache", severity="ok", title=title, evidence=evidence(rows))
        return
    yield Finding(
        check="cache",
        severity=severity,
        title=title,
        meaning="Blocks that are not in shared_buffers are asked of the operating system, or the disk.",
        advice="Look for statements that read more than they need (slow-statements, missing-indexes)"
        " before shared_buffers is raised, to a quarter of the memory at most.",
        evidence=evidence(rows),
    )


CONNECTIONS = """
select (select sum(numbackends)::int from pg_stat_database) as open,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int as most
"""


def connections(look: Look) -> Iterator[Finding]:
    """How many of the connections are taken."""
    (row,) = look.rows(CONNECTIONS)
    share = row["open"] / max(1, row["most"])
    title = f"{row['open']} of {row['most']} connections are open"
    if share < limits.CONNECTIONS_WARNING:
        yield Finding(check="connections", severity="ok", title=title, evidence=evidence([row]))
        return
    yield Finding(
        check="connections",
        severity="problem" if share >= limits.CONNECTIONS_PROBLEM else "warning",
        title=title,
        meaning="Who comes when all are taken is refused; and each costs memory while it idles.",
        advice="Make the applications' pools smaller, or put a pooler before the server.",
        evidence=evidence([row]),
    )


# Name, the value (in the setting's own unit) that is looked for, how bad it is, and why.
SETTINGS: tuple[tuple[str, str, Severity, str, str], ...] = (
    ("fsync", "off", "problem", "a crash may destroy the database", "on"),
    ("full_page_writes", "off", "problem", "a power cut may destroy the database", "on"),
    ("autovacuum", "off", "problem", "tables swell, and transaction ids run out", "on"),
    ("track_counts", "off", "warning", "autovacuum is blind, and so is this report", "on"),
    ("password_encryption", "md5", "warning", "its hashes are as good as the password", "scram-sha-256"),
    ("synchronous_commit", "off", "note", "a crash may take the last commits with it", "on"),
    ("shared_buffers", "16384", "note", "128 MB (the default) or less; a quarter of the memory is usual", ""),
    ("work_mem", "4096", "note", "4 MB, the default; sorts and hashes beyond it go to disk", "16MB"),
    ("maintenance_work_mem", "65536", "note", "64 MB, the default; vacuum and new indexes take longer", "256MB"),
    ("effective_cache_size", "524288", "note", "4 GB, the default; half to three quarters of the memory is usual", ""),
    ("random_page_cost", "4", "note", "the default is for spinning disks; on others it keeps indexes from being used", "1.1"),
    ("idle_in_transaction_session_timeout", "0", "note", "a forgotten transaction stays for ever", "'5min'"),
)  # fmt: skip

SETTING = """
select name, setting, source from pg_settings where name in (select jsonb_array_elements_text($1))
"""


def settings(look: Look) -> Iterator[Finding]:
    """Settings that were left as they come, or are dangerous."""
    rows = {row["name"]: row for row in look.rows(SETTING, [name for name, *_ in SETTINGS])}
    by_severity: dict[Severity, list[dict[str, Any]]] = {}
    for name, bad, severity, why, better in SETTINGS:
        row = rows.get(name)
        if row is None or not _is(name, row["setting"], bad):
            continue
        statement = f"alter system set {name} = {better}" if better else None
        by_severity.setdefault(severity, []).append(
            {"setting": name, "is": row["setting"], "why": why, "statement": statement}
        )
    if not by_severity:
        yield Finding(check="settings", severity="ok", title="settings: nothing stands out")
    for severity, found in by_severity.items():
        yield concluded(
            "settings",
            found,
            fine="",
            severity=severity,
            title="{setting is|settings are} worth a look"
            if severity == "note"
            else "{setting is|settings are} dangerous",
            meaning="The defaults suit a small machine with spinning disks."
            if severity == "note"
            else "A safe default was changed.",
            advice="After `alter system` comes `select pg_reload_conf()`; shared_buffers needs a restart.",
        )


def _is(name: str, setting: str, bad: str) -> bool:
    """Whether a setting is the bad value. Fewer buffers than by default are as bad."""
    return setting == bad or (name == "shared_buffers" and int(setting) < int(bad))


WRAPAROUND = """
select datname as database, age(datfrozenxid)::bigint as age, mxid_age(datminmxid)::bigint as multixact_age,
       current_setting('autovacuum_freeze_max_age')::bigint as freeze_at,
       current_setting('autovacuum_multixact_freeze_max_age')::bigint as multixact_freeze_at
  from pg_database where datallowconn order by 2 desc limit $1
"""


def wraparound(look: Look) -> Iterator[Finding]:
    """How far each database is from running out of transaction ids."""
    yield judged_ages(look.rows(WRAPAROUND, limits.EVIDENCE))


def judged_ages(rows: list[dict[str, Any]]) -> Finding:
    """What the ages of databases mean."""

    def behind(row: dict[str, Any]) -> bool:
        return bool(
            row["age"] > limits.FREEZE_BEHIND * row["freeze_at"]
            or row["multixact_age"] > limits.FREEZE_BEHIND * row["multixact_freeze_at"]
        )

    bad = [row for row in rows if behind(row)]
    if not bad:
        oldest = max((row["age"] for row in rows), default=0)
        return Finding(
            check="wraparound",
            severity="ok",
            title=f"transaction ids: the oldest is {oldest:,} transactions old",
            evidence=evidence(rows),
        )
    worst = max(max(row["age"], row["multixact_age"]) for row in bad)
    return Finding(
        check="wraparound",
        severity="problem" if worst >= limits.WRAPAROUND else "warning",
        title=f"transaction ids are not frozen in time: {worst:,} of 2,100,000,000 are used",
        meaning="Autovacuum should have frozen these by now. At the end the server takes no more writes.",
        advice="End what holds old rows (long-transactions, prepared-transactions, replication-slots),"
        " then vacuum the named databases.",
        statements=("vacuum (freeze, verbose)",),
        evidence=evidence(bad),
    )

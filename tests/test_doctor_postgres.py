"""`rm.doctor` on servers of PostgreSQL, one where all is well and one where nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import rowmill as rm
from rowmill import _doctor_limits as limits
from rowmill._doctor_pg_server import judged_ages
from rowmill._doctor_pg_sessions import judged_slots
from rowmill._doctor_postgres import CHECKS
from tests.ill_postgres import (
    EVIL,
    QUOTED,
    has_statements,
    ill_server,
    smaller_limits,
)
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.direct("it is the server's own state that is looked at")

HEALTHY = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "idle_in_transaction_session_timeout": "60s",
    "password_encryption": "scram-sha-256",
}
SHOP = """
create table customers (id bigint generated always as identity primary key, name text not null);
create table orders (id bigint generated always as identity primary key,
                     customer bigint not null references customers, total numeric(10, 2));
create index on orders (customer, total);
insert into customers (name) select 'customer ' || i from generate_series(1, 20000) i;
insert into orders (customer, total) select i, i from generate_series(1, 20000) i;
analyze;
"""


@pytest.fixture(scope="module")
def ill(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server where nothing is well; `postgres` says that these tests are of a server."""
    with ill_server() as server:
        yield server


@pytest.fixture(scope="module")
def report(ill: PostgresServer) -> rm.Report:
    with smaller_limits(), rm.Database(ill.url, pool_size=1) as db:
        return rm.doctor(db)


def test_a_healthy_server_is_told_so(postgres: PostgresServer) -> None:
    settings = dict(HEALTHY)
    if has_statements():
        settings["shared_preload_libraries"] = "pg_stat_statements"
    with PostgresServer(settings=settings) as server:
        server.psql(SHOP)
        if has_statements():
            server.psql("create extension pg_stat_statements")
        with rm.Database(server.url) as db:
            for key in (1, 2):
                db.fetch("select * from orders where customer = $1", key)
            report = rm.doctor(db)
    assert report.skipped == ()
    bad = [finding for finding in report.findings if finding.severity != "ok"]
    # The wheels come without pg_stat_statements, which is worth a note.
    assert [f.check for f in bad] == ([] if has_statements() else ["slow-statements"]), report
    seen = {finding.check for finding in report.findings}
    assert seen == set(CHECKS) - {"rights"}
    assert report.worst == ("ok" if has_statements() else "note")


class UndoneError(Exception):
    """Rolls a transaction back."""


EXPECTED = {
    "cache": None,  # what is read before decides it: see test_a_small_cache_is_told
    "connections": "problem",
    "settings": "problem",
    "wraparound": "warning",
    "unused-indexes": "note",
    "duplicate-indexes": "warning",
    "foreign-keys-without-index": "warning",
    "missing-indexes": "warning",
    "invalid-indexes": "warning",
    "table-bloat": "warning",
    "index-bloat": "warning",
    "dead-rows": "warning",
    "never-analyzed": "note",
    "sequences": "problem",
    "long-transactions": "warning",
    "idle-in-transaction": "warning",
    "blocked-sessions": "warning",
    "prepared-transactions": "warning",
    "replication-slots": "warning",
}


def test_every_check_has_its_ill(report: rm.Report) -> None:
    assert report.skipped == ()
    assert report.worst == "problem"
    assert set(EXPECTED) | {"version", "rights", "slow-statements"} == set(CHECKS)


@pytest.mark.parametrize("check", [name for name, severity in EXPECTED.items() if severity])
def test_a_check_fires(report: rm.Report, check: str) -> None:
    worst = max((f for f in report[check]), key=lambda f: rm_severity(f.severity))
    expected = EXPECTED[check]
    assert worst.severity == expected or (check == "connections" and worst.severity == "warning")
    assert worst.meaning
    assert worst.evidence
    assert worst.advice or worst.statements


def rm_severity(word: str) -> int:
    return ["ok", "note", "warning", "problem"].index(word)


def rows(report: rm.Report, check: str) -> list[dict[str, object]]:
    return [dict(row) for finding in report[check] for row in finding.evidence]


def test_what_is_named(report: rm.Report) -> None:
    duplicates, overlapping = report["duplicate-indexes"]
    assert [row["index"] for row in duplicates.evidence] == [f"{EVIL} 2"]
    assert [row["index"] for row in overlapping.evidence] == [f"{EVIL} 3"]
    assert {row["index"] for row in rows(report, "unused-indexes")} == {
        *(f"{EVIL} {number}" for number in (1, 2, 3))
    }
    assert [row["columns"] for row in rows(report, "foreign-keys-without-index")] == [QUOTED]
    assert {row["table"] for row in rows(report, "missing-indexes")} >= {"public.dead"}
    assert [row["index"] for row in rows(report, "invalid-indexes")] == ["never_finished"]
    assert [row["table"] for row in rows(report, "table-bloat")] == ["public.swollen"]
    (bloat,) = rows(report, "table-bloat")
    # Nine of ten rows were deleted.
    assert 85 <= int(str(bloat["wasted_percent"])) <= 95
    assert {row["index"] for row in rows(report, "index-bloat")} == {"swollen_pkey"}
    assert "public.dead" in {row["table"] for row in rows(report, "dead-rows")}
    used = {row["sequence"]: row["used"] for row in rows(report, "sequences")}
    assert used["public.counted_id_seq"] == pytest.approx(2_000_000_000 / (2**31 - 1), abs=1e-4)
    assert used[f'{QUOTED}.{QUOTED[:-1]} 4"'] == 0.8
    assert [row["slot"] for row in rows(report, "replication-slots")] == ["forgotten"]


def test_who_waits_for_whom(report: rm.Report) -> None:
    (waits,) = rows(report, "blocked-sessions")
    (idle,) = rows(report, "idle-in-transaction")
    assert waits["blocked_by"] == idle["pid"]
    assert "n = 6" in str(waits["query"])
    assert "n = 5" in str(waits["blocker_query"])
    assert {row["query"] for row in rows(report, "long-transactions")} >= {"select pg_sleep(600)"}


def test_settings_are_told_by_how_bad_they_are(report: rm.Report) -> None:
    by_severity = {f.severity: {row["setting"] for row in f.evidence} for f in report["settings"]}
    assert by_severity["problem"] == {"fsync", "full_page_writes", "autovacuum"}
    assert by_severity["warning"] == {"password_encryption"}
    assert {"work_mem", "random_page_cost", "shared_buffers"} <= by_severity["note"]


def test_slow_statements(report: rm.Report) -> None:
    found = report["slow-statements"]
    if not has_statements():
        assert [f.statements for f in found] == [("create extension pg_stat_statements",)]
        return
    slow, others = found
    assert slow.severity == "warning"
    assert any("pg_sleep" in row["query"] for row in slow.evidence)
    assert all(row["mean_ms"] >= limits.SLOW_MS for row in slow.evidence)
    assert others.evidence


def test_statements_are_right_as_they_stand(ill: PostgresServer, report: rm.Report) -> None:
    """Names that end a quotation reach nothing else; what is advised makes the finding go."""
    with rm.Database(ill.url, pool_size=1) as db:
        for check in ("foreign-keys-without-index", "never-analyzed"):
            (finding,) = report[check]
            for statement in finding.statements:
                # Without "concurrently", which would wait for the idle transaction.
                db.execute(statement.replace(" concurrently", ""))
        with smaller_limits():
            after = rm.doctor(db)
        assert [f.severity for f in after["foreign-keys-without-index"]] == ["ok"]
        assert [f.severity for f in after["never-analyzed"]] == ["ok"]
        assert db.fetch_value("select count(*) from kept") == 0
        for check in ("unused-indexes", "duplicate-indexes", "sequences"):
            for statement in (s for f in report[check] for s in f.statements):
                with pytest.raises(UndoneError), db.transaction() as tx:
                    tx.execute(statement.replace(" concurrently", ""))
                    raise UndoneError


def test_it_can_only_read(pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "writes", lambda look: look.rows("create table t (a int)"))
    with rm.Database(pg_url, pool_size=1) as db:
        report = rm.doctor(db)
        assert "read-only transaction" in dict(report.skipped)["writes"]
        # A check that fails keeps no other from being made, and leaves nothing on the session.
        assert report["slow-statements"]
        assert db.fetch_value("show statement_timeout") == "0"
        assert db.fetch_value("show lock_timeout") == "0"
        assert db.execute("create table t (a int)") == 0


def test_a_lock_is_not_waited_for(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute("create sequence s")
    with rm.Database(pg_url) as db, db.transaction() as tx:
        tx.execute("alter sequence s increment 2")
        with rm.Database(pg_url, pool_size=1) as other:
            report = rm.doctor(other, timeout=20)
    ((check, why),) = report.skipped
    assert check == "sequences"
    assert "lock timeout" in why
    assert report["long-transactions"]


def test_a_role_without_rights_is_told_what_it_lacks(ill: PostgresServer) -> None:
    url = ill.dsn(user="scram_user", database="postgres")
    with smaller_limits(), rm.Database(url, pool_size=1) as db:
        report = rm.doctor(db)
    told = dict(report.skipped)
    assert "pg_monitor" in told["sessions"]
    assert "public.dead" in told["bloat"]
    assert "may not use" in told["sequences"]
    # Not "all is well" with what it does not see.
    assert report["blocked-sessions"] == ()
    assert report["idle-in-transaction"] == ()
    # The catalogue is everybody's.
    assert report["duplicate-indexes"][0].severity == "warning"


def test_time_that_runs_out_is_told(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.fetch("select 1")
        report = rm.doctor(db, timeout=0.02)
    assert any("no time was left of 0.02 s" in why for _, why in report.skipped)


def test_the_text_stays_in_its_lines(report: rm.Report) -> None:
    text = str(report)
    assert text.startswith("PostgreSQL ")
    assert EVIL not in text
    assert EVIL.replace("\n", "\\n") in text
    assert "\x1b" not in text
    assert text.index("problem") < text.index("warning") < text.index("\nok ")


def test_json_has_all_of_it(report: rm.Report) -> None:
    told = json.loads(report.to_json())
    assert told["worst"] == "problem"
    assert [finding["check"] for finding in told["findings"]] == [f.check for f in report.findings]
    statements = [s for finding in told["findings"] for s in finding["statements"]]
    assert any(EVIL.replace('"', '""') in statement for statement in statements)


def test_a_small_cache_is_told(postgres: PostgresServer) -> None:
    with PostgresServer(settings={"shared_buffers": "1MB", "autovacuum": "off"}) as server:
        server.psql(
            "create table wide as select i, repeat('x', 200) as t from generate_series(1, 50000) i"
        )
        for _ in range(20):
            server.psql("set enable_indexscan = off; select count(*) from wide where t = 'y'")
        with rm.Database(server.url) as db:
            (found,) = rm.doctor(db)["cache"]
    assert found.severity == "warning"
    assert found.evidence[0]["ratio"] < limits.CACHE_WARNING


def age(value: int, multixacts: int = 0) -> dict[str, object]:
    ages = {"age": value, "multixact_age": multixacts}
    return {"database": "db", **ages, "freeze_at": 200_000_000, "multixact_freeze_at": 400_000_000}


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (age(250_000_000), "ok"),
        (age(301_000_000), "warning"),
        (age(1_500_000_000), "problem"),
        (age(10, 601_000_000), "warning"),
        (age(10, 1_600_000_000), "problem"),
    ],
)
def test_ages_that_no_test_can_wait_for(row: dict[str, object], severity: str) -> None:
    assert judged_ages([row]).severity == severity


@pytest.mark.parametrize(
    ("active", "held", "status", "severity"),
    [
        (True, 1000, "reserved", "ok"),
        (True, 2 * 1024**3, "extended", "warning"),
        (False, None, "lost", "warning"),
        (False, 11 * 1024**3, "extended", "problem"),
    ],
)
def test_slots_that_no_test_can_fill(
    active: bool, held: int | None, status: str, severity: str
) -> None:
    row = {"slot": "s", "active": active, "held_bytes": held, "wal_status": status}
    assert judged_slots([{**row, "statement": "select 1"}]).severity == severity

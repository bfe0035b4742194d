"""`rm.doctor` on files of SQLite that are well, badly kept, and broken."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import rowmill as rm
from rowmill import _doctor_limits as limits
from rowmill._doctor_sqlite import visit

EVIL = "ev\"il'; drop table kept; --\n<b>"
QUOTED = '"' + EVIL.replace('"', '""') + '"'


def make(path: Path, sql: str) -> Path:
    """A file, made by Python's own SQLite so that nothing of it is Rowmill's doing."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(sql)
    connection.close()
    return path


def look(path: Path, **options: bool) -> rm.Report:
    with rm.Database(f"sqlite:///{path}?mode=ro") as db:
        return rm.doctor(db, **options)


def severity(report: rm.Report, check: str) -> str:
    (finding,) = report[check]
    return finding.severity


HEALTHY = """
pragma journal_mode = wal;
create table customers (id integer primary key, name text);
create table orders (id integer primary key, customer integer references customers, total real);
create index by_customer on orders (customer, total);
create table parts (of_order integer references orders, number integer, primary key (of_order, number)) without rowid;
create table more (id integer primary key references orders);
insert into customers values (1, 'ada');
insert into orders values (1, 1, 5.0);
create table padding (id integer primary key, t text);
insert into padding select value, hex(zeroblob(2000)) from (
    with recursive n(value) as (select 1 union all select value + 1 from n where value < 300) select value from n);
create index by_t on padding (t);
analyze;
"""


@pytest.mark.parametrize("full", [False, True])
def test_a_healthy_file_is_told_so(tmp_path: Path, full: bool) -> None:
    report = look(make(tmp_path / "shop.db", HEALTHY), full=full)
    assert report.skipped == ()
    assert [f.check for f in report.findings if f.severity != "ok"] == []
    assert report.worst == "ok"
    assert len(report.findings) == 10
    (checked,) = report["integrity"]
    assert checked.title == ("integrity_check" if full else "quick_check") + " found nothing"
    assert "padding" in {row["name"] for row in report["sizes"][0].evidence}


ILL = f"""
pragma page_size = 1024;
pragma encoding = 'UTF-16';
create table kept (id integer primary key);
create table parents (id integer primary key, a int, b int, unique (a, b));
create table {QUOTED} ({QUOTED} integer references parents, a int, b int,
                       foreign key (a, b) references parents (a, b));
insert into {QUOTED} values (99, null, null);
create index {QUOTED[:-1]} 1" on {QUOTED} (a);
create index {QUOTED[:-1]} 2" on {QUOTED} (a, b desc);
create index {QUOTED[:-1]} 3" on {QUOTED} (a);
create index partial on {QUOTED} (a) where b > 5;
create index expression on {QUOTED} (a + 1);
create table padding (id integer primary key, t text);
insert into padding select value, hex(zeroblob(2000)) from (
    with recursive n(value) as (select 1 union all select value + 1 from n where value < 500) select value from n);
delete from padding where id > 100;
"""


@pytest.fixture
def ill(tmp_path: Path) -> Path:
    return make(tmp_path / "ill.db", ILL)


def test_every_check_fires(ill: Path) -> None:
    report = look(ill)
    assert report.skipped == ()
    assert {f.check: f.severity for f in report.findings} == {
        "broken-references": "problem",
        "foreign-keys-without-index": "warning",
        "redundant-indexes": "warning",
        "file": "note",
        "journal": "note",
        "free-space": "note",
        "tables-without-key": "note",
        "statistics": "note",
        "integrity": "ok",
        "sizes": "ok",
    }
    assert [f.severity for f in report.findings] == sorted(
        (f.severity for f in report.findings),
        key=["problem", "warning", "note", "ok"].index,
    )
    (keys,) = report["foreign-keys-without-index"]
    # The other one is served by the index that begins with its columns.
    assert [row["columns"] for row in keys.evidence] == [QUOTED]
    (redundant,) = report["redundant-indexes"]
    # Of three that begin alike the longest is kept.
    assert {row["index"] for row in redundant.evidence} == {f"{EVIL} 1", f"{EVIL} 3"}
    (references,) = report["broken-references"]
    assert references.evidence[0]["table"] == EVIL


def test_statements_are_right_as_they_stand(ill: Path) -> None:
    report = look(ill)
    connection = sqlite3.connect(ill, isolation_level=None)
    for check in (
        "foreign-keys-without-index",
        "redundant-indexes",
        "free-space",
        "statistics",
        "journal",
    ):
        (finding,) = report[check]
        assert finding.statements
        for statement in finding.statements:
            connection.execute(statement)
    connection.close()
    after = look(ill)
    for check in (
        "foreign-keys-without-index",
        "redundant-indexes",
        "free-space",
        "statistics",
        "journal",
    ):
        assert severity(after, check) == "ok", check
    connection = sqlite3.connect(ill)
    assert connection.execute("select count(*) from kept").fetchone() == (0,)
    connection.close()


def test_a_damaged_file(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", HEALTHY)
    data = bytearray(path.read_bytes())
    for page in range(20, 30):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    report = look(path)
    (finding,) = report["integrity"]
    assert finding.severity == "problem"
    assert finding.evidence
    assert report.worst == "problem"


def test_what_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_bytes(b"not a database, but long enough to be read as one. " * 100)
    with pytest.raises(rm.DatabaseError, match="not an SQLite database"):
        look(path)


def test_only_full_reads_the_indexes(tmp_path: Path) -> None:
    sql = "create table t (id integer primary key, a text); create index i on t (a);"
    path = make(tmp_path / "shop.db", f"{sql} insert into t values (1, 'x'), (2, 'y')")
    connection = sqlite3.connect(path)
    ((root,),) = connection.execute("select rootpage from sqlite_schema where name = 'i'")
    connection.close()
    # A key of the index is no longer its row's.
    data = bytearray(path.read_bytes())
    at = data.rindex(b"y", (root - 1) * 4096, root * 4096)
    data[at : at + 1] = b"z"
    path.write_bytes(data)
    assert severity(look(path), "integrity") == "ok"
    (full,) = look(path, full=True)["integrity"]
    assert full.severity == "problem"
    assert [row["found"] for row in full.evidence] == ["row 2 missing from index i"]


def test_a_log_that_is_never_folded_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAL_BYTES", 1024 * 1024)
    path = make(tmp_path / "shop.db", "pragma journal_mode = wal; create table t (a)")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("pragma wal_autocheckpoint = 0")
    for _ in range(30):
        writer.execute("insert into t values (zeroblob(100000))")
    report = look(path)
    writer.close()
    (finding,) = report["journal"]
    assert finding.severity == "warning"
    assert finding.evidence[0]["log_bytes"] > 2_000_000


HOLD = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("begin exclusive")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_not_waited_for(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", "create table t (a)")
    # By another process: two libraries in one do not see each other's locks.
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(rm.OperationalError, match="locked"):
            look(path)
        holder.communicate()


def test_a_lock_that_comes_in_between_is_not_waited_for(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", "create table t (a)")
    with rm.Database(f"sqlite:///{path}?mode=ro", pool_size=1) as db:
        db.fetch("pragma busy_timeout = 0")
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            _, findings, skipped = visit(db, str(path), 60.0, False)
            holder.communicate()
    # How the journal is kept is known without reading the file.
    assert [finding.check for finding in findings] == ["journal"]
    assert {why for _, why in skipped} == {"database is locked"}
    assert len(skipped) == 9


def test_it_touches_nothing(ill: Path) -> None:
    before, files = ill.read_bytes(), set(ill.parent.iterdir())
    look(ill, full=True)
    assert ill.read_bytes() == before
    assert set(ill.parent.iterdir()) == files


def test_the_callers_own_database(tmp_path: Path) -> None:
    path = tmp_path / "odd name?#%.db"
    with rm.Database(path) as db:
        db.execute("create table t (id integer primary key)")
        assert rm.doctor(db).worst == "ok"
        # The connection of the report was another one: this one waits for locks as before, and writes.
        assert db.execute("insert into t values (1)") == 1
    with rm.Database("sqlite://") as memory:
        memory.execute("create table t (a)")
        assert severity(rm.doctor(memory), "tables-without-key") == "note"
        assert memory.execute("insert into t values (1)") == 1


def test_time_that_runs_out_is_told(ill: Path) -> None:
    with rm.Database(f"sqlite:///{ill}?mode=ro") as db:
        report = rm.doctor(db, timeout=1e-6)
    assert dict(report.skipped)["integrity"].endswith("of 1e-06 s")


def test_wrong_arguments() -> None:
    with rm.Database("sqlite://") as db:
        for timeout in (0, -1, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="timeout is a number of seconds above zero"):
                rm.doctor(db, timeout=timeout)
    with pytest.raises(TypeError, match=r"is a rowmill\.Database, not str"):
        rm.doctor("sqlite://")  # type: ignore[arg-type]


def test_text_and_json(ill: Path) -> None:
    report = look(ill)
    text = str(report)
    assert EVIL not in text
    assert "\\n<b>" in text
    assert text.startswith("SQLite ")
    told = json.loads(report.to_json())
    assert told["database"] == "sqlite"
    assert told["worst"] == "problem"
    assert repr(report) == f"<rowmill.Report sqlite {report.version}: problem>"

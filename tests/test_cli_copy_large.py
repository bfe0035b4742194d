"""`rowmill copy` of much: in bounded memory, and interrupted in the middle."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import rowmill as rm
from tests.cli import COMMAND, COUNTING, environment
from tests.watch import eventually

pytest.importorskip("pyarrow")

ENDLESS = COUNTING.format(10**12)


def peak(*words: str) -> int:
    """Run a copy; the most bytes of memory it had of its own, which files mapped are not."""
    most = 0
    with subprocess.Popen(
        [*COMMAND, "copy", *words], stderr=subprocess.PIPE, env=environment()
    ) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"RssAnon:\s*(\d+) kB", status.read_text())
            most = max(most, int(found[1]) * 1024 if found else 0)
            time.sleep(0.01)
        assert process.stderr is not None
        assert process.returncode == 0, process.stderr.read()
    return most


def test_memory_is_bounded(tmp_path: Path, pg_url: str) -> None:
    # Selected as it is, the series comes row by row.
    sql = "select i, repeat(md5(i::text), 9) as t from (select generate_series(1, 1000000) i) s"
    csv, arrow, lite = (str(tmp_path / name) for name in ("o.csv", "o.arrow", "o.db"))
    used = [
        peak(pg_url, csv, "--query", sql),
        peak(csv, pg_url, "--into", "t", "--create"),
        peak(pg_url, arrow, "--table", "t"),
        peak(arrow, f"sqlite:///{lite}?mode=rwc", "--into", "t", "--create"),
        peak(lite, str(tmp_path / "o.parquet"), "--table", "t"),
    ]
    assert all(Path(path).stat().st_size > 290_000_000 for path in (csv, arrow, lite))
    # PyArrow takes 30 MB before the first row, SQLite up to 64 MB as it writes.
    assert max(used) < 180_000_000, used


def interrupted(words: list[str], begun: Callable[[], bool]) -> None:
    """Start a copy, send SIGINT once it has begun, and see that it ends well."""
    with subprocess.Popen(
        [*COMMAND, "copy", *words], stderr=subprocess.PIPE, env=environment()
    ) as process:
        try:
            assert eventually(begun, 20)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert said == b"rowmill: interrupted\n"


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_interrupted_the_old_file_stays(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "out" / f"o.{suffix}"
    out.parent.mkdir()
    out.write_text("before")

    def begun() -> bool:
        return any(path.stat().st_size > 1_000_000 for path in out.parent.glob(".*.part"))

    interrupted(["sqlite://", str(out), "--query", ENDLESS], begun)
    assert out.read_text() == "before"
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("how", [("item", "--replace"), ("new", "--create")])
def test_interrupted_the_old_rows_stay(any_url: str, pg_url: str, how: tuple[str, ...]) -> None:
    # A series that is selected comes row by row; one in `from` would come when it is whole.
    sql = "select i as id, repeat('x', 200) as name from (select generate_series(2, 50000000) i) s"
    running = (
        "select count(*) from pg_stat_activity"
        " where pid <> pg_backend_pid() and query like 'select i as id%'"
    )
    with rm.Database(any_url) as db, rm.Database(pg_url) as pg:
        db.execute_script("create table item (id integer primary key, name text)")
        db.load("item", {"id": [1], "name": ["old"]})
        words = [pg_url, any_url, "--query", sql, "--into", *how]
        interrupted(words, lambda: bool(pg.fetch_value(running)))
        assert db.fetch("select * from item").to_dict() == {"id": [1], "name": ["old"]}
        with pytest.raises(rm.ProgrammingError):
            db.fetch("select * from new")

"""`rowmill doctor` as a program, and its page of the documentation."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

import rowmill as rm
from rowmill._doctor_postgres import CHECKS
from tests.cli import rowmill
from tests.postgres_server import PostgresServer

PAGE = (Path(__file__).parent.parent / "docs" / "doctor.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the page's first program makes, in the directory where the others look for it."""
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAMS[0], "docs/doctor.md", "exec"), {"__name__": "doctor"})
    return tmp_path / "shop.db"


def test_the_pages_example(shop: Path) -> None:
    (shown,) = re.findall(r"<!-- doctor:start -->\n```\n(.*?)```", PAGE, re.DOTALL)
    done = rowmill("doctor", str(shop))
    told = re.sub(r"^SQLite \S+:", "SQLite x:", done.stdout).replace(str(shop), "shop.db")
    assert told == re.sub(r"^SQLite \S+:", "SQLite x:", shown)
    assert done.stderr == ""


@pytest.mark.parametrize("number", [1, 2])
def test_the_pages_programs(shop: Path, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(PROGRAMS[number], "docs/doctor.md", "exec"), {"__name__": "doctor"})
    told = capsys.readouterr().out
    assert ("problem\n1 foreign key" if number == 1 else "SCAN orders") in told
    assert (shop.parent / "plan.html").is_file() is (number == 2)


def test_the_page_lists_every_check(shop: Path) -> None:
    postgres, sqlite = PAGE.split("An SQLite file is opened")
    listed = {
        name
        for row in re.findall(r"^\| (`.*?) \|", postgres, re.MULTILINE)
        for name in re.findall(r"`(.*?)`", row)
    }
    assert listed == set(CHECKS) - {"rights"}
    listed = set(re.findall(r"^\| `(.*?)` \|", sqlite.split("## Plans")[0], re.MULTILINE))
    with rm.Database(f"sqlite:///{shop}?mode=ro") as db:
        assert listed == {finding.check for finding in rm.doctor(db).findings}


def test_json_and_the_exit_status(shop: Path) -> None:
    report = json.loads(rowmill("doctor", str(shop), "--json").stdout)
    assert report["worst"] == "problem"
    for severity, status in (("note", 3), ("warning", 3), ("problem", 3)):
        rowmill("doctor", f"sqlite:///{shop}", "--fail-on", severity, status=status)
    connection = sqlite3.connect(shop, isolation_level=None)
    connection.execute("delete from orders where customer = 3")
    connection.close()
    rowmill("doctor", str(shop), "--fail-on", "problem")
    rowmill("doctor", str(shop), "--fail-on", "warning", status=3)


def test_the_file_is_left_as_it_is(shop: Path) -> None:
    before = shop.read_bytes()
    for words in ((str(shop),), (f"sqlite:///{shop}?mode=rwc&dates=unix", "--full")):
        rowmill("doctor", *words)
    rowmill("doctor", DATABASE_URL=f"sqlite:///{shop}")
    assert shop.read_bytes() == before
    assert [path.name for path in shop.parent.iterdir()] == ["shop.db"]


def test_postgres(pg_url: str) -> None:
    with rm.Database(pg_url) as db:
        db.execute_script(
            "create table a (id int primary key); create table b (a int references a)"
        )
    done = rowmill("doctor", pg_url, "--timeout", "30")
    assert done.stdout.startswith("PostgreSQL ")
    assert "create index concurrently on public.b (a);" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_cannot_be_looked_at(tmp_path: Path, postgres: PostgresServer) -> None:
    assert "there is no file" in rowmill("doctor", "sqlite:///none.db", status=2).stderr
    assert "neither a URL" in rowmill("doctor", "none.db", status=2).stderr
    assert "in memory" in rowmill("doctor", "sqlite://", status=2).stderr
    assert "no database was named" in rowmill("doctor", status=2).stderr
    assert "invalid choice" in rowmill("doctor", "x.db", "--fail-on", "ok", status=2).stderr
    assert "--timeout" in rowmill("doctor", "x.db", "--timeout", "0", status=2).stderr
    text = tmp_path / "text.db"
    text.write_text("no database " * 100)
    assert "not an SQLite database" in rowmill("doctor", str(text), status=1).stderr
    hidden = "postgresql://ada:opensesame@127.0.0.1:1/db"
    done = rowmill("doctor", hidden, status=1)
    assert done.stderr.startswith("rowmill: error: ")
    assert "opensesame" not in done.stderr
    assert "usage: rowmill doctor" in rowmill("doctor", "--help").stdout
    assert "doctor" in rowmill("--help").stdout

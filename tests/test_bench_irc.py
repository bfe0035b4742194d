"""The IRC log of the bench: whoever is measured on it gives the same rows for the same questions."""

from __future__ import annotations

from typing import Any

import pytest

from bench.harness import Case, start
from bench.irc import KINDS, Log, load_postgres, load_sqlite
from bench.measure import Job

LOG = Log(3_000)
OURS = ["rowmill", "rowmill_traced", "rowmill_text"]
PEERS = ["core", "orm", "django"]


def answered(url: str, arms: list[str]) -> dict[str, dict[str, Any]]:
    """What each arm answers, from a process of their own: Django can be set up but once."""
    job = Job("irc", "answers", url=url, keys=LOG.lines, count=8, other=" ".join(arms))
    figures = start(Case("all", job))
    assert not {"error", "unavailable"} & set(figures), figures
    return {arm: figures[arm] for arm in arms}


def compare(answers: dict[str, dict[str, Any]], driver: str) -> None:
    """All arms against the driver, which must have found something of each kind."""
    expected = answers.pop(driver)
    assert {kind for kind in KINDS if any(expected[kind])} == set(KINDS)
    assert len(expected["day150"][0][0]) == 11
    assert max(map(len, expected["day150"])) > max(map(len, expected["day10"]))
    for arm, answer in answers.items():
        for kind in KINDS:
            assert answer[kind] == expected[kind], (arm, kind)


@pytest.fixture(scope="module")
def sqlite_log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a file with the log."""
    file = tmp_path_factory.mktemp("irc") / "irc.db"
    load_sqlite(file, LOG)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_log(pg_url: str) -> str:
    """URL of a database with the log."""
    load_postgres(pg_url, LOG)
    return pg_url


@pytest.fixture
def peers() -> list[str]:
    """Those of requirements/bench.txt, where they are installed."""
    for name in ("sqlalchemy", "django"):
        pytest.importorskip(name, reason="the peers of the bench are not installed")
    return PEERS


def test_rows_are_those_of_sqlite3(sqlite_log: str) -> None:
    compare(answered(sqlite_log, ["sqlite3", *OURS]), "sqlite3")


@pytest.mark.direct("the driver that is compared with prepares statements")
def test_rows_are_those_of_psycopg(postgres_log: str) -> None:
    compare(answered(postgres_log, ["psycopg", *OURS]), "psycopg")


def test_rows_of_the_peers_are_those_of_sqlite3(sqlite_log: str, peers: list[str]) -> None:
    compare(answered(sqlite_log, ["sqlite3", *peers]), "sqlite3")


@pytest.mark.direct("the drivers that are compared prepare statements")
def test_rows_of_the_peers_are_those_of_psycopg(postgres_log: str, peers: list[str]) -> None:
    compare(answered(postgres_log, ["psycopg", *peers]), "psycopg")


def test_a_log_is_the_same_each_time() -> None:
    again = Log(LOG.lines)
    assert list(LOG.logs()) == list(again.logs())
    assert [LOG.asked(kind, 5) for kind in KINDS] == [again.asked(kind, 5) for kind in KINDS]


def test_a_log_has_NULLs_and_no_whole_seconds() -> None:  # noqa: N802
    rows = list(LOG.logs())
    nulls = {n for row in rows for n, value in enumerate(row) if value is None}
    assert nulls == {6, 7, 8, 10}
    assert all(row[2].microsecond for row in rows)
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)

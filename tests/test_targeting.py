"""The example of a bidder: what it answers is what its table says, whatever changes meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import rowmill as rm
from targeting.campaigns import Campaign, campaigns, requests
from targeting.histogram import Histogram
from targeting.load import Load, in_process, over_http, run
from targeting.picture import page
from targeting.service import Bid, Service
from targeting.store import Store
from tests.cli import example

ROOT = Path(__file__).resolve().parent.parent
NEVER = 1e6
"""Seconds between two looks of a service that looks when it is told to."""


def always(id: int, bid: float) -> Campaign:
    return Campaign(id, rm.lit(True).to_json(), bid)


@contextlib.contextmanager
def serving(
    url: str, some: list[Campaign], every: float = NEVER
) -> Iterator[tuple[Store, Service]]:
    with Store(url) as store:
        store.create(iter(some))
        with Service(url, every=every) as service:
            yield store, service


def until(truth: Callable[[], bool]) -> None:
    """Wait for what another thread does, for a minute."""
    end = time.monotonic() + 60
    while not truth():
        assert time.monotonic() < end
        time.sleep(0.01)


def bids_of(service: Service) -> list[tuple[int, float]]:
    return [(id, bid) for id, bid in service.answer({}, 100)]


def test_answers_are_those_of_a_filter_for_each_campaign(any_url: str) -> None:
    some = list(campaigns(seed=3, count=400))
    asked = list(itertools.islice(requests(seed=3), 60))
    names = {name for one in asked for name in one}
    frame = rm.Frame({name: [one.get(name) for one in asked] for name in names})
    frame = rm.Frame({**frame.to_dict(), "row": range(len(asked))})
    wanted: list[list[tuple[float, int]]] = [[] for _ in asked]
    for id, filter, bid in some:
        for row in frame.filter(rm.Expr.from_json(filter))["row"].to_list():
            wanted[row].append((-bid, id))
    with serving(any_url, some) as (_, service):
        for one, found in zip(asked, wanted, strict=True):
            best = [Bid(id, -bid) for bid, id in sorted(found)]
            assert service.answer(one, 1_000) == best
            assert service.answer(json.dumps(one).encode(), 2) == best[:2]
    assert sum(map(len, wanted)) > 100


def test_changes_of_the_table_are_seen(any_url: str) -> None:
    with serving(any_url, [always(id, id) for id in range(1, 6)]) as (store, service):
        assert bids_of(service) == [(5, 5), (4, 4), (3, 3), (2, 2), (1, 1)]
        service.refresh()
        assert service.changes == 0, "what was read is not read again"
        db = store.db
        db.execute("update campaigns set active = false where id = 5")
        db.execute("update campaigns set bid = 9 where id = 1")
        db.execute("delete from campaigns where id in (2, 3)")
        db.load("campaigns", [always(7, 0.5)._asdict()])
        assert len(bids_of(service)) == 5, "nobody has looked yet"
        service.refresh()
        assert bids_of(service) == [(1, 9), (4, 4), (7, 0.5)]
        db.execute("update campaigns set active = true where id = 5")
        db.execute("update campaigns set deleted = false where id = 3")
        country = (rm.col("country") == "DE").to_json()
        db.execute("update campaigns set filter = $1 where id = 4", country)
        service.refresh()
        assert bids_of(service) == [(1, 9), (5, 5), (3, 3), (7, 0.5)]
        assert service.answer({"country": "DE"}, 3)[-1] == Bid(4, 4)
        seen = service.changes
        service.refresh()
        assert service.changes == seen
        with Service(any_url, every=NEVER) as other:
            assert bids_of(other) == bids_of(service)
            other.refresh()
            assert bids_of(other) == bids_of(service)


def test_a_campaign_that_was_deleted_can_be_inserted_again(any_url: str) -> None:
    with serving(any_url, [always(1, 1), always(2, 2)]) as (store, service):
        store.db.execute("delete from campaigns")
        service.refresh()
        assert bids_of(service) == []
        store.db.load("campaigns", [always(1, 5)._asdict(), always(3, 3)._asdict()])
        insert = "insert into campaigns (id, filter, bid) values (2, 'true', 4)"
        store.db.execute(insert)
        with pytest.raises(rm.IntegrityError):
            store.db.execute(insert)
        service.refresh()
        assert bids_of(service) == [(1, 5), (2, 4), (3, 3)]


def test_what_would_go_unseen_is_refused(any_url: str) -> None:
    with serving(any_url, [always(5, 5), always(6, 6)]) as (store, service):
        keys = ["id = 50"] if "postgres" in any_url else ["id = 50", "rowid = 50"]
        for key in keys:
            with pytest.raises(rm.Error, match="the id of a campaign does not change"):
                store.db.execute(f"update campaigns set {key} where id = 5")
        if "postgres" in any_url:
            with pytest.raises(rm.Error, match="truncate leaves no tombstones"):
                store.db.execute("truncate campaigns")
        store.db.execute("update campaigns set id = id, bid = 7 where id = 5")
        service.refresh()
        assert bids_of(service) == [(5, 7), (6, 6)]


def test_a_bid_is_a_number(any_url: str) -> None:
    with serving(any_url, [always(1, 1), always(2, 2)]) as (store, service):
        nan = "update campaigns set bid = 'nan' where id = 1"
        if "postgres" in any_url:
            store.db.execute(nan)
            service.refresh()
            assert bids_of(service) == [(2, 2)], "it is not shown"
        else:
            with pytest.raises(rm.IntegrityError):
                store.db.execute(nan)
            with pytest.raises(rm.IntegrityError):
                store.db.execute("update campaigns set filter = x'00'")


def test_a_delete_and_an_update_do_not_deadlock(pg_url: str) -> None:
    failures: list[Exception] = []

    def run_it(statement: str) -> None:
        try:
            store.db.execute(statement)
        except rm.Error as error:
            failures.append(error)

    with serving(pg_url, [always(1, 1), always(2, 2)]) as (store, service):
        waits = """select count(*) from pg_stat_activity
            where wait_event_type = 'Lock' and datname = current_database()"""
        threads = []
        with store.db.transaction() as first:
            first.execute("update campaigns set bid = 20 where id = 2")
            for statement in (
                "update campaigns set bid = 10 where id = 1",
                "delete from campaigns where id = 1",
            ):
                threads.append(threading.Thread(target=run_it, args=(statement,)))
                threads[-1].start()
                until(lambda: store.db.fetch_value(waits) == len(threads))
        for thread in threads:
            thread.join()
        assert not failures
        service.refresh()
        assert bids_of(service) == [(2, 20)]


def test_changes_beyond_a_page_are_seen(any_url: str) -> None:
    with serving(any_url, [always(id, id % 7) for id in range(2_500)]) as (store, service):
        store.db.execute("update campaigns set bid = id + 10")
        store.db.execute("delete from campaigns where id % 2 = 0")
        service.refresh()
        assert service.answer({}, 2) == [Bid(2_499, 2_509), Bid(2_497, 2_507)]
        assert service.stats()["campaigns"] == 1_250


def test_a_thread_looks_by_itself(any_url: str) -> None:
    with serving(any_url, [always(1, 1)], every=0.01) as (store, service):
        store.db.load("campaigns", [always(2, 2)._asdict()])
        until(lambda: bids_of(service) == [(2, 2), (1, 1)])
        store.db.execute("delete from campaigns")
        until(lambda: bids_of(service) == [])


def test_what_commits_late_is_not_missed(pg_url: str) -> None:
    with serving(pg_url, [always(1, 1), always(2, 2)]) as (store, service):
        second = threading.Thread(
            target=store.db.execute, args=("update campaigns set bid = 20 where id = 2",)
        )
        with store.db.transaction() as first:
            first.execute("update campaigns set bid = 10 where id = 1")
            second.start()
            waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            until(lambda: bool(store.db.fetch_value(waits)))
            service.refresh()
            assert bids_of(service) == [(2, 2), (1, 1)], "neither is committed"
        second.join()
        service.refresh()
        assert bids_of(service) == [(2, 20), (1, 10)]
        versions = store.db.fetch("select version from campaigns order by id")["version"].to_list()
        assert versions[0] < versions[1], "in the order of the commits"


def test_a_campaign_that_cannot_be_read_harms_no_other(
    any_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    odd = Campaign(2, (rm.col("colour") == "red").to_json(), 2)
    with serving(any_url, [always(1, 1), odd, always(3, 3)]) as (store, service):
        assert bids_of(service) == [(3, 3), (1, 1)]
        store.db.execute("""update campaigns set filter = '["less", 1]' where id = 3""")
        store.db.execute("update campaigns set bid = 4 where id = 1")
        service.refresh()
        assert bids_of(service) == [(1, 4)]
        stats = service.stats()
        assert (stats["refused"], stats["campaigns"]) == (2, 1)
    told = capfd.readouterr().err
    assert 'targeting: campaign 2 is not shown: there is no attribute "colour"' in told
    assert "targeting: campaign 3 is not shown: a stored expression" in told


def test_it_answers_while_the_table_is_away(
    any_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(any_url, [always(1, 1)], every=0.01) as (store, service):
        store.db.execute("alter table campaigns rename to hidden")
        until(lambda: service.stats()["failures"] > 2)
        assert bids_of(service) == [(1, 1)]
        store.db.execute("alter table hidden rename to campaigns")
        store.db.execute("update campaigns set bid = 2")
        until(lambda: bids_of(service) == [(1, 2)])
    assert capfd.readouterr().err.count("the table could not be read") == 1


def test_whatever_goes_wrong_it_looks_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(sqlite_url, [always(1, 1)], every=0.01) as (store, service):

        def fail(_since: object) -> None:
            raise KeyError("x")

        with monkeypatch.context() as patch:
            patch.setattr(service.store, "changes", fail)
            until(lambda: service.failures > 2)
        store.db.execute("update campaigns set bid = 2")
        until(lambda: bids_of(service) == [(1, 2)])
    assert "the table could not be read: KeyError('x')" in capfd.readouterr().err


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "examples.targeting", *map(str, words)]


def targeting(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a verb and check its exit status."""
    return example(*command(*words), status=status)


@contextlib.contextmanager
def served(url: str) -> Iterator[str]:
    """The URL of the service in a process of its own, which ends as it is asked to."""
    with subprocess.Popen(
        command("serve", url, "--port", 0, "--every", 0.02),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            line = process.stdout.readline()
            assert "answers for" in line, process.stderr.read()
            yield line.split()[0]
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stdout.read() == "ended\n"
            assert process.stderr.read() == ""
        finally:
            process.kill()


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[int, Any]:
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_it_serves_http(any_url: str, tmp_path: Path) -> None:
    assert "300 campaigns" in targeting("make", any_url, "--campaigns", 300, "--seed", 5).stdout
    picture = tmp_path / "picture.html"
    some = list(itertools.islice(requests(seed=5), 20))
    with served(any_url) as url, Service(any_url, every=NEVER) as service, Store(any_url) as store:
        with contextlib.closing(http.client.HTTPConnection(url.partition("//")[2])) as connection:
            for one in some:
                status, answer = asked(connection, "POST", "/bid?top=5", json.dumps(one).encode())
                assert status == 200
                assert [Bid(**bid) for bid in answer["bids"]] == service.answer(one, 5)
            assert asked(connection, "GET", "/health") == (200, {"ok": True, "campaigns": 300})
            store.db.load("campaigns", [always(1_000, 99)._asdict()])
            until(lambda: asked(connection, "GET", "/stats")[1]["campaigns"] == 301)
            assert asked(connection, "POST", "/bid", b"{}")[1]["bids"][0] == {
                "id": 1_000,
                "bid": 99.0,
            }
            for path, body, status, message in [
                ("/bid", b'{"age": "old"}', 400, 'the attribute "age"'),
                ("/bid", b"{", 400, "the record is no JSON: EOF"),
                ("/bid?top=x", b"{}", 400, "top is a number from 0 to 1000"),
                ("/bid?top=99999999999999999999", b"{}", 400, "top is a number"),
                ("/bids", b"{}", 404, "POST /bid"),
            ]:
                told = asked(connection, "POST", path, body)
                assert told[0] == status
                assert message in told[1]["error"]
            assert asked(connection, "GET", "/")[0] == 404
            for length, status in [("70000", 413), ("9" * 5_000, 413), ("x", 411)]:
                connection.putrequest("POST", "/bid")
                connection.putheader("Content-Length", length)
                connection.endheaders()
                response = connection.getresponse()
                assert response.status == status
                assert response.getheader("Connection") == "close"
                response.read()
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        for part in (b"", b"POST /bid HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", b"?\r\n\r\n"):
            with socket.create_connection(address) as client:
                client.sendall(part)
                # Closed at once, what it may be told thrown away.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        words = ("--url", url, "--seconds", 0.2, "--picture", picture)
        out = targeting("load", *words).stdout
        assert "requests in" in out
        assert "p99.9" in out
    figure_of(picture.read_text("utf-8"))


def figure_of(text: str) -> ElementTree.Element:
    """The picture of a page, which is well formed and asks nobody for anything."""
    assert not re.search(r"<script|src=|href=|url\(|@import", text)
    assert "prefers-color-scheme:dark" in text
    found = ElementTree.fromstring(text.partition(">")[2]).find(
        ".//{http://www.w3.org/2000/svg}svg"
    )
    assert found is not None
    return found


def test_the_picture_has_a_bar_for_each_time() -> None:
    histogram = Histogram()
    for nanoseconds in [20_000] * 990 + [5_000_000] * 10:
        histogram.add(nanoseconds)
    for percent, micros in [(50, 20), (99, 20), (99.9, 5_000), (100, 5_000)]:
        assert histogram.quantile(percent) == pytest.approx(micros, rel=0.025)
    both = Histogram([histogram, histogram])
    assert (both.count, both.most, both.quantile(50)) == (2_000, 5_000, histogram.quantile(50))
    load = Load(1.0, 2, 1_990, both)
    assert load.lines()[0] == "2,000 requests in 1.0 s by 2 threads: 2,000 a second, 1.0 bids each"
    text = page(load, "<Answers> & more")
    svg = figure_of(text)
    assert "&lt;Answers&gt; &amp; more" in text
    bars = svg.findall("{*}rect")
    assert [bar.findtext("{*}title", "").partition(": ")[2] for bar in bars] == ["1,980", "20"]
    words = [one.text or "" for one in svg.findall("{*}text")]
    assert any(word.startswith("p99.9 5 ms") for word in words)
    assert {"20 µs", "1 ms", "1,000"} <= set(words)
    empty = Load(1.0, 1, 0, Histogram())
    assert "nothing was asked" in page(empty, "Nothing")
    assert "0 requests" in empty.lines()[0]


def test_a_load_asks_what_its_seed_says_and_tells_of_failures(sqlite_url: str) -> None:
    with serving(sqlite_url, list(campaigns(1, 50))) as (_, service):
        done = run(lambda: in_process(service, 2), 0.1, 3, seed=4)
        assert done.histogram.count > 0
        assert done.bids <= 2 * done.histogram.count
        service.matcher.settle()
    first = list(itertools.islice(requests(4), 5))
    assert first == list(itertools.islice(requests(4), 5))
    assert first != list(itertools.islice(requests(5), 5))
    assert list(campaigns(1, 20)) == list(campaigns(1, 30))[:20]
    with pytest.raises(OSError, match=r"as http://127.0.0.1:8080, not ftp://x"):
        run(lambda: over_http("ftp://x", 2), 5, 2, seed=4)


def test_the_demo_shows_all_of_it(tmp_path: Path) -> None:
    picture = tmp_path / "p.html"
    words = ("--campaigns", 500, "--seconds", 0.2, "--threads", 1, "--picture", picture)
    out = targeting("demo", *words).stdout
    for said in ("500 campaigns in SQLite", "the first was deleted", "requests in", "p50"):
        assert said in out
    figure_of(picture.read_text("utf-8"))


@pytest.mark.parametrize("count", [1, 3, 6])
def test_the_demo_shows_what_it_can_of_few_campaigns(count: int) -> None:
    words = ("--campaigns", count, "--seconds", 0.05, "--threads", 1, "--seed", count)
    out = targeting("demo", *words).stdout
    assert "bids: " in out
    assert "requests in" in out


def test_help_names_what_there_is() -> None:
    out = targeting("--help").stdout
    for verb in ("make", "serve", "load", "demo", "postgresql://"):
        assert verb in out
    out = targeting("load", "--help").stdout
    for word in (
        "--url",
        "--seconds",
        "--threads",
        "--seed",
        "--picture",
        "sqlite:///targeting.db",
    ):
        assert word in out


def test_what_is_wrong_is_told_in_one_line(sqlite_url: str, tmp_path: Path) -> None:
    targeting("make", sqlite_url, "--campaigns", 3)
    file = tmp_path / "none.db"
    nothing = f"sqlite:///{file}"
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    with rm.Database(empty) as db:
        db.execute("create table other (id int)")
    wrong: list[tuple[tuple[object, ...], str]] = [
        (("make", sqlite_url), "this database has campaigns already; drop its tables campaigns"),
        (("make", "x.db"), "not a database URL: the URL of that file is sqlite:///x.db"),
        (("serve", nothing), "there is no such file; `python -m examples.targeting make DATABASE`"),
        (("load", empty), "no such table: campaigns; `python -m examples.targeting make"),
        (("serve", "mysql://x/y"), "mysql"),
        (("serve", "postgresql://127.0.0.1:1/x"), "refused"),
        (("load", "--url", "http://127.0.0.1:1", "--seconds", 1), "refused"),
        (("load", "--url", "ftp://x"), "a service's URL is as http://127.0.0.1:8080, not ftp://x"),
    ]
    for words, message in wrong:
        told = targeting(*words, status=1).stderr
        assert told.startswith("targeting: ")
        assert message in told
        assert told.count("\n") == 1
    wrong = [
        (("make", "--campaigns", 0), "argument --campaigns: invalid natural value: '0'"),
        (("load", "--seconds", "nan"), "argument --seconds: invalid positive value: 'nan'"),
        (("serve", "--port", 70_000), "argument --port: invalid port value: '70000'"),
        (("load", sqlite_url, "--picture", tmp_path), f"{tmp_path} is a directory"),
        (("load", sqlite_url, "--picture", file / "p.html"), f"there is no directory {file}"),
        (("sell",), "invalid choice: 'sell'"),
        ((), "required: make | serve | load | demo"),
    ]
    for words, message in wrong:
        assert message in targeting(*words, status=2).stderr.splitlines()[-1]
    assert not file.exists()
    with served(sqlite_url) as url:
        told = targeting("serve", sqlite_url, "--port", url.rpartition(":")[2], status=1).stderr
        assert "in use" in told

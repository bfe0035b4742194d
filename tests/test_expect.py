"""Blocks in which so many queries run at most."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import rowmill as rm


@pytest.fixture
def db(any_url: str) -> Iterator[rm.Database]:
    with rm.Database(any_url) as db:
        db.execute("create table t (id integer primary key, a integer)")
        db.load("t", [{"id": at, "a": at % 3} for at in range(9)])
        yield db


def test_what_runs_is_counted_in_its_order(db: rm.Database) -> None:
    with db.expect(max_queries=6) as ran:
        assert ran.queries == []
        db.fetch("select 1")
        db.fetch_one("select 2")
        db.fetch_value("select 3")
        db.fetch_json("select 4")
        list(db.stream("select 5"))
        db.execute("delete from t where id = 6")
        assert repr(ran) == "<rowmill.Expected 6 of 6 queries>"
    db.fetch("select 7")
    ended = [*(f"select {at}" for at in range(1, 6)), "delete from t where id = 6"]
    assert ran.queries == ended


def test_more_than_expected_is_an_assertion_that_shows_each_with_its_number(
    db: rm.Database,
) -> None:
    with pytest.raises(AssertionError) as raised, db.expect(max_queries=2):
        for at in range(5):
            db.fetch(f"select id from t where a = 5 and id > {at // 9}")
        db.fetch("select 1")
    lines = str(raised.value).splitlines()
    assert lines[0] == "6 queries ran, 2 were expected at most:"
    assert lines[1:3] == ["  5 x select id from t where a = 5 and id > 0", "  1 x select 1"]
    assert "one for each row?" in lines[3]
    with pytest.raises(AssertionError, match="1 queries ran, 0 were"), db.expect(max_queries=0):
        db.fetch("select 1")
    with pytest.raises(AssertionError, match="and 5 more"), db.expect(max_queries=0):
        for at in range(25):
            db.fetch(f"select {at}")


def test_an_error_inside_comes_out_as_it_is(db: rm.Database) -> None:
    with pytest.raises(KeyError), db.expect(max_queries=0) as ran:
        db.fetch("select 1")
        raise KeyError("mine")
    assert ran.queries == ["select 1"]
    with pytest.raises(rm.Error), db.expect(max_queries=0):
        db.fetch("select nothing_of_this_name")


def test_blocks_within_each_other_each_count_what_runs_in_them(db: rm.Database) -> None:
    with db.expect(max_queries=3) as outer:
        db.fetch("select 1")
        with db.expect(max_queries=1) as inner:
            db.fetch("select 2")
        db.fetch("select 3")
    assert outer.queries == ["select 1", "select 2", "select 3"]
    assert inner.queries == ["select 2"]
    with pytest.raises(AssertionError, match="2 queries ran, 1"), db.expect(max_queries=9) as outer:  # noqa: SIM117
        with db.expect(max_queries=1):
            db.fetch("select 1")
            db.fetch("select 2")
    assert len(outer.queries) == 2


def test_transactions_are_counted_by_their_queries(db: rm.Database) -> None:
    with db.expect(max_queries=3) as ran:
        with db.transaction() as tx:
            tx.fetch("select 1")
            with tx.savepoint():
                tx.execute("update t set a = 1")
            list(tx.stream("select 2"))
        assert ran.queries == ["select 1", "update t set a = 1", "select 2"]


def test_loads_and_scripts_are_not_counted(db: rm.Database) -> None:
    with db.expect(max_queries=0) as ran:
        db.load("t", [{"id": 100, "a": 1}])
        db.execute_many("insert into t values ($1, $2)", [(101, 1), (102, 2)])
        db.execute_script("delete from t where id = 100; delete from t where id = 101")
    assert ran.queries == []
    assert db.fetch_value("select count(*) from t where id >= 100") == 1


def test_other_databases_and_threads(db: rm.Database) -> None:
    with rm.Database("sqlite://") as other, db.expect(max_queries=4) as ran:
        other.fetch("select 0")
        threads = [threading.Thread(target=db.fetch, args=("select 1",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ran.queries == ["select 1"] * 4


@pytest.mark.anyio
async def test_expectations_under_asyncio(any_url: str) -> None:
    async with rm.AsyncDatabase(any_url) as db:
        with db.expect(max_queries=4) as ran:
            await db.fetch("select 1")
            await db.fetch_json("select 2")
            async with db.transaction() as tx:
                await tx.fetch_value("select 3")
            assert [len(part) async for part in db.stream("select 4")] == [1]
        assert ran.queries == [f"select {at}" for at in range(1, 5)]
        with pytest.raises(AssertionError, match="2 queries"), db.expect(max_queries=1):
            await db.fetch("select 1")
            await db.fetch("select 1")


def test_what_is_no_expectation(db: rm.Database) -> None:
    with pytest.raises(
        (rm.ProgrammingError, ValueError), match="max_queries is at least 0, not -1"
    ):
        db.expect(max_queries=-1)
    with pytest.raises(TypeError):
        db.expect(3)  # type: ignore[call-arg]
    expected = db.expect(max_queries=1)
    assert expected.queries == []
    with expected:
        pass
    with pytest.raises(RuntimeError, match="for one `with` block"), expected:
        pass


def test_a_partitioned_stream_is_one_query(any_url: str, db: rm.Database) -> None:
    for partition in ("id", rm.Partition("id", parts=2, ordered=True)):
        with db.expect(max_queries=1) as ran:
            rows = [
                row.id for part in db.stream("select * from t", partition=partition) for row in part
            ]
        assert sorted(rows) == list(range(9))
        assert len(ran.queries) == 1

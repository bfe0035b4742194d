"""Through PgBouncer: each mode, with and without prepared statements, and what goes wrong without the flag.

The whole suite goes through it with `./dev test --through=KIND`; here is what only a pooler brings about.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest

import rowmill as rm
from tests.pooler import THROUGH, Pooler, without_pooler
from tests.pooler_binaries import PoolerUnavailableError
from tests.postgres_server import PostgresServer
from tests.watch import HANG

# The pooler that the tests here start stands before the server itself.
pytestmark = pytest.mark.direct("the test starts a pooler of its own")

TRANSACTION = {"pooler": "transaction"}


@contextlib.contextmanager
def pooled(server: PostgresServer, kind: str, **settings: str) -> Iterator[Pooler]:
    through = THROUGH[kind]
    with contextlib.ExitStack() as stack:
        pooler = Pooler(server, mode=through.mode, release=through.release, settings=settings)
        try:
            stack.enter_context(pooler)
        except PoolerUnavailableError as error:
            without_pooler(error)
        yield pooler


@pytest.fixture(scope="module", params=[kind for kind in THROUGH if kind != "session"])
def mixing(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[str]:
    """A URL behind which every transaction is another session's: there are three, in turn."""
    with pooled(postgres, request.param, server_idle_timeout="600") as pooler:
        url = pooler.dsn(**THROUGH[request.param].options)
        with rm.Database(url, pool_size=3) as db, contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(db.transaction()).fetch("select 1")
        with rm.Database(url) as db:
            pids = {db.fetch_value("select pg_backend_pid()") for _ in range(6)}
            assert len(pids) == 3
        yield url


def test_statements_find_their_way_in_any_session(mixing: str) -> None:
    with rm.Database(mixing, pool_size=2) as db:
        for number in range(12):
            for text in ("select $1::int8 as n", "select $1::text as n, 2 as m", "select 3 as n"):
                wanted = number if "int8" in text else str(number) if "text" in text else 3
                parameters = [wanted] if "$1" in text else []
                assert db.fetch_value(text, *parameters) == wanted


async def test_pipelines_of_tasks_find_their_way(mixing: str) -> None:
    async with rm.AsyncDatabase(mixing, pool_size=2) as db:
        for _ in range(4):
            asked = [db.fetch_value(f"select $1::int8 + {at % 7}", at) for at in range(60)]
            assert await asyncio.gather(*asked) == [at + at % 7 for at in range(60)]


def test_two_clients_never_get_each_others_statements(mixing: str) -> None:
    with rm.Database(mixing, pool_size=1) as one, rm.Database(mixing, pool_size=1) as other:
        for number in range(9):
            assert one.fetch_value("select 'one ' || $1", str(number)) == f"one {number}"
            assert other.fetch_value("select 'other ' || $1", str(number)) == f"other {number}"


def test_a_changed_table_is_read_as_it_is_now(mixing: str) -> None:
    with rm.Database(mixing) as db:
        db.execute_script(
            "drop table if exists changing; create table changing (n int); insert into changing values (1)"
        )
        for _ in range(4):
            assert db.fetch("select * from changing").to_dict() == {"n": [1]}
        db.execute_script("alter table changing add m text default 'x'")
        for _ in range(4):
            assert db.fetch("select * from changing").to_dict() == {"n": [1], "m": ["x"]}
        db.execute_script("alter table changing drop m, alter n type text")
        for _ in range(4):
            assert db.fetch("select * from changing").to_dict() == {"n": ["1"]}


def test_a_parameter_whose_type_changed_is_bound_anew(mixing: str) -> None:
    with rm.Database(mixing) as db:
        db.execute_script("drop table if exists moving; create table moving (n text)")
        insert = "insert into moving values ($1)"
        assert db.execute(insert, "1") == 1
        db.execute_script("alter table moving alter n type int using n::int")
        for _ in range(3):
            assert db.execute(insert, 2) == 1
        db.execute_script("alter table moving alter n type int8")
        assert db.execute(insert, 1 << 40) == 1
        assert db.fetch("select n from moving").to_dict() == {"n": [1, 2, 2, 2, 1 << 40]}


def test_types_of_the_database_are_looked_up(mixing: str) -> None:
    with rm.Database(mixing) as db:
        db.execute_script("drop type if exists mood; create type mood as enum ('sad', 'glad')")
        for _ in range(4):
            assert db.fetch_value("select array['glad', null]::mood[]") == ["glad", None]


def test_each_verb_in_turn(mixing: str) -> None:
    with rm.Database(mixing) as db:
        db.execute_script(
            "drop table if exists verbs; create table verbs (n int8 primary key, word text)"
        )
        assert db.load("verbs", {"n": [1, 2], "word": ["a", "b"]}) == 2
        assert db.load("verbs", {"n": [2, 3], "word": ["B", "c"]}, on_conflict="update") == 2
        assert db.execute_many("insert into verbs values ($1, $2)", [(4, "d"), (5, "e")]) == 2
        with db.transaction() as tx:
            tx.execute("update verbs set word = upper(word) where n = $1", 1)
            with pytest.raises(rm.IntegrityError), tx.savepoint():
                tx.execute("insert into verbs values ($1, 'twice')", 1)
            assert tx.fetch_value("select word from verbs where n = $1", 1) == "A"
        words = [
            part["word"].to_list()
            for part in db.stream("select word from verbs order by n", batch_rows=2)
        ]
        assert words == [["A", "B"], ["c", "d"], ["e"]]
        for _ in db.stream("select generate_series(1, 10000000)", batch_rows=1000):
            break
        assert db.fetch_value("select count(*) from verbs") == 5


async def test_each_verb_in_turn_async(mixing: str) -> None:
    async with rm.AsyncDatabase(mixing) as db:
        await db.execute_script(
            "drop table if exists averbs; create table averbs (n int8 primary key, word text)"
        )
        assert await db.load("averbs", {"n": [1, 2], "word": ["a", "b"]}) == 2
        assert (
            await db.execute_many("insert into averbs values ($1, $2)", [(4, "d"), (5, "e")]) == 2
        )
        async with db.transaction() as tx:
            await tx.execute("update averbs set word = upper(word) where n = $1", 1)
            assert await tx.fetch_value("select word from averbs where n = $1", 1) == "A"
        async for _ in db.stream("select generate_series(1, 10000000)", batch_rows=1000):
            break
        assert await db.fetch_value("select count(*) from averbs") == 4


def test_a_deadline_stops_the_statement_at_the_server(
    mixing: str, postgres: PostgresServer
) -> None:
    with rm.Database(mixing, pool_size=1) as db:
        for _ in range(3):
            with pytest.raises(rm.QueryTimeout):
                db.fetch("select pg_sleep(60) as stopped_behind_a_pooler", timeout=0.1)
            assert db.fetch_value("select 1") == 1
    running = "select count(*) from pg_stat_activity where state = 'active' and query like '%stopped_behind%'"
    assert postgres.psql(f"{running} and pid <> pg_backend_pid()") == "0"


async def test_a_cancelled_task_stops_its_statement(mixing: str) -> None:
    async with rm.AsyncDatabase(mixing, pool_size=1) as db:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await db.fetch("select pg_sleep(60)")
            async with asyncio.timeout(HANG):
                assert await db.fetch_value("select 1") == 1


def test_without_the_flag_the_error_says_what_to_set(postgres: PostgresServer) -> None:
    with pooled(postgres, "transaction-old") as pooler:
        # While another client's transaction has the one session, ours begins another one.
        failures: list[rm.Error] = []
        with rm.Database(pooler.dsn(), pool_size=4) as db:
            gate = threading.Barrier(4)

            def work() -> None:
                for number in range(200):
                    if number == 0:
                        gate.wait(HANG)
                    try:
                        with db.transaction() as tx:
                            assert (
                                tx.fetch_value(f"select $1::int8 + {number % 5}", 1)
                                == 1 + number % 5
                            )
                    except rm.Error as error:
                        failures.append(error)

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(HANG)
    assert failures, "four clients of one pool met no session that lacked their statement"
    for error in failures:
        assert "pooler=transaction" in (error.hint or ""), error
        assert error.sqlstate == "26000"


def test_session_mode_needs_no_flag(postgres: PostgresServer) -> None:
    with pooled(postgres, "session") as pooler, rm.Database(pooler.dsn(), pool_size=2) as db:
        for number in range(20):
            assert db.fetch_value("select $1::int8", number) == number


@pytest.mark.parametrize("release", ["old", "new"])
def test_a_refused_startup_parameter_says_what_to_set(
    postgres: PostgresServer, release: str
) -> None:
    kind = "session" if release == "old" else "transaction-new"
    with pooled(postgres, kind) as pooler:
        url = pooler.dsn(options="-c statement_timeout=1000")
        with rm.Database(url) as db, pytest.raises(rm.ConnectError) as caught:
            db.fetch("select 1")
    assert "ignore_startup_parameters" in (caught.value.hint or ""), caught.value
    refused = "options" if release == "old" else "statement_timeout"
    assert f"ignore_startup_parameters = {refused}" in (caught.value.hint or "")


@pytest.mark.parametrize("role", ["md5_user", "scram_user"])
@pytest.mark.parametrize("tcp", [False, True])
def test_passwords(postgres: PostgresServer, role: str, tcp: bool) -> None:
    with pooled(postgres, "transaction-new") as pooler:
        with rm.Database(pooler.dsn(user=role, tcp=tcp)) as db:
            assert db.fetch_value("select current_user::text") == role
        wrong = pooler.dsn(user=role, tcp=tcp, password="wrong")
        with rm.Database(wrong) as db, pytest.raises(rm.ConnectError):
            db.fetch("select 1")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("pooler=statement", "allows no transactions"),
        ("pooler=yes", "one of session, transaction"),
        ("pgbouncer=true", "pooler=transaction"),
        ("statement_cache_size=0", "pooler=transaction"),
        ("prepareThreshold=0", "pooler=transaction"),
    ],
)
def test_wrong_words_for_it_name_the_right_ones(option: str, words: str) -> None:
    with pytest.raises(rm.InterfaceError) as caught:
        rm.Database(f"postgresql://ann@localhost/shop?{option}")
    assert words in f"{caught.value} {caught.value.hint}"


def test_no_statement_cache_is_the_flags_business() -> None:
    with pytest.raises(ValueError, match="pooler=transaction"):
        rm.Database("postgresql://ann@localhost/shop", statement_cache=0)

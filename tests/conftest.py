"""Fixtures every room shares: the server, URLs of both databases, both event loops."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.pooler import THROUGH, PooledServer, without_pooler
from tests.pooler_binaries import PoolerUnavailableError
from tests.postgres_server import PostgresServer, find_version

# No deadline: the first example pays for a connection, and a shared machine is noisy.
# The same examples every time: a commit is green or red and not both.
settings.register_profile(
    "rowmill",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("rowmill")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares what the tests that touch PostgreSQL run against; with either, they alone run."""
    parser.addoption(
        "--postgres",
        metavar="VERSION",
        help="run the tests that touch PostgreSQL on a server of this major version",
    )
    parser.addoption(
        "--through",
        choices=sorted(THROUGH),
        help="run the tests that touch PostgreSQL through PgBouncer",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the server for this run, and for the programs that its tests start."""
    if version := config.getoption("--postgres"):
        os.environ["ROWMILL_PG_BIN"] = str(find_version(version))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what does not depend on the server of this run, and what that cannot do."""
    through = config.getoption("--through")
    if not through and not config.getoption("--postgres"):
        return
    chosen = [item for item in items if _touches_postgres(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
    for item in items if through else []:
        for mark in item.iter_markers("direct"):
            item.add_marker(pytest.mark.skip(reason=f"not through a pooler: {mark.args[0]}"))
        for mark in item.iter_markers("session"):
            if THROUGH[through].mode == "transaction":
                item.add_marker(pytest.mark.skip(reason=f"needs a session: {mark.args[0]}"))


def _touches_postgres(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    if "any_url" in names:
        return bool(item.callspec.params["any_url"] == "postgres")  # type: ignore[attr-defined]
    return "postgres" in names


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    ],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Runs each coroutine test on asyncio's own loop and on uvloop."""
    return request.param


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The session's server, with TCP and TLS. No server is a failure, never a skip."""
    through = request.config.getoption("--through")
    server = (
        PooledServer(THROUGH[through], tcp=True, in_memory=True)
        if through
        else PostgresServer(tcp=True, in_memory=True)
    )
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(server)
        except PoolerUnavailableError as error:
            without_pooler(error)
        yield server


@pytest.fixture
def postgres_tls(postgres: PostgresServer) -> PostgresServer:
    """The same server, where it can do TLS: that of the wheel is built without."""
    if not postgres.tls:
        pytest.skip("this PostgreSQL is built without TLS")
    return postgres


@pytest.fixture
def pg_url(postgres: PostgresServer) -> Iterator[str]:
    """URL of an empty PostgreSQL database over the Unix socket."""
    with postgres.fresh_database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database: the test runs once on each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")
    return url

"""Fixtures every room shares: the server, URLs of both databases, both event loops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres_server import PostgresServer

# No deadline: the first example pays for a connection, and a shared machine is noisy.
# The same examples every time: a commit is green or red and not both.
settings.register_profile(
    "rowmill",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("rowmill")


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
def postgres() -> Iterator[PostgresServer]:
    """The session's server, with TCP and TLS. No server is a failure, never a skip."""
    with PostgresServer(tcp=True) as server:
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

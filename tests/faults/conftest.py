"""What the fault tests share: a proxy before the session's server, a database with the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rowmill as rm
from tests.faults.conversations import TABLE
from tests.faults.proxy import Proxy
from tests.faults.scram import verifier
from tests.postgres_server import PASSWORD, PostgresServer


@pytest.fixture(scope="session")
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    """Before the session's server, whose SCRAM role costs one round here."""
    postgres.psql(f"alter role scram_user password '{verifier(PASSWORD)}'")
    with Proxy(postgres.socket_dir / f".s.PGSQL.{postgres.port}") as proxy:
        yield proxy


@pytest.fixture
def url(pg_url: str) -> str:
    """A database with the table of the conversations."""
    with rm.Database(pg_url) as db:
        db.execute_script(TABLE)
    return pg_url

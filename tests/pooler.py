"""A private PgBouncer in front of a private PostgreSQL server, for as long as a `with` block lasts.

    with PostgresServer() as server, Pooler(server, mode="transaction") as pooler:
        pooler.dsn()                      # over the pooler's Unix socket
        pooler.dsn(tcp=True)

`PooledServer` is both in one, and stands where a `PostgresServer` does: its URLs lead through the pooler.
`THROUGH` names the kinds that `./dev test --through=KIND` runs the tests with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import pytest

from tests.pooler_binaries import PoolerUnavailableError, Release, pooler_command
from tests.postgres_server import (
    PASSWORD,
    ROLES,
    SUPERUSER,
    PostgresServer,
    free_port,
    identity,
)
from tests.supervised import Supervised

Mode = Literal["session", "transaction"]


class Through(NamedTuple):
    """A pooler, and what a URL says of it."""

    release: Release
    mode: Mode
    options: dict[str, str]


# What a test run can go through. A new pooler follows prepared statements, so it needs no flag; it must
# bear the flag too.
THROUGH = {
    "session": Through("old", "session", {}),
    "transaction-old": Through("old", "transaction", {"pooler": "transaction"}),
    "transaction-new": Through("new", "transaction", {}),
    "transaction-new-flag": Through("new", "transaction", {"pooler": "transaction"}),
}

SETTINGS = {
    "auth_type": "hba",
    "max_client_conn": "1000",
    # Sessions of one test may all be in a transaction at once.
    "default_pool_size": "64",
    # Each transaction goes to the connection unused longest: whoever counts on the same one again fails.
    "server_round_robin": "1",
    "server_idle_timeout": "5",
    "query_wait_timeout": "60",
    "server_login_retry": "1",
    "log_connections": "0",
    "log_disconnections": "0",
}

# Ends the pooler when we end in any way, as postgres_server's does, and removes its directory.
SUPERVISE = """
exec 3<&0 </dev/null
(
    (
        read -r _ <&3
        kill -QUIT $$
        while kill -0 $$ 2>&1 && [ -e "$0/pid" ]; do sleep 0.05; done
        cd / && rm -rf "$0"
    ) >/dev/null 2>&1 &
)
exec 3<&-
exec "$@"
"""

START_TIMEOUT = 30.0  # seconds
BEHIND = "behind"  # the file beside the pooler's socket that says where the server is


class Pooler(Supervised):
    """A throw-away PgBouncer, on a Unix socket and on loopback TCP.

    Attributes:
        socket_dir: directory of the Unix socket.
        port: number of the socket file, and the TCP port.
        log_file: the pooler's log.
    """

    def __init__(
        self,
        server: PostgresServer,
        *,
        mode: Mode = "transaction",
        release: Release = "new",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing starts before `start` or the `with` block.

        Args:
            server: where it leads.
            mode: when it gives a connection of the server to another client.
            release: whether it knows prepared statements.
            settings: PgBouncer's, over those of `SETTINGS`.
        """
        self.server = server
        self.release = release
        known = {"max_prepared_statements": "200"} if release == "new" else {}
        self.settings = {**SETTINGS, **known, "pool_mode": mode, **(settings or {})}

    def dsn(self, **arguments: Any) -> str:
        """A URL as the server's `dsn` makes it, that leads through the pooler. Without TLS."""
        return self.route(self.server.dsn(**arguments))

    def route(self, url: str) -> str:
        """A URL of the server, through the pooler."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        if "host" in query:
            query.update(host=str(self.socket_dir), port=str(self.port))
        place = parts.netloc.replace(f"@localhost:{self.server.port}", f"@localhost:{self.port}")
        query_text = urlencode(query, quote_via=quote, safe="/")
        return urlunsplit(parts._replace(netloc=place, query=query_text))

    def start(self) -> None:
        """Starts the pooler and waits until it listens.

        Raises:
            PoolerUnavailableError: no program, or the pooler's own message.
        """
        command = pooler_command(self.release)
        self._identity = identity()
        self.socket_dir = Path(tempfile.mkdtemp(prefix="rowmill-pooler-", dir="/tmp"))
        self.log_file = self.socket_dir / "log"
        try:
            self._own(self.socket_dir)
            command = self._reachable(command)
            for _ in range(4):
                self._launch(command)
                if self._ready():
                    return
                self.stop()
                if "Address already in use" not in self.log():
                    break
            raise PoolerUnavailableError(f"PgBouncer did not start:\n{self.log()[-2000:]}")
        except BaseException:
            self.stop()
            shutil.rmtree(self.socket_dir, ignore_errors=True)
            raise

    def _reachable(self, command: list[str]) -> list[str]:
        """The command, of a copy where the unprivileged user may not enter the programs' directory."""
        try:
            subprocess.run(
                [*command, "--version"], capture_output=True, check=True, **self._identity
            )
        except PermissionError:
            tree = Path(command[-1]).parents[2]
            copy = self.socket_dir / "programs"
            shutil.copytree(tree, copy, symlinks=True)
            for path in copy.glob("**/"):
                self._own(path)  # whoever removes them must own them
            return [part.replace(str(tree), str(copy)) for part in command]
        except subprocess.CalledProcessError as error:
            raise PoolerUnavailableError(f"PgBouncer: {error.stderr.decode().strip()}") from None
        return command

    def _launch(self, command: list[str]) -> None:
        self.port = free_port()
        users = {SUPERUSER: "", **dict.fromkeys(ROLES, PASSWORD)}
        roles = "".join(f'"{name}" "{password}"\n' for name, password in users.items())
        (self.socket_dir / "users").write_text(roles)
        lines = []
        for kind, address in (("local", ""), ("host", " 127.0.0.1/32"), ("host", " ::1/128")):
            # A pooler has no method that is called password.
            methods = {role: "md5" if way == "password" else way for role, way in ROLES.items()}
            lines += [f"{kind} all {role}{address} {way}" for role, way in methods.items()]
            lines.append(f"{kind} all all{address} trust")
        (self.socket_dir / "hba").write_text("\n".join(lines) + "\n")
        settings = {
            "listen_addr": "127.0.0.1,::1",
            "listen_port": str(self.port),
            "unix_socket_dir": str(self.socket_dir),
            "auth_file": str(self.socket_dir / "users"),
            "auth_hba_file": str(self.socket_dir / "hba"),
            "pidfile": str(self.socket_dir / "pid"),
            "admin_users": SUPERUSER,
            **self.settings,
        }
        config = [
            "[databases]",
            f"* = host={self.server.socket_dir} port={self.server.port}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        way = {"host": str(self.server.socket_dir), "port": str(self.server.port)}
        (self.socket_dir / BEHIND).write_text(urlencode(way))
        path = self.socket_dir / "pgbouncer.ini"
        path.write_text("\n".join(config) + "\n")
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", SUPERVISE, str(self.socket_dir), *command, str(path)],
                cwd=self.socket_dir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity,
            )

    def _ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            if "process up: " in self.log():
                return True
            time.sleep(0.02)
        return False


class PooledServer(PostgresServer):
    """A PostgreSQL server whose URLs lead through a pooler, those with TLS excepted."""

    def __init__(self, through: Through, **arguments: Any) -> None:
        """As of `PostgresServer`, with the pooler in addition."""
        super().__init__(**arguments)
        self.through = through
        self.pooler = Pooler(self, mode=through.mode, release=through.release)

    def start(self) -> None:
        """Starts the server, then the pooler."""
        super().start()
        try:
            self.pooler.start()
        except BaseException:
            super().stop()
            raise

    def stop(self) -> None:
        """Stops the pooler, then the server."""
        self.pooler.stop()
        super().stop()

    def route(self, url: str) -> str:
        """Through the pooler, with what the URL has to say of it."""
        options = self.through.options
        return self.pooler.route(url) + "".join(f"&{name}={options[name]}" for name in options)


def past_pooler(url: str) -> str:
    """The URL by which another driver reaches the same database: no pooler's, no option of ours."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.pop("pooler", None)
    behind = Path(query.get("host", "")) / BEHIND
    if behind.is_file():
        query.pop("port", None)
        query.update(parse_qsl(behind.read_text()))
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def without_pooler(error: PoolerUnavailableError) -> NoReturn:
    """Skips a test that has no pooler; where poolers are required, it fails."""
    if os.environ.get("ROWMILL_TEST_POOLERS") == "required":
        raise error
    pytest.skip(str(error))

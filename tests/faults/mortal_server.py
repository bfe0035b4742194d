"""A server that may be killed and started again, and one that follows another."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.postgres_server import START_TIMEOUT, PostgresServer, ServerUnavailableError

# A killed server loses what it had not written yet, unless COMMIT waits for the write. What a
# machine loses in a power cut is not at stake here: fsync stays off.
DURABLE = {"synchronous_commit": "on", "max_connections": "60", "shared_buffers": "16MB"}


@contextlib.contextmanager
def _limited(size: int) -> Iterator[None]:
    """Processes started in the block inherit the limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if size != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class MortalServer(PostgresServer):
    """A `PostgresServer` with `kill` and `restart`; its COMMITs last."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__(settings=DURABLE | (settings or {}))

    @property
    def socket_file(self) -> Path:
        """Where it listens."""
        return self.socket_dir / f".s.PGSQL.{self.port}"

    def _write_rules(self) -> None:
        super()._write_rules()
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("local replication all trust\n")

    def kill(self) -> None:
        """`kill -9` of the postmaster; its children end when they notice."""
        os.kill(self.pid, signal.SIGKILL)
        self._let_go()

    def _let_go(self) -> None:
        assert self._process is not None
        self._process.communicate(b"\n")  # the companion is not to clean up
        self._process = None

    def revive(self) -> None:
        """Starts it again where a test that failed left it stopped."""
        if self._process is not None and self._process.poll() is not None:
            self._let_go()
        if self._process is None:
            self.restart()

    def restart(self, largest_file: int = resource.RLIM_INFINITY) -> None:
        """Starts again on the same files; returns once it serves. The system refuses it to write a
        file beyond `largest_file` bytes."""
        give_up = time.monotonic() + START_TIMEOUT
        while True:
            with contextlib.suppress(ServerUnavailableError), _limited(largest_file):
                self._launch()
                return
            # A child of the killed one still holds the shared memory.
            assert time.monotonic() < give_up, self.log()[-2000:]
            time.sleep(0.05)

    def _ready(self) -> bool:
        assert self._process is not None
        pid_file = self._data / "postmaster.pid"
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                lines = pid_file.read_text().splitlines()
                # The file of the killed one says "ready" too.
                if (
                    lines
                    and lines[0] == str(self.pid)
                    and lines[-1].strip() in ("ready", "standby")
                ):
                    return True
            time.sleep(0.01)
        return False


class Standby(MortalServer):
    """A hot standby of another server, for as long as a `with` block lasts."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__()
        self.primary = primary

    def __enter__(self) -> Self:
        self.start()
        return self

    def _initialise(self) -> None:
        source = ["-h", str(self.primary.socket_dir), "-p", str(self.primary.port)]
        copy = [str(self._bin / "pg_basebackup"), "-D", str(self._data), "-U", self.user, "-R"]
        self._run(*copy, *source, "--checkpoint=fast", "--no-sync")

    def _create_roles(self) -> None:
        """They came with the copy."""

    def promote(self) -> None:
        """Makes it a primary."""
        self.psql("select pg_promote(true, 30)")

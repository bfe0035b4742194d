"""A server that a test run starts for itself, and that ends when the run does, in whatever way."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

STOP_TIMEOUT = 20.0  # seconds before a fast shutdown becomes an immediate one


class Supervised:
    """A process in a directory of its own. A shell before it reads from a pipe, and ends it when that closes.

    Attributes:
        socket_dir: the directory, with the Unix socket.
        log_file: what it writes.
    """

    socket_dir: Path
    log_file: Path
    # The user it runs as, where we are root.
    _identity: dict[str, Any]
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it and waits until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends every connection, stops it, removes its files. Twice is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_TIMEOUT)

    def log(self) -> str:
        """What it has logged so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def _own(self, path: Path) -> None:
        if self._identity:
            os.chown(path, self._identity["user"], self._identity["group"])

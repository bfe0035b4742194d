"""A `psql` that stays: to start one takes as long as to make an empty database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading

APPLICATION = "console of the tests"
DONE = "-- done --"


class Console:
    """Runs statements that give no rows and leave nothing behind in their session."""

    def __init__(self, command: list[str]) -> None:
        """`command` starts `psql`, which stops at an error; nothing starts before it is used."""
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(self, sql: str) -> bool:
        """Whether the statement was done. Where not, why is another's to find out: the session may just have ended."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env={**os.environ, "PGAPPNAME": APPLICATION},
                )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{sql};\n\\echo {DONE}\n")
                self._process.stdin.flush()
                if self._process.stdout.readline().strip() == DONE:
                    return True
        self.close()
        return False

    def close(self) -> None:
        """Ends the session."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]

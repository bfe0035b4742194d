"""A `psql` that stays: to start one takes as long as to make an empty database."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable

APPLICATION = "console of the tests"
DONE = "-- done --"


class Console:
    """Runs statements that give no rows and leave nothing behind in their session."""

    def __init__(self, command: Callable[[], list[str]]) -> None:
        """`command` says how to start `psql`, which stops at an error; nothing starts before it is used."""
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(self, sql: str) -> bool:
        """Whether the statement is known to be done. Where not, the session may just have ended, before or after."""
        with self._lock:
            done = False
            try:
                done = self._answer(sql) == DONE
            finally:
                # An answer that nobody waited for would be taken for the next one.
                if not done:
                    self._end()
            return done

    def _answer(self, sql: str) -> str:
        process = self._process
        if process is None:
            process = self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PGAPPNAME": APPLICATION},
            )
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{sql};\n\\echo {DONE}\n")
            process.stdin.flush()
        return process.stdout.readline().strip()

    def close(self) -> None:
        """Ends the session."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]

"""Where the result's bytes go: standard output, or a file that is there only when it is whole."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputError(Exception):
    """The result cannot be written in this format; the message says why and what to do."""


class Output(io.BufferedIOBase):
    """A binary stream that counts its bytes; used in a `with`, whose success keeps the file.

    A file is written under another name beside the target and renamed at the end. What is not a
    regular file (`/dev/null`, a named pipe) is written directly.
    """

    def __init__(self, path: str | None) -> None:
        self.bytes = 0
        self._target: Path | None = None
        self._mode = 0o666 & ~umask()
        if path is None:
            self._file: IO[bytes] = sys.stdout.buffer
            return
        target = Path(path).resolve()
        with contextlib.suppress(FileNotFoundError):
            found = target.stat().st_mode
            if not stat.S_ISREG(found):
                self._file = target.open("wb")
                return
            self._mode = stat.S_IMODE(found)
        self._target = target
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed by __exit__
            dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
        )

    @property
    def terminal(self) -> bool:
        """Whether a person reads along."""
        return self._file.isatty()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write and count."""
        written = self._file.write(data)
        self.bytes += written
        return written

    def tell(self) -> int:
        """Bytes so far: what the Parquet writer needs to know of a pipe."""
        return self.bytes

    def flush(self) -> None:
        """Pass on what is buffered."""
        if not self._file.closed:
            self._file.flush()

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is sys.stdout.buffer:
            if error is None:
                self._file.flush()
        elif self._target is None:
            self._file.close()
        else:
            self._settle(error is None, self._target)

    def _settle(self, whole: bool, target: Path) -> None:
        part = Path(self._file.name)
        try:
            self._file.close()
            if whole:
                part.chmod(self._mode)
                part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def __del__(self) -> None:
        """Leave the streams alone: closing is for `__exit__`, and standard output is not ours."""


def umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

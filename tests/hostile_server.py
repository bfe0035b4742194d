"""A scripted PostgreSQL server that misbehaves where it is told to.

    with HostileServer() as server:
        server.spoil(cut_at=200)                  # the next connection ends after 200 bytes
        server.spoil(answer=b"...")               # or answers the statement with this
        rm.Database(server.url).fetch("select n, word from numbers")

It speaks just enough of the protocol to answer any statement with the three rows of `EXPECTED`.
What is spoilt is the next connection only: those that follow are served well, so that a test can
see whether the client came to itself.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

INT8, TEXT, INT8_ARRAY, NUMERIC = 20, 25, 1016, 1700
EXPECTED: dict[str, list[Any]] = {"n": [1, 2, None], "word": ["one", None, "drei ✓"]}

CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message with its right length."""
    return kind + struct.pack("!I", len(body) + 4) + body


def bomb(kind: bytes, length: int, body: bytes = b"") -> bytes:
    """A message that says it is `length` long and brings only `body`."""
    return kind + struct.pack("!I", length) + body


def row_description(*columns: tuple[str, int], count: int | None = None) -> bytes:
    """RowDescription; `count` tells another number of columns than there are."""
    body = struct.pack("!H", len(columns) if count is None else count)
    for name, oid in columns:
        body += name.encode() + b"\0" + struct.pack("!IhIhiH", 0, 0, oid, 8, -1, 1)
    return message(b"T", body)


def data_row(*cells: bytes | None, count: int | None = None) -> bytes:
    """DataRow; `count` tells another number of cells than there are."""
    body = struct.pack("!h", len(cells) if count is None else count)
    for cell in cells:
        body += struct.pack("!i", -1) if cell is None else struct.pack("!i", len(cell)) + cell
    return message(b"D", body)


def int8(value: int) -> bytes:
    """An int8 in binary."""
    return struct.pack("!q", value)


def complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", tag.encode() + b"\0")


def error(code: str, text: str, severity: str = "ERROR") -> bytes:
    """ErrorResponse."""
    fields = {"S": severity, "V": severity, "C": code, "M": text}
    body = b"".join(key.encode() + value.encode() + b"\0" for key, value in fields.items())
    return message(b"E", body + b"\0")


def notice(text: str) -> bytes:
    """NoticeResponse."""
    return b"N" + error("00000", text, "NOTICE")[1:]


def parameter_status(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return message(b"S", f"{name}\0{value}\0".encode())


def notification(channel: str, payload: str) -> bytes:
    """NotificationResponse."""
    return message(b"A", struct.pack("!i", 7) + f"{channel}\0{payload}\0".encode())


READY = message(b"Z", b"I")
PARSED, BOUND, NO_DATA = message(b"1"), message(b"2"), message(b"n")
NO_PARAMETERS = message(b"t", b"\0\0")
KEY = message(b"K", struct.pack("!II", 4711, 815))
GREETING = (
    message(b"R", struct.pack("!I", 0))
    + parameter_status("server_version", "17.0")
    + parameter_status("client_encoding", "UTF8")
    + parameter_status("integer_datetimes", "on")
    + KEY
    + READY
)
COLUMNS = row_description(("n", INT8), ("word", TEXT))
DESCRIBED = PARSED + NO_PARAMETERS + COLUMNS
ROWS = b"".join(
    data_row(None if n is None else int8(n), None if word is None else word.encode())
    for n, word in zip(EXPECTED["n"], EXPECTED["word"], strict=True)
)
ANSWER = BOUND + ROWS + complete("SELECT 3")
CONVERSATION = GREETING + DESCRIBED + READY + ANSWER + READY


@dataclass
class Spoil:
    """How one connection goes wrong.

    Attributes:
        greeting: sent instead of the right one.
        described: instead of what Parse and Describe are answered with.
        answer: instead of what Bind and Execute are answered with.
        then: sent on and on after the answer, until the client leaves.
        flips: by the byte's place in all that is sent, bits to turn over.
        cut_at: after this many bytes the connection ends.
        hang_up: whether it ends when the first statement is answered, or is to be cancelled.
        silent: whether nothing is said any more once the greeting is over.
    """

    greeting: bytes = GREETING
    described: bytes = DESCRIBED + READY
    answer: bytes = ANSWER + READY
    then: Callable[[], Iterable[bytes]] | None = None
    flips: dict[int, int] = field(default_factory=dict)
    cut_at: int | None = None
    hang_up: bool = False
    silent: bool = False


class HangUp(Exception):  # noqa: N818
    """The server ends the conversation."""


class Conversation:
    """One client's connection, served on a thread of its own."""

    def __init__(self, server: HostileServer, connection: socket.socket) -> None:
        self.server, self.connection, self.spoil = server, connection, Spoil()
        self.sent = 0
        self.asked: list[bytes] = []

    def run(self) -> None:
        """Serves until either side ends it."""
        with self.connection, contextlib.suppress(HangUp, OSError):
            self._greet()
            while True:
                (kind,) = self._read(1)
                (length,) = struct.unpack("!I", self._read(4))
                self._read(length - 4)
                self._take(bytes([kind]))

    def _greet(self) -> None:
        while True:
            (length,) = struct.unpack("!I", self._read(4))
            (code,) = struct.unpack("!I", self._read(length - 4)[:4])
            if code == CANCEL_REQUEST:
                self.server.cancels += 1
                self.server.cancelled()
                raise HangUp
            if code != SSL_REQUEST:
                break
            self.connection.sendall(b"N")
        self.server.logins += 1
        self.spoil = self.server.next_spoil() or self.spoil
        self._send(self.spoil.greeting)

    def _take(self, kind: bytes) -> None:
        if kind == b"X":
            raise HangUp
        self.asked.append(kind)
        if kind == b"Q":
            self._send(complete("SELECT 0") + READY)
        if kind not in (b"S", b"Q") or self.spoil.silent:
            return
        asked, self.asked = self.asked, []
        if b"B" in asked:
            # A statement another connection described comes with its Bind, in one go.
            before = self.spoil.described.removesuffix(READY) if b"P" in asked else b""
            self._send(before + self.spoil.answer)
            for more in self.spoil.then() if self.spoil.then else ():
                self._send(more)
            if self.spoil.hang_up:
                raise HangUp
        elif b"P" in asked:
            self._send(self.spoil.described)

    def _send(self, data: bytes) -> None:
        end = self.sent + len(data)
        flips = {at - self.sent: bits for at, bits in self.spoil.flips.items()}
        if any(0 <= at < len(data) for at in flips):
            data = bytes(byte ^ flips.get(at, 0) for at, byte in enumerate(data))
        if self.spoil.cut_at is not None and end >= self.spoil.cut_at:
            self.connection.sendall(data[: self.spoil.cut_at - self.sent])
            raise HangUp
        self.connection.sendall(data)
        self.sent = end

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.connection.recv(length - len(data))
            if not more:
                raise HangUp
            data += more
        return data


class HostileServer:
    """Listens on a Unix socket for as long as a `with` block lasts.

    Attributes:
        url: where it is found.
        logins: how many clients have come.
        cancels: how many asked that another connection's statement be stopped.
    """

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="rowmill-hostile-")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._directory.name) / ".s.PGSQL.5432"))
        self._listener.listen(64)
        self.url = f"postgresql://ann@/shop?host={self._directory.name}"
        self.logins = self.cancels = 0
        self._hangs_up = False
        self._spoilt: Iterator[Spoil] = iter(())
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._connections: list[socket.socket] = []
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._directory.cleanup()

    def spoil(self, *, connections: int = 1, spoil: Spoil | None = None, **how: object) -> None:
        """Has the next connections go wrong: the fields of `Spoil`."""
        wrong = spoil or Spoil(**how)  # type: ignore[arg-type]
        self._hangs_up = wrong.hang_up
        self._spoilt = itertools.repeat(wrong, connections)

    def cancelled(self) -> None:
        """A client asks that its statement be stopped."""
        for connection in self._connections if self._hangs_up else ():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def next_spoil(self) -> Spoil | None:
        """How the connection that has just come is to go wrong."""
        return next(self._spoilt, None)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections = [c for c in self._connections if c.fileno() >= 0]
                self._connections.append(connection)
                conversation = Conversation(self, connection)
                thread = threading.Thread(target=conversation.run, daemon=True)
                self._threads = [t for t in self._threads if t.is_alive()]
                self._threads.append(thread)
                thread.start()

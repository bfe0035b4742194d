"""A proxy between a client and a server that damages the bytes on their way, as it is told to.

    with Proxy(server.socket_dir / ".s.PGSQL.5432") as proxy:
        proxy.arm(Fault("cut", "server", 200))     # after 200 bytes from the server, the end
        rm.Database(proxy.url(server.url)).fetch("select 1")
        assert proxy.fired

It listens on a Unix socket, on one thread. A fault is for one connection: the first that says
something after `arm`, or the one after that, and so on. Its bytes are counted from there, so that
the same conversation meets the same fault at the same byte every time.
"""

from __future__ import annotations

import contextlib
import fcntl
import selectors
import socket
import struct
import tempfile
import termios
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Side = Literal["client", "server"]
Kind = Literal["cut", "split", "stall", "swap"]

CHUNK = 1 << 16
READ_WITHIN = 0.02  # seconds that a split waits for the other side to take the first part


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one connection.

    Attributes:
        kind: "cut" ends the connection; "split" has the rest come after the first part was read, and
            after `seconds`; "stall" lets nothing more through and ends nothing; "swap" exchanges a
            message of the server with the one behind it.
        side: whose bytes are counted.
        at: how many of them still get through whole; for "swap", how many messages,
            ReadyForQuery not counted.
        connection: which of those that speak, from 0.
        seconds: how long a split lasts.
        word: where given, the fault is for the connection on which that side first says this, and its
            bytes are counted from there.
    """

    kind: Kind
    side: Side
    at: int
    connection: int = 0
    seconds: float = 0.0
    word: bytes = b""


class _Way:
    """One direction of one connection."""

    def __init__(self, side: Side, source: socket.socket, sink: socket.socket) -> None:
        self.side, self.source, self.sink = side, source, sink
        self.seen = 0  # bytes since `arm`; messages, for a swap
        self.waiting = bytearray()  # taken, and not yet to be given on
        self.partial = bytearray()  # of a message, for a swap
        self.held = b""  # the message that is to come second
        self.stalled = False


class _Pair:
    """One connection, both ways."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.ways = {
            client: _Way("client", client, server),
            server: _Way("server", server, client),
        }
        self.watched: dict[socket.socket, int] = {}
        self.number: int | None = None
        self.closed = False


class Proxy:
    """Passes on what it gets for as long as a `with` block lasts, faults excepted.

    Attributes:
        fired: whether the fault came about since `arm`.
        heard: bytes since `arm` from each side, all connections together.
    """

    def __init__(self, upstream: Path) -> None:
        """Nothing listens before the `with` block; `upstream` is the server's socket file."""
        self.upstream = upstream
        self.fired = False
        self.heard: Counter[Side] = Counter()
        self._fault: Fault | None = None
        self._speakers = 0
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="rowmill-proxy-", dir="/tmp")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._directory.name) / ".s.PGSQL.5432"))
        self._listener.listen(128)
        self._waker, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True, name="fault proxy")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.hang_up()
        self._selector.close()
        self._listener.close()
        self._waker.close()
        self._directory.cleanup()

    def url(self, url: str) -> str:
        """The server's URL, by way of here."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | {"host": self._directory.name, "port": "5432"}
        return parts._replace(query=urlencode(query, quote_via=quote, safe="/")).geturl()

    def arm(self, fault: Fault | None) -> None:
        """Counts anew, towards this fault; with None all is passed on."""
        with self._lock:
            self._fault, self.fired, self._speakers = fault, False, 0
            self.heard.clear()
            for pair in self._pairs:
                pair.number = None
                for way in pair.ways.values():
                    way.seen = 0

    def hang_up(self) -> None:
        """Ends all connections."""
        with self._lock:
            for pair in list(self._pairs):
                self._close(pair)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._pairs)

    def _run(self) -> None:
        while True:
            for key, mask in self._selector.select():
                if key.fileobj is self._waker:
                    return
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif not key.data.closed:
                        self._move(key.data, key.fileobj, mask)  # type: ignore[arg-type]

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self.upstream))
        except OSError:
            client.close()
            server.close()
            return
        pair = _Pair(client, server)
        self._pairs.append(pair)
        for end in pair.ways:
            end.setblocking(False)
        self._watch(pair)

    def _move(self, pair: _Pair, end: socket.socket, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                (way,) = (way for way in pair.ways.values() if way.sink is end)
                self._give(pair, way)
            if mask & selectors.EVENT_READ and not pair.closed:
                data = end.recv(CHUNK)
                if not data:
                    return self._close(pair)
                self._take(pair, pair.ways[end], data)
        except BlockingIOError:
            pass
        except OSError:
            self._close(pair)

    def _take(self, pair: _Pair, way: _Way, data: bytes) -> None:
        if pair.number is None:
            pair.number, self._speakers = self._speakers, self._speakers + 1
        self.heard[way.side] += len(data)
        fault = self._fault
        if fault and fault.word and not self.fired:
            said = way.side == fault.side and fault.word in data
            pair.number = fault.connection if said else -1
            way.seen = -data.index(fault.word) if said else 0
        if fault is None or fault.connection != pair.number or fault.side != way.side:
            way.waiting += data
        elif fault.kind == "swap":
            self._swap(way, data, fault.at)
        elif way.stalled:
            return None
        elif self.fired or way.seen + len(data) <= fault.at:
            way.seen += len(data)
            way.waiting += data
        else:
            self.fired = True
            first = fault.at - way.seen
            way.seen += len(data)
            way.waiting += data[:first]
            self._give(pair, way)
            if fault.kind == "cut":
                return self._close(pair)
            if fault.kind == "stall":
                way.stalled = True
                return None
            self._let_read(way.sink)
            time.sleep(fault.seconds)
            way.waiting += data[first:]
        return self._give(pair, way)

    def _swap(self, way: _Way, data: bytes, at: int) -> None:
        """Passes on whole messages; the one at the place waits for its follower."""
        way.partial += data
        while len(way.partial) >= 5:
            length = 1 + int.from_bytes(way.partial[1:5], "big")
            if len(way.partial) < length:
                return
            message = bytes(way.partial[:length])
            del way.partial[:length]
            # Behind ReadyForQuery comes nothing before the client has spoken again: it is no place.
            is_place = message[:1] != b"Z"
            way.seen += is_place
            if way.seen == at + 1 and is_place:
                way.held = message
                continue
            way.waiting += message + way.held
            self.fired = self.fired or bool(way.held)
            way.held = b""

    def _give(self, pair: _Pair, way: _Way) -> None:
        """Sends what waits. While some does, no more of it is taken."""
        with contextlib.suppress(BlockingIOError):
            while way.waiting:
                del way.waiting[: way.sink.send(way.waiting)]
        self._watch(pair)

    def _watch(self, pair: _Pair) -> None:
        for end, way in pair.ways.items():
            (other,) = (w for w in pair.ways.values() if w is not way)
            events = 0 if way.waiting else selectors.EVENT_READ
            events |= selectors.EVENT_WRITE if other.waiting else 0
            if events == pair.watched.get(end):
                continue
            if pair.watched.pop(end, 0):
                self._selector.unregister(end)
            if events:
                self._selector.register(end, events, pair)
                pair.watched[end] = events

    def _let_read(self, end: socket.socket) -> None:
        """Waits until the other side has read all that was sent, for a moment at most."""
        give_up = time.monotonic() + READ_WITHIN
        while time.monotonic() < give_up:
            (unread,) = struct.unpack("i", fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)))
            if not unread:
                return
            time.sleep(0.0001)

    def _close(self, pair: _Pair) -> None:
        pair.closed = True
        if pair in self._pairs:
            self._pairs.remove(pair)
        for end in pair.ways:
            if pair.watched.pop(end, 0):
                self._selector.unregister(end)
            end.close()

"""The service over HTTP, on this machine alone: POST /bid, GET /health, GET /stats."""

from __future__ import annotations

import json
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import rowmill as rm

from .service import Service

LONGEST = 64 * 1024
"""Bytes of a request."""
STALE = 30.0
"""Seconds without news of the table after which the service calls itself ill."""
MOST = 1_000
"""Campaigns of an answer."""


class Server(ThreadingHTTPServer):
    """Listens on the loopback interface; port 0 is any that is free."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's mistake."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it is to be found."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One connection, for as many requests as the client likes."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def do_GET(self) -> None:
        """Health and figures."""
        stats = self.server.service.stats()
        if self.path == "/stats":
            self._send(HTTPStatus.OK, stats)
        elif self.path == "/health":
            ill = stats["behind_seconds"] > STALE
            status = HTTPStatus.SERVICE_UNAVAILABLE if ill else HTTPStatus.OK
            self._send(status, {"ok": not ill, "campaigns": stats["campaigns"]})
        else:
            self._send(HTTPStatus.NOT_FOUND, {"error": "GET /health or /stats, or POST /bid?top=3"})

    def do_POST(self) -> None:
        """The bids for a request, a JSON object of attributes."""
        where = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a request has a Content-Length")
        elif len(length) > 9 or int(length) > LONGEST:
            message = f"a request has {LONGEST} bytes at most"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        else:
            self._bid(where.path, where.query, self.rfile.read(int(length)))

    def _bid(self, path: str, query: str, body: bytes) -> None:
        top = parse_qs(query).get("top", ["3"])[-1]
        if path != "/bid":
            self._send(HTTPStatus.NOT_FOUND, {"error": "POST /bid?top=3"})
        elif not (top.isdecimal() and len(top) < 9 and int(top) <= MOST):
            self._send(HTTPStatus.BAD_REQUEST, {"error": f"top is a number from 0 to {MOST}"})
        else:
            try:
                bids = self.server.service.answer(body, int(top))
            except rm.Error as error:
                self._send(HTTPStatus.BAD_REQUEST, {"error": error.args[0]})
            else:
                self._send(HTTPStatus.OK, {"bids": [bid._asdict() for bid in bids]})

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        # What was not read cannot be followed by another request.
        self.close_connection = True
        self._send(status, {"error": message})

    def _send(self, status: HTTPStatus, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Thousands of lines in a second help nobody."""


def serve(service: Service, port: int) -> None:
    """Answer until Ctrl-C, or until the process is asked to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Server(service, port) as server:
        campaigns = len(service.matcher)
        print(f"{server.url} answers for {campaigns:,} campaigns; Ctrl-C ends it", flush=True)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            print("ended")

"""Requests from a seed, as fast as they are answered, and how long each took."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

from .campaigns import requests
from .histogram import Histogram
from .service import Service

KINDS = 2_000
"""Requests that are made beforehand, and then repeated."""

Asker = Callable[[bytes], int]
"""Asks for the bids of a request, and says how many there are."""


@dataclass
class Load:
    """What a run came to."""

    seconds: float
    threads: int
    bids: int
    histogram: Histogram

    def lines(self) -> list[str]:
        """The figures."""
        count = self.histogram.count
        quantiles = "  ".join(
            f"p{share:g} {self.histogram.quantile(share):,.1f}" for share in (50, 90, 99, 99.9)
        )
        return [
            f"{count:,} requests in {self.seconds:.1f} s by {self.threads} threads:"
            f" {count / self.seconds:,.0f} a second, {self.bids / max(count, 1):.1f} bids each",
            f"microseconds: {quantiles}  most {self.histogram.most:,.1f}",
        ]


@contextlib.contextmanager
def in_process(service: Service, top: int) -> Iterator[Asker]:
    """Ask a service of this process."""
    yield lambda body: len(service.answer(body, top))


@contextlib.contextmanager
def over_http(url: str, top: int) -> Iterator[Asker]:
    """Ask a service elsewhere, by one connection."""
    where = urlsplit(url)
    if where.scheme != "http" or not where.hostname:
        raise OSError(f"a service's URL is as http://127.0.0.1:8080, not {url}")
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=10)

    def ask(body: bytes) -> int:
        try:
            connection.request("POST", f"/bid?top={top}", body)
            response = connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise OSError(f"{url}: {error!r}") from None
        if response.status != 200:
            raise OSError(f"{url} answers {response.status}: {text[:200]!r}")
        return len(json.loads(text)["bids"])

    with contextlib.closing(connection):
        yield ask


def run(
    open_one: Callable[[], AbstractContextManager[Asker]], seconds: float, threads: int, seed: int
) -> Load:
    """Ask for so long from so many threads; the first failure ends it."""
    bodies = [json.dumps(request).encode() for request in itertools.islice(requests(seed), KINDS)]
    histograms = [Histogram() for _ in range(threads)]
    bids = [0] * threads
    failures: list[Exception] = []
    over = threading.Event()

    def work(number: int) -> None:
        histogram = histograms[number]
        mine = itertools.islice(itertools.cycle(bodies), number * KINDS // threads, None)
        try:
            with open_one() as ask:
                for body in mine:
                    begun = time.perf_counter_ns()
                    bids[number] += ask(body)
                    histogram.add(time.perf_counter_ns() - begun)
                    if over.is_set():
                        return
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            failures.append(error)
            over.set()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    begun = time.monotonic()
    try:
        for worker in workers:
            worker.start()
        over.wait(seconds)
    finally:
        over.set()
        for worker in workers:
            worker.join()
    if failures:
        raise failures[0]
    return Load(time.monotonic() - begun, threads, sum(bids), Histogram(histograms))

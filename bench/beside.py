"""How much more two do than one: threads of one process, and processes, which share nothing but the machine's cores."""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
from collections.abc import Callable

ROUNDS = 9


def scaling(work: Callable[[], object]) -> tuple[float, float]:
    """The medians over some rounds, all four kinds in each: two threads over one, two processes over one."""
    workers = [forked(work) for _ in range(2)]
    threads, processes = [], []
    for round_ in range(ROUNDS + 1):
        one, two = in_threads(work, 1), in_threads(work, 2)
        alone, both = in_processes(workers[:1]), in_processes(workers)
        if round_:  # the first finds its memory
            threads.append(2 * one / two)
            processes.append(2 * alone / both)
    for worker in workers:
        worker.sendall(b"!")
        os.wait()
        worker.close()
    return statistics.median(threads), statistics.median(processes)


def in_threads(work: Callable[[], object], count: int) -> float:
    """The seconds that so many threads take, each doing all of the work."""
    all_of_them = [threading.Thread(target=work) for _ in range(count)]
    start = time.perf_counter()
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    return time.perf_counter() - start


def in_processes(workers: list[socket.socket]) -> float:
    """The seconds that these take, each doing all of the work."""
    start = time.perf_counter()
    for worker in workers:
        worker.sendall(b".")
    for worker in workers:
        worker.recv(1)
    return time.perf_counter() - start


def forked(work: Callable[[], object]) -> socket.socket:
    """A copy of this process that does the work for each `.` it hears, until it hears something else."""
    here, there = socket.socketpair()
    if os.fork() == 0:
        while there.recv(1) == b".":
            work()
            there.sendall(b".")
        os._exit(0)
    there.close()
    return here

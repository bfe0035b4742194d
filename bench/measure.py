"""What a measured subprocess is told (`Job`) and how it measures itself (`Measure`)."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import re
import resource
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")


@dataclass
class Job:
    """One measurement: which peer does which task on what."""

    peer: str
    task: str
    url: str = ""
    sql: str = ""
    warm: str = ""
    """The same query over a few rows, run before measuring: catalogue look-ups, lazy imports."""
    count: int = 1
    """How many queries the work consists of."""
    tasks: int = 1
    """How many asyncio tasks share them."""
    rows: int = 0
    """How many rows the answer must have; 0 where it is not checked."""
    keys: int = 1_000_000
    """Point queries draw their keys from 1 to this."""
    file: str = ""
    """The SQLite file, or the rows to load."""
    other: str = ""
    """A second file."""
    command: list[str] = field(default_factory=list)
    """A program that does the work."""
    core: int | None = None
    """The only core it may use."""


def cpu_seconds() -> float:
    """User and system time of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_mb(name: str) -> float:
    """VmHWM (peak) or VmRSS (now) of this process in MiB; the peak alone off Linux."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    found = re.search(rf"{name}:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def forget_peak() -> None:
    """Lowers the peak to what is resident now, so that the peak of imports does not hide ours."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def last_byte() -> float | None:
    """When bytes last came from a socket, if floor/last_byte.c is preloaded."""
    try:
        read = ctypes.CDLL(None).rowmill_bench_last_byte
    except AttributeError:
        return None
    read.restype = ctypes.c_int64
    at = int(read())
    return at / 1e9 if at else None


@dataclass
class Measure:
    """`with Measure() as m:` around the work alone; then `m.figures()`."""

    rows: int = 0
    latencies: list[float] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    received_at: float | None = None

    def received(self) -> None:
        """The driver has handed the result over; what follows is conversion."""
        self.received_at = time.perf_counter()

    def __enter__(self) -> Self:
        gc.collect()
        forget_peak()
        self.memory = memory_mb("VmRSS")
        self.cpu = cpu_seconds()
        self.start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end = time.perf_counter()
        self.cpu = cpu_seconds() - self.cpu
        self.memory = memory_mb("VmHWM") - self.memory
        self.last = last_byte()

    def figures(self) -> dict[str, Any]:
        """Seconds, MiB and, under `_ms` and `_us` names, milli- and microseconds."""
        out: dict[str, Any] = {
            "wall": self.end - self.start,
            "cpu": self.cpu,
            "rss_mb": self.memory,
            "rows": self.rows,
        }
        if self.last is not None and self.last > self.start:
            out["after_ms"] = (self.end - self.last) * 1e3
        if self.received_at is not None:
            out["convert_ms"] = (self.end - self.received_at) * 1e3
        if self.latencies:
            ordered = sorted(self.latencies)
            out["p50_us"] = ordered[len(ordered) // 2] * 1e6
            out["p99_us"] = ordered[len(ordered) * 99 // 100] * 1e6
        known = (out | self.extra).items()
        return {name: value for name, value in known if value is not None}


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine on uvloop, or on asyncio where uvloop is missing."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)

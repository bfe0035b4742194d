"""What a workload needs: the server, the sizes, the built floors, the rkt environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bench.data import Sizes, load, load_sqlite
from bench.harness import Case, Results, interleave, progress
from bench.measure import Job
from tests.postgres_server import PostgresServer

HERE = Path(__file__).parent
RKT = HERE / ".venv-rkt"
RKT_PINS = ["asyncpg-rkt==0.27.3", "numpy==1.26.4", "pandas==2.3.3", "uvloop==0.23.0"]

SETTINGS = {
    "autovacuum": "off",
    "max_wal_size": "8GB",
    "max_parallel_workers_per_gather": "0",
    "synchronize_seqscans": "off",
}


@dataclass
class Context:
    """One run of the bench; what is expensive is made when first asked for."""

    sizes: Sizes
    rounds: int
    directory: Path
    peers: list[str] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    server: PostgresServer | None = None
    loaded: set[str] = field(default_factory=set)

    def postgres(self, *tables: str) -> PostgresServer:
        """The server, with these tables."""
        assert self.server
        missing = set(tables) - self.loaded
        if missing:
            progress(f"loading {', '.join(sorted(missing))}")
            load(self.server, missing, self.sizes)
            self.loaded |= missing
        return self.server

    @contextmanager
    def one_core(self) -> Iterator[int | None]:
        """Keeps the server to one core within the block and says which, None where no system call does that."""
        assert self.server
        if not hasattr(os, "sched_setaffinity"):
            yield None
            return
        everywhere = os.sched_getaffinity(0)
        core = min(everywhere)
        keep(self.server.pid, {core})
        try:
            yield core
        finally:
            keep(self.server.pid, everywhere)

    @cached_property
    def sqlite_file(self) -> Path:
        """The SQLite file, filled."""
        progress("loading SQLite")
        file = self.directory / "bench.db"
        load_sqlite(file, self.sizes.sqlite)
        return file

    @cached_property
    def drain(self) -> Path:
        """The compiled floors."""
        return self.compile("drain.c", "drain", [])

    @cached_property
    def last_byte(self) -> Path | None:
        """The preloaded clock of the last byte; Linux only."""
        if sys.platform != "linux":
            return None
        return self.compile("last_byte.c", "last_byte.so", ["-shared", "-fPIC", "-ldl"])

    def compile(self, source: str, target: str, options: list[str]) -> Path:
        """Compiles one file of bench/floor with the system's compiler."""
        out = self.directory / target
        command = ["cc", "-O2", "-o", str(out), str(HERE / "floor" / source), *options]
        subprocess.run(command, check=True)
        return out

    def floor(self, mode: str, count: int, sql: str, label: str = "") -> Case:
        """A case of bench/floor/drain.c."""
        assert self.server
        server = self.server
        socket_file = str(server.socket_dir / f".s.PGSQL.{server.port}")
        arguments = [socket_file, server.user, server.database, mode, str(count), sql]
        return Case(label or f"{mode} floor", command=[str(self.drain), *arguments])

    @cached_property
    def rkt(self) -> tuple[str, str]:
        """The interpreter of asyncpg-rkt's own environment, and why it is missing if it is.

        asyncpg-rkt is a fork under asyncpg's own name and needs NumPy 1 and an old pandas.
        """
        python = RKT / "bin" / "python"
        stamp = RKT / "pins"
        if stamp.exists() and stamp.read_text() == str(RKT_PINS):
            return str(python), ""
        progress("installing asyncpg-rkt")
        shutil.rmtree(RKT, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(RKT)],
            [str(python), "-m", "pip", "install", "--quiet", *RKT_PINS],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or ["no reason given"]
                return "", f"asyncpg-rkt does not install here: {lines[-1]}"
        stamp.write_text(str(RKT_PINS))
        return str(python), ""

    def run(self, workload: str, task: str, cases: Iterable[Case]) -> None:
        """Measures the wanted cases in turn."""
        wanted = [c for c in cases if self.wants(c.label)]
        interleave(self.results, workload, task, wanted, self.rounds)

    def wants(self, label: str) -> bool:
        """Whether `--peers` names this label or its first word."""
        return not self.peers or label in self.peers or label.split()[0] in self.peers


def keep(process: int, cores: set[int]) -> None:
    """Lets a process, its children, and those that they will have run on these cores only."""
    os.sched_setaffinity(process, cores)
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(child), cores)


@contextmanager
def opened(context: Context, postgres: bool) -> Iterator[Context]:
    """Runs the server for the workloads that need it."""
    if not postgres:
        yield context
        return
    with PostgresServer(
        settings=SETTINGS | {"shared_buffers": context.sizes.shared_buffers}
    ) as server:
        context.server = server
        yield context


def encoded_url(server: PostgresServer) -> str:
    """The server's URL with the socket's directory as percent-encoded host, as connectorx wants it."""
    host = str(server.socket_dir).replace("/", "%2F")
    return f"postgresql://{server.user}@{host}/{server.database}"


def per(count: int) -> dict[str, float]:
    """Scales a measurement of `count` queries to one."""
    return {"wall": 1 / count, "cpu": 1 / count}


def simple(label: str, peer: str, task: str, job: Job, preload: Path | None = None) -> Case:
    """A case that runs `bench/peers/PEER.py`'s TASK with the job's query."""
    return Case(label, replace(job, peer=peer, task=task), preload=preload)

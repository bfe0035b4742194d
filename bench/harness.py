"""Runs every measurement in a fresh subprocess, the peers of a task in turn, and keeps the figures."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import Job

ROOT = Path(__file__).parent.parent
TIMEOUT = 900.0
"""Seconds one measurement may take."""


@dataclass
class Case:
    """One peer's entry in one task: a job for `bench.child`, or a command of its own."""

    label: str
    job: Job | None = None
    command: list[str] = field(default_factory=list)
    python: str = sys.executable
    preload: Path | None = None
    missing: str = ""
    """Why this peer cannot run here; then nothing is started."""
    scale: dict[str, float] = field(default_factory=dict)
    """Figures to multiply, for example by 1/count."""


@dataclass
class Results:
    """All raw figures of a run: one record per workload, task, peer and round."""

    records: list[dict[str, Any]] = field(default_factory=list)

    def of(self, task: str, peer: str, figure: str) -> list[float]:
        """The figures of all rounds."""
        return [
            r[figure]
            for r in self.records
            if r["task"] == task and r["peer"] == peer and figure in r
        ]

    def median(self, task: str, peer: str, figure: str) -> float | None:
        """The median over the rounds, None if the peer gave no such figure."""
        values = self.of(task, peer, figure)
        return statistics.median(values) if values else None

    def peers(self, task: str) -> list[str]:
        """The peers of a task in the order they ran."""
        return list(dict.fromkeys(r["peer"] for r in self.records if r["task"] == task))

    def tasks(self, workload: str) -> list[str]:
        """The tasks of a workload in the order they ran."""
        return list(dict.fromkeys(r["task"] for r in self.records if r["workload"] == workload))

    def failures(self, task: str) -> dict[str, str]:
        """Peers of the task that did not run, and why."""
        return {
            r["peer"]: r.get("unavailable") or r["error"]
            for r in self.records
            if r["task"] == task and ("error" in r or "unavailable" in r)
        }


def start(case: Case) -> dict[str, Any]:
    """Runs one case once and returns its figures, or `error` or `unavailable`."""
    if case.missing:
        return {"unavailable": case.missing}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = case.command
    if case.job:
        command = [case.python, "-m", "bench.child", json.dumps(dataclasses.asdict(case.job))]
    if case.preload:
        environment["LD_PRELOAD"] = str(case.preload)
    try:
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer in {TIMEOUT:.0f} s"}
    try:
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        tail = " | ".join(done.stderr.strip().splitlines()[-3:])
        return {"error": f"exit status {done.returncode}: {tail}"}
    for name, factor in case.scale.items():
        if name in figures:
            figures[name] *= factor
    return figures


def interleave(
    results: Results, workload: str, task: str, cases: Iterable[Case], rounds: int
) -> None:
    """Runs the cases A B C A B C ..., so that a slow minute of the machine hits all alike."""
    dead: set[str] = set()
    cases = list(cases)
    for turn in range(rounds):
        for case in cases:
            if case.label in dead:
                continue
            progress(f"{workload} {task}  round {turn + 1}/{rounds}  {case.label}")
            figures = start(case)
            if "unavailable" in figures or "error" in figures:
                dead.add(case.label)
            head = {"workload": workload, "task": task, "peer": case.label, "round": turn}
            results.records.append(head | figures)
    progress("")


def progress(text: str) -> None:
    """One line on a terminal, overwritten; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

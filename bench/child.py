"""The measured subprocess: `python -m bench.child JOB`, one line of JSON out."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

from bench.measure import Job


def perform(job: Job) -> dict[str, Any]:
    """Imports the peer, runs its task and checks the number of rows."""
    if job.core is not None:
        os.sched_setaffinity(0, {job.core})
    try:
        peer = importlib.import_module(f"bench.peers.{job.peer}")
    except ImportError as error:
        return {"unavailable": f"{type(error).__name__}: {error}"}
    figures: dict[str, Any] = getattr(peer, job.task)(job).figures()
    if job.rows and figures["rows"] != job.rows:
        return {"error": f"{figures['rows']} rows instead of {job.rows}"}
    return figures


def main() -> None:
    """Reads the job from the first argument; an exception becomes an `error` figure."""
    job = Job(**json.loads(sys.argv[1]))
    try:
        figures = perform(job)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        figures = {"error": f"{type(error).__name__}: {error}"}
    print("\n" + json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()

"""Stored campaigns against requests from Python: dicts, JSON and frames, beside a closure for each campaign."""

from __future__ import annotations

import shutil
import sys

from bench.context import Context, simple
from bench.harness import Case
from bench.measure import Job

NEEDS_POSTGRES = False
COLUMNS = (
    *("dict_us", "p99_us", "json_us", "batch_us", "empty_dict_us", "empty_json_us"),
    *("two_threads_x", "two_processes_x", "change_us", "change_p99_us"),
    *("build_s", "bytes", "found"),
)


def run(context: Context) -> None:
    """150 campaigns, as a server of one team has, and more."""
    pypy = shutil.which("pypy3") or ""
    missing = "" if pypy else "there is no pypy3 here"
    for count in context.sizes.campaigns:
        cases = [simple("rowmill", "matching", "rowmill", Job("", "", keys=count))]
        if count <= 10_000:
            closures = ["-m", "bench.closures", str(count)]
            cases.append(Case("closures", command=[sys.executable, *closures]))
            cases.append(Case("closures on PyPy", command=[pypy, *closures], missing=missing))
        context.run("matching", f"match {count}", cases)

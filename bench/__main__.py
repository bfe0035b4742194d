"""The command: `python -m bench NAME`; `./dev bench NAME` builds first."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from bench.checks import verdicts
from bench.context import Context, opened
from bench.data import LARGE, QUICK, Sizes
from bench.report import markdown, notes, plain, table, write
from bench.workloads import (
    fetch,
    groups,
    history,
    imports,
    joins,
    load,
    matching,
    packed,
    paging,
    point,
    queries,
    sqlite,
    stream,
    ticker,
)
from bench.workloads import filter as filter_workload
from bench.workloads import json as json_workload

WORKLOADS: dict[str, ModuleType] = {
    "fetch": fetch,
    "point": point,
    "json": json_workload,
    "filter": filter_workload,
    "groups": groups,
    "joins": joins,
    "history": history,
    "packed": packed,
    "sqlite": sqlite,
    "load": load,
    "stream": stream,
    "queries": queries,
    "paging": paging,
    "matching": matching,
    "ticker": ticker,
    "import": imports,
}
README = Path(__file__).parent / "README.md"


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("workload", choices=[*WORKLOADS, "all"])
    parser.add_argument("--rounds", type=int, default=5, help="measurements per peer (default 5)")
    parser.add_argument("--quick", action="store_true", help="few rows: does it work, not how fast")
    parser.add_argument("--large", action="store_true", help="stream: 10 GB instead of 1")
    parser.add_argument("--peers", default="", help="only these labels, or their first words: a,b")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all raw figures")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    parser.add_argument("--check", action="store_true", help="compare with the targets")
    return parser.parse_args()


def heading() -> str:
    """When, with which command and on what the figures were measured."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    words = [word for word in sys.argv[1:] if word not in ("--write", "--check")]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"{now}, `./dev bench {' '.join(words)}`, {machine}, Python {platform.python_version()}"


def main() -> None:
    """Measures, prints and, if asked, keeps."""
    options = arguments()
    names = list(WORKLOADS) if options.workload == "all" else [options.workload]
    if options.write and options.quick:
        sys.exit("bench: --quick figures are no measurements; not written")
    modules = {name: WORKLOADS[name] for name in names}
    with tempfile.TemporaryDirectory(prefix="rowmill-bench-") as directory:
        sizes = QUICK if options.quick else Sizes()
        context = Context(
            sizes=replace(sizes, stream=LARGE) if options.large else sizes,
            rounds=options.rounds,
            directory=Path(directory),
            peers=[p.strip() for p in options.peers.split(",") if p.strip()],
        )
        with opened(context, any(m.NEEDS_POSTGRES for m in modules.values())):
            for name, module in modules.items():
                module.run(context)
                publish(context, name, module, options.write)
    if options.check:
        print(plain(verdicts(context.results)) + "\n")
    if options.json:
        document = {"about": heading(), "figures": context.results.records}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


def publish(context: Context, name: str, module: ModuleType, keep: bool) -> None:
    """Prints the workload's tables and perhaps writes them."""
    pieces = [f"{heading()}; medians of {context.rounds} rounds."]
    for task in context.results.tasks(name):
        rows = table(context.results, task, module.COLUMNS)
        missing = notes(context.results, task)
        if len(rows) > 1:
            print(plain(rows))
            pieces.append(markdown(rows))
        if missing:
            print("\n".join(missing))
            pieces.append("\n".join(f"- {line}" for line in missing))
        print()
    if keep:
        write(README, name, "\n\n".join(pieces))


if __name__ == "__main__":
    main()

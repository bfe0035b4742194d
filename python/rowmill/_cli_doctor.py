"""`rowmill doctor URL`: a look at a database's health."""

from __future__ import annotations

import argparse
import os
import sys

import rowmill as rm
from rowmill._cli_failures import attempt
from rowmill._cli_numbers import seconds
from rowmill._cli_params import UsageError, check_text, database
from rowmill._cli_progress import Progress
from rowmill._cli_table import Style
from rowmill._doctor_limits import ALL
from rowmill._doctor_report import SEVERITIES
from rowmill._doctor_text import shown

DOCTOR = """\
Look at the health of a database: what is wrong, what it means, and the way out. It looks
and never touches: what it advises it does not do.
"""

DOCTOR_MORE = """\
URL
  postgresql://user@host:5432/db, sqlite:///file.db or the path of an SQLite file; without it
  DATABASE_URL is used, else PGHOST, PGUSER ... (rowmill query --help says more)

findings
  problem  it costs you now        warning  it will
  note     nice to know            ok       looked at, and fine
  What could not be looked at, for want of rights or time, is named at the end.

examples
  rowmill doctor postgresql:///shop
  rowmill doctor shop.db --full
  rowmill doctor postgresql:///shop --json | jq '.findings[] | select(.severity == "problem")'
  rowmill doctor --fail-on warning && deploy

exit status
  0 done, whatever was found
  1 the database cannot be looked at
  2 wrong usage: an option, a URL, a file that is not there
  3 --fail-on, and there is something as bad as that
  130 interrupted
"""


def doctor_parser() -> argparse.ArgumentParser:
    """The parser of `rowmill doctor`."""
    parser = argparse.ArgumentParser(
        prog="rowmill doctor",
        usage="rowmill doctor [URL] [--json] [--fail-on SEVERITY] [--timeout SECONDS] [--full]",
        description=DOCTOR,
        epilog=DOCTOR_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("url", nargs="?", metavar="URL", help="the database (default: from the environment)")
    add("--json", action="store_true", help="write the report as JSON, with all the evidence")
    add(
        "--fail-on",
        choices=SEVERITIES[1:],
        metavar="SEVERITY",
        help="exit with 3 where a finding is as bad: note, warning or problem",
    )
    add(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help=f"for all of it; what it was too short for is named (default: {ALL:g})",
    )
    add(
        "--full",
        action="store_true",
        help="read an SQLite file to its last index (integrity_check, not quick_check)",
    )
    return parser


def doctor(args: argparse.Namespace) -> int:
    """Write the report; 1 when the database cannot be looked at."""
    check_text(args.url or "", "the URL")
    url = database(args.url, "")
    found: list[rm.Report] = []

    def work() -> None:
        with rm.Database(reading(url), pool_size=1) as db:
            report = rm.doctor(db, timeout=args.timeout, full=args.full)
        if args.json:
            sys.stdout.buffer.write(report.to_json() + b"\n")
        else:
            sys.stdout.write(shown(report, Style.of(sys.stdout)))
        sys.stdout.flush()
        found.append(report)

    progress = Progress(sys.stderr, False)
    status = attempt(work, progress, "standard output", (args.url,))
    if status or args.fail_on is None:
        return status
    is_bad = SEVERITIES.index(found[0].worst) >= SEVERITIES.index(args.fail_on)
    return 3 if is_bad else 0


def reading(url: str | None) -> str | None:
    """The URL with mode=ro, where it is one of an SQLite file."""
    named = os.environ.get("DATABASE_URL", "") if url is None else url
    if not named.lower().startswith("sqlite:"):
        return url
    path, _, query = named.partition("?")
    if path.rstrip("/").lower() == "sqlite:":
        raise UsageError("there is no file to look at in sqlite://, which is in memory")
    kept = [option for option in query.split("&") if option and not option.startswith("mode=")]
    return f"{path}?{'&'.join(['mode=ro', *kept])}"

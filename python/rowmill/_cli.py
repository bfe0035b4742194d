"""The command line: `rowmill query` writes a result, `copy` moves rows, `doctor` looks."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import rowmill as rm
from rowmill._cli_copy import copy
from rowmill._cli_copy_parser import copy_parser
from rowmill._cli_doctor import doctor, doctor_parser
from rowmill._cli_failures import attempt
from rowmill._cli_numbers import BATCH_ROWS, natural, positive, seconds
from rowmill._cli_output import Output
from rowmill._cli_params import UsageError, check_text, database, parameters, statement
from rowmill._cli_passwords import without_passwords
from rowmill._cli_progress import Progress
from rowmill._cli_write import FORMATS, format_of, writer

# Rows a table shows where --limit does not say: more than a screen, less than a flood.
TABLE_LIMIT = 100

HELP = """\
Rows in, columns out: PostgreSQL and SQLite to tables, JSON, CSV and Arrow.

commands:
  query [URL] SQL     run one statement and write its result (rowmill query --help)
  copy SRC DST        move rows between databases and files (rowmill copy --help)
  doctor [URL]        look at the health of a database (rowmill doctor --help)
"""

QUERY = """\
Run one statement and write its result. Rows are written while they arrive: a result
of any size needs the memory of one batch.
"""

QUERY_MORE = """\
URL
  postgresql://user@host:5432/db      sqlite:///relative.db      sqlite:////absolute.db
  or the path of an SQLite file. Without it DATABASE_URL is used, else PGHOST, PGUSER ...
  'sqlite:///file.db?mode=ro' only reads, 'sqlite:///file.db?mode=rwc' makes a file that is
  not there, which is refused otherwise.
  A password in a URL is visible to others in the list of processes; one in DATABASE_URL
  or PGPASSWORD is not.

parameters
  --param VALUE fills $1, $2 ... in order, --param NAME=VALUE fills :NAME.
  5 is an integer, 2.5 a float; true, false and null are themselves; all else is text.
  A prefix says it outright: text:5  decimal:9.90  date:2026-01-31
  timestamp:2026-01-31T10:00+00:00  uuid:...  (text:a=b is a positional text with = in it)

examples
  rowmill query app.db "select * from orders"
  rowmill query sqlite:///app.db "select * from orders where total > $1" --param 100
  rowmill query "select * from users where name = :name" --param name=Ada
  rowmill query postgresql:///shop @report.sql -o report.parquet
  rowmill query postgresql:///shop "select * from events" --format ndjson | gzip > events.gz
  echo "select 1 as one" | rowmill query sqlite:// - --format json

exit status
  0 done
  1 the statement, the database or the output failed
  2 wrong usage: an option, a --param, the URL, a file that is to be read and is not there
  130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, or exits with 2 on wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["query"]:
        parser, command = query_parser(), query
    elif words[:1] == ["copy"]:
        parser, command = copy_parser(), copy
    elif words[:1] == ["doctor"]:
        parser, command = doctor_parser(), doctor
    else:
        top_parser().parse_args(words or ["--help"])
        return 2
    # Intermixed, so that options may stand between the URL and the SQL.
    args = parser.parse_intermixed_args(words[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return command(args)
    except UsageError as error:
        urls = (vars(args).get(name) for name in ("url", "source", "destination"))
        parser.exit(2, f"rowmill: error: {without_passwords(str(error), *urls)}\n")
    except BrokenPipeError:
        # The reader has seen enough. Python would complain of it once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("rowmill: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def top_parser() -> argparse.ArgumentParser:
    """The parser of everything before the command."""
    parser = argparse.ArgumentParser(
        prog="rowmill",
        usage="rowmill [-h] [--version] {query,copy,doctor} ...",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rowmill {version()}")
    parser.add_argument("command", choices=["query", "copy", "doctor"], help=argparse.SUPPRESS)
    return parser


def query_parser() -> argparse.ArgumentParser:
    """The parser of `rowmill query`."""
    parser = argparse.ArgumentParser(
        prog="rowmill query",
        usage="rowmill query [URL] SQL [--param VALUE ...] [--format FORMAT] [-o FILE]",
        description=QUERY,
        epilog=QUERY_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("url", nargs="?", metavar="URL", help="the database (default: from the environment)")
    add("sql", metavar="SQL", help="the statement; - reads standard input, @FILE a file")
    add("-p", "--param", action="append", default=[], metavar="VALUE", help="see below")
    add(
        *("-f", "--format"),
        choices=FORMATS,
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: what FILE's name ends in, else table);"
        " the last two need pyarrow",
    )
    add("-o", "--output", metavar="FILE", help="write there, all of it or nothing")
    add(
        *("-n", "--limit"),
        type=natural,
        metavar="N",
        help=f"write at most N rows; 0 is no limit (default: 0, for a table {TABLE_LIMIT})",
    )
    add("--timeout", type=seconds, metavar="SECONDS", help="give up after this time")
    add(
        "--batch-rows",
        type=positive,
        default=BATCH_ROWS,
        metavar="N",
        help="rows held in memory at a time (default: %(default)s)",
    )
    return parser


def version() -> str:
    """The installed version."""
    from importlib import metadata

    with suppress(metadata.PackageNotFoundError):
        return metadata.version("rowmill")
    return "(not installed)"


def query(args: argparse.Namespace) -> int:
    """Run the statement; 1 when it, the database or the output fails."""
    check_text(args.url or "", "the URL")
    check_text(args.sql, "the statement")
    check_text("".join(args.param), "a --param")
    sql = statement(args.sql)
    if not sql.strip():
        raise UsageError("the statement is empty")
    url = database(args.url, sql)
    progress = Progress(
        sys.stderr, sys.stderr.isatty() and (args.output is not None or not sys.stdout.isatty())
    )
    where = args.output or "standard output"
    return attempt(lambda: run(args, url, sql, progress), progress, where, (url,))


def run(args: argparse.Namespace, url: str | None, sql: str, progress: Progress) -> None:
    """Stream the result into its format."""
    positional, named = parameters(args.param)
    kind = format_of(args.format, args.output)
    limit = args.limit if args.limit is not None else (TABLE_LIMIT if kind == "table" else 0)
    # One row beyond the limit tells whether there are more.
    batch_rows = min(args.batch_rows, limit + 1) if limit else args.batch_rows
    rows, more = 0, False
    with Output(args.output) as out:
        sink = writer(kind, out, args.output)
        # One mapping rather than keywords: a parameter may be called what a keyword is.
        values = [named] if named else positional
        with (
            rm.Database(url, pool_size=1) as db,
            db.stream(sql, *values, batch_rows=batch_rows, timeout=args.timeout) as parts,
        ):
            for part in parts:
                more = bool(limit) and rows + len(part) > limit
                kept = part[: limit - rows] if more else part
                sink.write(kept)
                rows += len(kept)
                progress.update(rows, out.bytes)
                if more:
                    break
        sink.finish(rows, more)
    if args.output is not None:
        progress.finish(rows, out.bytes, args.output)

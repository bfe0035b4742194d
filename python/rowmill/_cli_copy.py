"""`rowmill copy SRC DST`: rows from a database or a file to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Mapping, Sequence

import rowmill as rm
from rowmill import _cli_read
from rowmill._cli_create import quoted_table
from rowmill._cli_failures import attempt
from rowmill._cli_params import UsageError, check_text, parameters, statement
from rowmill._cli_places import Place, check_readable, place
from rowmill._cli_progress import Progress
from rowmill._cli_target import Count, Source, into_file, into_table

# The options that are for a database only, as source and as destination.
OF_SOURCE = ("table", "query", "param")
OF_DESTINATION = ("into", "create", "replace", "on_conflict", "key", "commit_each")
# Formats that tell numbers from text.
TYPED = ("parquet", "arrow", "json", "ndjson")


def copy(args: argparse.Namespace) -> int:
    """Copy the rows; 1 when a statement, a database, a value or the output fails."""
    for option in ("table", "query", "into"):
        check_text(getattr(args, option) or "", f"--{option}")
    check_text("".join(args.param), "a --param")
    check_text("".join(args.key), "--key")
    source = place(args.source, "the source")
    destination = place(args.destination, "the destination")
    check_options(args, source, destination)
    rows = rows_of(args, source)
    progress = Progress(sys.stderr, sys.stderr.isatty())
    count = Count(progress)

    def work() -> None:
        if destination.format:
            copied = into_file(destination, rows, count)
        else:
            copied = into_table(destination, args.into or args.table, rows, args, count)
        progress.clear()
        of = f" of {count.rows:,}" if copied != count.rows else ""
        plural = "" if count.rows == 1 else "s"
        is_text = source.format == "csv" and (count.is_new or destination.format in TYPED)
        note = ", each value as text: CSV has no types" if is_text else ""
        print(f"{copied:,}{of} row{plural} copied{note}", file=sys.stderr)

    return attempt(work, progress, destination.word, (source.url, destination.url))


def check_options(args: argparse.Namespace, source: Place, destination: Place) -> None:
    """Raise for options that say nothing about this source and this destination."""
    if source.format:
        refuse(args, OF_SOURCE, source)
        check_readable(source)
    elif (args.table is None) == (args.query is None):
        raise UsageError("say what to copy: either --table NAME or --query SQL")
    if args.param and args.query is None:
        raise UsageError("--param is for --query")
    if destination.format:
        refuse(args, OF_DESTINATION, destination)
        if source.is_same(destination):
            raise UsageError("the source and the destination are the same file")
        return
    into = args.into or args.table
    if not into:
        raise UsageError("no table to copy into is named: --into TABLE")
    is_same = args.table and source.is_same(destination)
    if is_same and quoted_table(args.table) == quoted_table(into):
        raise UsageError("the source and the destination are the same table")
    if args.replace and args.commit_each:
        raise UsageError(
            "--replace and --commit-each exclude each other: a table is replaced in one transaction"
        )
    if args.key and not (args.on_conflict or args.create):
        raise UsageError("--key is for --on-conflict or --create")


def refuse(args: argparse.Namespace, options: Sequence[str], file: Place) -> None:
    """Raise where an option for databases is given with a file."""
    for option in options:
        if getattr(args, option):
            word = "--" + option.replace("_", "-")
            more = "; the table to copy into is --into" if option == "table" else ""
            raise UsageError(f"{word} is for a database, and {file.word} is a file{more}")


def rows_of(args: argparse.Namespace, source: Place) -> Source:
    """What opens the rows of the source."""
    if source.format:
        return lambda kinds: _cli_read.frames(source.format, source.word, kinds, args.batch_rows)
    positional, named = parameters(args.param)
    values = [named] if named else positional
    if args.table is not None:
        sql = f"select * from {quoted_table(args.table)}"
    else:
        sql = statement(args.query)
        if not sql.strip():
            raise UsageError("the query is empty")

    def rows(_kinds: Mapping[str, str]) -> Generator[rm.Frame, None, None]:
        with (
            rm.Database(source.url, pool_size=1) as db,
            db.stream(sql, *values, batch_rows=args.batch_rows) as parts,
        ):
            yield from parts

    return rows

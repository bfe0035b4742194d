"""Where `rowmill copy` brings rows: into a table or a file, all of them or none."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from itertools import chain

import rowmill as rm
from rowmill._cli_arrow import Arrow, Parquet
from rowmill._cli_convert import fitted
from rowmill._cli_create import create_sql, quoted_table
from rowmill._cli_failures import CopyError
from rowmill._cli_output import Output
from rowmill._cli_places import Place
from rowmill._cli_progress import Progress
from rowmill._cli_write import writer

# Opens the rows. The types of the table's columns by name, where it is there, tell how to read CSV.
Source = Callable[[Mapping[str, str]], Generator[rm.Frame, None, None]]


class Count:
    """Rows on their way, counted when they have arrived."""

    def __init__(self, progress: Progress) -> None:
        self.rows = 0
        # Whether they went into a table that was made for them.
        self.is_new = False
        self._progress = progress

    def of(self, frames: Iterator[rm.Frame]) -> Iterator[rm.Frame]:
        """The same frames."""
        for frame in frames:
            yield frame
            self.add(frame, None)

    def add(self, frame: rm.Frame, size: int | None) -> None:
        """Count a frame."""
        self.rows += len(frame)
        self._progress.update(self.rows, size)


def into_file(place: Place, source: Source, count: Count) -> int:
    """Write the rows; returns how many."""
    with closing(source({})) as frames, Output(place.word) as out:
        sink = writer(place.format, out, place.word)
        if isinstance(sink, Parquet):
            sink.other = "a file that ends in .arrow"
        elif isinstance(sink, Arrow):
            sink.other = "a file of another format"
        for frame in frames:
            sink.write(frame)
            count.add(frame, out.bytes)
        sink.finish(count.rows, False)
    return count.rows


def into_table(
    place: Place, table: str, source: Source, args: argparse.Namespace, count: Count
) -> int:
    """Load the rows; returns how many were inserted or updated."""
    name = quoted_table(table)
    with rm.Database(place.url, pool_size=1) as db:
        there = column_types(db, name)
        count.is_new = there is None
        with closing(source(there or {})) as frames:
            # What is wrong with the source is told first.
            first = next(frames)
            if there is None and not args.create:
                raise CopyError(f"there is no table {table} in the destination; --create makes it")
            kinds = there or dict(zip(first.columns, first.schema.types, strict=True))
            parts = count.of(fitted(chain([first], frames), kinds, sqlite=place.is_sqlite))
            before = []
            if there is None:
                before.append(create_sql(name, kinds, args.key, sqlite=place.is_sqlite))
            elif args.replace:
                # Not truncate, which would wait for all who read the table: the source may.
                before.append(f"delete from {name}")
            return load(db, table, parts, before, args)


def load(
    db: rm.Database,
    table: str,
    parts: Iterator[rm.Frame],
    before: list[str],
    args: argparse.Namespace,
) -> int:
    """Run the statements and load the rows, in one transaction unless --commit-each says else."""
    key = args.key or None
    if args.commit_each:
        for sql in before:
            db.execute(sql)
        return db.load(
            table, parts, on_conflict=args.on_conflict, key=key, commit_each=args.commit_each
        )
    with db.transaction() as tx:
        for sql in before:
            tx.execute(sql)
        return tx.load(table, parts, on_conflict=args.on_conflict, key=key)


def column_types(db: rm.Database, name: str) -> dict[str, str] | None:
    """The types of a table's columns by their names; None where there is no such table."""
    try:
        schema = db.fetch(f"select * from {name} limit 0").schema
    except rm.ProgrammingError as error:
        if error.sqlstate == "42P01" or str(error).startswith("no such table"):
            return None
        raise
    return dict(zip(schema.names, schema.types, strict=True))

"""Ask a git repository's history three questions, through Rowmill and SQLite.

    python examples/history.py [REPO] [--db FILE] [--keep] [--repeat N]

Imports the commits, authors, files, changed lines and tags of REPO (by default the repository
this file lies in) into an SQLite file, answers three questions as columns and as JSON, and does
the same work with the standard library beside it.
"""

from __future__ import annotations

import argparse
import shlex
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import rowmill as rm
from history_compare import Comparison, DifferenceError, StandardLibrary, compare
from history_git import Repository, RepositoryError
from history_import import import_history
from history_questions import AUTHORS, CHANGES, TOGETHER, WEEKS
from history_show import (
    Progress,
    bar,
    duration,
    heading,
    many,
    plain,
    sparkline,
    table,
    width,
)

HERE = Path(__file__).resolve().parent.parent
# Below this many rows a timing says more about starting a query than about moving rows.
ENOUGH = 100_000
SHOWN = 10


def main() -> int:
    """Run the demo; 1 when it cannot, with a message."""
    args = arguments().parse_args()
    try:
        repository = Repository(args.repo)
        with database_file(args.db, args.keep) as path, rm.Database(url(path)) as db:
            load(repository, db)
            weeks(db)
            authors(db)
            together(db)
            beside(db, path, args.repeat)
            if args.db or args.keep:
                command = shlex.join(["rowmill", "query", str(path), "select * from commits"])
                print(f"\nThe database stays: {command}")
    except (RepositoryError, DifferenceError, FileExistsError, rm.Error) as error:
        print(f"history: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="history", description="The history of a git repository as columns and as JSON."
    )
    parser.add_argument("repo", nargs="?", default=HERE, type=Path, help="default: %(default)s")
    parser.add_argument("--db", type=Path, metavar="FILE", help="write a new SQLite file there")
    parser.add_argument("--keep", action="store_true", help="keep the temporary file")
    parser.add_argument(
        "--repeat", type=positive, default=5, metavar="N", help="best of N timings (default: 5)"
    )
    return parser


def positive(text: str) -> int:
    """A number of one or more."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


@contextmanager
def database_file(chosen: Path | None, keep: bool) -> Iterator[Path]:
    """The path of a file that is not there yet; a temporary one goes unless it is to be kept."""
    if chosen is not None:
        if chosen.exists():
            raise FileExistsError(f"{chosen} exists already; name a new file")
        path = chosen.resolve()
        try:
            yield path
        except BaseException:
            # Half an answer under the chosen name would only be in the way of the next run.
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            raise
    elif keep:
        yield Path(tempfile.mkdtemp(prefix="rowmill-history-")) / "history.db"
    else:
        with tempfile.TemporaryDirectory(prefix="rowmill-history-") as folder:
            yield Path(folder) / "history.db"


def url(path: Path) -> str:
    """The URL of an SQLite file, whose path may hold what a URL gives a meaning to."""
    return f"sqlite:///{quote(str(path))}"


def load(repository: Repository, db: rm.Database) -> None:
    """Import, with a progress bar, and say what came in."""
    heading(f"Importing {plain(str(repository.path.resolve()))}")
    progress = Progress(repository.count())
    counts = import_history(repository, db, progress)
    seconds = progress.seconds()
    progress.clear()
    print(
        f"  {many(counts.commits, 'commit')} by {many(counts.authors, 'author')},"
        f" {many(counts.changes, 'change')} to {many(counts.files, 'file')},"
        f" {many(counts.tags, 'tag')}\n"
        f"  {counts.total():,} rows in {duration(seconds)}, git's own time included"
        f" ({counts.total() / seconds:,.0f} rows/s)"
    )
    if repository.shallow:
        print("  This is a shallow clone: the history before its oldest commits is not here.")


def weeks(db: rm.Database) -> None:
    """The whole history as one line, and its last weeks as a table."""
    frame = db.fetch(WEEKS.sql)
    heading(f"{WEEKS.title}: {many(len(frame), 'week')} with commits")
    columns = frame.to_dict()
    if len(frame) > SHOWN:
        commits = dict(zip(columns["monday"], columns["commits"], strict=True))
        first, last = (date.fromisoformat(columns["monday"][at]) for at in (0, -1))
        every = [first + timedelta(weeks=week) for week in range((last - first).days // 7 + 1)]
        line = sparkline([commits.get(monday.isoformat(), 0) for monday in every], width() - 28)
        print(f"  {first} {line} {last}")
    recent = frame[max(0, len(frame) - SHOWN) :].to_dict()
    bars = [bar(commits, max(recent["commits"])) for commits in recent["commits"]]
    table([*recent, ""], zip(*recent.values(), bars, strict=True))


def authors(db: rm.Database) -> None:
    """Who wrote it."""
    frame = db.fetch(AUTHORS.sql)
    heading(f"{AUTHORS.title}: {min(SHOWN, len(frame))} of {len(frame):,}")
    top = frame[:SHOWN].to_dict()
    del top["email"]
    bars = [bar(commits, max(top["commits"])) for commits in top["commits"]]
    table([*top, ""], zip(*top.values(), bars, strict=True))


def together(db: rm.Database) -> None:
    """Which files belong together, as their commits tell."""
    frame = db.fetch(TOGETHER.sql)
    heading(f"{TOGETHER.title} (in commits of at most 30 files)")
    if not len(frame):
        print("  No two files have changed in one such commit yet.")
        return
    top = frame[:SHOWN].to_dict()
    table(list(top), zip(*top.values(), strict=True))


def beside(db: rm.Database, path: Path, repeat: int) -> None:
    """The same work by Rowmill and by the standard library, with both times."""
    heading(f"Rowmill beside the standard library (best of {repeat}, taking turns)")
    with closing(StandardLibrary(path)) as other:
        results = [compare(db, other, q, repeat) for q in (WEEKS, AUTHORS, TOGETHER, CHANGES)]
    table(
        ["", "rows", "as", "Rowmill", "standard library", "ratio", "bytes", "its bytes", "values"],
        [line for result in results for line in lines(result)],
    )
    print(
        "  columns: db.fetch beside sqlite3 and a dict per row; JSON: db.fetch_json beside json.dumps.\n"
        "  The first three are mostly SQLite computing the answer, the same work on both sides"
        f" (SQLite {db.fetch_value('select sqlite_version()')} here,"
        f" {sqlite3.sqlite_version} in Python)."
    )
    if results[-1].rows < ENOUGH:
        print(
            f"  {results[-1].rows:,} rows are too few to say much about speed; give a repository"
            f" with {ENOUGH:,} changed files or more: ./dev demo PATH"
        )


def lines(result: Comparison) -> Iterator[list[object]]:
    """A comparison as two rows of the table, one for columns and one for JSON."""
    for kind, ours, theirs, sizes in (
        ("columns", result.frame, result.dicts, (None, None)),
        ("JSON", result.json, result.dumps, (result.json_bytes, result.dumps_bytes)),
    ):
        first = kind == "columns"
        yield [
            *(result.question.title if first else "", result.rows if first else None, kind),
            *(duration(ours), duration(theirs), f"{theirs / ours:.1f}x", *sizes, "equal"),
        ]


if __name__ == "__main__":
    sys.exit(main())

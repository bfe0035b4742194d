"""Write the history of a git repository into an SQLite file, through Rowmill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import rowmill as rm
from history_git import Commit, Repository

SCHEMA = """
create table authors (id integer primary key, name text not null, email text not null);
create table commits (
    id integer primary key,         -- a commit's parents have smaller ones
    hash text not null,
    author_id integer not null references authors,
    authored integer,               -- seconds since 1970, UTC
    committed integer,
    subject text not null
);
create table parents (
    commit_id integer not null references commits,
    position integer not null,      -- 1 for the branch that was merged into
    parent_id integer not null references commits
);
create table files (id integer primary key, path text not null);
create table changes (
    commit_id integer not null references commits,
    file_id integer not null references files,
    added integer,                  -- null for binary content, as is deleted
    deleted integer,
    renamed_from integer references files
);
create table tags (
    name text not null,
    commit_id integer references commits,   -- null when HEAD does not reach it
    hash text not null,
    created integer
);
"""
# Made after the rows are in: filling an index in order is several times cheaper than row by row.
INDEXES = """
create unique index commits_hash on commits (hash);
create index changes_commit on changes (commit_id, file_id);
create index changes_file on changes (file_id);
analyze;
"""
# Values bound by one INSERT. Beyond a few hundred the cost per row no longer falls, and SQLite
# allows 32,766.
VALUES = 1_000

Value = int | str | None
Execute = Callable[..., int]


@dataclass(slots=True)
class Counts:
    """Rows written, by table."""

    commits: int = 0
    authors: int = 0
    parents: int = 0
    files: int = 0
    changes: int = 0
    tags: int = 0

    def total(self) -> int:
        """Rows of all tables."""
        return sum(getattr(self, table.name) for table in fields(self))


class Inserter:
    """Collects the rows of one table and writes many with one statement."""

    def __init__(self, execute: Execute, table: str, *columns: str) -> None:
        self._execute = execute
        self._into = f"insert into {table} ({', '.join(columns)}) values "
        self._width = len(columns)
        self._values: list[Value] = []
        self.rows = 0

    def add(self, *row: Value) -> None:
        """Add one row, a value for each column."""
        self._values += row
        self.rows += 1
        if len(self._values) + self._width > VALUES:
            self.flush()

    def flush(self) -> None:
        """Write what is collected."""
        if self._values:
            self._execute(self._into + groups(len(self._values), self._width), *self._values)
            self._values.clear()


class Numbers:
    """Gives each new key the next id, and writes its row when it is first seen."""

    def __init__(self, insert: Inserter) -> None:
        self._insert = insert
        self._ids: dict[tuple[str, ...], int] = {}

    def of(self, *key: str) -> int:
        """The id of a key."""
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self._ids) + 1
            self._insert.add(number, *key)
        return number


class Importer:
    """Turns commits into rows of the six tables, inside one transaction."""

    def __init__(self, execute: Execute) -> None:
        self._commits = Inserter(
            execute, "commits", "id", "hash", "author_id", "authored", "committed", "subject"
        )
        self._parents = Inserter(execute, "parents", "commit_id", "position", "parent_id")
        self._changes = Inserter(
            execute, "changes", "commit_id", "file_id", "added", "deleted", "renamed_from"
        )
        self._tags = Inserter(execute, "tags", "name", "commit_id", "hash", "created")
        self._authors = Inserter(execute, "authors", "id", "name", "email")
        self._files = Inserter(execute, "files", "id", "path")
        self._author = Numbers(self._authors)
        self._file = Numbers(self._files)
        self._ids: dict[str, int] = {}

    def commit(self, commit: Commit) -> None:
        """One commit with its author, parents, files and changes."""
        number = self._ids[commit.hash] = len(self._ids) + 1
        author = self._author.of(*commit.author)
        self._commits.add(
            number, commit.hash, author, commit.authored, commit.committed, commit.subject
        )
        for position, parent in enumerate(commit.parents, 1):
            self._parents.add(number, position, self._ids[parent])
        for change in commit.changes:
            old = None if change.renamed_from is None else self._file.of(change.renamed_from)
            self._changes.add(number, self._file.of(change.path), change.added, change.deleted, old)

    def finish(self, repository: Repository) -> Counts:
        """The tags, and whatever is not yet written."""
        for tag in repository.tags():
            self._tags.add(tag.name, self._ids.get(tag.commit), tag.commit, tag.created)
        for insert in self._tables():
            insert.flush()
        return self.counts()

    def counts(self) -> Counts:
        """Rows so far."""
        commits, authors, parents, files, changes, tags = (i.rows for i in self._tables())
        return Counts(commits, authors, parents, files, changes, tags)

    def _tables(self) -> Sequence[Inserter]:
        return (
            *(self._commits, self._authors, self._parents),
            *(self._files, self._changes, self._tags),
        )


def groups(values: int, width: int) -> str:
    """Placeholders for rows of `width` values: `($1, $2), ($3, $4)` for 4 and 2."""
    rows = range(1, values + 1, width)
    return ", ".join(f"({', '.join(f'${n}' for n in range(at, at + width))})" for at in rows)


def import_history(
    repository: Repository, db: rm.Database, progress: Callable[[int, int], None]
) -> Counts:
    """Import everything HEAD reaches and all tags; all of it, or nothing if it fails.

    `progress` is called with the commits written so far and the rows of all tables.
    """
    db.execute_script(SCHEMA)
    with db.transaction() as tx:
        # Each table is written in bulk, in its own time: references are checked at the end.
        tx.execute("pragma defer_foreign_keys = on")
        importer = Importer(tx.execute)
        for done, commit in enumerate(repository.commits(), 1):
            importer.commit(commit)
            if done % 64 == 0:
                progress(done, importer.counts().total())
        counts = importer.finish(repository)
    progress(counts.commits, counts.total())
    db.execute_script(INDEXES)
    return counts

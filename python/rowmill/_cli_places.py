"""What SRC and DST of `rowmill copy` mean: a database, or a file whose suffix tells the format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from rowmill._cli_params import (
    SCHEME,
    SQLITE,
    UsageError,
    check_file,
    check_text,
    file_url,
    is_file,
)
from rowmill._cli_write import SUFFIXES

SQLITE_SUFFIXES = (".db", ".db3", ".sqlite", ".sqlite3")
MAGIC = b"SQLite format 3\0"
READABLE = ("csv", "arrow", "parquet")


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows come from or go to: a database's URL, or a file's path and format."""

    word: str
    url: str = ""
    format: str = ""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite database."""
        return self.url.lower().startswith("sqlite:")

    def is_same(self, other: Place) -> bool:
        """Whether two words name one place, as far as can be told without asking a server."""
        ours, theirs = self._file(), other._file()
        if ours is not None and theirs is not None:
            try:
                return Path(ours).samefile(theirs)
            except OSError:
                return False
        # The same words for a database in memory still make two of them.
        return self.url == other.url and bool(self.url) and not self.is_sqlite

    def _file(self) -> str | None:
        """The path of a file, an SQLite database's included."""
        if self.format:
            return self.word
        match = SQLITE.fullmatch(self.url)
        path = unquote(match[1]) if match else ""
        return None if path in {"", ":memory:"} else path


def place(word: str, what: str) -> Place:
    """The place a word names; `what` is how errors call it."""
    check_text(word, what)
    if SCHEME.match(word):
        check_file(word)
        return Place(word, url=word)
    suffix = Path(word).suffix.lower()
    if suffix in SUFFIXES:
        return Place(word, format=SUFFIXES[suffix])
    if suffix in SQLITE_SUFFIXES and not is_file(word):
        raise UsageError(
            f"there is no file {word}; to make a new database, write 'sqlite:///{word}?mode=rwc'"
        )
    if suffix in SQLITE_SUFFIXES or is_sqlite(word):
        return Place(word, url=file_url(word))
    raise UsageError(
        f"{what} {word!r} is neither a database (a URL or an SQLite file) nor a file whose format"
        f" is known: one that ends in {', '.join(sorted(SUFFIXES))}"
    )


def check_readable(source: Place) -> None:
    """Raise where the file is not there, or of a format that is only written."""
    if source.format not in READABLE:
        raise UsageError(
            f"{source.word}: {source.format} can be written but not read; files to read end in"
            f" {', '.join(sorted(end for end, kind in SUFFIXES.items() if kind in READABLE))}"
        )
    try:
        with Path(source.word).open("rb"):
            pass
    except OSError as error:
        raise UsageError(f"cannot read {source.word}: {error.strerror}") from None


def is_sqlite(path: str) -> bool:
    """Whether the file is an SQLite database, by how it begins."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False

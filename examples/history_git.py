"""Read the history of a git repository, one commit at a time, from the `git` command."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

CHUNK = 1 << 20
# The fields of one commit, NUL between them: hash, parents, author, author's and committer's
# seconds, subject. `%aN` and `%aE` follow the repository's .mailmap.
FORMAT = "%x00".join(("%H", "%P", "%aN", "%aE", "%at", "%ct", "%s"))
FIELDS = 7
# The user's own configuration could hide the first commit's files, add signatures or re-code text.
LOG = (
    *("-c", "log.showRoot=true", "log", "--topo-order", "--reverse"),
    *("-z", "--numstat", "-M", f"--format={FORMAT}"),
    *("--no-show-signature", "--no-ext-diff", "--no-textconv", "--no-color", "--encoding=UTF-8"),
)
NUMSTAT = re.compile(rb"\n?(\d+|-)\t(\d+|-)\t(.*)", re.DOTALL)
TAGS = "%00".join(
    (
        *("%(refname:lstrip=2)", "%(objectname)", "%(objecttype)"),
        *("%(*objectname)", "%(*objecttype)", "%(creatordate:unix)"),
    )
)


class RepositoryError(Exception):
    """The message says what is wrong with the path, in one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file of one commit; the counts are None where git sees binary content."""

    path: str
    added: int | None
    deleted: int | None
    renamed_from: str | None = None


@dataclass(slots=True)
class Commit:
    """One commit; times are seconds since 1970, UTC, None where git cannot read them.

    A merge lists no changes of its own: they belong to the commits it joins.
    """

    hash: str
    parents: list[str]
    author: tuple[str, str]
    authored: int | None
    committed: int | None
    subject: str
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that points at a commit, directly or through an annotated tag."""

    name: str
    commit: str
    created: int | None


class Repository:
    """A git repository: a work tree, any folder inside one, or a bare one."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise RepositoryError(f"{self.path} is not a folder")
        self.shallow = self._ask("rev-parse", "--is-shallow-repository").strip() == "true"
        try:
            self.head = self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
        except RepositoryError:
            raise RepositoryError(f"{self.path} is a git repository without a commit") from None

    def count(self) -> int:
        """How many commits HEAD reaches."""
        return int(self._ask("rev-list", "--count", self.head))

    def commits(self) -> Iterator[Commit]:
        """Every commit HEAD reaches, each after its parents, while git still compares files."""
        with self._stream(*LOG, self.head, "--") as out:
            yield from parse(tokens(out))

    def tags(self) -> Iterator[Tag]:
        """Every tag of a commit, in the order of their names."""
        for line in self._ask("for-each-ref", "refs/tags", f"--format={TAGS}").splitlines():
            name, direct, kind, peeled, peeled_kind, created = line.split("\0")
            if "commit" in (kind, peeled_kind):
                yield Tag(name, peeled or direct, int(created) if created else None)

    def _command(self, args: tuple[str, ...]) -> list[str]:
        return ["git", "--no-pager", "-C", os.fspath(self.path), *args]

    def _ask(self, *args: str) -> str:
        try:
            done = subprocess.run(
                self._command(args), capture_output=True, check=False, env=environment()
            )
        except FileNotFoundError:
            raise RepositoryError("the git command is not installed") from None
        if done.returncode:
            raise RepositoryError(f"{self.path}: {complaint(done.stderr)}")
        return text(done.stdout)

    @contextmanager
    def _stream(self, *args: str) -> Iterator[IO[bytes]]:
        # Complaints go to a file: a pipe that nobody reads would stop git after 64 KiB of them.
        with tempfile.TemporaryFile() as complaints:
            with subprocess.Popen(
                self._command(args), stdout=subprocess.PIPE, stderr=complaints, env=environment()
            ) as git:
                assert git.stdout is not None
                try:
                    yield git.stdout
                except BaseException:
                    git.kill()
                    raise
            complaints.seek(0)
            if git.returncode:
                raise RepositoryError(f"{self.path}: {complaint(complaints.read())}")


def environment() -> dict[str, str]:
    """This process's environment less what would point git at another repository (in a hook)."""
    elsewhere = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
    return {name: value for name, value in os.environ.items() if name not in elsewhere}


def tokens(out: IO[bytes]) -> Iterator[bytes]:
    """The NUL-terminated pieces of a stream, holding one chunk of it at a time."""
    rest = b""
    while chunk := out.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def parse(pieces: Iterator[bytes]) -> Iterator[Commit]:
    """Commits from the pieces of `git log -z --numstat` in `FORMAT`.

    A path may hold anything but NUL, so only its place tells what a piece is: after a commit's
    fields come its changes, and a change begins with two counts and two tabs, which no hash does.
    A rename has an empty path there and its two paths in the next two pieces.
    """
    commit: Commit | None = None
    for piece in pieces:
        change = NUMSTAT.fullmatch(piece)
        if change is not None and commit is not None:
            added, deleted, path = change.groups()
            old = None if path else text(following(pieces))
            new = text(path or following(pieces))
            commit.changes.append(Change(new, count(added), count(deleted), old))
            continue
        if commit is not None:
            yield commit
        parents, name, mail, authored, committed, subject = (
            text(following(pieces)) for _ in range(FIELDS - 1)
        )
        commit = Commit(
            hash=text(piece),
            parents=parents.split(),
            author=(name, mail),
            authored=seconds(authored),
            committed=seconds(committed),
            subject=subject,
        )
    if commit is not None:
        yield commit


def following(pieces: Iterator[bytes]) -> bytes:
    """The next piece, which must be there."""
    piece = next(pieces, None)
    if piece is None:
        raise RepositoryError("git stopped in the middle of a commit")
    return piece


def seconds(digits: str) -> int | None:
    """A time of git, which prints nothing for a date it cannot read."""
    return int(digits) if digits else None


def count(digits: bytes) -> int | None:
    """The lines of a numstat field; git writes `-` for binary content."""
    return None if digits == b"-" else int(digits)


def text(raw: bytes) -> str:
    """File names are bytes to git: what is not UTF-8 is kept readable as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace")


def complaint(stderr: bytes) -> str:
    """The first line git complained with, without its `fatal: `."""
    lines = text(stderr).strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else "git failed without a word"

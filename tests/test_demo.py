"""The demo: what it imports is what git says, and odd repositories do not stop it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli import example

DEMO = Path(__file__).resolve().parent.parent / "examples" / "history.py"
ODD = ["plain.txt", 'quo"te.txt', "new\nline.txt", "tab\there.txt", "ümlaut 日本.txt", "-dash"]


def git(repo: Path, *words: str, day: int = 1) -> str:
    """Run git in a repository, as a made-up author on a given day."""
    date = f"2026-01-{day:02} 12:00:00 +0200"
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    environment = {
        **kept,
        **dict.fromkeys(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"), os.devnull),
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Ada Ö"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "ada@example.org"),
        **dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), date),
    }
    done = subprocess.run(
        ["git", "-C", str(repo), *words], capture_output=True, env=environment, check=True
    )
    return done.stdout.decode("utf-8", "backslashreplace")


def demo(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the demo and check its exit status."""
    return example(sys.executable, str(DEMO), *map(str, words), status=status)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Odd names, a binary file, a rename, a merge, an empty commit and one without a message."""
    repo = tmp_path_factory.mktemp("demo") / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    # What a user may have configured, and what must not change the import.
    git(repo, "config", "log.showRoot", "false")
    git(repo, "config", "diff.renames", "false")
    git(repo, "config", "color.ui", "always")
    for at, name in enumerate(ODD):
        (repo / name).write_text("line\n" * (at + 2))
    (repo / "binary").write_bytes(b"\0\1\2" * 50)
    with open(os.fsencode(repo) + b"/not-utf8-\xff", "w") as file:  # noqa: PTH123
        file.write("x\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "first\n\nwith 1\t2\tin its body", day=1)
    git(repo, "tag", "light")
    git(repo, "mv", "plain.txt", "re\nnamed.txt")
    git(repo, "commit", "-q", "-m", "1\t2\tlooks like a count", day=9)
    git(repo, "checkout", "-q", "-b", "side", "HEAD~1")
    (repo / "side.txt").write_text("a\nb\n")
    (repo / 'quo"te.txt').write_text("changed\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "side", day=10)
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge", "side", day=11)
    git(repo, "commit", "-q", "--allow-empty", "-m", "empty", day=12)
    git(repo, "commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "", day=12)
    git(repo, "tag", "-a", "-m", "noted", "v1.0", day=12)
    git(repo, "tag", "a-blob", "HEAD:side.txt")
    git(repo, "commit", "-q", "--allow-empty", "-m", "elsewhere", day=13)
    git(repo, "tag", "unreached")
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    return repo


@pytest.fixture(scope="module")
def imported(repo: Path) -> Iterator[sqlite3.Connection]:
    """The file the demo made of it."""
    path = repo.parent / "100%25 a?file.db"
    demo(repo, "--db", path, "--repeat", 1)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def ask(connection: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    """The rows of a statement."""
    return connection.execute(sql).fetchall()


def test_commits_and_parents_are_those_of_git(repo: Path, imported: sqlite3.Connection) -> None:
    expected = {
        tuple(line.split("\t"))
        for line in git(repo, "log", "--format=%H\t%at\t%s", "HEAD").splitlines()
        if "looks like" not in line
    }
    got = ask(imported, "select hash, cast(authored as text), subject from commits")
    assert {row for row in got if "looks like" not in str(row[2])} == expected
    assert ("1\t2\tlooks like a count",) in ask(imported, "select subject from commits")
    edges = {
        (line.split()[0], at, parent)
        for line in git(repo, "rev-list", "--parents", "HEAD").splitlines()
        for at, parent in enumerate(line.split()[1:], 1)
    }
    sql = """
        select c.hash, position, p.hash from parents
        join commits as c on c.id = commit_id join commits as p on p.id = parent_id
    """
    assert set(ask(imported, sql)) == edges
    assert ask(imported, "select count(*) from parents where parent_id >= commit_id") == [(0,)]


def test_changes_are_those_of_git(repo: Path, imported: sqlite3.Connection) -> None:
    sql = "select path, added, deleted from changes join files on id = file_id"
    rows = ask(imported, f"{sql} where commit_id = 1")
    expected: list[tuple[object, ...]] = [(name, at + 2, 0) for at, name in enumerate(ODD)]
    assert set(rows) == {*expected, ("binary", None, None), ("not-utf8-\\xff", 1, 0)}
    renamed = """
        select new.path, old.path, added, deleted from changes
        join files as new on new.id = file_id join files as old on old.id = renamed_from
    """
    assert ask(imported, renamed) == [("re\nnamed.txt", "plain.txt", 0, 0)]
    # Every line git counts, merges aside, renames found.
    words = ("-c", "log.showRoot=true", "log", "--numstat", "-M", "--format=", "HEAD")
    counted = [line.split("\t")[:2] for line in git(repo, *words).splitlines() if line]
    total = [sum(int(n) for n in column if n != "-") for column in zip(*counted, strict=True)]
    assert ask(imported, "select sum(added), sum(deleted) from changes") == [tuple(total)]
    assert ask(imported, "select count(*) from changes") == [(len(counted),)]


def test_tags_are_those_of_git(repo: Path, imported: sqlite3.Connection) -> None:
    got = ask(imported, "select name, hash, commit_id is null from tags order by name")
    assert got == [
        ("light", git(repo, "rev-parse", "light").strip(), 0),
        ("unreached", git(repo, "rev-parse", "unreached").strip(), 1),
        ("v1.0", git(repo, "rev-parse", "v1.0^{commit}").strip(), 0),
    ]


def test_authors(imported: sqlite3.Connection) -> None:
    assert ask(imported, "select * from authors") == [(1, "Ada Ö", "ada@example.org")]


def test_what_it_prints(repo: Path) -> None:
    out = demo(repo, "--repeat", 1).stdout
    for title in ("Weekly activity: 3 weeks", "The authors", "Files that change together most"):
        assert title in out
    assert "6 commits by 1 author" in out
    assert "2026-01-05" in out
    assert "too few to say much about speed" in out
    assert out.count("equal") == 8
    assert "\x1b" not in out
    assert "stays" not in out


def test_one_commit_without_tags(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "only")
    out = demo(tmp_path, "--repeat", 1).stdout
    assert "1 commit" in out
    assert "No two files" in out


def test_shallow_clone_and_bare_repository(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", "--depth", "2", repo.as_uri(), "shallow.git")
    out = demo(tmp_path / "shallow.git", "--repeat", 1).stdout
    assert "shallow clone" in out
    assert "2 commits" in out


def test_mailmap_joins_names(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repo), "clone")
    clone = tmp_path / "clone"
    (clone / ".mailmap").write_text("Ada Lovelace <ada@example.com> <ada@example.org>\n")
    demo(clone, "--db", tmp_path / "h.db", "--repeat", 1)
    with closing(sqlite3.connect(tmp_path / "h.db")) as connection:
        assert ask(connection, "select name from authors") == [("Ada Lovelace",)]


def test_what_is_no_repository(tmp_path: Path, repo: Path) -> None:
    assert "not a git repository" in demo(tmp_path, status=1).stderr
    assert "is not a folder" in demo(tmp_path / "no", status=1).stderr
    git(tmp_path, "init", "-q")
    assert "without a commit" in demo(tmp_path, status=1).stderr
    there = tmp_path / "there.db"
    there.write_text("mine")
    assert "exists already" in demo(repo, "--db", there, status=1).stderr
    assert there.read_text() == "mine"


def test_kept_file_answers(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    assert f"rowmill query {path}" in demo(repo, "--db", path, "--repeat", 1).stdout
    words = ["query", str(path), "select count(*) as n from commits", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "rowmill", *words], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == [{"n": 6}]

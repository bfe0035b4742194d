"""Commits and their parents: a real history, that of the git repository which ROWMILL_HISTORY names, and a made one of a
million."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np

from bench.context import Context, simple
from bench.harness import progress
from bench.measure import Job
from bench.peers.history import TASKS

NEEDS_POSTGRES = False
COLUMNS = tuple(f"{task}_ms" for task in TASKS)
PEERS = ("rowmill", "python", "rustworkx", "igraph", "networkx")
RELEASES = 300


def run(context: Context) -> None:
    """The real history, and the made one."""
    ours = str(Path(__file__).parents[2])
    repository = os.environ.get("ROWMILL_HISTORY", ours)
    progress(f"reading the history of {repository}")
    clone, file = real(repository, context.directory)
    tasks = ",".join(TASKS)
    job = Job("", "", sql=tasks, file=file, other=clone)
    cases = [simple(peer, "history", peer, job) for peer in (*PEERS, "git")]
    context.run("history", "history, real", cases)
    job = Job("", "", sql=tasks, file=made(context.sizes.commits, context.directory))
    cases = [simple(peer, "history", peer, job) for peer in PEERS]
    context.run("history", f"history of {context.sizes.commits}", cases)


def git(path: str, *arguments: str) -> list[str]:
    """The lines that a command of git prints."""
    command = ["git", "-C", path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def real(repository: str, directory: Path) -> tuple[str, str]:
    """A clone with a commit graph, so that git is as fast as it can be, and its edges."""
    clone = str(directory / "history.git")
    git(repository, "clone", "--quiet", "--bare", "--shared", repository, clone)
    git(clone, "commit-graph", "write", "--reachable")
    heads = ["--branches", "--tags", "HEAD"]
    lines = [
        line.split()
        for line in git(clone, "rev-list", "--reverse", "--topo-order", "--parents", *heads)
    ]
    ids = [line[0] for line in lines]
    numbers = {commit: at for at, commit in enumerate(ids)}
    edges = [(at, numbers[parent]) for at, line in enumerate(lines) for parent in line[1:]]
    tags = git(
        clone,
        "for-each-ref",
        "--sort=creatordate",
        "--format=%(objectname) %(*objectname)",
        "refs/tags",
    )
    tagged = [numbers[tag.split()[-1]] for tag in tags if tag.split()[-1] in numbers]
    head = numbers[git(clone, "rev-parse", "HEAD")[0]]
    releases = tagged or list(range(0, len(ids), max(len(ids) // RELEASES, 1)))
    file = str(directory / "real.npz")
    return clone, save(file, ids, edges, head, releases)


def made(commits: int, directory: Path) -> str:
    """Branches off the main line and back into it, as in a history: a third of the commits are merges."""
    numbers = np.random.default_rng(1)
    edges: list[tuple[int, int]] = []
    main, branches = 0, [0]
    for at, (kind, which) in enumerate(
        numbers.integers(0, [100, 2**31], (commits - 1, 2)).tolist(), 1
    ):
        if kind < 35 and len(branches) < 40:
            # A branch begins at the main line.
            edges.append((at, main))
            branches.append(at)
        elif kind < 70 and len(branches) > 1:
            edges += [(at, main), (at, branches.pop(which % len(branches)))]
            main = at
        elif kind < 90 and branches:
            branch = which % len(branches)
            edges.append((at, branches[branch]))
            branches[branch] = at
        else:
            edges.append((at, main))
            main = at
    ids = [f"{at * 0x9E3779B97F4A7C15 % 2**64:040x}" for at in range(commits)]
    releases = list(range(0, commits, max(commits // RELEASES, 1)))
    return save(str(directory / "made.npz"), ids, edges, main, releases)


def save(
    file: str, ids: list[str], edges: list[tuple[int, int]], head: int, releases: list[int]
) -> str:
    """The archive that peers read."""
    children, parents = np.array(edges, np.int64).reshape(-1, 2).T
    np.savez(
        file,
        children=children,
        parents=parents,
        ids=np.array(ids),
        releases=np.array(releases),
        ends=[head, 0],
    )
    return file

"""A history of commits: who comes from whom, and which release was the first to have a commit.

`job.file` is an archive of numbers: the parents of each commit, oldest first, and the releases; `job.other` is the git
repository they are from, where there is one. Other libraries number nodes themselves, so they are given the numbers;
so is Rowmill for what is compared with them. The rest, and git, has hashes.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bench.measure import Job, Measure
from bench.peers.filters import median

TASKS = ("build", "ancestors", "ancestors_hashes", "descendants", "owners")


class History(NamedTuple):
    """Edges between numbers, and which of these are looked at."""

    children: list[int]
    parents: list[int]
    ids: list[str]
    head: int
    root: int
    releases: list[int]
    repository: str


Runs = dict[str, Callable[[], Any]]


def history_of(job: Job) -> History:
    """What the file holds."""
    with np.load(job.file) as arrays:
        children, parents = arrays["children"].tolist(), arrays["parents"].tolist()
        ids, releases = arrays["ids"].tolist(), arrays["releases"].tolist()
        head, root = arrays["ends"].tolist()
    return History(children, parents, ids, head, root, releases, job.other)


def peer(runs: Callable[[History], Runs]) -> Callable[[Job], Measure]:
    """Measures what a library has for each task that `job.sql` names."""

    @functools.wraps(runs)
    def measured(job: Job) -> Measure:
        m = Measure()
        with m:
            known = runs(history_of(job))
            for task in job.sql.split(","):
                if task in known:
                    m.extra[f"{task}_ms"] = median(known[task]) * 1e3
                    if task != "build":
                        m.extra[f"{task}_rows"] = len(known[task]())
        m.extra |= dict.fromkeys(("wall", "cpu", "rss_mb", "rows"))  # of no meaning here
        return m

    return measured


@peer
def rowmill(history: History) -> Runs:
    """`rm.Dag` of hashes, and the hashes of what it finds; once more of numbers, as the others have."""
    import rowmill as rm

    def graph(ids: list[Any]) -> tuple[Any, Any]:
        nodes = range(len(ids))
        # Roots have no edge to say that they are there.
        roots = set(nodes).difference(history.children)
        children = [ids[child] for child in (*history.children, *roots)]
        parents = [*(ids[parent] for parent in history.parents), *(None for _ in roots)]
        edges = rm.Frame({"child": children, "parent": parents})
        return edges, rm.Dag(edges["child"], edges["parent"])

    edges, dag = graph(history.ids)
    _, numbers = graph(list(range(len(history.ids))))
    head = history.ids[history.head]
    releases = [history.ids[release] for release in history.releases]
    return {
        "build": lambda: rm.Dag(edges["child"], edges["parent"]),
        "ancestors": lambda: numbers.ancestors(history.head).ids,
        "ancestors_hashes": lambda: dag.ancestors(head).ids,
        "descendants": lambda: numbers.descendants(history.root).ids,
        "owners": lambda: dag.owners(releases),
    }


@peer
def python(history: History) -> Runs:
    """Lists of parents; a walk that stops where another has been."""

    def build() -> list[list[int]]:
        parents: list[list[int]] = [[] for _ in history.ids]
        for child, parent in zip(history.children, history.parents, strict=True):
            parents[child].append(parent)
        return parents

    parents = build()

    def ancestors(seen: list[int], mark: int, open_: list[int]) -> None:
        while open_:
            for parent in parents[open_.pop()]:
                if seen[parent] < 0:
                    seen[parent] = mark
                    open_.append(parent)

    def of_head() -> list[int]:
        seen = [-1] * len(parents)
        ancestors(seen, 1, [history.head])
        return [node for node, mark in enumerate(seen) if mark > 0]

    def owners() -> list[int]:
        owner = [-1] * len(parents)
        for at, release in enumerate(history.releases):
            if owner[release] < 0:
                owner[release] = at
                ancestors(owner, at, [release])
        return owner

    return {"build": build, "ancestors": of_head, "owners": owners}


@peer
def rustworkx(history: History) -> Runs:
    """`PyDiGraph`, with edges from parents to children."""
    import rustworkx as rx

    edges = list(zip(history.parents, history.children, strict=True))

    def build() -> Any:
        graph: Any = rx.PyDiGraph(multigraph=False)
        graph.extend_from_edge_list(edges)
        return graph

    graph = build()
    return {
        "build": build,
        "ancestors": lambda: rx.ancestors(graph, history.head),
        "descendants": lambda: rx.descendants(graph, history.root),
    }


@peer
def igraph(history: History) -> Runs:
    """`Graph`, with edges from parents to children; it counts the node itself."""
    import igraph as ig

    edges = list(zip(history.parents, history.children, strict=True))

    def build() -> Any:
        return ig.Graph(n=len(history.ids), edges=edges, directed=True)

    graph = build()

    def those(node: int, mode: str) -> Any:
        return graph.subcomponent(node, mode=mode)[1:]

    return {
        "build": build,
        "ancestors": lambda: those(history.head, "in"),
        "descendants": lambda: those(history.root, "out"),
    }


@peer
def networkx(history: History) -> Runs:
    """`DiGraph`, with edges from parents to children."""
    import networkx as nx

    edges = list(zip(history.parents, history.children, strict=True))

    def build() -> Any:
        return nx.DiGraph(edges)

    graph = build()
    return {
        "build": build,
        "ancestors": lambda: nx.ancestors(graph, history.head),
        "descendants": lambda: nx.descendants(graph, history.root),
    }


@peer
def git(history: History) -> Runs:
    """`git rev-list` with its commit graph written: of the head, and of each release without all those before."""

    def rev_list(*arguments: str, given: str = "") -> list[str]:
        command = ["git", "-C", history.repository, "rev-list", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
        return done.stdout.split()

    def owners() -> list[str]:
        found, before = [], ""
        for release in history.releases:
            found += rev_list("--stdin", given=f"{history.ids[release]}\n{before}")
            before += f"^{history.ids[release]}\n"
        return found

    return {
        "ancestors": lambda: rev_list(history.ids[history.head])[1:],
        "owners": owners,
    }

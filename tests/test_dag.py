"""Graphs of children and parents: what git finds in a history, and what naive walks find in any."""

from __future__ import annotations

import decimal
import gc
import random
import subprocess
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rowmill as rm

# A root, two branches, their merge, and a node that has nothing to do with them.
SMALL = rm.Dag(["a", "b", "c", "m", "m", "z"], [None, "a", "a", "b", "c", None])


def test_a_small_graph() -> None:
    assert (len(SMALL), SMALL.edge_count) == (5, 4)
    assert repr(SMALL) == "<rowmill.Dag of 5 nodes and 4 edges>"
    assert SMALL.parents("m").to_list() == ["b", "c"]
    assert SMALL.children("a").to_list() == ["b", "c"]
    assert SMALL.parents("a").to_list() == []
    assert SMALL.roots.to_list() == ["a", "z"]
    assert SMALL.heads.to_list() == ["m", "z"]
    assert SMALL.merges.to_list() == ["m"]
    assert SMALL.missing.to_list() == []
    assert SMALL.ancestors("m").to_list() == ["a", "b", "c"]
    assert SMALL.ancestors(["m", "c"]).to_list() == ["a", "b", "c"]
    assert SMALL.descendants("a").to_list() == ["b", "c", "m"]
    assert SMALL.descendants(["b", "m"]).to_list() == ["m"]
    assert SMALL.reach(["c", "z"]).to_list() == ["a", "c", "z"]
    assert SMALL.first_parents("m").to_list() == ["m", "b", "a"]
    assert SMALL.first_parents("m", limit=2).to_list() == ["m", "b"]
    assert SMALL.first_parents("m", 0).to_list() == []
    assert SMALL.topological_order().to_list() == ["a", "b", "c", "m", "z"]
    assert SMALL.topological_order(children_first=True)[0] == "z"
    assert SMALL.brought().to_dict() == {"merge": ["m"], "id": ["c"]}
    assert SMALL.brought(["b", "m", "m"]).to_tuples() == [("m", "c")]
    owners = {"id": ["a", "b", "c", "m", "z"], "owner": ["b", "b", "m", "m", None]}
    assert SMALL.owners(["b", "m", "b"]).to_dict() == owners
    assert SMALL.owners([])["owner"].to_list() == [None] * 5


def test_owners_have_names() -> None:
    named = SMALL.owners({"v1": "b", "again": "b", "v2": "m"})
    assert named["owner"].to_list() == ["v1", "v1", "v2", "v2", None]
    assert SMALL.owners({7: "m"})["owner"].to_list() == [7, 7, 7, 7, None]
    assert SMALL.owners({})["owner"].to_list() == [None] * 5
    # A dictionary of Arrow's has no value twice, or pandas refuses it.
    owners = SMALL.owners(["b", "b", "m", "m"]).to_pandas()
    assert owners["owner"].tolist()[:4] == ["b", "b", "m", "m"]
    assert SMALL.brought(["m", "m"]).to_pandas()["merge"].tolist() == ["m"]


def test_what_both_come_from() -> None:
    assert SMALL.merge_bases("b", "c").to_list() == ["a"]
    assert SMALL.merge_bases("m", "c").to_list() == ["c"]
    assert SMALL.merge_bases("m", "z").to_list() == []
    assert SMALL.merge_bases("b", "b").to_list() == ["b"]


def test_sets_of_nodes() -> None:
    of_m, of_b = SMALL.reach("m"), SMALL.reach("b")
    assert of_b <= of_m
    assert of_b < of_m
    assert of_m >= of_b
    assert not of_m > SMALL.reach(["m"])
    assert not of_m <= of_b
    assert (of_m ^ SMALL.nodes(["a", "z"])).to_list() == ["b", "c", "m", "z"]
    assert SMALL.nodes("b") | SMALL.nodes(["a"]) == of_b
    assert SMALL.nodes([]).to_list() == []
    assert list(SMALL) == ["a", "b", "c", "m", "z"]
    assert 5 not in of_b
    assert None not in of_b
    with pytest.raises(TypeError, match="in takes one id, not list"):
        assert ["a"] in of_b
    with pytest.raises(TypeError, match=r"in takes one id, not rowmill\.NodeSet"):
        assert of_b in SMALL
    with pytest.raises(TypeError, match="unhashable"):
        hash(of_b)
    assert (of_m - of_b).to_list() == ["c", "m"]
    assert (of_m & of_b) == of_b
    assert (of_b | SMALL.reach("c")).to_list() == ["a", "b", "c"]
    assert of_m != of_b
    assert "a" in of_b
    assert "c" not in of_b
    assert "nobody" not in of_b
    assert len(of_m) == len(list(of_m)) == 4
    assert SMALL.ancestors(of_m - of_b).to_list() == ["a", "b", "c"]
    assert repr(of_b) == "<rowmill.NodeSet of 2 among 5 nodes: 'a', 'b'>"
    assert repr(of_b - of_b) == "<rowmill.NodeSet of 0 among 5 nodes>"
    many = rm.Dag(list(range(1, 7)), list(range(6)))
    assert repr(many.reach(6)) == "<rowmill.NodeSet of 7 among 7 nodes: 0, 1, 2, 3, 4, …>"
    assert of_m.ids.name == "id"
    with pytest.raises(rm.ProgrammingError, match="of another graph: give their ids, with to_list"):
        _ = of_m - many.reach(3)
    with pytest.raises(rm.ProgrammingError, match="of another graph"):
        many.reach(of_m)
    with pytest.raises(TypeError, match=r"joined with another one, not with set: dag\.nodes"):
        _ = of_m | {"z"}  # type: ignore[operator]


IDS: list[list[Any]] = [
    [3, -(2**63), 2**63 - 1],
    ["ab", "", "ü" * 50],
    [b"\0", b"\0\0", b""],
    [uuid.UUID(int=1), uuid.UUID(int=2**127), uuid.UUID(int=0)],
    [f"{at:040x}" for at in (0, 1, 16**40 - 1)],
    [f"{at:064x}" for at in (7, 1, 16**64 - 1)],
    [at.to_bytes(20, "little") for at in (5, 6, 2**160 - 1)],
]


@pytest.mark.parametrize("ids", IDS, ids=lambda ids: type(ids[0]).__name__)
def test_ids_of_any_type(ids: list[Any]) -> None:
    a, b, c = ids
    dag = rm.Dag([b, c, a], [a, b, None])
    assert dag.topological_order().to_list() == ids
    assert dag.ancestors(c).to_list() == [a, b]
    assert dag.owners([b])["owner"].to_list() == [b, b, None]
    assert b in dag
    assert dag.parents(np.array([c], object)).to_list() == [b]
    again = dag.to_frame()
    assert rm.Dag(again["child"], again["parent"]).to_frame() == again
    assert dag.with_edges([c], [a]).parents(c).to_list() == [b, a]


def test_columns_from_elsewhere() -> None:
    numbers = rm.Dag(np.array([2, 3], np.int32), pa.array([1, 2], pa.int16()))
    assert numbers.first_parents(3).to_list() == [3, 2, 1]
    unsigned = pa.array([2**64 - 1, 5], pa.uint64())
    large = rm.Dag(unsigned, pa.array([5, 0], pa.uint64()))
    assert large.first_parents(2**64 - 1).to_list() == [2**64 - 1, 5, 0]
    assert 5 in large
    assert -1 not in large
    assert rm.Dag([2**64 - 1, 5], [5, None]).to_frame()["child"].type == "uint64"
    with pytest.raises(rm.DataError, match="row 1: -1 is no uint64"):
        rm.Dag([2**64 - 1, -1], [5, None])
    whole = pa.array([decimal.Decimal(-1), decimal.Decimal(7)], pa.decimal128(10, 0))
    assert rm.Dag(whole, [7, None]).first_parents(-1).to_list() == [-1, 7]
    with pytest.raises(KeyError, match=r"no node Decimal.'9223372036854775808'"):
        rm.Dag([-5], [7]).reach([-5, 2**63])
    hashes = pa.array([b"\1" * 20, b"\2" * 20], pa.binary(20))
    fixed = rm.Dag(hashes, [*hashes[1:].to_pylist(), None])
    assert fixed.ancestors(b"\1" * 20).to_list() == [b"\2" * 20]
    assert fixed.reach(hashes[1:]).to_list() == [b"\2" * 20]
    assert fixed.reach(bytearray(b"\2" * 20)).to_list() == [b"\2" * 20]
    assert fixed.reach(memoryview(b"\2" * 20)).to_list() == [b"\2" * 20]
    assert numbers.reach(np.array(1)).to_list() == [1]
    assert numbers.reach(np.int64(1)).to_list() == [1]
    labels = pl.Series(["b", "c"], dtype=pl.Categorical)
    assert rm.Dag(labels, ["a", "b"]).ancestors("c").to_list() == ["a", "b"]
    assert rm.Dag(["b"], [None]).reach("b").to_list() == ["b"]
    assert len(rm.Dag([], [])) == 0
    assert rm.Dag([], []).with_edges(["x"], ["y"]).missing.to_list() == ["y"]


def test_hashes_are_kept_as_bytes_until_something_else_comes() -> None:
    digits = [f"{at:040x}" for at in range(1000)]
    dag = rm.Dag(digits[1:], digits[:-1])
    plain = rm.Dag(
        ["x" + text[1:] for text in digits[1:]], ["x" + text[1:] for text in digits[:-1]]
    )
    assert plain.nbytes - dag.nbytes >= 20 * 1000
    assert "f" * 40 not in dag
    assert "nothing" not in dag
    assert digits[10].upper() not in rm.Dag([digits[10]], [None])
    nothing = pa.array([], pa.string())
    assert dag.with_edges(nothing, nothing).nbytes == dag.nbytes
    assert len(plain.with_edges([], [])) == len(plain)
    mixed = dag.with_edges(["work"], [digits[-1]])
    assert mixed.ancestors("work").to_list() == digits
    assert mixed.first_parents(digits[1]).to_list() == digits[1::-1]
    assert rm.Dag([digits[1]], ["short"]).parents(digits[1]).to_list() == ["short"]
    assert rm.Dag([digits[1]], ["A" * 40]).parents(digits[1]).to_list() == ["A" * 40]


def test_positions_say_which_parent_is_first() -> None:
    dag = rm.Dag(["m", "m", "m", "a"], ["c", "a", "b", None], positions=[2, 0, 1, None])
    assert dag.parents("m").to_list() == ["a", "b", "c"]
    more = dag.with_edges(["n", "n", "m"], ["m", "a", "z"], [1, 0, 0])
    assert more.parents("n").to_list() == ["a", "m"]
    assert more.parents("m").to_list() == ["a", "b", "c", "z"]
    with pytest.raises(rm.DataError, match="the position of row 1 is NULL"):
        rm.Dag(["m", "m"], ["a", "b"], [0, None])
    with pytest.raises(rm.DataError, match="positions are integers, not text"):
        rm.Dag(["m"], ["a"], ["first"])


def test_bad_edges() -> None:
    circle = (
        'the edges go in a circle: "c" -> "b" -> "a" -> "c"; check\\(\\), given all edges, names'
    )
    with pytest.raises(rm.DataError, match=circle):
        rm.Dag(["d", "c", "b", "a"], ["c", "b", "a", "c"])
    with pytest.raises(rm.DataError, match="circle: 7 -> 7;"):
        rm.Dag([7], [7])
    with pytest.raises(rm.DataError, match=r"circle: 0 -> 99 -> .* -> \.\.\. 93 more"):
        rm.Dag(list(range(100)), [(at - 1) % 100 for at in range(100)])
    with pytest.raises(rm.DataError, match=r'circle: ("\w" -> )+"\w";'):
        SMALL.with_edges(["a"], ["m"])
    with pytest.raises(rm.DataError, match=r'"x" -> "y" -> "x"; check\(\), given all edges, names'):
        SMALL.with_edges(["x", "y"], ["y", "x"])
    with pytest.raises(rm.DataError, match="there are 1 children and 2 parents"):
        rm.Dag(["a"], ["b", "c"])
    with pytest.raises(rm.DataError, match="there are 1 children and 2 positions"):
        rm.Dag(["a"], ["b"], [1, 2])
    with pytest.raises(rm.DataError, match="the child of row 1 is NULL"):
        rm.Dag(["a", None], ["b", "c"])
    with pytest.raises(rm.DataError, match="children are int64 and parents text"):
        rm.Dag([1], ["b"])
    with pytest.raises(
        rm.DataError, match="children: ids are integers, text, bytes or uuids, not f"
    ):
        rm.Dag([1.5], [2.5])
    with pytest.raises(rm.DataError, match="the ids of this graph are text, not int64"):
        SMALL.with_edges([1], [2])
    with pytest.raises(TypeError, match=r'column "children" must be a list, .* not str'):
        rm.Dag("a", "b")


def test_bad_questions() -> None:
    with pytest.raises(KeyError, match="no node 'nobody' in this graph"):
        SMALL.ancestors(["a", "nobody"])
    with pytest.raises(KeyError, match="no node None in this graph"):
        SMALL.owners(["a", None])
    with pytest.raises(rm.DataError, match="the ids of this graph are text, not int64"):
        SMALL.reach(5)
    assert b"a" not in SMALL
    with pytest.raises(
        TypeError, match="heads are a list, an array or a column, not set: their order"
    ):
        SMALL.owners({"a", "b"})
    with pytest.raises(TypeError, match="children are a list, an array or a column, not dict"):
        rm.Dag({"a": 1}, ["b"])
    with pytest.raises(KeyError, match=r"no node 'abc' .*: its ids are whole hashes in lower case"):
        rm.Dag(["a" * 40], [None]).reach("abc")
    with pytest.raises(TypeError, match=r'not a table of 2: write table\["name"\]'):
        SMALL.reach(SMALL.to_frame())
    with pytest.raises(rm.DataError, match=r'floats to pandas: \.astype\("Int64"\)'):
        rm.Dag([1.0], [None])
    with pytest.raises(rm.ProgrammingError, match="takes the id of one node, not of 2"):
        SMALL.parents(["a", "b"])
    with pytest.raises(ValueError, match="limit is not below 0"):
        SMALL.first_parents("m", -1)
    assert len(SMALL) == 5


def test_check_names_each_edge_that_is_wrong() -> None:
    found = rm.Dag.check(["b", "c", "d", "d", "e", "x"], ["a", "d", "c", "c", "e", None])
    assert found.to_tuples() == [
        (0, "missing", "b", "a"),
        (1, "circle", "c", "d"),
        (2, "circle", "d", "c"),
        (3, "repeated", "d", "c"),
        (3, "circle", "d", "c"),
        (4, "circle", "e", "e"),
    ]
    edges = SMALL.to_frame()
    assert rm.Dag.check(edges["child"], edges["parent"]).to_tuples() == []
    # A circle and what hangs on it: only its own edges go round.
    assert rm.Dag.check([1, 2, 3, 4], [2, 3, 1, 1])["row"].to_list() == [0, 1, 2]
    long = list(range(100_000))
    assert len(rm.Dag.check(long, [*long[1:], 0])) == 100_000


def test_what_is_missing_and_comes_later() -> None:
    cut = rm.Dag([3, 4], [2, 3])
    assert cut.missing.to_list() == [2]
    assert cut.roots.to_list() == [2]
    # Only a node that was known as a parent gets one.
    whole = cut.with_edges([2, 1], [1, None])
    assert whole.missing.to_list() == []
    assert whole.ancestors(4).to_list() == [1, 2, 3]
    assert cut.with_edges([2], [None]).missing.to_list() == []
    assert cut.ancestors(4).to_list() == [2, 3]
    assert cut.with_edges([4, 4], [3, 3]).to_frame() == cut.to_frame()


class Edges(NamedTuple):
    """As columns, and as the parents of each."""

    children: list[int]
    parents: list[int | None]

    def of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for child, parent in zip(self.children, self.parents, strict=True):
            parents = found.setdefault(child, [])
            if parent is not None and parent not in parents:
                parents.append(parent)
                found.setdefault(parent, [])
        return found


@st.composite
def edges(draw: st.DrawFn) -> Edges:
    """Of up to forty nodes, in any order; parents have lower numbers, so there is no circle."""
    n = draw(st.integers(1, 40))
    pair = st.integers(0, n - 1).flatmap(
        lambda child: st.tuples(
            st.just(child), st.none() if child == 0 else st.none() | st.integers(0, child - 1)
        )
    )
    rows = draw(st.lists(pair, min_size=1, max_size=80))
    return Edges([child for child, _ in rows], [parent for _, parent in rows])


def naive_reach(parents: dict[int, list[int]], heads: list[int]) -> set[int]:
    found, open_ = set(heads), list(heads)
    while open_:
        for parent in parents[open_.pop()]:
            if parent not in found:
                found.add(parent)
                open_.append(parent)
    return found


@given(rows=edges(), cut=st.integers(0, 80), seed=st.integers(0, 2**32))
def test_walks_find_what_naive_ones_do(rows: Edges, cut: int, seed: int) -> None:
    whole = rm.Dag(*rows)
    parts = rm.Dag(rows.children[:cut], rows.parents[:cut])
    parts = parts.with_edges(rows.children[cut:], rows.parents[cut:])
    parents = rows.of()
    nodes = sorted(parents)
    heads = random.Random(seed).choices(nodes, k=3)
    reached = naive_reach(parents, heads)
    for dag in (whole, parts):
        assert (len(dag), dag.edge_count) == (len(nodes), sum(map(len, parents.values())))
        order = dag.topological_order().to_list()
        assert sorted(order) == nodes
        places = {node: at for at, node in enumerate(order)}
        for node in nodes:
            assert dag.parents(node).to_list() == parents[node]
            assert all(places[parent] < places[node] for parent in parents[node])
            assert set(dag.children(node).to_list()) == {n for n in nodes if node in parents[n]}
        assert set(dag.reach(heads)) == reached
        above = [parent for head in heads for parent in parents[head]]
        assert set(dag.ancestors(heads)) == naive_reach(parents, above)
        below = {n for n in nodes if naive_reach(parents, parents[n]) & set(heads)}
        assert set(dag.descendants(heads)) == below
        assert set(dag.missing) == set(nodes) - set(rows.children)
        owners = dict(dag.owners(heads).to_tuples())
        for node in nodes:
            owner = next((head for head in heads if node in naive_reach(parents, [head])), None)
            assert owners[node] == owner
        expected = {
            (merge, node)
            for merge in nodes
            if parents[merge]
            for node in naive_reach(parents, parents[merge][1:])
            - naive_reach(parents, parents[merge][:1])
        }
        assert set(dag.brought(nodes).to_tuples()) == expected
        assert set(dag.brought().to_tuples()) == expected


@given(st.lists(st.tuples(st.integers(0, 12), st.none() | st.integers(0, 12)), max_size=40))
def test_circles_are_found_where_there_are_some(rows: list[tuple[int, int | None]]) -> None:
    edges = Edges([child for child, _ in rows], [parent for _, parent in rows])
    parents = edges.of()
    circles = [
        row
        for row, (child, parent) in enumerate(rows)
        if parent is not None and child in naive_reach(parents, [parent])
    ]
    found = rm.Dag.check(*edges).filter(rm.col("problem") == "circle")
    assert found["row"].to_list() == circles
    if circles:
        with pytest.raises(rm.DataError, match="go in a circle"):
            rm.Dag(*edges)
    else:
        assert len(rm.Dag(*edges)) == len(parents)


def test_deep_and_wide_graphs() -> None:
    n = 200_000
    deep = rm.Dag(np.arange(1, n), np.arange(n - 1))
    assert len(deep.ancestors(n - 1)) == n - 1
    assert len(deep.first_parents(n - 1)) == n
    wide = rm.Dag([0] * n, np.arange(1, n + 1))
    assert len(wide.ancestors(0)) == n
    assert wide.parents(0).to_list() == list(range(1, n + 1))
    assert len(wide.brought(0)) == n - 1
    backwards = rm.Dag(np.arange(n - 1)[::-1].copy(), np.arange(1, n)[::-1].copy())
    assert backwards.heads.to_list() == [0]


def test_a_set_holds_its_graph() -> None:
    dag = rm.Dag(list(range(1, 1000)), list(range(999)))
    reached = dag.reach(999)
    del dag
    gc.collect()
    assert len(reached.ids) == 1000


def test_many_parents_come_again() -> None:
    n = 300_000
    parents = np.arange(1, n + 1)
    dag = rm.Dag(np.zeros(n, np.int64), parents)
    again = dag.with_edges(np.zeros(n, np.int64), parents[::-1].copy())
    assert again.edge_count == n


def test_the_order_of_what_was_brought() -> None:
    # A branch of three commits, another off it, and the merge of both.
    dag = rm.Dag([2, 3, 4, 5, 6, 9, 9, 9], [1, 2, 3, 3, 1, 6, 4, 5])
    brought = dag.brought(9)["id"].to_list()
    assert sorted(brought) == [2, 3, 4, 5]
    for child, parent in ((4, 3), (5, 3), (3, 2)):
        assert brought.index(child) < brought.index(parent)


class Repository:
    """A history of git's own making, with as many branches as it has commits to merge."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--initial-branch=main")
        numbers = random.Random(5)
        stream = []
        heads: list[int] = []
        for at in range(1, 1201):
            parents = numbers.sample(heads[-6:], k=min(len(heads), numbers.choice([1, 1, 1, 2, 3])))
            if numbers.random() < 0.01:
                parents = []
            stream.append(f"commit refs/heads/at{at}\nmark :{at}\n")
            stream.append(f"committer A <a@example.org> {1_700_000_000 + at} +0000\ndata 0\n")
            stream.append(
                "".join(
                    f"{'merge' if number else 'from'} :{parent}\n"
                    for number, parent in enumerate(parents)
                )
            )
            heads.append(at)
        subprocess.run(
            ["git", "fast-import", "--quiet", "--export-marks=marks"],
            cwd=path,
            input="".join(stream).encode(),
            check=True,
        )
        self.commits = [
            line.split()[1]
            for line in sorted(
                (path / "marks").read_text().splitlines(), key=lambda line: int(line[1:].split()[0])
            )
        ]

    def git(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.splitlines()

    def merge_bases(self, a: str, b: str) -> list[str]:
        # It ends with 1 where there is none.
        command = ["git", "merge-base", "--all", a, b]
        done = subprocess.run(command, cwd=self.path, check=False, capture_output=True, text=True)
        return done.stdout.split()

    def dag(self) -> rm.Dag:
        children: list[str] = []
        parents: list[str | None] = []
        for line in self.git("rev-list", "--all", "--parents"):
            child, *of_child = line.split()
            for parent in of_child:
                children.append(child)
                parents.append(parent)
            if not of_child:
                children.append(child)
                parents.append(None)
        return rm.Dag(children, parents)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("history"))


def test_git_finds_the_same(repository: Repository) -> None:
    dag, git = repository.dag(), repository.git
    assert len(dag) == len(repository.commits) == int(git("rev-list", "--all", "--count")[0])
    assert sorted(dag.roots) == sorted(git("rev-list", "--all", "--max-parents=0"))
    assert sorted(dag.merges) == sorted(git("rev-list", "--all", "--min-parents=2"))
    some = random.Random(6).sample(repository.commits, 12)
    for a, b in zip(some[::2], some[1::2], strict=True):
        assert set(dag.reach(a)) == set(git("rev-list", a))
        assert set(dag.reach(b) - dag.reach(a)) == set(git("rev-list", f"{a}..{b}"))
        assert set(dag.reach([a, b])) == set(git("rev-list", a, b))
        assert dag.first_parents(a).to_list() == git("rev-list", "--first-parent", a)
        assert set(dag.merge_bases(a, b)) == set(repository.merge_bases(a, b))
        ancestry = set(git("rev-list", "--ancestry-path", f"{a}..{b}"))
        assert set(dag.descendants(a) & dag.reach(b)) == ancestry
    for merge in random.Random(7).sample(dag.merges.to_list(), 12):
        brought = set(git("rev-list", f"{merge}^1..{merge}")) - {merge}
        assert set(dag.brought(merge)["id"].to_list()) == brought
    releases = repository.commits[99::150]
    owners = dict(dag.owners(releases).to_tuples())
    before: set[str] = set()
    for release in releases:
        new = set(git("rev-list", release)) - before
        assert {commit for commit, owner in owners.items() if owner == release} == new
        before |= new
    assert {commit for commit, owner in owners.items() if owner is None} == set(owners) - before

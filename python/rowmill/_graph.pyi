"""What graphs are to type checkers. The module is a stub's part: at run time its name is that of
`rowmill._rowmill`."""

from collections.abc import Iterator
from typing import Any, ClassVar, final

from rowmill._rowmill import Column, Frame

@final
class Dag:
    """A directed graph without circles, of edges from children to their parents: a history of commits, say.

    >>> dag = rm.Dag(["a", "b", "c", "m", "m"], [None, "a", "a", "b", "c"])
    >>> dag
    <rowmill.Dag of 4 nodes and 4 edges>
    >>> dag.reach("m") - dag.reach("b")
    <rowmill.NodeSet of 2 among 4 nodes: 'c', 'm'>

    Each row is an edge: two columns, lists or arrays, of integers, text, bytes or UUIDs. A row without a parent says that
    there is a node; the same edge said again is one edge. Parents of a node are in the order of their rows, or of
    `positions`. Edges that go in a circle are an error. Wherever nodes are asked for, an id will do, a list or column of
    ids, or a `NodeSet`; an id that is no node's is a `KeyError`. Text of 40 or 64 lower-case hexadecimal digits, a commit's
    hash, is kept as the bytes it stands for.
    """

    def __new__(cls, children: Any, parents: Any, positions: Any = None) -> Dag: ...
    @staticmethod
    def check(children: Any, parents: Any) -> Frame:
        """What is wrong with edges, a row for each problem: `row`, `problem`, `child`, `parent`.

        >>> rm.Dag.check(["b", "c", "d", "d"], ["a", "d", "c", "c"]).to_tuples()[:2]
        [(0, 'missing', 'b', 'a'), (1, 'circle', 'c', 'd')]

        `circle`: the child is an ancestor of its parent, and there is no such graph. `missing`: the parent is in no row a
        child, as where a history is cut off. `repeated`: the edge was there before.
        """

    def with_edges(self, children: Any, parents: Any, positions: Any = None) -> Dag:
        """The same graph with more edges; those that it has already change nothing.

        >>> dag = rm.Dag(["a", "b"], [None, "a"]).with_edges(["c"], ["b"])
        >>> dag.ancestors("c").to_list()
        ['a', 'b']

        Parents of a node that has some come behind them. Sets of nodes stay those of their own graph.
        """

    def __len__(self) -> int: ...
    def __contains__(self, id: Any, /) -> bool: ...
    def __iter__(self) -> Iterator[Any]:
        """All ids, parents before children."""

    def nodes(self, ids: Any) -> NodeSet:
        """The set of these nodes; `reach` has their ancestors, too.

        >>> dag = rm.Dag([1, 2, 3], [None, 1, 2])
        >>> (dag.nodes([1, 3]) - dag.heads).to_list()
        [1]
        """

    @property
    def edge_count(self) -> int:
        """How many edges."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes, about; with all ids as they are given back, once `owners` or `topological_order` gave them."""

    @property
    def roots(self) -> NodeSet:
        """Nodes without parents."""

    @property
    def heads(self) -> NodeSet:
        """Nodes without children."""

    @property
    def missing(self) -> NodeSet:
        """Nodes that are in no row a child, only somebody's parents: where a history was cut off."""

    @property
    def merges(self) -> NodeSet:
        """Nodes with several parents."""

    def topological_order(self, *, children_first: bool = False) -> Column:
        """All ids, those of parents before those of their children; with `children_first` the other way."""

    def parents(self, id: Any) -> Column:
        """The parents of a node, the first first."""

    def children(self, id: Any) -> Column:
        """The children of a node. This looks at every edge behind the node; for all children at once there is `to_frame`."""

    def first_parents(self, id: Any, limit: int | None = None) -> Column:
        """A node, its first parent, that one's first, and so on to a root; at most `limit` of them."""

    def ancestors(self, ids: Any) -> NodeSet:
        """All that these come from: their parents, those of the parents, and so on. One of these is among them if it is
        another's ancestor."""

    def descendants(self, ids: Any) -> NodeSet:
        """All that come from these: their children, those of the children, and so on."""

    def merge_bases(self, a: Any, b: Any) -> NodeSet:
        """What both reach that no other such node reaches, as `git merge-base --all` names it.

        >>> rm.Dag([1, 2, 3, 4], [None, 1, 2, 1]).merge_bases(3, 4).to_list()
        [1]
        """

    def reach(self, ids: Any) -> NodeSet:
        """These and all their ancestors, as `git rev-list` names them.

        >>> dag = rm.Dag([1, 2, 3, 4], [None, 1, 2, 1])
        >>> (dag.reach(3) - dag.reach(4)).to_list()
        [2, 3]
        """

    def owners(self, heads: Any) -> Frame:
        """For each node the first of the heads that is it or reaches it: `id` and `owner`, NULL where none does. With the
        oldest release first, the release that each commit was first in.

        >>> dag = rm.Dag([1, 2, 3, 4], [None, 1, 2, 3])
        >>> dag.owners([2, 3]).to_tuples()
        [(1, 2), (2, 2), (3, 3), (4, None)]

        A dict of names and ids gives the names:

        >>> dag.owners({"v1": 2, "v2": 3})["owner"].to_list()
        ['v1', 'v1', 'v2', None]
        """

    def brought(self, merges: Any = None) -> Frame:
        """What merges brought in: `merge` and `id`, a row for each node that the other parents of a merge reach and its
        first does not. Of all merges, if none are named.

        >>> dag = rm.Dag(["b", "c", "d", "m", "m"], ["a", "a", "c", "b", "d"])
        >>> dag.brought("m").to_tuples()
        [('m', 'd'), ('m', 'c')]
        """

    def to_frame(self) -> Frame:
        """All edges: `child` and `parent`, of which a graph of the same nodes and edges can be made. A node without
        parents stands beside a NULL, unless it is missing."""

@final
class NodeSet:
    """Some nodes of a graph: `|`, `&`, `-`, `^`, `<=` and `in` as of a set, ids in the order of the graph, parents before children."""

    @property
    def ids(self) -> Column:
        """The ids as a column."""

    def to_list(self) -> list[Any]:
        """The ids as Python objects."""

    def __len__(self) -> int: ...
    def __contains__(self, id: Any, /) -> bool: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __or__(self, other: NodeSet, /) -> NodeSet: ...
    def __and__(self, other: NodeSet, /) -> NodeSet: ...
    def __sub__(self, other: NodeSet, /) -> NodeSet: ...
    def __xor__(self, other: NodeSet, /) -> NodeSet: ...
    def __le__(self, other: NodeSet, /) -> bool: ...
    def __lt__(self, other: NodeSet, /) -> bool: ...
    def __ge__(self, other: NodeSet, /) -> bool: ...
    def __gt__(self, other: NodeSet, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

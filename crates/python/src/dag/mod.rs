#![allow(clippy::doc_link_with_quotes)] // the examples are Python
//! A graph in which each node has parents, and sets of its nodes.

mod ids;
mod node_set;

use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyIterator, PySet};
use rowmill::kernels::Selection;
use rowmill::{Batch, ColumnError};

use crate::column::Column;
use crate::frame::Frame;
use crate::{errors, infer, value};
use ids::{Ids, detached, ids_column, ids_of, position, table};
pub(crate) use node_set::NodeSet;

/// A directed graph without circles, of edges from children to their parents: a history of commits, say.
///
/// >>> dag = rm.Dag(["a", "b", "c", "m", "m"], [None, "a", "a", "b", "c"])
/// >>> dag
/// <rowmill.Dag of 4 nodes and 4 edges>
/// >>> dag.reach("m") - dag.reach("b")
/// <rowmill.NodeSet of 2 among 4 nodes: 'c', 'm'>
///
/// Each row is an edge: two columns, lists or arrays, of integers, text, bytes or UUIDs. A row without a parent says that
/// there is a node; the same edge said again is one edge. Parents of a node are in the order of their rows, or of
/// `positions`. Edges that go in a circle are an error. Wherever nodes are asked for, an id will do, a list or column of
/// ids, or a `NodeSet`; an id that is no node's is a `KeyError`. Text of 40 or 64 lower-case hexadecimal digits, a commit's
/// hash, is kept as the bytes it stands for.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Dag(Arc<rowmill::Dag>);

impl Dag {
    fn run<T: Send>(&self, py: Python<'_>, work: impl Send + FnOnce(&rowmill::Dag) -> T) -> T {
        detached(py, self.0.len(), || work(&self.0))
    }

    fn set(&self, nodes: Selection) -> NodeSet {
        NodeSet { dag: Arc::clone(&self.0), nodes }
    }

    /// The one node that is asked for.
    fn node(&self, id: &Bound<'_, PyAny>) -> PyResult<u32> {
        match self.found(id)?[..] {
            [node] => Ok(node),
            ref nodes => {
                let message = format!("this takes the id of one node, not of {}", nodes.len());
                Err(errors::programming(id.py(), &message))
            }
        }
    }

    /// The nodes of what stands for some.
    fn found(&self, ids: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
        let py = ids.py();
        if let Ok(set) = ids.cast::<NodeSet>() {
            return set.get().of(py, &self.0).map(|nodes| nodes.indices());
        }
        let (kind, column) = ids_of(ids)?;
        let found = detached(py, column.len(), || self.0.find((&kind, &column)));
        let found = found.map_err(|error| errors::columns(py, &error))?;
        let nodes: Option<Vec<u32>> = found.iter().copied().collect();
        nodes.ok_or_else(|| {
            let row = found.iter().position(Option::is_none).unwrap_or_default();
            let id = value::cell(py, &table("id", kind, column), 0, row);
            match id.and_then(|id| value::repr(&id)) {
                Ok(id) => {
                    let hint = if self.0.has_hashes() {
                        ": its ids are whole hashes in lower case, as git rev-parse prints them"
                    } else {
                        ""
                    };
                    PyKeyError::new_err(format!("no node {id} in this graph{hint}"))
                }
                Err(error) => error,
            }
        })
    }

    fn column(&self, py: Python<'_>, nodes: &[u32]) -> PyResult<Column> {
        ids_column(py, &self.0, nodes)
    }

    fn frame(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&rowmill::Dag) -> Result<Batch, ColumnError>,
    ) -> PyResult<Frame> {
        self.run(py, work).map(Frame::from).map_err(|error| errors::columns(py, &error))
    }
}

#[pymethods]
impl Dag {
    #[new]
    #[pyo3(signature = (children, parents, positions=None))]
    fn new(
        py: Python<'_>,
        children: &Bound<'_, PyAny>,
        parents: &Bound<'_, PyAny>,
        positions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let edges = Edges::of(children, parents, positions)?;
        edges.graph(py, rowmill::Dag::new)
    }

    /// What is wrong with edges, a row for each problem: `row`, `problem`, `child`, `parent`.
    ///
    /// >>> rm.Dag.check(["b", "c", "d", "d"], ["a", "d", "c", "c"]).to_tuples()[:2]
    /// [(0, 'missing', 'b', 'a'), (1, 'circle', 'c', 'd')]
    ///
    /// `circle`: the child is an ancestor of its parent, and there is no such graph. `missing`: the parent is in no row a
    /// child, as where a history is cut off. `repeated`: the edge was there before.
    #[staticmethod]
    fn check(
        py: Python<'_>,
        children: &Bound<'_, PyAny>,
        parents: &Bound<'_, PyAny>,
    ) -> PyResult<Frame> {
        let Edges { children, parents, .. } = Edges::of(children, parents, None)?;
        let found = detached(py, children.1.len(), || {
            rowmill::Dag::check((&children.0, &children.1), (&parents.0, &parents.1))
        });
        found.map(Frame::from).map_err(|error| errors::columns(py, &error))
    }

    /// The same graph with more edges; those that it has already change nothing.
    ///
    /// >>> dag = rm.Dag(["a", "b"], [None, "a"]).with_edges(["c"], ["b"])
    /// >>> dag.ancestors("c").to_list()
    /// ['a', 'b']
    ///
    /// Parents of a node that has some come behind them. Sets of nodes stay those of their own graph.
    #[pyo3(signature = (children, parents, positions=None))]
    fn with_edges(
        &self,
        py: Python<'_>,
        children: &Bound<'_, PyAny>,
        parents: &Bound<'_, PyAny>,
        positions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let edges = Edges::of(children, parents, positions)?;
        edges.graph(py, |children, parents, positions| {
            self.0.with_edges(children, parents, positions)
        })
    }

    /// How many nodes.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __contains__(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(position(&self.0, id)?.is_some())
    }

    /// All ids, parents before children.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        value::list(py, &self.topological_order(py, false)?.batch, 0)?.try_iter()
    }

    /// The set of these nodes; `reach` has their ancestors, too.
    ///
    /// >>> dag = rm.Dag([1, 2, 3], [None, 1, 2])
    /// >>> (dag.nodes([1, 3]) - dag.heads).to_list()
    /// [1]
    fn nodes(&self, ids: &Bound<'_, PyAny>) -> PyResult<NodeSet> {
        let nodes = self.found(ids)?;
        Ok(self.set(Selection::of(self.0.len(), nodes)))
    }

    /// How many edges.
    #[getter]
    fn edge_count(&self) -> usize {
        self.0.edge_count()
    }

    /// Bytes that it takes, about; with all ids as they are given back, once `owners` or `topological_order` gave them.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.byte_len()
    }

    /// Nodes without parents.
    #[getter]
    fn roots(&self, py: Python<'_>) -> NodeSet {
        self.set(self.run(py, rowmill::Dag::roots))
    }

    /// Nodes without children.
    #[getter]
    fn heads(&self, py: Python<'_>) -> NodeSet {
        self.set(self.run(py, rowmill::Dag::heads))
    }

    /// Nodes that are in no row a child, only somebody's parents: where a history was cut off.
    #[getter]
    fn missing(&self, py: Python<'_>) -> NodeSet {
        self.set(self.run(py, rowmill::Dag::missing))
    }

    /// Nodes with several parents.
    #[getter]
    fn merges(&self, py: Python<'_>) -> NodeSet {
        self.set(self.run(py, |dag| Selection::of(dag.len(), dag.merges())))
    }

    /// All ids, those of parents before those of their children; with `children_first` the other way.
    #[pyo3(signature = (*, children_first=false))]
    fn topological_order(&self, py: Python<'_>, children_first: bool) -> PyResult<Column> {
        if children_first {
            let nodes: Vec<u32> = (0..self.0.len() as u32).rev().collect();
            return self.column(py, &nodes);
        }
        let ids =
            self.run(py, rowmill::Dag::all_ids).map_err(|error| errors::columns(py, &error))?;
        Ok(Column { batch: table("id", self.0.kind(), ids) })
    }

    /// The parents of a node, the first first.
    fn parents(&self, id: &Bound<'_, PyAny>) -> PyResult<Column> {
        self.column(id.py(), self.0.parents(self.node(id)?))
    }

    /// The children of a node. This looks at every edge behind the node; for all children at once there is `to_frame`.
    fn children(&self, id: &Bound<'_, PyAny>) -> PyResult<Column> {
        let (py, node) = (id.py(), self.node(id)?);
        self.column(py, &self.run(py, |dag| dag.children(node)))
    }

    /// A node, its first parent, that one's first, and so on to a root; at most `limit` of them.
    #[pyo3(signature = (id, limit=None))]
    fn first_parents(&self, id: &Bound<'_, PyAny>, limit: Option<i64>) -> PyResult<Column> {
        let (py, node) = (id.py(), self.node(id)?);
        let limit = match limit.map(usize::try_from) {
            None => usize::MAX,
            Some(Ok(limit)) => limit,
            Some(Err(_)) => return Err(PyValueError::new_err("limit is not below 0")),
        };
        self.column(py, &self.run(py, |dag| dag.first_parents(node, limit)))
    }

    /// All that these come from: their parents, those of the parents, and so on. One of these is among them if it is
    /// another's ancestor.
    fn ancestors(&self, ids: &Bound<'_, PyAny>) -> PyResult<NodeSet> {
        let nodes = self.found(ids)?;
        Ok(self.set(self.run(ids.py(), |dag| dag.ancestors(&nodes))))
    }

    /// All that come from these: their children, those of the children, and so on.
    fn descendants(&self, ids: &Bound<'_, PyAny>) -> PyResult<NodeSet> {
        let nodes = self.found(ids)?;
        Ok(self.set(self.run(ids.py(), |dag| dag.descendants(&nodes))))
    }

    /// What both reach that no other such node reaches, as `git merge-base --all` names it.
    ///
    /// >>> rm.Dag([1, 2, 3, 4], [None, 1, 2, 1]).merge_bases(3, 4).to_list()
    /// [1]
    fn merge_bases(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<NodeSet> {
        let (a_nodes, b_nodes) = (self.found(a)?, self.found(b)?);
        Ok(self.set(self.run(a.py(), |dag| dag.merge_bases(&a_nodes, &b_nodes))))
    }

    /// These and all their ancestors, as `git rev-list` names them.
    ///
    /// >>> dag = rm.Dag([1, 2, 3, 4], [None, 1, 2, 1])
    /// >>> (dag.reach(3) - dag.reach(4)).to_list()
    /// [2, 3]
    fn reach(&self, ids: &Bound<'_, PyAny>) -> PyResult<NodeSet> {
        let nodes = self.found(ids)?;
        Ok(self.set(self.run(ids.py(), |dag| dag.reach(&nodes))))
    }

    /// For each node the first of the heads that is it or reaches it: `id` and `owner`, NULL where none does. With the
    /// oldest release first, the release that each commit was first in.
    ///
    /// >>> dag = rm.Dag([1, 2, 3, 4], [None, 1, 2, 3])
    /// >>> dag.owners([2, 3]).to_tuples()
    /// [(1, 2), (2, 2), (3, 3), (4, None)]
    ///
    /// A dict of names and ids gives the names:
    ///
    /// >>> dag.owners({"v1": 2, "v2": 3})["owner"].to_list()
    /// ['v1', 'v1', 'v2', None]
    fn owners(&self, heads: &Bound<'_, PyAny>) -> PyResult<Frame> {
        let py = heads.py();
        if let Ok(names) = heads.cast::<PyDict>() {
            let nodes = self.found(names.values().as_any())?;
            let (kind, names) = infer::column("names", names.keys().as_any())?;
            return self.frame(py, |dag| dag.ownership(&nodes, Some((&kind, &names))));
        }
        has_order("heads", heads)?;
        let nodes = self.found(heads)?;
        self.frame(py, |dag| dag.ownership(&nodes, None))
    }

    /// What merges brought in: `merge` and `id`, a row for each node that the other parents of a merge reach and its first
    /// does not. Of all merges, if none are named.
    ///
    /// >>> dag = rm.Dag(["b", "c", "d", "m", "m"], ["a", "a", "c", "b", "d"])
    /// >>> dag.brought("m").to_tuples()
    /// [('m', 'd'), ('m', 'c')]
    #[pyo3(signature = (merges=None))]
    fn brought(&self, py: Python<'_>, merges: Option<&Bound<'_, PyAny>>) -> PyResult<Frame> {
        let nodes = merges.map(|merges| self.found(merges)).transpose()?;
        self.frame(py, |dag| dag.brought(&nodes.unwrap_or_else(|| dag.merges())))
    }

    /// All edges: `child` and `parent`, of which a graph of the same nodes and edges can be made. A node without parents
    /// stands beside a NULL, unless it is missing.
    fn to_frame(&self, py: Python<'_>) -> PyResult<Frame> {
        self.frame(py, rowmill::Dag::edges)
    }

    fn __repr__(&self) -> String {
        format!("<rowmill.Dag of {} nodes and {} edges>", self.0.len(), self.0.edge_count())
    }
}

/// The columns that say edges.
struct Edges {
    children: Ids,
    parents: Ids,
    positions: Option<Ids>,
}

impl Edges {
    fn of(
        children: &Bound<'_, PyAny>,
        parents: &Bound<'_, PyAny>,
        positions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        has_order("children", children)?;
        has_order("parents", parents)?;
        let positions = positions.map(|positions| infer::column("positions", positions));
        Ok(Self {
            children: infer::column("children", children)?,
            parents: infer::column("parents", parents)?,
            positions: positions.transpose()?,
        })
    }

    fn graph(
        &self,
        py: Python<'_>,
        make: impl Send
        + for<'a> FnOnce(
            rowmill::Typed<'a>,
            rowmill::Typed<'a>,
            Option<rowmill::Typed<'a>>,
        ) -> Result<rowmill::Dag, ColumnError>,
    ) -> PyResult<Dag> {
        fn typed((kind, column): &Ids) -> rowmill::Typed<'_> {
            (kind, column)
        }
        let positions = self.positions.as_ref().map(typed);
        let made = py.detach(|| make(typed(&self.children), typed(&self.parents), positions));
        made.map(|dag| Dag(Arc::new(dag))).map_err(|error| errors::columns(py, &error))
    }
}

/// Refuses what comes in any order.
fn has_order(name: &str, given: &Bound<'_, PyAny>) -> PyResult<()> {
    let is_set = given.is_instance_of::<PySet>() || given.is_instance_of::<PyFrozenSet>();
    if is_set || given.is_instance_of::<PyDict>() {
        let class = value::class_name(given);
        let message =
            format!("{name} are a list, an array or a column, not {class}: their order matters");
        return Err(PyTypeError::new_err(message));
    }
    Ok(())
}

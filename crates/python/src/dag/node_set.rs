use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyIterator, PyList};
use rowmill::kernels::Selection;

use super::ids::{detached, ids_column, position};
use crate::column::Column;
use crate::{errors, value};

/// Some nodes of a graph: `|`, `&`, `-`, `^`, `<=` and `in` as of a set, ids in the order of the graph, parents before children.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct NodeSet {
    pub(super) dag: Arc<rowmill::Dag>,
    pub(super) nodes: Selection,
}

impl NodeSet {
    /// The nodes, if they are of this graph.
    pub(super) fn of(&self, py: Python<'_>, dag: &Arc<rowmill::Dag>) -> PyResult<&Selection> {
        if Arc::ptr_eq(&self.dag, dag) {
            return Ok(&self.nodes);
        }
        let message = "these nodes are of another graph: give their ids, with to_list()";
        Err(errors::programming(py, message))
    }

    fn with(
        &self,
        other: &Bound<'_, PyAny>,
        both: impl Fn(&Selection, &Selection) -> Selection,
    ) -> PyResult<Self> {
        let Ok(other) = other.cast::<Self>() else {
            let class = value::class_name(other);
            return Err(PyTypeError::new_err(format!(
                "a NodeSet is joined with another one, not with {class}: dag.nodes(ids) makes one"
            )));
        };
        let other = other.get().of(other.py(), &self.dag)?;
        Ok(Self { dag: Arc::clone(&self.dag), nodes: both(&self.nodes, other) })
    }
}

#[pymethods]
impl NodeSet {
    /// The ids as a column.
    #[getter]
    fn ids(&self, py: Python<'_>) -> PyResult<Column> {
        let nodes = detached(py, self.dag.len(), || self.nodes.indices());
        ids_column(py, &self.dag, &nodes)
    }

    /// The ids as Python objects.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        value::list(py, &self.ids(py)?.batch, 0)
    }

    fn __len__(&self) -> usize {
        self.nodes.count()
    }

    fn __contains__(&self, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let node = position(&self.dag, id)?;
        Ok(node.is_some_and(|node| self.nodes.contains(node)))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.to_list(py)?.try_iter()
    }

    fn __or__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with(other, Selection::or)
    }

    fn __and__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with(other, Selection::and)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with(other, Selection::without)
    }

    fn __xor__(&self, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with(other, Selection::xor)
    }

    /// `<=`: whether all are in the other.
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, comparison: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(given) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let (ours, theirs) = (&self.nodes, &given.get().nodes);
        let is_same = Arc::ptr_eq(&self.dag, &given.get().dag) && ours == theirs;
        let found = match comparison {
            CompareOp::Eq => is_same,
            CompareOp::Ne => !is_same,
            _ => {
                given.get().of(py, &self.dag)?;
                let within = |a: &Selection, b: &Selection| a.and(b).count() == a.count();
                match comparison {
                    CompareOp::Le => within(ours, theirs),
                    CompareOp::Lt => within(ours, theirs) && !is_same,
                    CompareOp::Ge => within(theirs, ours),
                    _ => within(theirs, ours) && !is_same,
                }
            }
        };
        Ok(PyBool::new(py, found).to_owned().into_any().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        const MOST: usize = 5;
        let nodes = self.nodes.indices();
        let few = ids_column(py, &self.dag, &nodes[..nodes.len().min(MOST)])?;
        let mut shown = Vec::new();
        for id in value::list(py, &few.batch, 0)? {
            shown.push(value::repr(&id)?);
        }
        if nodes.len() > MOST {
            shown.push("…".to_owned());
        }
        let colon = if shown.is_empty() { "" } else { ": " };
        let (count, all) = (nodes.len(), self.dag.len());
        Ok(format!("<rowmill.NodeSet of {count} among {all} nodes{colon}{}>", shown.join(", ")))
    }
}

//! Ids as Python gives them, and as it gets them.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList, PyMemoryView, PyString};
use rowmill::{Batch, Field, Schema, Type};

use crate::column::Column;
use crate::{errors, infer, value};

/// A column of ids, with its type.
pub(super) type Ids = (Type, rowmill::Column);

/// From how many nodes on other Python threads may run meanwhile.
const DETACH_NODES: usize = 2_000;

pub(super) fn detached<T: Send>(
    py: Python<'_>,
    nodes: usize,
    work: impl Send + FnOnce() -> T,
) -> T {
    if nodes < DETACH_NODES { work() } else { py.detach(work) }
}

/// The node of one id; of what is no id, or one of another type, there is none.
pub(super) fn position(dag: &rowmill::Dag, id: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
    if !is_one(id)? {
        let class = value::class_name(id);
        return Err(PyTypeError::new_err(format!("in takes one id, not {class}")));
    }
    let (kind, column) = only(id)?;
    Ok(dag.find((&kind, &column)).ok().and_then(|found| found.first().copied().flatten()))
}

/// Whether this is an id and not several.
fn is_one(ids: &Bound<'_, PyAny>) -> PyResult<bool> {
    if ids.is_instance_of::<PyString>()
        || ids.is_instance_of::<PyBytes>()
        || ids.is_instance_of::<PyByteArray>()
        || ids.is_instance_of::<PyMemoryView>()
    {
        return Ok(true);
    }
    // An array of NumPy's may be one number.
    let dimensions = ids.getattr_opt("ndim")?.and_then(|count| count.extract::<usize>().ok());
    Ok(dimensions == Some(0) || !ids.hasattr("__iter__")? && !ids.hasattr("__arrow_c_array__")?)
}

/// One id, or many, as a column.
pub(super) fn ids_of(ids: &Bound<'_, PyAny>) -> PyResult<Ids> {
    if is_one(ids)? { only(ids) } else { infer::column("ids", ids) }
}

fn only(id: &Bound<'_, PyAny>) -> PyResult<Ids> {
    infer::column("ids", PyList::new(id.py(), [id])?.as_any())
}

pub(super) fn table(name: &str, kind: Type, column: rowmill::Column) -> Batch {
    let rows = column.len();
    Batch::new(Arc::new(Schema::new(vec![Field::new(name, kind)])), vec![column], rows)
}

pub(super) fn ids_column(py: Python<'_>, dag: &rowmill::Dag, nodes: &[u32]) -> PyResult<Column> {
    let column = detached(py, nodes.len(), || dag.ids(nodes));
    let column = column.map_err(|error| errors::columns(py, &error))?;
    Ok(Column { batch: table("id", dag.kind(), column) })
}

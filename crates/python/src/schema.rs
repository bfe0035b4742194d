#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Arc;

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyIterator, PyList, PyTuple};

use crate::capsule;
use crate::text::Text;
use crate::value;

/// The names and types of a frame's columns, in order: a read-only mapping of name to type.
///
/// >>> rm.Frame({"id": [1, 2], "name": ["a", "b"]}).schema
/// Schema({'id': 'int64', 'name': 'text'})
#[pyclass(frozen, mapping, module = "rowmill")]
pub(crate) struct Schema(pub(crate) Arc<rowmill::Schema>);

#[pymethods]
impl Schema {
    /// The columns' names.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.fields.iter().map(|field| &*field.name).collect()
    }

    /// The columns' types, in words: `int64`, `timestamp[utc]`, `list[text]`.
    #[getter]
    fn types(&self) -> Vec<String> {
        self.0.fields.iter().map(|field| field.kind.to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.fields.len()
    }

    fn __getitem__(&self, py: Python<'_>, name: Text<'_>) -> PyResult<String> {
        let at = position(py, &self.0, &name)?;
        Ok(self.0.fields[at].kind.to_string())
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<&str>().is_ok_and(|name| self.0.position(name).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.names())?.try_iter()
    }

    /// The type of the column `name`, or `default` where there is none.
    #[pyo3(signature = (name, default=None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.0.position(name) {
            Some(at) => value::any(py, self.0.fields[at].kind.to_string()),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The columns' names.
    fn keys(&self) -> Vec<&str> {
        self.names()
    }

    /// The columns' types.
    fn values(&self) -> Vec<String> {
        self.types()
    }

    /// Pairs of name and type.
    fn items(&self) -> Vec<(&str, String)> {
        self.0.fields.iter().map(|field| (&*field.name, field.kind.to_string())).collect()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(other) = other.cast::<Self>() {
            return Ok(self.0 == other.get().0);
        }
        let Ok(other) = other.cast::<PyDict>() else { return Ok(false) };
        let py = other.py();
        Ok(other.len() == self.0.fields.len()
            && other.eq(PyDict::from_sequence(&value::any(py, self.items())?)?)?)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let pairs = self.items().into_iter().map(|(name, kind)| {
            let name = value::repr(&value::any(py, name)?)?;
            Ok(format!("{name}: '{kind}'"))
        });
        Ok(format!("Schema({{{}}})", pairs.collect::<PyResult<Vec<_>>>()?.join(", ")))
    }

    /// The schema as an Arrow capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::schema(py, &self.0)
    }
}

/// The position of a column; the first where the name repeats.
///
/// # Errors
/// `KeyError` with the nearest name.
pub(crate) fn position(py: Python<'_>, schema: &rowmill::Schema, name: &str) -> PyResult<usize> {
    schema.position(name).ok_or_else(|| unknown(py, schema, name))
}

/// The error for a name that no column has.
pub(crate) fn unknown(py: Python<'_>, schema: &rowmill::Schema, name: &str) -> PyErr {
    PyKeyError::new_err(missing(py, schema, name).unwrap_or_else(|error| error.to_string()))
}

/// What to say of a name that no column has.
pub(crate) fn missing(py: Python<'_>, schema: &rowmill::Schema, name: &str) -> PyResult<String> {
    let names: Vec<&str> = schema.fields.iter().map(|field| &*field.name).collect();
    nearest(py, name, &names)
}

/// What to say of a name that is none of these.
pub(crate) fn nearest(py: Python<'_>, name: &str, names: &[&str]) -> PyResult<String> {
    let quoted = value::repr(&value::any(py, name)?)?;
    let near = py.import("difflib")?.call_method1("get_close_matches", (name, names, 1))?;
    if let Ok(near) = near.get_item(0) {
        return Ok(format!("no column {quoted}; did you mean {}?", value::repr(&near)?));
    }
    let shown = names.iter().take(12).map(|name| value::repr(&value::any(py, *name)?));
    let mut shown = shown.collect::<PyResult<Vec<_>>>()?.join(", ");
    if names.len() > 12 {
        shown.push_str(", …");
    }
    if names.is_empty() {
        shown.push_str("no columns");
    }
    Ok(format!("no column {quoted}; there are {shown}"))
}

/// The names as a tuple.
pub(crate) fn names<'py>(
    py: Python<'py>,
    schema: &rowmill::Schema,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, schema.fields.iter().map(|field| &*field.name))
}

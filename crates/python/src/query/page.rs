#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Arc;

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rowmill::Scalar;
use rowmill::expr::query::{self, Query};

use super::reading::Select;
use super::{Call, Prepared};
use crate::blocking::whole;
use crate::frame::Frame;
use crate::text::{Text, text};
use crate::{errors, value};

/// Rows of a query, and the tokens of the pages beside them.
///
/// `rows` is a Frame. `next` and `previous` are tokens for `page(q, after=page.next)` and `page(q, before=page.previous)`, None where there is no such
/// page. A page iterates over its rows and has their number.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Page {
    rows: Py<Frame>,
    next: Option<String>,
    previous: Option<String>,
}

/// A page to fetch. Not public: `page` of the databases stands on it.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Paging {
    paging: rowmill::Paging,
    /// Where it is of a call of a prepared function: that call's values.
    given: Option<Vec<Scalar>>,
}

impl Paging {
    pub(crate) fn of(
        query: &Bound<'_, PyAny>,
        size: i64,
        after: Option<Text<'_>>,
        before: Option<Text<'_>>,
        secret: Option<&Bound<'_, PyAny>>,
        address: &str,
    ) -> PyResult<Self> {
        let py = query.py();
        let size = whole("size", size, 1)?;
        let (select, given) = pageable(query)?;
        let secret = match secret {
            None => address.as_bytes().to_vec(),
            Some(secret) => {
                if let Ok(bytes) = secret.cast::<PyBytes>() {
                    bytes.as_bytes().to_vec()
                } else if let Ok(secret) = secret.cast::<PyString>() {
                    text(secret)?.as_bytes().to_vec()
                } else {
                    let message =
                        format!("secret is bytes or a str, not {}", value::class_name(secret));
                    return Err(errors::programming(py, &message));
                }
            }
        };
        if after.is_some() && before.is_some() {
            return Err(errors::programming(
                py,
                "a page is after one token or before one, not both",
            ));
        }
        let paging = rowmill::Paging::new(&select, size, after.or(before).as_deref(), &secret);
        let paging = paging.map_err(|error| errors::raised(py, &error))?;
        if paging.is_backwards() != before.is_some() {
            let message = if before.is_some() {
                "this token is a page's `next`: give it as after="
            } else {
                "this token is a page's `previous`: give it as before="
            };
            return Err(errors::programming(py, message));
        }
        Ok(Self { paging, given })
    }

    pub(crate) fn page(&self, py: Python<'_>, rows: &rowmill::Batch) -> PyResult<Page> {
        let page = self.paging.finish(rows).map_err(|error| errors::raised(py, &error))?;
        let rowmill::Page { rows, next, previous } = page;
        Ok(Page { rows: Py::new(py, Frame::from(rows))?, next, previous })
    }
}

/// The query that reads, and where it is of a call the call's values.
fn pageable(query: &Bound<'_, PyAny>) -> PyResult<(Arc<query::Select>, Option<Vec<Scalar>>)> {
    if let Ok(select) = query.cast::<Select>() {
        select.get().without_edges(query.py(), "a page")?;
        return Ok((Arc::clone(&select.get().query), None));
    }
    if let Ok(call) = query.cast::<Call>() {
        let Call { query, given } = call.get();
        if let Query::Select(select) = query {
            return Ok((Arc::clone(select), Some(given.clone())));
        }
    }
    let given = match query.cast::<Prepared>() {
        Ok(_) => "a function under rm.query by itself: call it with its values".into(),
        Err(_) => value::class_name(query),
    };
    let message = format!("page() takes a query as of rm.select(), with an order, not {given}");
    Err(PyTypeError::new_err(message))
}

#[pymethods]
impl Paging {
    #[new]
    fn new(
        query: &Bound<'_, PyAny>,
        size: i64,
        after: Option<Text<'_>>,
        before: Option<Text<'_>>,
        secret: Option<&Bound<'_, PyAny>>,
        address: &str,
    ) -> PyResult<Self> {
        Self::of(query, size, after, before, secret, address)
    }

    /// The query of the page.
    pub(crate) fn query<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.given {
            None => Select::from(self.paging.select()).into_bound_py_any(py),
            Some(given) => {
                Call { query: self.paging.query(), given: given.clone() }.into_bound_py_any(py)
            }
        }
    }

    /// The page, of the rows that the query gave.
    fn finish(&self, py: Python<'_>, rows: &Bound<'_, Frame>) -> PyResult<Page> {
        self.page(py, &rows.get().batch)
    }
}

#[pymethods]
impl Page {
    /// The rows.
    #[getter]
    fn rows(&self, py: Python<'_>) -> Py<Frame> {
        self.rows.clone_ref(py)
    }

    /// The token of the page after this, or None.
    #[getter]
    fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The token of the page before this, or None.
    #[getter]
    fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// Whether there is a page after this.
    #[getter]
    fn has_next(&self) -> bool {
        self.next.is_some()
    }

    /// Whether there is a page before this.
    #[getter]
    fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    fn __len__(&self) -> usize {
        self.rows.get().batch.rows()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.rows.bind(py).call_method0("rows")
    }

    fn __repr__(&self) -> String {
        let beside = match (self.has_previous(), self.has_next()) {
            (true, true) => ", more before and after",
            (true, false) => ", more before",
            (false, true) => ", more after",
            (false, false) => "",
        };
        format!("<rowmill.Page of {} rows{beside}>", self.__len__())
    }
}

#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyAssertionError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rowmill::Recorder;

/// A `with` block in which a database runs so many queries at most; `queries` are those that ran.
#[pyclass(frozen, module = "rowmill")]
pub(crate) struct Expected {
    most: usize,
    state: Mutex<State>,
    database: rowmill::Database,
}

enum State {
    New,
    Watching(Recorder),
    Done(Vec<String>),
}

impl Expected {
    pub(crate) fn new(database: rowmill::Database, most: usize) -> Self {
        Self { most, state: Mutex::new(State::New), database }
    }
}

#[pymethods]
impl Expected {
    /// The SQL of the queries that ran so far, in their order.
    #[getter]
    fn queries(&self) -> Vec<String> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::New => Vec::new(),
            State::Watching(recorder) => {
                recorder.statements().iter().map(ToString::to_string).collect()
            }
            State::Done(queries) => queries.clone(),
        }
    }

    fn __enter__(this: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        {
            let own = this.get();
            let mut state = own.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !matches!(*state, State::New) {
                return Err(PyRuntimeError::new_err("expect() is for one `with` block"));
            }
            *state = State::Watching(own.database.record());
        }
        Ok(this)
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let queries = self.queries();
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Done(queries.clone());
        let raised = exception.get_item(0).is_ok_and(|class| !class.is_none());
        if raised || queries.len() <= self.most {
            return Ok(());
        }
        Err(PyAssertionError::new_err(told(&queries, self.most)))
    }

    fn __repr__(&self) -> String {
        format!("<rowmill.Expected {} of {} queries>", self.queries().len(), self.most)
    }
}

/// What ran, each statement once with how often it did.
fn told(queries: &[String], most: usize) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for query in queries {
        match counts.iter_mut().find(|(known, _)| known == query) {
            Some((_, count)) => *count += 1,
            None => counts.push((query, 1)),
        }
    }
    let mut message = format!("{} queries ran, {most} were expected at most:", queries.len());
    for (query, count) in counts.iter().take(20) {
        let shown: String = query.chars().take(200).collect();
        let _ = write!(message, "\n  {count} x {shown}");
    }
    if counts.len() > 20 {
        let _ = write!(message, "\n  and {} more", counts.len() - 20);
    }
    if counts.iter().any(|(_, count)| *count > 3) {
        message += "\none for each row? with_() and in_() ask for all at once";
    }
    message
}

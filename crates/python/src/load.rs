//! What `load` is told, and the Python objects that it calls back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rowmill::{Batch, Control, Error, ErrorKind, Load, OnConflict, Rows};

use crate::blocking::{blocking, whole};
use crate::frame::{Frame, batch_of};
use crate::query::source_of;
use crate::value;

/// The exception of Python code that a load called.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    /// Keeps an exception; what the engine is told in its place.
    fn put(&self, py: Python<'_>, mut error: PyErr) -> Error {
        // A future takes no StopIteration, nor does a generator let one through.
        if error.is_instance_of::<PyStopIteration>(py) {
            let wrapped = PyRuntimeError::new_err("the load's own code raised StopIteration");
            wrapped.set_cause(py, Some(error));
            error = wrapped;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unwanted = if kept.is_none() { kept.replace(error) } else { Some(error) };
        // Its end may run Python code, which may come back here.
        drop(kept);
        drop(unwanted);
        Error::new(ErrorKind::Cancelled, "an exception ended the load")
    }

    /// Calls Python code from whichever thread the load runs on.
    fn call<T>(&self, code: impl FnOnce(Python<'_>) -> PyResult<T> + Send) -> rowmill::Result<T> {
        let called = Python::try_attach(|py| code(py).map_err(|error| self.put(py, error)));
        called.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled, "Python is shutting down")))
    }

    /// What was raised, where something was; else what the load came to. What its error knows of rows
    /// that were committed before is noted on the exception.
    pub(crate) fn over<T>(&self, py: Python<'_>, loaded: PyResult<T>) -> PyResult<T> {
        let raised = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(raised) = raised else { return loaded };
        if let Err(error) = loaded
            && let Ok(hint) = error.value(py).getattr(intern!(py, "hint"))
            && !hint.is_none()
        {
            raised.value(py).call_method1(intern!(py, "add_note"), (hint,))?;
        }
        Err(raised)
    }
}

/// The keywords of `load` that say what goes where.
pub(crate) struct Keywords<'py> {
    pub(crate) columns: Option<Bound<'py, PyDict>>,
    pub(crate) on_conflict: Option<&'py str>,
    pub(crate) key: Option<Bound<'py, PyAny>>,
    pub(crate) commit_each: Option<i64>,
    pub(crate) progress: Option<Py<PyAny>>,
    pub(crate) returning: Option<Bound<'py, PyAny>>,
}

impl Keywords<'_> {
    /// The load of `data` into `table`. What Python code raises on the way is left in `raised`.
    pub(crate) fn load(
        self,
        table: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
        raised: &Raised,
    ) -> PyResult<Load<'static>> {
        let py = data.py();
        let on_conflict = match self.on_conflict {
            None => OnConflict::Fail,
            Some("nothing") => OnConflict::Nothing,
            Some("update") => OnConflict::Update,
            Some(other) => {
                let message =
                    format!("on_conflict is \"nothing\", \"update\" or None, not {other:?}");
                return Err(PyValueError::new_err(message));
            }
        };
        if self.key.is_some() && self.on_conflict.is_none() {
            return Err(PyValueError::new_err(
                "key says what on_conflict goes by, and that is None",
            ));
        }
        if data.hasattr(intern!(py, "__anext__"))? || data.hasattr(intern!(py, "__aiter__"))? {
            return Err(PyTypeError::new_err(
                "load reads a plain iterator, on a thread of its own, and this one is to be awaited",
            ));
        }
        if let Some(progress) = &self.progress {
            let inspect = py.import(intern!(py, "inspect"))?;
            if inspect.call_method1(intern!(py, "iscoroutinefunction"), (progress,))?.is_truthy()? {
                return Err(PyTypeError::new_err(
                    "progress is called, not awaited: a plain function",
                ));
            }
        }
        let source = match data.getattr_opt(intern!(py, "__next__"))? {
            Some(_) => Source::Iterator(data.clone().unbind()),
            None => Source::Whole(Some(data.clone().unbind())),
        };
        let rows = Rows::parts(Parts { source, raised: raised.clone() });
        let mut load = Load::new(&table_name(table)?, rows).on_conflict(on_conflict);
        if let Some(key) = &self.key {
            load = load.key(names("key", key)?);
        }
        if let Some(returning) = &self.returning {
            let columns = names("returning", returning)?;
            if columns.is_empty() {
                return Err(PyValueError::new_err("returning names no column"));
            }
            load = load.returning(columns);
        }
        if let Some(columns) = &self.columns {
            load = load.columns(renamed(columns)?);
        }
        if let Some(rows) = self.commit_each {
            load = load.commit_each(whole("commit_each", rows, 1)?);
        }
        if let Some(progress) = self.progress {
            let raised = raised.clone();
            load =
                load.progress(move |rows| raised.call(|py| progress.call1(py, (rows,)).map(drop)));
        }
        Ok(load)
    }

    /// Has the load run on this thread, without the GIL: by `count`, or by `rows` where they are to be
    /// given back.
    pub(crate) fn run<'py>(
        self,
        table: &Bound<'_, PyAny>,
        data: &Bound<'py, PyAny>,
        timeout: Option<Duration>,
        count: impl FnOnce(Load<'_>, &Control<'_>) -> rowmill::Result<u64> + Send,
        rows: impl FnOnce(Load<'_>, &Control<'_>) -> rowmill::Result<Batch> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let is_returning = self.returning.is_some();
        let raised = Raised::default();
        let load = self.load(table, data, &raised)?;
        let loaded = blocking(py, |interrupt| {
            let control = Control::within(timeout).interrupted_by(interrupt);
            if is_returning {
                rows(load, &control).map(Loaded::Rows)
            } else {
                count(load, &control).map(Loaded::Count)
            }
        });
        match raised.over(py, loaded)? {
            Loaded::Count(count) => count.into_bound_py_any(py),
            Loaded::Rows(batch) => Frame::from(batch).into_bound_py_any(py),
        }
    }
}

enum Loaded {
    Count(u64),
    Rows(Batch),
}

fn names(keyword: &str, names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let wrong = || format!("{keyword} must be a column's name, or a list of names");
    let names = names
        .extract::<String>()
        .map(|name| vec![name])
        .or_else(|_| names.extract().map_err(|_| PyTypeError::new_err(wrong())))?;
    match names.iter().find(|name| name.is_empty() || *name == "*") {
        Some(name) => Err(PyValueError::new_err(format!("{}, not {name:?}", wrong()))),
        None => Ok(names),
    }
}

fn renamed(columns: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Option<String>)>> {
    let wrong =
        || PyTypeError::new_err("columns is a dict of the rows' names to the table's, or to None");
    let pair = |(from, to): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        Some((from.extract().ok()?, to.extract().ok()?))
    };
    columns.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)
}

/// The rows of a Python object, read where the load runs: on asyncio that is no loop's thread.
struct Parts {
    source: Source,
    raised: Raised,
}

enum Source {
    /// All rows; taken once.
    Whole(Option<Py<PyAny>>),
    /// An iterator of parts.
    Iterator(Py<PyAny>),
}

impl Iterator for Parts {
    type Item = rowmill::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let source = &mut self.source;
        let part = self.raised.call(|py| match source {
            Source::Whole(data) => data.take().map(|data| batch_of(data.bind(py))).transpose(),
            Source::Iterator(parts) => match parts.bind(py).call_method0(intern!(py, "__next__")) {
                Ok(part) => batch_of(&part).map(Some),
                Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
                Err(error) => Err(error),
            },
        });
        part.transpose()
    }
}

/// The name of the table to load.
fn table_name(table: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(name) = table.cast::<PyString>() {
        return crate::text::text(name).map(std::borrow::Cow::into_owned);
    }
    let given = match source_of(table)? {
        Some(source) => format!("a table's class: {:?}", &**source.label()),
        None => value::class_name(table),
    };
    let message = format!("load() takes the table's name as a str, not {given}");
    Err(PyTypeError::new_err(message))
}

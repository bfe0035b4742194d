//! The only map from what went wrong in Rust to the classes of `_errors.py`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rowmill::{ColumnError, Error, ErrorKind};

/// The exception of an engine error, attributes and all.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error.kind() {
        ErrorKind::Config | ErrorKind::Misuse => "InterfaceError",
        ErrorKind::Connect => "ConnectError",
        ErrorKind::ConnectionLost => "ConnectionLost",
        ErrorKind::PoolTimeout => "PoolTimeout",
        ErrorKind::QueryTimeout => "QueryTimeout",
        ErrorKind::Serialization => "SerializationError",
        ErrorKind::Data => "DataError",
        ErrorKind::Integrity => "IntegrityError",
        ErrorKind::Programming => "ProgrammingError",
        ErrorKind::NotSupported => "NotSupportedError",
        ErrorKind::Internal => "InternalError",
        // Operational, Cancelled (the server's administrator stopped the statement), and kinds to
        // come: the database could not serve the request.
        _ => "OperationalError",
    };
    let build = || {
        let named = PyDict::new(py);
        named.set_item("sqlstate", error.sqlstate())?;
        named.set_item("detail", error.detail())?;
        named.set_item("hint", error.hint())?;
        named.set_item("position", error.position())?;
        named.set_item("query", error.query())?;
        let place = error.place();
        named.set_item("schema", &place.schema)?;
        named.set_item("table", &place.table)?;
        named.set_item("column", &place.column)?;
        named.set_item("constraint", &place.constraint)?;
        py.import("rowmill._errors")?.getattr(class)?.call((error.message(),), Some(&named))
    };
    build().map_or_else(|error| error, PyErr::from_value)
}

/// A value that the other side cannot represent, with the way out.
pub(crate) fn data(py: Python<'_>, message: &str, hint: &str) -> PyErr {
    own(py, "DataError", message, Some(hint))
}

/// A result that no value holds.
pub(crate) fn value(py: Python<'_>, message: &str) -> PyErr {
    own(py, "DataError", message, None)
}

/// A mistake in the call.
pub(crate) fn programming(py: Python<'_>, message: &str) -> PyErr {
    own(py, "ProgrammingError", message, None)
}

/// A mistake in the call as one in the data that the call was given.
pub(crate) fn as_value(py: Python<'_>, error: PyErr) -> PyErr {
    if !is(py, &error, "ProgrammingError") {
        return error;
    }
    let told = value(py, &error.value(py).to_string());
    told.set_cause(py, error.cause(py));
    told
}

/// Whether it is of this class of ours.
pub(crate) fn is(py: Python<'_>, error: &PyErr, class: &str) -> bool {
    let class = py.import("rowmill._errors").and_then(|module| module.getattr(class));
    class.is_ok_and(|class| error.get_type(py).is(&class))
}

/// Columns that came in or go out and do not fit.
pub(crate) fn columns(py: Python<'_>, error: &ColumnError) -> PyErr {
    own(py, "DataError", &error.to_string(), None)
}

fn own(py: Python<'_>, class: &str, message: &str, hint: Option<&str>) -> PyErr {
    let build = || {
        let named = PyDict::new(py);
        named.set_item("hint", hint)?;
        py.import("rowmill._errors")?.getattr(class)?.call((message,), Some(&named))
    };
    build().map_or_else(|error| error, PyErr::from_value)
}

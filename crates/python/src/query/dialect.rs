//! Which SQL a query is shown in.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use pyo3::{Borrowed, intern};
use rowmill::expr::sql::Target;

use crate::{errors, text, value};

const SQLITE_UNIX: &str = "sqlite?dates=unix";

/// The dialect's name.
pub(crate) fn dialect(target: Target) -> &'static str {
    match target {
        Target::Postgres => "postgresql",
        Target::Sqlite => "sqlite",
        Target::SqliteUnix => SQLITE_UNIX,
    }
}

/// A dialect by its name, or the one that a database or a transaction is asked in.
#[derive(Clone, Copy)]
pub(crate) struct Spelling(pub(super) Target);

impl Spelling {
    pub(super) const POSTGRES: Self = Self(Target::Postgres);
}

impl<'py> FromPyObject<'_, 'py> for Spelling {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let refused = |shown: &str| {
            let message = format!(
                "the dialect is \"postgresql\", \"sqlite\" or that of a database, which is given itself, not {shown}"
            );
            errors::programming(py, &message)
        };
        let own = match given.cast::<PyString>() {
            Ok(_) => None,
            Err(_) if given.is_instance_of::<PyType>() => None,
            Err(_) => given.getattr_opt(intern!(py, "_dialect"))?,
        };
        let name = own.as_ref().map_or(&*given, |own| own);
        let Ok(name) = name.cast::<PyString>() else {
            return Err(refused(&value::class_name(&given)));
        };
        match &*text::text(name)? {
            "postgresql" => Ok(Self(Target::Postgres)),
            "sqlite" => Ok(Self(Target::Sqlite)),
            SQLITE_UNIX => Ok(Self(Target::SqliteUnix)),
            other => Err(refused(&format!("{other:?}"))),
        }
    }
}

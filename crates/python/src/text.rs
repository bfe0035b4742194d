//! Texts that are given: names, SQL, options.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::{errors, value};

/// A `str` as an argument, refused in words of ours where it is no Unicode text.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(&'a str);

impl<'a> FromPyObject<'a, '_> for Text<'a> {
    type Error = PyErr;

    #[inline]
    fn extract(given: Borrowed<'a, '_, PyAny>) -> PyResult<Self> {
        given.extract().map(Self).map_err(|error| told(&given, error))
    }
}

impl<'a> Text<'a> {
    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl From<Text<'_>> for Arc<str> {
    fn from(text: Text<'_>) -> Self {
        text.0.into()
    }
}

/// The same, kept.
pub(crate) struct Name(pub(crate) String);

impl FromPyObject<'_, '_> for Name {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.extract().map(Self).map_err(|error| told(&given, error))
    }
}

/// The text of a `str`.
///
/// # Errors
/// `ProgrammingError` where it has a surrogate, as `surrogateescape` makes of bytes that are no text.
#[inline]
pub(crate) fn text<'a>(given: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    given.to_cow().map_err(|error| told(given, error))
}

#[cold]
fn told(given: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = given.py();
    if !error.is_instance_of::<PyUnicodeEncodeError>(py) {
        return error;
    }
    match value::repr(given) {
        Ok(shown) => {
            let shown: String = shown.chars().take(80).collect();
            let message = format!("{shown} has a surrogate, so it is not Unicode text");
            errors::programming(py, &message)
        }
        Err(error) => error,
    }
}

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;

use crate::{errors, value};

/// A priority as it is given.
#[derive(Clone, Copy)]
pub(super) struct Priority(pub(super) f64);

impl FromPyObject<'_, '_> for Priority {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let number: f64 = given.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(py) {
                let message = "a priority is a float, and this number is too large for one";
                return errors::programming(py, message);
            }
            if error.is_instance_of::<PyTypeError>(py) {
                let shown = value::repr(&given).unwrap_or_default();
                return PyTypeError::new_err(format!("a priority is a number, not {shown}"));
            }
            error
        })?;
        if number.is_nan() {
            return Err(errors::programming(py, "a priority is a number, and NaN is none"));
        }
        Ok(Self(number))
    }
}

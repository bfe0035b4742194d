use std::ops::Range;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::value;

/// Where the bytes of a record are, which nobody writes to as long as it is there.
pub(super) enum Memory {
    /// An object of Python.
    Bytes(Py<PyBytes>),
    /// A column of them.
    Column(rowmill::Column),
}

impl Memory {
    pub(super) fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(py),
            Self::Column(column) => column.variable_bytes().map_or(&[], |(_, bytes)| bytes),
        }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.clone_ref(py)),
            Self::Column(column) => Self::Column(column.clone()),
        }
    }
}

/// A part of a memory: a record on its way into an instance of its class.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Part {
    pub(super) memory: Memory,
    pub(super) place: Range<usize>,
}

impl Part {
    /// All of some bytes.
    pub(super) fn made(bytes: &Bound<'_, PyBytes>) -> Self {
        let place = 0..bytes.as_bytes().len();
        Self { memory: Memory::Bytes(bytes.clone().unbind()), place }
    }

    /// What somebody gives as a record: bytes, or a view of them, stay where they are. Whatever else lends memory may
    /// write to it later, and is copied.
    pub(super) fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        // A subclass may have a hash of its own, and hold what holds it: it is a view of bytes like any other.
        if let Ok(bytes) = given.cast_exact::<PyBytes>() {
            return Ok(Self::made(bytes));
        }
        let view = PyMemoryView::from(given).map_err(|error| {
            if !error.is_instance_of::<PyTypeError>(given.py()) {
                return error;
            }
            let class = value::class_name(given);
            PyTypeError::new_err(format!(
                "a packed record is bytes or a memoryview of them, not {class}"
            ))
        })?;
        let lent = PyUntypedBuffer::get(&view)?;
        if let Ok(bytes) = view.getattr("obj")?.cast_into_exact::<PyBytes>()
            && lent.is_c_contiguous()
        {
            let whole = bytes.as_bytes();
            let start = lent.buf_ptr().addr().checked_sub(whole.as_ptr().addr());
            let place = start.map(|start| start..start + lent.len_bytes());
            if let Some(place) = place.filter(|place| whole.get(place.clone()).is_some()) {
                return Ok(Self { memory: Memory::Bytes(bytes.unbind()), place });
            }
        }
        Ok(Self::made(view.call_method0("tobytes")?.cast::<PyBytes>()?))
    }
}

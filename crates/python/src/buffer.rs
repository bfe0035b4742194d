//! A column's memory under Python's buffer protocol: what NumPy views without a copy.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Read-only bytes that live as long as anyone looks at them.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Buffer(Memory);

enum Memory {
    /// The values of a fixed-width column.
    Column(rowmill::Column),
    /// Bytes made for the one who asked.
    Made(Vec<u8>),
}

impl Buffer {
    /// The values of a column; `None` where they have no fixed width.
    pub(crate) fn of_column(column: &rowmill::Column) -> Option<Self> {
        column.fixed_bytes()?;
        Some(Self(Memory::Column(column.clone())))
    }

    /// Bytes that are nobody else's.
    pub(crate) fn made(bytes: Vec<u8>) -> Self {
        Self(Memory::Made(bytes))
    }

    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Memory::Column(column) => column.fixed_bytes().unwrap_or_default(),
            Memory::Made(bytes) => bytes,
        }
    }
}

#[pymethods]
impl Buffer {
    fn __len__(&self) -> usize {
        self.bytes().len()
    }

    #[allow(clippy::needless_pass_by_value)] // PyO3 passes it so
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
            return Err(PyBufferError::new_err("a frame's memory is read-only"));
        }
        let bytes = slf.get().bytes();
        // An empty slice's pointer is dangling but aligned and not null, which is all NumPy asks.
        let pointer = bytes.as_ptr().cast::<c_void>().cast_mut();
        let len = bytes.len() as ffi::Py_ssize_t;
        // SAFETY: CPython passes a valid, exclusive `view`. The call fills every field for plain
        // read-only bytes and takes a reference to `slf`, which keeps the memory: the object is
        // frozen and neither a column nor the vector moves or frees its bytes before it is dropped.
        let filled = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), pointer, len, 1, flags) };
        if filled == 0 {
            return Ok(());
        }
        // SAFETY: as above; PEP 3118 wants `obj` NULL where the request is refused.
        unsafe { (*view).obj = ptr::null_mut() };
        Err(PyErr::fetch(slf.py()))
    }
}

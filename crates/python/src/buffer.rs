//! Memory under Python's buffer protocol: a column's, which NumPy views without a copy, and what others lend.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::atomic::AtomicU8;
use std::{ptr, slice};

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::value;

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

/// Has bytes written that a caller lends: a `bytearray`, an array of `uint8`, a `memoryview` of one of these.
pub(crate) fn write<T>(
    lent: &Bound<'_, PyAny>,
    what: &str,
    write: impl FnOnce(&[AtomicU8]) -> PyResult<T>,
) -> PyResult<T> {
    let wrong = |why: &str| {
        let class = value::class_name(lent);
        PyTypeError::new_err(format!(
            "{what} is a bytearray, a NumPy array of uint8 or a memoryview of bytes, and this {class} {why}"
        ))
    };
    // A memoryview knows the strides of what tells none, as an array of ctypes.
    let view = PyMemoryView::from(lent).map_err(|_| wrong("lends no memory"))?;
    let buffer = PyUntypedBuffer::get(&view).map_err(|_| wrong("lends no memory"))?;
    // The last letter is the type, and what may come before it the order of its bytes, of which there is one.
    if buffer.item_size() != 1 || !matches!(buffer.format().to_bytes(), [b'B'] | [_, b'B']) {
        return Err(wrong(&match lent.getattr("dtype") {
            Ok(dtype) => format!("is of {dtype}"),
            Err(_) => {
                format!("is of the format {:?}, not \"B\"", buffer.format().to_string_lossy())
            }
        }));
    }
    if buffer.readonly() {
        return Err(wrong("is read-only"));
    }
    if !buffer.is_c_contiguous() {
        return Err(wrong(if buffer.is_fortran_contiguous() {
            "is in the order of Fortran, not of C"
        } else {
            "has gaps"
        }));
    }
    let length = buffer.len_bytes();
    if length == 0 {
        return write(&[]);
    }
    // SAFETY: so many bytes are there in one piece and may be written, and whoever lends them neither moves nor frees
    // them before `buffer` is dropped, which is after the last use. They are atomic because other threads may have them
    // too.
    write(unsafe { slice::from_raw_parts(buffer.buf_ptr() as *const AtomicU8, length) })
}

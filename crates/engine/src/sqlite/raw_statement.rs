//! A prepared statement of SQLite's C interface: parameters in, cells out.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;

use rusqlite::ffi;

/// A prepared statement.
#[derive(Debug)]
pub(super) struct RawStatement(pub(super) NonNull<ffi::sqlite3_stmt>);

// SAFETY: as of `RawConnection`: a statement never leaves the `Connection` that prepared it.
unsafe impl Send for RawStatement {}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Row,
    Done,
    Failed(c_int),
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Int,
    Float,
    Text,
    Blob,
}

impl RawStatement {
    fn handle(&self) -> *mut ffi::sqlite3_stmt {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn step(&mut self) -> Step {
        // SAFETY: the statement is alive and used by this thread alone (here and below).
        match unsafe { ffi::sqlite3_step(self.handle()) } {
            ffi::SQLITE_ROW => Step::Row,
            ffi::SQLITE_DONE => Step::Done,
            code => Step::Failed(code),
        }
    }

    /// Ends the execution; the parameters stay as they are.
    pub(super) fn rewind(&mut self) {
        // SAFETY: as above. The code repeats what `step` said.
        unsafe { ffi::sqlite3_reset(self.handle()) };
    }

    /// Ends the execution and forgets the parameters.
    pub(super) fn reset(&mut self) {
        // SAFETY: as above. The code repeats what `step` said.
        unsafe {
            ffi::sqlite3_reset(self.handle());
            ffi::sqlite3_clear_bindings(self.handle());
        }
    }

    pub(super) fn is_read_only(&self) -> bool {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_stmt_readonly(self.handle()) != 0 }
    }

    /// How often SQLite prepared the statement anew because the schema had changed.
    pub(super) fn reprepared(&self) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_stmt_status(self.handle(), ffi::SQLITE_STMTSTATUS_REPREPARE, 0) }
    }

    pub(super) fn parameters(&self) -> usize {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_bind_parameter_count(self.handle()) as usize }
    }

    pub(super) fn columns(&self) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_column_count(self.handle()) }
    }

    pub(super) fn name(&self, column: c_int) -> String {
        // SAFETY: as above; the text is NULL or NUL-terminated and valid until the next step.
        unsafe { owned(ffi::sqlite3_column_name(self.handle(), column)) }.unwrap_or_default()
    }

    /// The type the table declares for the column; `None` for expressions.
    pub(super) fn declared(&self, column: c_int) -> Option<String> {
        // SAFETY: as of `name`.
        unsafe { owned(ffi::sqlite3_column_decltype(self.handle(), column)) }
    }

    pub(super) fn bind_null(&mut self, at: c_int) -> c_int {
        // SAFETY: as above; SQLite checks `at` (here and below).
        unsafe { ffi::sqlite3_bind_null(self.handle(), at) }
    }

    pub(super) fn bind_int(&mut self, at: c_int, value: i64) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_bind_int64(self.handle(), at, value) }
    }

    pub(super) fn bind_float(&mut self, at: c_int, value: f64) -> c_int {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_bind_double(self.handle(), at, value) }
    }

    pub(super) fn bind_text(&mut self, at: c_int, value: &str) -> c_int {
        let (start, length) = (value.as_ptr().cast(), value.len() as u64);
        let (copy, utf8) = (ffi::SQLITE_TRANSIENT(), ffi::SQLITE_UTF8 as u8);
        // SAFETY: `start` points to `length` bytes, which SQLite copies before it returns.
        unsafe { ffi::sqlite3_bind_text64(self.handle(), at, start, length, copy, utf8) }
    }

    pub(super) fn bind_bytes(&mut self, at: c_int, value: &[u8]) -> c_int {
        let (start, length) = (value.as_ptr().cast(), value.len() as u64);
        // SAFETY: as of `bind_text`; `start` is never NULL, which would bind a NULL.
        unsafe {
            ffi::sqlite3_bind_blob64(self.handle(), at, start, length, ffi::SQLITE_TRANSIENT())
        }
    }

    /// What the cell of the present row holds.
    #[inline(always)]
    pub(super) fn kind(&self, column: c_int) -> Kind {
        // SAFETY: as above; without a row, or past the last column, the answer is NULL.
        match unsafe { ffi::sqlite3_column_type(self.handle(), column) } {
            ffi::SQLITE_INTEGER => Kind::Int,
            ffi::SQLITE_FLOAT => Kind::Float,
            ffi::SQLITE_TEXT => Kind::Text,
            ffi::SQLITE_BLOB => Kind::Blob,
            _ => Kind::Null,
        }
    }

    #[inline(always)]
    pub(super) fn int(&self, column: c_int) -> i64 {
        // SAFETY: as of `kind`, 0 where there is none.
        unsafe { ffi::sqlite3_column_int64(self.handle(), column) }
    }

    #[inline(always)]
    pub(super) fn float(&self, column: c_int) -> f64 {
        // SAFETY: as of `kind`, 0 where there is none.
        unsafe { ffi::sqlite3_column_double(self.handle(), column) }
    }

    /// The cell's text, in UTF-8 unless the database's own text is broken.
    #[inline(always)]
    pub(super) fn text(&mut self, column: c_int) -> &[u8] {
        // SAFETY: text first, then its length, as SQLite demands. The slice borrows the statement
        // mutably, so nothing moves or converts the cell while it lives.
        unsafe {
            let start = ffi::sqlite3_column_text(self.handle(), column);
            slice(start, ffi::sqlite3_column_bytes(self.handle(), column))
        }
    }

    /// The cell's bytes.
    #[inline(always)]
    pub(super) fn blob(&mut self, column: c_int) -> &[u8] {
        // SAFETY: as of `text`.
        unsafe {
            let start = ffi::sqlite3_column_blob(self.handle(), column);
            slice(start.cast(), ffi::sqlite3_column_bytes(self.handle(), column))
        }
    }
}

impl Drop for RawStatement {
    fn drop(&mut self) {
        // SAFETY: the statement is alive and not used again.
        unsafe { ffi::sqlite3_finalize(self.handle()) };
    }
}

/// # Safety
/// `start` is NULL or points to `length` bytes that live as long as the caller says.
#[inline(always)]
unsafe fn slice<'a>(start: *const u8, length: c_int) -> &'a [u8] {
    if start.is_null() || length <= 0 {
        return &[];
    }
    // SAFETY: said above.
    unsafe { std::slice::from_raw_parts(start, length as usize) }
}

/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn owned(text: *const c_char) -> Option<String> {
    // SAFETY: said above.
    let text = unsafe { (!text.is_null()).then(|| CStr::from_ptr(text)) }?;
    Some(text.to_string_lossy().into_owned())
}

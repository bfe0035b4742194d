//! A connection of SQLite's C interface. Here and in `raw_statement.rs` each call stands behind a
//! type that cannot be used wrongly: handles close themselves and a cell is borrowed from the row
//! it stands in.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};
use std::sync::Once;

use rusqlite::ffi;

use super::raw_statement::RawStatement;

/// A failed call: SQLite's extended result code, its words, and where in the SQL (a byte offset).
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: c_int,
    pub(super) message: String,
    pub(super) offset: Option<usize>,
}

/// An open connection, used by one thread at a time.
#[derive(Debug)]
pub(super) struct RawConnection(NonNull<ffi::sqlite3>);

// SAFETY: the library is built thread-safe and the connection is opened without its own mutex:
// any thread may use it, one at a time. Not being `Sync`, it is reached by one thread at a time,
// and its statements live beside it in one `Connection`.
unsafe impl Send for RawConnection {}

impl RawConnection {
    /// Opens the file `path`, or a private database in memory for `:memory:`.
    pub(super) fn open(path: &CStr, read_only: bool) -> Result<Self, Failure> {
        static CONFIGURE: Once = Once::new();
        // SAFETY: called once and before the library is initialised. Memory statistics take a
        // mutex that all connections share at every allocation, and nobody reads them. Where the
        // library runs already the call is refused and nothing is lost.
        CONFIGURE.call_once(|| unsafe {
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int);
        });
        let access = if read_only {
            ffi::SQLITE_OPEN_READONLY
        } else {
            ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE
        };
        let flags = access | ffi::SQLITE_OPEN_NOMUTEX | ffi::SQLITE_OPEN_EXRESCODE;
        let mut handle = ptr::null_mut();
        // SAFETY: `path` ends in NUL and `handle` is a place for the result.
        let code =
            unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &raw mut handle, flags, ptr::null()) };
        let Some(handle) = NonNull::new(handle) else {
            return Err(Failure { code, message: "out of memory".into(), offset: None });
        };
        let this = Self(handle);
        if code == ffi::SQLITE_OK { Ok(this) } else { Err(this.failure(code)) }
    }

    /// Gives the connection its functions and settings.
    pub(super) fn set_up(&self) -> Result<(), Failure> {
        let failed = |error: rusqlite::Error| Failure {
            code: ffi::SQLITE_ERROR,
            message: error.to_string(),
            offset: None,
        };
        // SAFETY: the handle is open, and stays so while this is borrowed; what is made of it here closes
        // nothing when it is dropped.
        let borrowed =
            unsafe { rusqlite::Connection::from_handle(self.handle()) }.map_err(failed)?;
        // A plan is made for a statement, not for the values it is first bound to: the library's statistics
        // would have it made anew at each call whose values may change it, at two to three times the cost of a
        // small query.
        let stable = rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
        borrowed.set_db_config(stable, true).map_err(failed)?;
        super::functions::add(&borrowed).map_err(failed)
    }

    pub(super) fn handle(&self) -> *mut ffi::sqlite3 {
        self.0.as_ptr()
    }

    /// Prepares the first statement of `sql`; `None` where it holds none. Also tells where the
    /// text goes on after it.
    pub(super) fn prepare(
        &self,
        sql: &str,
        keep: bool,
    ) -> Result<(Option<RawStatement>, usize), Failure> {
        let too_long = || Failure {
            code: ffi::SQLITE_TOOBIG,
            message: "the SQL is too long".into(),
            offset: None,
        };
        let length = c_int::try_from(sql.len()).map_err(|_| too_long())?;
        let flags = if keep { ffi::SQLITE_PREPARE_PERSISTENT } else { 0 };
        let start = sql.as_ptr().cast::<c_char>();
        let (mut handle, mut tail) = (ptr::null_mut(), start);
        // SAFETY: `start` points to `length` readable bytes; the results have their places.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.handle(),
                start,
                length,
                flags,
                &raw mut handle,
                &raw mut tail,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(self.failure(code));
        }
        let after = (tail as usize).saturating_sub(start as usize).min(sql.len());
        Ok((NonNull::new(handle).map(RawStatement), after))
    }

    /// What the last call, which returned `code`, had to say.
    #[cold]
    pub(super) fn failure(&self, code: c_int) -> Failure {
        // SAFETY: the message is a NUL-terminated text, valid until the next call.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.handle())) };
        // SAFETY: the handle is open.
        let offset = unsafe { ffi::sqlite3_error_offset(self.handle()) };
        let message = message.to_string_lossy().into_owned();
        Failure { code, message, offset: usize::try_from(offset).ok() }
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.handle()) != 0 }
    }

    /// Rows that the last insert, update or delete changed.
    pub(super) fn changes(&self) -> u64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_changes64(self.handle()) as u64 }
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        // SAFETY: the handle is open and not used again; `Connection` dropped its statements before.
        unsafe { ffi::sqlite3_close(self.handle()) };
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::config::DbConfig;

    use super::*;

    #[test]
    fn a_connection_has_its_functions_and_plans_that_stay() {
        let connection = RawConnection::open(c":memory:", false).unwrap();
        connection.set_up().unwrap();
        // SAFETY: the handle is open, and what is made of it closes nothing.
        let borrowed = unsafe { rusqlite::Connection::from_handle(connection.handle()) }.unwrap();
        assert!(borrowed.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).unwrap());
        let found = borrowed.query_row("select 'ab' regexp 'b$'", [], |row| row.get::<_, bool>(0));
        assert_eq!(found, Ok(true));
    }
}

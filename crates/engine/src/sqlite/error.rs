//! What SQLite's result codes mean to a caller.

use std::ffi::c_int;
use std::path::Path;

use rusqlite::ffi;

use super::raw::Failure;
use super::watch::Stopped;
use crate::{Error, ErrorKind, Place};

/// The error for a statement of text `sql` that failed.
#[cold]
pub(super) fn error(failure: &Failure, sql: &str) -> Error {
    let (kind, hint) = kind(failure);
    let position = failure
        .offset
        .and_then(|offset| sql.get(..offset))
        .map(|before| before.chars().count() + 1);
    let error = Error::new(kind, failure.message.clone()).with_position(position);
    let error = match violated(failure.code) {
        Some(sqlstate) => error.with_place(sqlstate, place(&failure.message)),
        None => error,
    };
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// PostgreSQL's SQLSTATE of a violation, so that one `except` tells both databases' apart.
fn violated(code: c_int) -> Option<&'static str> {
    Some(match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => "23505",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "23502",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "23503",
        ffi::SQLITE_CONSTRAINT_CHECK => "23514",
        _ => return None,
    })
}

/// What `UNIQUE constraint failed: t.a, t.b` is about: the table, and the column where it is one; what
/// `CHECK constraint failed: positive` is.
fn place(message: &str) -> Place {
    let Some((what, names)) = message.split_once(" constraint failed: ") else {
        return Place::default();
    };
    if what == "CHECK" {
        return Place { constraint: Some(names.to_owned()), ..Place::default() };
    }
    let Some((table, column)) = names.split_once('.') else { return Place::default() };
    let column = (!names.contains(", ")).then(|| column.to_owned());
    Place { table: Some(table.to_owned()), column, ..Place::default() }
}

/// The error for a statement that was told to stop.
#[cold]
pub(super) fn stopped(why: Stopped) -> Error {
    match why {
        Stopped::Deadline => {
            Error::new(ErrorKind::QueryTimeout, "the statement ran past its deadline")
        }
        Stopped::Interrupt => Error::new(ErrorKind::Cancelled, "the call was interrupted"),
        Stopped::Budget => Error::new(ErrorKind::Internal, "the statement ran over its budget"),
    }
}

fn kind(failure: &Failure) -> (ErrorKind, Option<&'static str>) {
    match failure.code {
        ffi::SQLITE_BUSY_SNAPSHOT => {
            return (ErrorKind::Serialization, Some("begin the transaction anew"));
        }
        ffi::SQLITE_READONLY_DBMOVED => {
            return (ErrorKind::Operational, Some("the file was moved or deleted; open it again"));
        }
        _ => {}
    }
    match failure.code & 0xff {
        ffi::SQLITE_CONSTRAINT => (ErrorKind::Integrity, None),
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => (
            ErrorKind::Operational,
            Some("another connection holds the lock; shorter transactions free it sooner"),
        ),
        ffi::SQLITE_READONLY => (
            ErrorKind::Operational,
            Some("the database, or this transaction, was opened to read only"),
        ),
        ffi::SQLITE_FULL
        | ffi::SQLITE_IOERR
        | ffi::SQLITE_NOMEM
        | ffi::SQLITE_PROTOCOL
        | ffi::SQLITE_NOLFS
        | ffi::SQLITE_CORRUPT
        | ffi::SQLITE_NOTADB
        | ffi::SQLITE_CANTOPEN => (ErrorKind::Operational, None),
        ffi::SQLITE_INTERRUPT => (ErrorKind::Cancelled, None),
        ffi::SQLITE_MISMATCH | ffi::SQLITE_TOOBIG => (ErrorKind::Data, None),
        ffi::SQLITE_MISUSE | ffi::SQLITE_INTERNAL => (ErrorKind::Internal, None),
        // `SQLITE_ERROR` is one code for wrong SQL and for what goes wrong while it runs.
        ffi::SQLITE_ERROR if failure.message == "integer overflow" => (ErrorKind::Data, None),
        ffi::SQLITE_ERROR if failure.message.starts_with("malformed JSON") => {
            (ErrorKind::Data, None)
        }
        _ => (ErrorKind::Programming, None),
    }
}

/// The error for a database that could not be opened.
#[cold]
pub(super) fn open_error(failure: &Failure, path: Option<&Path>, read_only: bool) -> Error {
    let Some(path) = path else {
        let message = format!("cannot open a database in memory: {}", failure.message);
        return Error::new(ErrorKind::Connect, message);
    };
    let shown = path.display();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let connect = |message: String| Error::new(ErrorKind::Connect, message);
    if path.is_dir() {
        return connect(format!("cannot open {shown}: it is a directory"));
    }
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return connect(format!("cannot open {shown}: there is no directory {}", parent.display()));
    }
    match failure.code & 0xff {
        ffi::SQLITE_NOTADB => {
            Error::new(ErrorKind::Operational, format!("not an SQLite database: {shown}"))
        }
        ffi::SQLITE_CORRUPT => {
            Error::new(ErrorKind::Operational, format!("damaged SQLite database: {shown}"))
        }
        ffi::SQLITE_CANTOPEN if read_only && !path.exists() => {
            connect(format!("cannot open {shown}: there is no such file"))
        }
        ffi::SQLITE_READONLY => connect(format!("cannot open {shown}: it may not be written"))
            .with_hint("open it read only"),
        _ => connect(format!("cannot open {shown}: {}", failure.message)),
    }
}

/// Whether the code says that another connection holds a lock.
pub(super) fn is_busy(code: c_int) -> bool {
    matches!(code & 0xff, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
}

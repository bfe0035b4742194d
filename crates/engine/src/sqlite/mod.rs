//! The SQLite engine: one connection that writes, several that read, no thread of its own.
//!
//! Reads run on the caller's thread over a free reader; writes queue before the one writer, and
//! those that queue together are committed together. A database in memory has one connection that
//! does both.

mod bind;
mod cells;
mod config;
mod connection;
mod dates;
mod error;
mod fits;
mod found;
mod functions;
mod group;
mod load;
mod raw;
mod raw_statement;
mod read;
mod readers;
mod route;
mod shared;
mod short_text;
mod slow;
mod statement;
mod stream;
#[cfg(test)]
mod tests;
mod transaction;
mod types;
mod watch;
mod writer;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rowmill_columns::Scalar;
use rowmill_expr::Statement;

use self::connection::Connection;
use self::group::{Work, lead};
use self::read::{First, Limits};
use self::route::{Route, route};
use self::shared::{Lease, Shared, Turn};
use self::watch::Orders;
use self::writer::Job;
use crate::process;
use crate::transaction::refused;
use crate::{Completion, Control, Error, ErrorKind, Result, Row, Stats, limits};

pub(crate) use self::config::SqliteConfig;
pub use self::dates::Dates;
pub(crate) use self::stream::SqliteStream;
pub(crate) use self::transaction::SqliteTransaction;

/// How long a statement may run on an event loop's own thread: handing it to a worker costs about
/// 80 us, and no other task on the loop notices 200.
const BUDGET: Duration = Duration::from_micros(200);

/// How much such a statement may return.
const BUDGET_ROWS: Limits = Limits { rows: 1_024, bytes: limits::ON_LOOP_BYTES };

/// An SQLite database, and the process that opened it. Cheap to clone and safe to share between
/// threads.
#[derive(Clone)]
pub(crate) struct Sqlite(Arc<Shared>, u32);

impl Sqlite {
    /// Opens the database, one connection to it, so that a bad path is told here, and a reader, so that the
    /// first query does not pay for it.
    pub(crate) fn open(config: SqliteConfig) -> Result<Self> {
        let read_only = config.read_only && config.path.is_some();
        let shared = Arc::new(Shared::new(config));
        let control = Control::default();
        if read_only {
            drop(Lease::reader(&*shared, &control)?);
        } else {
            drop(Lease::writer(&*shared, &control)?);
            // What keeps it from reading, the first query says.
            drop(Lease::reader(&*shared, &control));
        }
        Ok(Self(shared, process::id()))
    }

    /// Whether a statement may want the writer, as far as its first words tell.
    pub(crate) fn may_write(statement: &Statement) -> bool {
        !matches!(route_of(statement), Route::Read)
    }

    /// Runs one statement, of any kind, and reads its rows. Blocks the calling thread.
    pub(crate) fn fetch(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Completion> {
        self.run(statement, parameters, control).map_err(|error| error.about(statement))
    }

    /// Runs one statement, of any kind, for its first row. One that only reads is not read further,
    /// and where its columns are integers, floats, text or bytes no batch is made: a column costs
    /// less than 100 ns then, not 300.
    pub(crate) fn fetch_row(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Option<Row>> {
        self.row(statement, parameters, control).map_err(|error| error.about(statement))
    }

    fn row(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Option<Row>> {
        let shared = &*self.0;
        shared.check_open()?;
        process::check(self.1)?;
        if control.deadline.is_some() {
            control.check()?;
        }
        if matches!(route_of(statement), Route::Read | Route::Ask) {
            let orders = Orders::of(control);
            let mut lease = Lease::reader(shared, control)?;
            let first = lease.connection().first_row(statement, parameters, &orders, usize::MAX)?;
            if let First::Row(row) = first {
                return Ok(row);
            }
        }
        self.run(statement, parameters, control).map(|completion| Row::first(&completion.batch))
    }

    fn run(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Completion> {
        let shared = &*self.0;
        shared.check_open()?;
        if control.deadline.is_some() {
            control.check()?;
        }
        let orders = Orders::of(control);
        let path = route_of(statement);
        match path {
            Route::Transaction | Route::Savepoint => return Err(refused()),
            Route::Attach if !shared.in_memory() => return Err(attached()),
            Route::Read => {
                let mut lease = Lease::reader(shared, control)?;
                return lease.connection().fetch(statement, parameters, &orders);
            }
            Route::Ask => {
                let mut lease = Lease::reader(shared, control)?;
                if lease.connection().nature(statement)?.0 {
                    return lease.connection().fetch(statement, parameters, &orders);
                }
            }
            Route::Write | Route::Alone | Route::Attach => {}
        }
        if shared.config.read_only && !shared.in_memory() {
            // SQLite refuses in its own words what is not allowed.
            let mut lease = Lease::reader(shared, control)?;
            return lease.connection().fetch(statement, parameters, &orders);
        }
        if matches!(path, Route::Alone | Route::Attach) {
            let mut lease = Lease::writer(shared, control)?;
            return lease.connection().fetch(statement, parameters, &orders);
        }
        let job = || {
            Some(Job {
                statement: statement.clone(),
                parameters: parameters.to_vec(),
                deadline: control.deadline,
            })
        };
        match Lease::turn(shared, job, control)? {
            Turn::Done(completion) => Ok(completion),
            Turn::Mine(mut lease) => {
                let work = Work { statement, parameters, orders };
                lead(lease.connection(), &shared.writer, &work)
            }
        }
    }

    /// Runs a statement that reads little, on an event loop's own thread: it never waits for a
    /// lock and stops after a small budget. `None`: give the statement to a worker.
    pub(crate) fn try_fetch(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
    ) -> Option<Result<Completion>> {
        let done = self.attempt(statement, |connection, orders| {
            connection.fetch_within(statement, parameters, orders, BUDGET_ROWS)
        });
        done.map(|result| result.map_err(|error| error.about(statement)))
    }

    /// As [`try_fetch`](Self::try_fetch), for what [`fetch_row`](Self::fetch_row) gives.
    pub(crate) fn try_fetch_row(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
    ) -> Option<Result<Option<Row>>> {
        let row = self.attempt(statement, |connection, orders| {
            match connection.first_row(statement, parameters, orders, BUDGET_ROWS.bytes)? {
                First::Row(row) => return Ok(Some(row)),
                First::TooLarge => return Ok(None),
                First::Elsewhere => {}
            }
            let done = connection.fetch_within(statement, parameters, orders, BUDGET_ROWS)?;
            Ok(done.map(|completion| Row::first(&completion.batch)))
        });
        row.map(|result| result.map_err(|error| error.about(statement)))
    }

    /// Has `read` read within the budget; its `None` says that it could not.
    fn attempt<R>(
        &self,
        statement: &Statement,
        read: impl FnOnce(&mut Connection, &Orders<'_>) -> Result<Option<R>>,
    ) -> Option<Result<R>> {
        let shared = &*self.0;
        if let Err(error) = shared.check_open() {
            return Some(Err(error));
        }
        let path = route_of(statement);
        if !matches!(path, Route::Read | Route::Ask) || shared.slow.refuses(statement.key()) {
            return None;
        }
        let mut lease = Lease::try_reader(shared)?;
        let connection = lease.connection();
        if path == Route::Ask {
            match connection.nature(statement) {
                Ok((true, _)) => {}
                Ok((false, _)) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let budget = Instant::now().checked_add(BUDGET);
        let orders = Orders { budget, ..Orders::default() };
        match read(connection, &orders) {
            Ok(Some(done)) => Some(Ok(done)),
            Err(error) if !connection.ran_over_budget() => Some(Err(error)),
            Ok(None) | Err(_) => {
                shared.slow.mark(statement.key());
                None
            }
        }
    }

    /// Reads the rows of a statement in parts of `batch_rows`, or fewer where rows are wide.
    pub(crate) fn stream(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        batch_rows: usize,
    ) -> Result<SqliteStream> {
        self.0.check_open()?;
        Ok(SqliteStream::new(Arc::clone(&self.0), statement, parameters, batch_rows))
    }

    /// Runs several statements one after the other, each in a transaction of its own unless the
    /// script begins one.
    pub(crate) fn script(&self, sql: &str, control: &Control<'_>) -> Result<()> {
        let shared = &*self.0;
        shared.check_open()?;
        let mut lease = if shared.config.read_only {
            Lease::reader(shared, control)?
        } else {
            Lease::writer(shared, control)?
        };
        run_script(lease.connection(), sql, control).map_err(|error| error.with_query(sql))
    }

    /// Begins a transaction: with the right to write at once unless `read_only`, so that it never
    /// fails half way for want of it.
    pub(crate) fn begin(
        &self,
        read_only: bool,
        control: &Control<'_>,
    ) -> Result<SqliteTransaction> {
        self.0.check_open()?;
        SqliteTransaction::begin(&self.0, read_only, control)
    }

    pub(crate) fn stats(&self) -> Stats {
        let readers = if self.0.in_memory() { 0 } else { self.0.config.readers.max(1) };
        let mut stats = Stats { size: readers + 1, ..Stats::default() };
        self.0.writer.count(&mut stats);
        self.0.readers.count(&mut stats);
        // None is ever lost: what was opened is open.
        stats.opened = stats.open as u64;
        stats
    }

    /// Closes the database: calls that come later fail; connections in use close when they come
    /// back.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.readers.close();
        if let Some(mut writer) = self.0.writer.close()
            && !self.0.in_memory()
        {
            writer.optimize();
        }
    }
}

/// The route of a statement; of nearly every one that reads without a look at its words.
fn route_of(statement: &Statement) -> Route {
    let start = statement.text().as_bytes().first_chunk::<7>();
    if start.is_some_and(|start| start.eq_ignore_ascii_case(b"select ")) {
        return Route::Read;
    }
    route(statement.text())
}

fn run_script(connection: &mut Connection, sql: &str, control: &Control<'_>) -> Result<()> {
    connection.script(sql, &Orders::of(control), false)?;
    if connection.is_autocommit() {
        return Ok(());
    }
    connection.rollback()?;
    let message = "the script began a transaction and did not end it; it was rolled back";
    Err(Error::new(ErrorKind::Programming, message).with_hint("end it with commit"))
}

#[cold]
fn attached() -> Error {
    let message = "attach and detach reach one connection, and a file has several";
    Error::new(ErrorKind::NotSupported, message).with_hint("open the other file as a database")
}

//! Explicit transactions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowmill_columns::Scalar;
use rowmill_expr::Statement;

use super::connection::Command;
use super::group::{Work, run_inside};
use super::route::{Route, route};
use super::shared::{Lease, Shared};
use super::stream::SqliteStream;
use super::watch::Orders;
use crate::process;
use crate::transaction::refused;
use crate::{Completion, Control, Error, ErrorKind, Result};

/// A transaction under way: it holds the writer, or a reader. Dropping it rolls back.
pub(crate) struct SqliteTransaction(Arc<Held>);

/// What a transaction and its streams share; `None` once it has ended.
pub(super) struct Held {
    session: Mutex<Option<Session>>,
    pub(super) process: u32,
}

pub(super) struct Session {
    pub(super) lease: Lease<Arc<Shared>>,
    /// Those of streams that have not ended.
    pub(super) cursors: Vec<usize>,
    /// Whether the connection must be allowed to write again at the end.
    forbidden: bool,
}

impl Held {
    /// Fails in a fork, where who had the lock may be no more.
    pub(super) fn lock(&self) -> Result<MutexGuard<'_, Option<Session>>> {
        process::check(self.process)?;
        Ok(self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Session {
    /// Fails once the database has rolled back on its own: what came after would be kept at once.
    pub(super) fn check(&mut self) -> Result<()> {
        if self.lease.connection().is_autocommit() { Err(rolled_back()) } else { Ok(()) }
    }

    pub(super) fn close_cursor(&mut self, cursor: usize) {
        if let Some(at) = self.cursors.iter().position(|open| *open == cursor) {
            self.cursors.swap_remove(at);
            self.lease.connection().close_cursor(cursor);
        }
    }

    fn end(&mut self, command: Option<&Orders<'_>>) -> Result<()> {
        let connection = self.lease.connection();
        self.cursors.drain(..).for_each(|cursor| connection.close_cursor(cursor));
        let outcome = match command {
            Some(_) if connection.is_autocommit() => Err(rolled_back()),
            Some(orders) => connection.command(Command::Commit, orders),
            None => Ok(()),
        };
        // Also after a commit that failed, as one does over a deferred constraint.
        let undone = connection.rollback();
        if std::mem::take(&mut self.forbidden) {
            connection.script("pragma query_only=off", &Orders::default(), false)?;
        }
        outcome.and(undone)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; the lease discards a connection that is not sound.
        if !self.lease.home().is_forked() {
            let _ = self.end(None);
        }
    }
}

impl SqliteTransaction {
    pub(super) fn begin(
        shared: &Arc<Shared>,
        read_only: bool,
        control: &Control<'_>,
    ) -> Result<Self> {
        if shared.config.read_only && !read_only {
            let message = "the database was opened to read only";
            return Err(Error::new(ErrorKind::Operational, message)
                .with_hint("begin a transaction that only reads"));
        }
        let home = Arc::clone(shared);
        let lease =
            if read_only { Lease::reader(home, control)? } else { Lease::writer(home, control)? };
        let mut session = Session { lease, cursors: Vec::new(), forbidden: false };
        let orders = Orders::of(control);
        let begin = if read_only { Command::Begin } else { Command::BeginImmediate };
        if read_only && shared.in_memory() {
            session.forbidden = true;
            session.lease.connection().script("pragma query_only=on", &orders, false)?;
        }
        session.lease.connection().command(begin, &orders)?;
        let session = Mutex::new(Some(session));
        Ok(Self(Arc::new(Held { session, process: shared.process })))
    }

    /// Runs one statement and reads its rows.
    pub(crate) fn fetch(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Completion> {
        self.run(statement, parameters, control).map_err(|error| error.about(statement))
    }

    fn run(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        control: &Control<'_>,
    ) -> Result<Completion> {
        if route(statement.text()) == Route::Transaction {
            return Err(refused());
        }
        let mut held = self.0.lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        let work = Work { statement, parameters, orders: Orders::of(control) };
        run_inside(session.lease.connection(), &work)
    }

    pub(super) fn held(&self) -> &Held {
        &self.0
    }

    /// Reads the rows of a statement in parts; the stream ends with the transaction.
    pub(crate) fn stream(
        &self,
        statement: &Statement,
        parameters: &[Scalar],
        batch_rows: usize,
    ) -> Result<SqliteStream> {
        if route(statement.text()) == Route::Transaction {
            return Err(refused().about(statement));
        }
        let held = Arc::clone(&self.0);
        Ok(SqliteStream::in_transaction(held, statement, parameters, batch_rows))
    }

    /// Runs several statements.
    pub(crate) fn script(&self, sql: &str, control: &Control<'_>) -> Result<()> {
        let mut held = self.0.lock()?;
        let session = held.as_mut().ok_or_else(ended)?;
        session.check()?;
        session
            .lease
            .connection()
            .script(sql, &Orders::of(control), true)
            .map_err(|error| error.with_query(sql))
    }

    /// Keeps what was done.
    pub(crate) fn commit(self, control: &Control<'_>) -> Result<()> {
        let session = self.0.lock()?.take();
        session.ok_or_else(ended)?.end(Some(&Orders::of(control)))
    }

    /// Undoes what was done. It heeds no deadline: there is nothing to wait for.
    pub(crate) fn rollback(self, _control: &Control<'_>) -> Result<()> {
        let session = self.0.lock()?.take();
        session.ok_or_else(ended)?.end(None)
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        // A stream may still hold its part of this; the connection goes back all the same.
        let session = self.0.lock().map(|mut held| held.take());
        drop(session);
    }
}

#[cold]
pub(super) fn ended() -> Error {
    Error::new(ErrorKind::Misuse, "the transaction has ended")
}

#[cold]
fn rolled_back() -> Error {
    let message = "the database rolled the transaction back when a statement failed";
    Error::new(ErrorKind::Operational, message).with_hint("begin it anew")
}

//! Results that come in parts.

use std::sync::Arc;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;

use super::connection::Command;
use super::read::Limits;
use super::route::{Route, route};
use super::shared::{Lease, Shared};
use super::transaction::{Held, ended};
use super::watch::Orders;
use crate::process;
use crate::transaction::refused;
use crate::{Control, Result, limits};

/// A result in parts. It takes its connection when the first part is asked for and gives it back
/// after the last, or when dropped. A stream of a statement that writes is a transaction: it is
/// committed after the last part and rolled back when dropped before.
pub(crate) struct SqliteStream {
    source: Source,
    statement: Statement,
    parameters: Vec<Scalar>,
    limits: Limits,
    cursor: Option<usize>,
    process: u32,
}

enum Source {
    /// Nothing is taken yet.
    Waiting(Arc<Shared>),
    /// A connection of its own.
    Own(Lease<Arc<Shared>>, Frame),
    /// The one connection of a database in memory, taken anew for each part so that other calls
    /// find it free between two.
    Memory(Arc<Shared>),
    Transaction(Arc<Held>),
    Ended,
}

/// Whether a stream has a transaction to commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    None,
    Commit,
}

impl SqliteStream {
    pub(super) fn new(
        shared: Arc<Shared>,
        statement: &Statement,
        parameters: &[Scalar],
        batch_rows: usize,
    ) -> Self {
        let process = shared.process;
        Self::from_source(Source::Waiting(shared), process, statement, parameters, batch_rows)
    }

    pub(super) fn in_transaction(
        held: Arc<Held>,
        statement: &Statement,
        parameters: &[Scalar],
        batch_rows: usize,
    ) -> Self {
        let process = held.process;
        Self::from_source(Source::Transaction(held), process, statement, parameters, batch_rows)
    }

    fn from_source(
        source: Source,
        process: u32,
        statement: &Statement,
        parameters: &[Scalar],
        batch_rows: usize,
    ) -> Self {
        Self {
            source,
            statement: statement.clone(),
            parameters: parameters.to_vec(),
            limits: Limits { rows: batch_rows.max(1), bytes: limits::BATCH_BYTES },
            cursor: None,
            process,
        }
    }

    /// The next part, or `None` after the last. A result without rows has one part without rows.
    pub(crate) fn next(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        process::check(self.process)?;
        let part = control.check().and_then(|()| self.read(control));
        match part {
            Ok(Some((batch, false))) => Ok(Some(batch)),
            Ok(Some((batch, true))) => self.finish(control).map(|()| Some(batch)),
            Ok(None) => self.finish(control).map(|()| None),
            Err(error) => {
                self.stop();
                Err(error.about(&self.statement))
            }
        }
    }

    /// The next part and whether it is the last.
    fn read(&mut self, control: &Control<'_>) -> Result<Option<(Batch, bool)>> {
        if let Source::Waiting(shared) = &self.source {
            self.source = source(shared, &self.statement, control)?;
        }
        let Self { source, statement, parameters, limits, cursor, .. } = self;
        let orders = Orders::of(control);
        match source {
            Source::Waiting(_) | Source::Ended => Ok(None),
            Source::Own(lease, _) => {
                let connection = lease.connection();
                let at = match *cursor {
                    Some(at) => at,
                    None => *cursor.insert(connection.open_cursor(statement, parameters, &orders)?),
                };
                connection.next_part(at, statement.text(), &orders, *limits)
            }
            Source::Memory(shared) => {
                shared.check_open()?;
                let mut lease = Lease::writer(&**shared, control)?;
                let connection = lease.connection();
                let at = match *cursor {
                    Some(at) => at,
                    None => *cursor.insert(connection.open_cursor(statement, parameters, &orders)?),
                };
                connection.next_part(at, statement.text(), &orders, *limits)
            }
            Source::Transaction(held) => {
                let mut held = held.lock()?;
                let session = held.as_mut().ok_or_else(ended)?;
                session.check()?;
                let connection = session.lease.connection();
                let at = match *cursor {
                    Some(at) => at,
                    None => {
                        let at = connection.open_cursor(statement, parameters, &orders)?;
                        session.cursors.push(at);
                        *cursor.insert(at)
                    }
                };
                session.lease.connection().next_part(at, statement.text(), &orders, *limits)
            }
        }
    }

    /// After the last part: keeps what the statement wrote.
    fn finish(&mut self, control: &Control<'_>) -> Result<()> {
        let outcome = match (&mut self.source, self.cursor.take()) {
            (Source::Own(lease, frame), Some(cursor)) => {
                lease.connection().close_cursor(cursor);
                match frame {
                    Frame::Commit => {
                        lease.connection().command(Command::Commit, &Orders::of(control))
                    }
                    Frame::None => Ok(()),
                }
            }
            (_, cursor) => {
                self.cursor = cursor;
                Ok(())
            }
        };
        self.stop();
        outcome.map_err(|error| error.about(&self.statement))
    }

    /// Gives back what the stream holds; a transaction of its own is rolled back with its lease.
    fn stop(&mut self) {
        let source = std::mem::replace(&mut self.source, Source::Ended);
        let Some(cursor) = self.cursor.take() else { return };
        if process::is_forked(self.process) {
            return;
        }
        match source {
            Source::Own(mut lease, _) => lease.connection().close_cursor(cursor),
            Source::Memory(shared) => {
                shared.leave_cursor(cursor);
                // Whoever has the connection closes the cursor when giving it back; if nobody has
                // it, that is done here.
                drop(Lease::try_reader(&*shared));
            }
            Source::Transaction(held) => {
                if let Ok(mut held) = held.lock()
                    && let Some(session) = held.as_mut()
                {
                    session.close_cursor(cursor);
                }
            }
            Source::Waiting(_) | Source::Ended => {}
        }
    }
}

impl Drop for SqliteStream {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The connection a statement of that kind is read from.
fn source(shared: &Arc<Shared>, statement: &Statement, control: &Control<'_>) -> Result<Source> {
    shared.check_open()?;
    let home = || Arc::clone(shared);
    let path = route(statement.text());
    let reads = match path {
        Route::Transaction | Route::Savepoint => return Err(refused()),
        Route::Read => true,
        Route::Ask => {
            let mut lease = Lease::reader(home(), control)?;
            let (reads, _) = lease.connection().nature(statement)?;
            if reads && !shared.in_memory() {
                return Ok(Source::Own(lease, Frame::None));
            }
            reads
        }
        Route::Write | Route::Alone | Route::Attach => false,
    };
    if reads && shared.in_memory() {
        return Ok(Source::Memory(home()));
    }
    if reads || shared.config.read_only {
        return Ok(Source::Own(Lease::reader(home(), control)?, Frame::None));
    }
    let mut lease = Lease::writer(home(), control)?;
    if path == Route::Alone || path == Route::Attach {
        return Ok(Source::Own(lease, Frame::None));
    }
    lease.connection().command(Command::BeginImmediate, &Orders::of(control))?;
    Ok(Source::Own(lease, Frame::Commit))
}

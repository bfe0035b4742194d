use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowmill_columns::Scalar;
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Completion, Output, RequestId, TransactionStatus};

use super::run::{roll_back, run_end};
use super::stop::stop;
use super::{Lease, PortalStream, load_inside, run, run_many_inside, run_script};
use crate::many::Many;
use crate::process;
use crate::pump::Link;
use crate::transaction::ended_by_script;
use crate::{Control, Error, ErrorKind, Load, Result};

/// The connection of a transaction.
#[derive(Debug)]
pub(crate) struct Held(Mutex<Connection>);

#[derive(Debug)]
enum Connection {
    Here(Lease),
    /// It is here, for a stream alone: the rows of that request are on their way.
    Kept(Lease, RequestId),
    /// A call has it.
    Lent,
    /// The transaction has ended.
    Gone,
}

impl Held {
    fn new(lease: Lease) -> Self {
        Self(Mutex::new(Connection::Here(lease)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the connection back.
    pub(crate) fn put(&self, lease: Lease) {
        self.put_as(Connection::Here(lease));
    }

    /// Gives the connection back while the rows of `id` are on their way.
    pub(crate) fn keep(&self, lease: Lease, id: RequestId) {
        self.put_as(Connection::Kept(lease, id));
    }

    /// One of a transaction that has ended goes home.
    fn put_as(&self, back: Connection) {
        let mut connection = self.lock();
        if matches!(*connection, Connection::Lent) {
            *connection = back;
        }
    }

    /// Takes the connection for a call.
    pub(crate) fn take(&self) -> Result<Lease> {
        self.take_where(|connection| matches!(connection, Connection::Here(_)))
    }

    /// Takes the connection for the stream it is kept for.
    pub(crate) fn take_kept(&self, id: RequestId) -> Result<Lease> {
        self.take_where(|connection| matches!(connection, Connection::Kept(_, of) if *of == id))
    }

    fn take_where(&self, fits: impl FnOnce(&Connection) -> bool) -> Result<Lease> {
        let mut connection = self.lock();
        if matches!(*connection, Connection::Gone) {
            return Err(ended());
        }
        if !fits(&connection) {
            return Err(busy());
        }
        match std::mem::replace(&mut *connection, Connection::Lent) {
            Connection::Here(lease) | Connection::Kept(lease, _) => Ok(lease),
            Connection::Lent | Connection::Gone => Err(busy()),
        }
    }

    /// Ends the stream whose rows are on their way, for the transaction ends. They are read and dropped;
    /// where all is to be undone the server stops.
    fn end_stream(&self, undo: bool) {
        let kept = match &*self.lock() {
            Connection::Kept(_, id) => *id,
            _ => return,
        };
        let Ok(mut lease) = self.take_kept(kept) else { return };
        lease.session.abandon(kept);
        if undo {
            let over = Error::new(ErrorKind::Cancelled, "the stream was ended");
            drop(stop(&mut lease, kept, over));
        }
        self.put(lease);
    }

    /// Takes the connection for good, where it is here; else it goes home once it comes back.
    fn end(&self) -> Option<Lease> {
        match std::mem::replace(&mut *self.lock(), Connection::Gone) {
            Connection::Here(lease) | Connection::Kept(lease, _) => Some(lease),
            Connection::Lent | Connection::Gone => None,
        }
    }
}

/// An open transaction; dropping it rolls back.
pub(crate) struct PostgresTransaction {
    held: Arc<Held>,
    /// True until commit or rollback.
    open: bool,
    process: u32,
}

impl PostgresTransaction {
    pub(crate) fn begin(mut lease: Lease, sql: &str, control: &Control<'_>) -> Result<Self> {
        let statement = Statement::parse(sql, Dialect::Postgres)?;
        run(&mut lease, &statement, Vec::new(), Output::Discard, control)?;
        let held = Arc::new(Held::new(lease));
        Ok(Self { held, open: true, process: process::id() })
    }

    /// Lends the connection to `work` and takes it back.
    fn with<T>(&self, work: impl FnOnce(&mut Lease) -> Result<T>) -> Result<T> {
        process::check(self.process)?;
        let mut lease = self.held.take()?;
        let done = if lease.is_broken() {
            // It waits for nothing, not even for the rollback, which has happened.
            Err(Error::new(ErrorKind::ConnectionLost, "the transaction's connection was lost"))
        } else {
            work(&mut lease)
        };
        self.held.put(lease);
        done
    }

    pub(crate) fn run(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        output: Output,
        control: &Control<'_>,
    ) -> Result<Completion> {
        self.with(|lease| run(lease, statement, parameters, output, control))
    }

    pub(crate) fn load(&self, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
        self.with(|lease| load_inside(lease, load, control))
    }

    pub(crate) fn run_many(&self, many: Many, control: &Control<'_>) -> Result<u64> {
        self.with(|lease| run_many_inside(lease, many, control))
    }

    pub(crate) fn script(&self, text: &str, control: &Control<'_>) -> Result<Completion> {
        let (done, is_over) = self.with(|lease| {
            let done = run_script(lease, text, control);
            Ok((done, lease.session.transaction() == TransactionStatus::Idle))
        })?;
        if is_over {
            drop(self.held.end());
            return done.and_then(|_| Err(ended_by_script()));
        }
        done
    }

    pub(crate) fn stream(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
    ) -> Result<PortalStream> {
        process::check(self.process)?;
        let held = Some(Arc::clone(&self.held));
        Ok(PortalStream::new(held, statement, parameters, batch_rows))
    }

    /// Commits. A transaction in which a statement failed cannot commit: that is an error here,
    /// where the server would quietly roll back and call it done.
    pub(crate) fn commit(&mut self, control: &Control<'_>) -> Result<()> {
        self.end("commit", control)
    }

    pub(crate) fn rollback(&mut self, control: &Control<'_>) -> Result<()> {
        self.end("rollback", control)
    }

    fn end(&mut self, verb: &str, control: &Control<'_>) -> Result<()> {
        process::check(self.process)?;
        if !self.open {
            return Err(ended());
        }
        self.held.end_stream(verb == "rollback");
        let ended = self.with(|lease| run_end(lease, verb, control));
        self.open = false;
        drop(self.held.end());
        let ended = ended.map_err(|error| unknown_outcome(error, verb))?;
        committed(verb, &ended)
    }
}

/// Runs `work` in a transaction of its own on a connection that is in none.
pub(crate) fn in_transaction<R>(
    link: &mut Link,
    control: &Control<'_>,
    work: impl FnOnce(&mut Link) -> Result<R>,
) -> Result<R> {
    let begin = Statement::parse("begin", Dialect::Postgres)?;
    run(link, &begin, Vec::new(), Output::Discard, control)?;
    match work(link) {
        Ok(done) => {
            let ended = run_end(link, "commit", control)
                .map_err(|error| unknown_outcome(error, "commit"))?;
            committed("commit", &ended)?;
            Ok(done)
        }
        Err(error) => {
            if !link.is_broken() {
                roll_back(link);
            }
            Err(error)
        }
    }
}

#[cold]
fn ended() -> Error {
    Error::new(ErrorKind::Misuse, "the transaction has ended")
}

/// A stream ends when its reader wants, who may be the very caller.
#[cold]
pub(crate) fn busy() -> Error {
    Error::new(ErrorKind::Misuse, "the transaction is busy with a stream")
        .with_hint("read the stream to its end, or close it, before the next call")
}

/// For a statement that failed and is to cost the transaction nothing.
pub(crate) const SAVEPOINT: &str =
    "what may fail goes into `with tx.savepoint():` (in Rust: savepoint)";

/// The server answers COMMIT in a failed transaction with ROLLBACK.
pub(crate) fn committed(verb: &str, ended: &Completion) -> Result<()> {
    if verb == "commit" && ended.tag.verb.eq_ignore_ascii_case("rollback") {
        let message = "the transaction was rolled back: a statement in it had failed";
        return Err(Error::new(ErrorKind::Operational, message).with_hint(SAVEPOINT));
    }
    Ok(())
}

/// A COMMIT that the server did not answer leaves it open whether the work was kept: the connection was
/// lost, what came made no sense, or nobody waited any longer.
pub(crate) fn unknown_outcome(mut error: Error, verb: &str) -> Error {
    let unanswered = match error.kind() {
        ErrorKind::ConnectionLost => true,
        ErrorKind::Internal | ErrorKind::QueryTimeout | ErrorKind::Cancelled => {
            error.sqlstate().is_none()
        }
        _ => false,
    };
    if verb == "commit" && unanswered {
        let message = format!("it is not known whether the transaction committed: {error}");
        error.set(error.kind(), message);
    }
    error
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        if !self.open || process::is_forked(self.process) {
            return;
        }
        self.held.end_stream(true);
        let Some(mut lease) = self.held.end() else { return };
        if lease.is_broken() || lease.session.transaction() == TransactionStatus::Idle {
            return;
        }
        roll_back(&mut lease);
    }
}

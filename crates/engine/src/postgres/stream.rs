use std::sync::Arc;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;
use rowmill_wire::{Event, Output, Request, RequestId, TransactionStatus};

use super::Lease;
use super::run::{grace, leave_idle, stop, wire_statement};
use super::transaction::Held;
use crate::pump::{Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// A result that comes in parts. It holds a connection until it is read to the end or dropped;
/// while nobody asks for the next part nothing is read, so the server waits and memory stays
/// bounded by one part.
pub(crate) struct PostgresStream {
    /// None once the connection went home.
    lease: Option<Lease>,
    /// The transaction the connection goes back to, for a stream inside one.
    transaction: Option<Arc<Held>>,
    request: Asked,
    statement: Statement,
    /// Whether a transaction was open before: one that is open after is the statement's otherwise.
    inside: bool,
    /// Whether a part was given out.
    started: bool,
}

/// The statement runs from the first part on: a stream that nobody reads does nothing.
enum Asked {
    Not(Option<Request>),
    As(RequestId),
}

impl PostgresStream {
    pub(crate) fn start(
        lease: Lease,
        transaction: Option<Arc<Held>>,
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
    ) -> Self {
        let output = Output::Stream { rows: batch_rows.max(1), bytes: limits::BATCH_BYTES };
        let request = Request { statement: wire_statement(statement), parameters, output };
        Self {
            inside: lease.session.transaction() != TransactionStatus::Idle,
            lease: Some(lease),
            transaction,
            request: Asked::Not(Some(request)),
            statement: statement.clone(),
            started: false,
        }
    }

    /// The next part, or `None` after the last. An empty result has one part without rows.
    pub(crate) fn next(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        let Some(lease) = &mut self.lease else { return Ok(None) };
        lease.check_process()?;
        let id = match &mut self.request {
            Asked::As(id) => *id,
            Asked::Not(request) => {
                let Some(request) = request.take() else { return Ok(None) };
                let id = lease.session.start(request);
                self.request = Asked::As(id);
                id
            }
        };
        let part = drive(lease, control, |event| match event {
            Event::Batch { id: of, batch } if of == id => Until::Stop(Ok((batch, false))),
            Event::Done { id: of, result } if of == id => {
                Until::Stop(result.map(|completion| (completion.batch, true)))
            }
            _ => Until::More,
        });
        let mut part = match part {
            Ok(Ok(part)) => Ok(part),
            Ok(Err(failure)) => Err(Error::from(failure)),
            Err(stopped) => Err(match stop(lease, id, stopped) {
                Err(error) => error,
                Ok(_) => Error::new(ErrorKind::QueryTimeout, "the statement ran past its deadline"),
            }),
        };
        if !self.inside && !matches!(part, Ok((_, false))) {
            part = leave_idle(lease, part);
        }
        match part {
            Ok((batch, last)) => {
                if last {
                    self.give_back();
                }
                let wanted = batch.rows() > 0 || !self.started;
                self.started = true;
                if wanted { Ok(Some(batch)) } else { Ok(None) }
            }
            Err(error) => {
                self.give_back();
                Err(error.about(&self.statement))
            }
        }
    }

    /// Returns the connection to the transaction it came from, or home.
    fn give_back(&mut self) {
        let lease = self.lease.take();
        if let (Some(lease), Some(held)) = (lease, self.transaction.take()) {
            held.put(lease);
        }
    }
}

impl Drop for PostgresStream {
    /// A stream that is not read to its end has the server stop, so that the connection is free.
    /// Inside a transaction, which a cancel would fail, the rest of the rows is read and dropped.
    fn drop(&mut self) {
        let Some(lease) = &mut self.lease else { return };
        if lease.is_forked() {
            // Not into the transaction either: another thread may have locked it for ever.
            return drop(self.lease.take());
        }
        if let (Asked::As(id), false) = (&self.request, lease.is_broken()) {
            let id = *id;
            lease.session.abandon(id);
            let inside = lease.session.transaction() == TransactionStatus::Open;
            let target = lease.cancel_target().filter(|_| !inside);
            let heard = target.map(|target| target.cancel());
            let control = if inside { Control::default() } else { grace() };
            // A cancel that was not heard may still come, and would hit what ran here next.
            let at_rest = heard != Some(false)
                && drive(lease, &control, |event| match event {
                    Event::Done { id: of, .. } if of == id => Until::Stop(()),
                    _ => Until::More,
                })
                .is_ok();
            if !at_rest {
                lease.break_off();
            }
        }
        self.give_back();
    }
}

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;
use rowmill_wire::{Event, Output, Request, RequestId};

use super::Lease;
use super::run::{leave_idle, wire_statement};
use super::stop::{halt_request, stop};
use crate::pump::{Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// A result that comes in parts, outside of a transaction. It holds a connection until it is read to
/// the end or dropped; while nobody asks for the next part nothing is read, so the server waits and
/// memory stays bounded by one part.
pub(crate) struct PostgresStream {
    /// None once the connection went home.
    lease: Option<Lease>,
    request: Asked,
    statement: Statement,
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
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
    ) -> Self {
        let output = Output::Stream { rows: batch_rows.max(1), bytes: limits::BATCH_BYTES };
        let request = Request { statement: wire_statement(statement), parameters, output };
        Self {
            lease: Some(lease),
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
            Err(stopped) => Err(not_in_time(stop(lease, id, stopped))),
        };
        if !matches!(part, Ok((_, false))) {
            part = leave_idle(lease, part);
        }
        match part {
            Ok((batch, last)) => {
                if last {
                    self.lease = None;
                }
                let wanted = batch.rows() > 0 || !self.started;
                self.started = true;
                if wanted { Ok(Some(batch)) } else { Ok(None) }
            }
            Err(error) => {
                self.lease = None;
                Err(error.about(&self.statement))
            }
        }
    }
}

/// The error of a part that was stopped: also where the statement was done by then, for its rows
/// are gone.
pub(super) fn not_in_time<T>(stopped: Result<T>) -> Error {
    match stopped {
        Err(error) => error,
        Ok(_) => Error::new(ErrorKind::QueryTimeout, "the statement ran past its deadline"),
    }
}

impl Drop for PostgresStream {
    /// A stream that is not read to its end has the server stop, so that the connection is free.
    fn drop(&mut self) {
        let Some(lease) = &mut self.lease else { return };
        if lease.is_forked() || lease.is_broken() {
            return;
        }
        let Asked::As(id) = self.request else { return };
        lease.session.abandon(id);
        if !halt_request(lease, id) {
            lease.break_off();
        }
    }
}

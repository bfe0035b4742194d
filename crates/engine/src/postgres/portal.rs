use std::collections::VecDeque;
use std::sync::Arc;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;
use rowmill_wire::{Event, Output, Portal, Request, RequestId};

use super::Lease;
use super::run::wire_statement;
use super::stop::stop;
use super::stream::not_in_time;
use super::transaction::{Held, busy};
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits};

/// A result inside a transaction that comes in parts. Each part is asked for when it is wanted: in
/// between the connection is the transaction's, and leaving early costs the end of a portal.
///
/// Where rows turn out far wider than those before, or late, more come than were meant to: then the
/// connection is this stream's until they are read, so that memory is bounded.
pub(crate) struct PortalStream {
    /// Where the connection is, unless an event loop lends it for each part.
    held: Option<Arc<Held>>,
    /// The connection that an event loop lent: for a call, and beyond it while rows are on their way.
    lease: Option<Lease>,
    state: State,
    /// The request that opened the portal.
    opened_by: Option<RequestId>,
    ready: VecDeque<Batch>,
    /// What ended the stream, to be told after the parts that are ready.
    failure: Option<Error>,
    statement: Statement,
    /// Whether a part was given out.
    started: bool,
}

enum State {
    /// The statement runs from the first part on: a stream that nobody reads does nothing.
    New(Request),
    /// Rows are on their way.
    UnderWay(RequestId),
    /// The server waits to be asked.
    Suspended(Box<Portal>),
    Over,
}

/// Parts that may be ready at once: two are usual where rows are about as wide as those before.
const READY: usize = 4;

impl PortalStream {
    pub(crate) fn new(
        held: Option<Arc<Held>>,
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
    ) -> Self {
        let output = Output::Portal { rows: batch_rows.max(1), bytes: limits::BATCH_BYTES };
        let request = Request { statement: wire_statement(statement), parameters, output };
        Self {
            held,
            lease: None,
            state: State::New(request),
            opened_by: None,
            ready: VecDeque::new(),
            failure: None,
            statement: statement.clone(),
            started: false,
        }
    }

    /// Gives the connection for the next call, where it is not here already.
    pub(crate) fn lend(&mut self, lease: Lease) {
        self.lease.get_or_insert(lease);
    }

    /// Whether the connection stays here until the next call.
    pub(crate) fn keeps_connection(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether the server has a portal for it, which ends before the transaction does only if told so.
    pub(crate) fn has_portal(&self) -> bool {
        self.opened_by.is_some()
    }

    /// The next part, or `None` after the last. An empty result has one part without rows.
    pub(crate) fn next(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        if self.ready.is_empty() && self.failure.is_none() && !matches!(self.state, State::Over) {
            let mut lease = self.connection()?;
            let read = lease.check_process().and_then(|()| self.read(&mut lease, control));
            self.failure = read.err().map(|error| error.about(&self.statement));
            self.give_back(lease);
        }
        match (self.ready.pop_front(), self.failure.take()) {
            (Some(part), failure) => {
                self.started = true;
                self.failure = failure;
                Ok(Some(part))
            }
            (None, Some(failure)) => Err(failure),
            (None, None) => Ok(None),
        }
    }

    fn connection(&mut self) -> Result<Lease> {
        let Some(held) = &self.held else { return self.lease.take().ok_or_else(busy) };
        match self.state {
            State::UnderWay(id) => held.take_kept(id),
            _ => held.take(),
        }
    }

    /// Reads until a part is ready or the result is over.
    fn read(&mut self, link: &mut Link, control: &Control<'_>) -> Result<()> {
        while self.ready.is_empty() {
            let id = match std::mem::replace(&mut self.state, State::Over) {
                State::New(request) => *self.opened_by.insert(link.session.start(request)),
                State::Suspended(portal) => link.session.resume(portal),
                State::UnderWay(id) => id,
                State::Over => return Ok(()),
            };
            let ready = &mut self.ready;
            let heard = drive(link, control, |event| match event {
                Event::Batch { id: of, batch } if of == id => {
                    ready.push_back(batch);
                    if ready.len() < READY { Until::More } else { Until::Stop(None) }
                }
                Event::Suspended { id: of, .. } | Event::Done { id: of, .. } if of == id => {
                    Until::Stop(Some(event))
                }
                _ => Until::More,
            });
            match heard {
                Ok(None) => self.state = State::UnderWay(id),
                Ok(Some(Event::Suspended { batch, portal, .. })) => {
                    self.ready.extend(batch);
                    self.state = State::Suspended(portal);
                }
                Ok(Some(Event::Done { result, .. })) => {
                    let batch = result?.batch;
                    if batch.rows() > 0 || (self.ready.is_empty() && !self.started) {
                        self.ready.push_back(batch);
                    }
                    // It would keep its tables from being altered until the transaction ends.
                    return self.close(link, control.interrupt);
                }
                Ok(Some(_)) => {}
                // There is a part in time. What is not there yet is the next call's.
                Err(stopped)
                    if stopped.kind() == ErrorKind::QueryTimeout && !self.ready.is_empty() =>
                {
                    self.state = State::UnderWay(id);
                }
                Err(stopped) => return Err(not_in_time(stop(link, id, stopped))),
            }
        }
        Ok(())
    }

    /// Has the server forget the portal. It does so at once, or has fallen silent.
    fn close(&mut self, link: &mut Link, interrupt: Option<&dyn Fn() -> bool>) -> Result<()> {
        let Some(opened_by) = self.opened_by.take() else { return Ok(()) };
        let id = link.session.close_portal(opened_by);
        let control = Control { interrupt, ..Control::grace() };
        let closed = drive(link, &control, |event| until_done(&event, id));
        if closed.is_err() {
            link.break_off();
        }
        closed
    }

    /// Gives the connection back: to the event loop that lent it, which has none of a stream whose rows
    /// are on their way, or to the transaction, which keeps it for that.
    fn give_back(&mut self, lease: Lease) {
        match (&self.held, &self.state) {
            (Some(held), State::UnderWay(id)) => held.keep(lease, *id),
            (Some(held), _) => held.put(lease),
            (None, State::UnderWay(_)) => self.lease = Some(lease),
            (None, _) => drop(lease),
        }
    }
}

fn until_done(event: &Event, id: RequestId) -> Until<()> {
    match event {
        Event::Done { id: of, .. } if *of == id => Until::Stop(()),
        _ => Until::More,
    }
}

impl Drop for PortalStream {
    /// Ends the portal. Rows on their way are read and dropped: a cancel would fail the transaction.
    fn drop(&mut self) {
        if self.opened_by.is_none() {
            return;
        }
        // Where it is not to be had, another thread uses it or the transaction has ended, and the
        // portal ends with that.
        let Ok(mut lease) = self.connection() else { return };
        if !lease.is_forked() && !lease.is_broken() {
            let over = match std::mem::replace(&mut self.state, State::Over) {
                State::UnderWay(id) => {
                    lease.session.abandon(id);
                    drive(&mut lease, &Control::grace(), |event| until_done(&event, id))
                }
                _ => Ok(()),
            };
            if over.and_then(|()| self.close(&mut lease, None)).is_err() {
                lease.break_off();
            }
        }
        self.state = State::Over;
        self.give_back(lease);
    }
}

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rowmill_wire::{RequestId, TransactionStatus};

use super::bulk::Bulk;
use super::calls::About;
use super::streams::StreamId;
use super::{CallId, EventedStream, TransactionId, Want};
use crate::limits;
use crate::postgres::CancelTarget;
use crate::pump::Link;

/// A place for one connection of the pool.
pub(crate) struct Lane<T> {
    pub(crate) state: State,
    /// Requests not yet answered, oldest first.
    pub(crate) flights: VecDeque<Flight<T>>,
    /// The transaction that has the lane to itself.
    pub(crate) reserved: Option<TransactionId>,
    /// True while a cancel request is under way: nothing may start that it could hit.
    pub(crate) cancelling: bool,
    /// The call that the last cancel was for, while anything is under way, and how long it has before
    /// the server is asked again. Nothing new is sent meanwhile: the next cancel could hit it.
    pub(crate) stopping: Option<(CallId, Duration)>,
    pub(crate) cancel_target: Option<CancelTarget>,
    pub(crate) write_watched: bool,
    pub(crate) parked: VecDeque<Parked<T>>,
    /// Counts the lane's connections, so that what was meant for one does not hit the next.
    pub(crate) generation: u64,
    /// Set to have the worker that has the connection give it up.
    pub(crate) stop: Arc<AtomicBool>,
    /// When a request last started.
    pub(crate) used: Instant,
    /// Whether the connection has lived long enough.
    pub(crate) is_old: bool,
}

pub(crate) enum State {
    /// No connection.
    Empty,
    /// A worker is connecting.
    Opening,
    /// The loop has the connection.
    Here(Box<Link>),
    /// A worker has it.
    Away,
    /// A stream inside a transaction keeps it until its reader wants more.
    Kept(StreamId),
}

/// A request that waits for its lane's connection to come back, or for a cancel to be heard.
pub(crate) struct Parked<T> {
    pub(crate) call: CallId,
    pub(crate) to: Option<T>,
    pub(crate) purpose: Purpose,
    pub(crate) about: About,
    pub(crate) work: Work,
}

/// What is to be done on a lane.
pub(crate) enum Work {
    /// A request joins those on their way.
    Send(Box<dyn FnOnce(&mut Link) -> RequestId + Send>),
    /// Takes the connection to a worker, once nothing else is on its way.
    Bulk(Bulk),
    /// Ends a stream, likewise.
    End(EventedStream),
}

/// A request that was sent.
pub(crate) struct Flight<T> {
    pub(crate) call: CallId,
    pub(crate) request: RequestId,
    /// None once nobody waits for the answer.
    pub(crate) to: Option<T>,
    pub(crate) purpose: Purpose,
    pub(crate) about: About,
    pub(crate) since: Instant,
}

/// What a request was for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Call(Want),
    Script,
    Begin(TransactionId),
    End { commit: bool },
}

impl<T> Lane<T> {
    /// A lane whose connection a worker is opening.
    pub(crate) fn opening(generation: u64) -> Self {
        Self {
            state: State::Opening,
            flights: VecDeque::new(),
            reserved: None,
            cancelling: false,
            stopping: None,
            cancel_target: None,
            write_watched: false,
            parked: VecDeque::new(),
            generation,
            stop: Arc::default(),
            used: Instant::now(),
            is_old: false,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.flights.len() + self.parked.len()
    }

    /// True where the connection is here, whole, and nobody's own.
    pub(crate) fn is_free(&self) -> bool {
        let State::Here(link) = &self.state else { return false };
        self.reserved.is_none()
            && !self.cancelling
            && link.session.transaction() == TransactionStatus::Idle
    }

    /// True where a request may join those on their way: not behind one that nobody wants any more,
    /// which may take its time, not behind one that is taking it, and not into a transaction that somebody left open.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_free()
            && !self.is_old
            && self.flights.iter().all(|flight| {
                // A script may leave a transaction open, and what joined it would stand in that.
                flight.to.is_some() && flight.purpose != Purpose::Script
            })
            && self.flights.front().is_none_or(|first| first.since.elapsed() < limits::QUICK)
    }

    /// True where nobody waits for anything that is under way: a cancel can hit no one. The end of a
    /// transaction is wanted whoever waits.
    pub(crate) fn is_abandoned(&self) -> bool {
        let is_end = |purpose| matches!(purpose, Purpose::End { .. });
        self.flights.iter().all(|flight| flight.to.is_none() && !is_end(flight.purpose))
    }

    /// True where a transaction or a stream may take the lane.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_shared() && self.flights.is_empty()
    }
}

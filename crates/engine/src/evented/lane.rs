use std::collections::VecDeque;
use std::sync::Arc;

use rowmill_expr::Statement;
use rowmill_wire::{CancelKey, RequestId};

use super::{CallId, TransactionId, Want};
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
    pub(crate) key: Option<CancelKey>,
    pub(crate) write_watched: bool,
}

#[expect(clippy::large_enum_variant, reason = "a pool has a handful of lanes")]
pub(crate) enum State {
    /// No connection.
    Empty,
    /// A worker is connecting.
    Opening,
    /// The loop has the connection.
    Here(Link),
    /// A worker has it: for a large result, or for a stream.
    Away,
}

/// A request that was sent.
pub(crate) struct Flight<T> {
    pub(crate) call: CallId,
    pub(crate) request: RequestId,
    /// None once nobody waits for the answer.
    pub(crate) to: Option<T>,
    pub(crate) purpose: Purpose,
    pub(crate) statement: Option<Arc<Statement>>,
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
    pub(crate) fn opening() -> Self {
        Self {
            state: State::Opening,
            flights: VecDeque::new(),
            reserved: None,
            cancelling: false,
            key: None,
            write_watched: false,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// True where a request may join those on their way.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.state, State::Here(_)) && self.reserved.is_none() && !self.cancelling
    }

    /// True where a transaction or a stream may take the lane.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_shared() && self.flights.is_empty()
    }
}

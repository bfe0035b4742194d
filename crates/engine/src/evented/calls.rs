use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;

use super::bulk::Bulk;
use super::{CallId, EventedStream};
use crate::query::to_json;
use crate::{Ask, Completion, Error, Orient, Partition, Result, Row};

/// A statement to run, with what is wanted of it.
#[derive(Debug)]
pub struct Call {
    pub(crate) statement: Arc<Statement>,
    pub(crate) parameters: Vec<Scalar>,
    /// What the answer holds.
    pub want: Want,
    /// The transaction to run in, where there is one.
    pub transaction: Option<TransactionId>,
}

impl<T> super::Evented<T> {
    /// A call of what is asked.
    ///
    /// # Errors
    /// `Programming` where SQL and arguments do not fit each other, or a query makes no sense.
    pub fn call(
        &self,
        ask: Ask<'_>,
        want: Want,
        transaction: Option<TransactionId>,
    ) -> Result<Call> {
        let (statement, parameters) = ask.prepare(&self.database)?;
        Ok(Call { statement, parameters, want, transaction })
    }
}

/// What an error is about.
#[derive(Clone, Debug)]
pub(crate) enum About {
    Nothing,
    Statement(Arc<Statement>),
    Script(Arc<str>),
}

impl About {
    /// The error, with the SQL it is about.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match self {
            Self::Nothing => error,
            Self::Statement(statement) => error.about(statement),
            Self::Script(sql) => error.with_query(sql),
        }
    }
}

/// What is wanted of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Its rows.
    Rows,
    /// Its first row.
    Row,
    /// Its rows as JSON.
    Json(Orient),
    /// The number of rows affected.
    Count,
}

impl Want {
    pub(crate) fn output(self) -> rowmill_wire::Output {
        match self {
            Self::Rows | Self::Json(_) => rowmill_wire::Output::Batch,
            Self::Row => rowmill_wire::Output::First,
            Self::Count => rowmill_wire::Output::Discard,
        }
    }

    pub(crate) fn of(self, completion: Completion) -> Result<Answer> {
        Ok(match self {
            Self::Rows => Answer::Rows(completion.batch),
            Self::Row => Answer::Row(completion.into_first()),
            Self::Json(orient) => Answer::Json(to_json(&completion.batch, orient)?),
            Self::Count => Answer::Count(completion.affected),
        })
    }
}

/// What a call came to.
#[derive(Debug)]
pub enum Answer {
    /// Rows.
    Rows(Batch),
    /// The first row, where there is one.
    Row(Option<Row>),
    /// JSON.
    Json(Vec<u8>),
    /// Rows affected.
    Count(u64),
    /// A transaction has begun.
    Transaction(TransactionId),
    /// A stream has begun.
    Stream(EventedStream),
    /// A part of a stream; none after the last.
    Part(Option<Batch>),
    /// Done, and there is nothing to tell.
    Done,
}

/// Names an open transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub(crate) u64);

impl TransactionId {
    /// The id of this number, as [`raw`](Self::raw) gave it.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The id as a number, to keep where only numbers go.
    pub fn raw(self) -> u64 {
        self.0
    }
}

/// Something for the event loop to do.
#[derive(Debug)]
pub enum Action<T> {
    /// Watch a descriptor: when it can be read, call `readable(lane)`.
    Watch {
        /// The descriptor.
        fd: RawFd,
        /// Whose it is.
        lane: usize,
    },
    /// Stop watching a descriptor for reading.
    Unwatch {
        /// The descriptor.
        fd: RawFd,
    },
    /// Watch a descriptor: when it can be written, call `writable(lane)`.
    WatchWrite {
        /// The descriptor.
        fd: RawFd,
        /// Whose it is.
        lane: usize,
    },
    /// Stop watching a descriptor for writing.
    UnwatchWrite {
        /// The descriptor.
        fd: RawFd,
    },
    /// After this long, call `overdue(lane, call)`.
    Later {
        /// How long.
        after: Duration,
        /// The lane.
        lane: usize,
        /// The call on it.
        call: CallId,
    },
    /// After this long, call `reopen`.
    Reopen {
        /// How long.
        after: Duration,
    },
    /// Call `flush` when the callbacks of this round have run: several calls leave in one write.
    FlushSoon,
    /// Drop what a call was to be completed with: nobody waits for it.
    Forget {
        /// Whose call.
        to: T,
    },
    /// Complete a call.
    Complete {
        /// Whose call.
        to: T,
        /// With what.
        result: Result<Answer>,
    },
}

/// What [`Evented::submit`](super::Evented::submit) came to.
#[derive(Debug)]
pub enum Submitted {
    /// The answer, at once.
    Now(Result<Answer>),
    /// The call is on its way.
    Sent(CallId),
    /// The call waits for a connection.
    Queued(CallId),
}

/// A call that waits for a connection.
pub(crate) enum Waiting<T> {
    Call { id: CallId, to: T, call: Call },
    Begin { id: CallId, to: T, sql: String },
    Script { id: CallId, to: T, sql: String },
    Stream { id: CallId, to: T, call: Call, batch_rows: usize, partition: Option<Partition> },
    Bulk { id: CallId, to: T, bulk: Bulk },
}

impl<T> Waiting<T> {
    pub(crate) fn id(&self) -> CallId {
        match self {
            Self::Call { id, .. }
            | Self::Begin { id, .. }
            | Self::Script { id, .. }
            | Self::Stream { id, .. }
            | Self::Bulk { id, .. } => *id,
        }
    }

    pub(crate) fn into_target(self) -> (T, About) {
        match self {
            Self::Call { to, call, .. } | Self::Stream { to, call, .. } => {
                (to, About::Statement(call.statement))
            }
            Self::Script { to, sql, .. } => (to, About::Script(sql.into())),
            Self::Begin { to, .. } | Self::Bulk { to, .. } => (to, About::Nothing),
        }
    }
}

use std::borrow::Cow;

use rowmill_columns::{Batch, OwnedRow};

use crate::{Failure, Portal, RequestId, ServerError};

/// Something that happened, in the order in which it did.
#[derive(Debug)]
pub enum Event {
    /// The startup is finished: requests are answered from now on.
    Ready,
    /// The startup failed, and so the connection: the server's own refusal, or, in the same form,
    /// why the session could not do what the server asked (no password given, an authentication
    /// method it does not know). Nothing follows.
    Refused(Box<ServerError>),
    /// A part of a streamed result.
    Batch {
        /// The request it answers.
        id: RequestId,
        /// The rows.
        batch: Batch,
    },
    /// A request for some rows of a portal is finished, and there may be more: the portal waits to be
    /// [resumed](crate::Session::resume). Where there are none the request is [`Done`](Self::Done).
    Suspended {
        /// The request.
        id: RequestId,
        /// Rows that make a batch; without, more are to be asked for first.
        batch: Option<Batch>,
        /// What is resumed.
        portal: Box<Portal>,
    },
    /// The server waits for the rows of a load (see [`Session::load_rows`](crate::Session::load_rows)).
    Loading {
        /// The load.
        id: RequestId,
    },
    /// A request is finished. Requests finish in the order in which they started, except for
    /// those refused before they were sent and those prepared a second time.
    Done {
        /// The request.
        id: RequestId,
        /// What came of it.
        result: Result<Completion, Failure>,
    },
    /// The server has something to say that is no error.
    Notice(Box<ServerError>),
    /// Another session's `NOTIFY`.
    Notification {
        /// The process that sent it.
        process: i32,
        /// The channel.
        channel: String,
        /// The text that came with it.
        payload: String,
    },
}

/// What a request that succeeded gave.
#[derive(Clone, Debug)]
pub struct Completion {
    /// All rows ([`Output::Batch`](crate::Output::Batch)) or the last part of them, maybe empty.
    /// The schema is right even where no row came; statements without rows, and discarded rows,
    /// give no columns.
    pub batch: Batch,
    /// The first row, where that alone was asked for ([`Output::First`](crate::Output::First)) and no
    /// column has a type that only a batch can hold; else it is the row of `batch`.
    pub row: Option<OwnedRow>,
    /// What the server says it did.
    pub tag: Tag,
}

/// The server's word for what a statement did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// `SELECT`, `INSERT`, `CREATE TABLE`...; empty for an empty statement.
    pub verb: Cow<'static, str>,
    /// Rows selected or changed; 0 where the server says none.
    pub rows: u64,
}

/// Where the server stood when it last was ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransactionStatus {
    /// In no transaction.
    #[default]
    Idle,
    /// In a transaction.
    Open,
    /// In a transaction that failed: only its end is accepted.
    Failed,
}

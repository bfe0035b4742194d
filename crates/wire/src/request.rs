use std::sync::Arc;

use rowmill_columns::Scalar;

/// Names a request within its session, counted from 1.
pub type RequestId = u64;

/// A statement's text and its identity.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The SQL, placeholders written `$1`, `$2`...
    pub text: Arc<str>,
    /// What tells it from all others: caches are asked by this alone, so two texts must never
    /// share one.
    pub key: u128,
}

/// One statement to run, its parameters, and what to do with its rows.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to run.
    pub statement: Statement,
    /// The values of `$1`, `$2`...
    pub parameters: Vec<Scalar>,
    /// What becomes of the rows.
    pub output: Output,
}

/// Rows to send into a table.
#[derive(Clone, Debug)]
pub struct Load {
    /// `INSERT INTO t (a, b) VALUES ($1, $2)`: never run, but described, for it tells the types of
    /// the columns as the server sees them.
    pub insert: Statement,
    /// `COPY t (a, b) FROM STDIN (FORMAT binary)`, of the same columns.
    pub copy: Arc<str>,
    /// The names of the columns, for errors.
    pub columns: Vec<Arc<str>>,
}

/// What becomes of a request's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// All rows in one batch.
    Batch,
    /// The first row alone; those after it are passed over as they come.
    First,
    /// A batch each time a bound is reached, the rest at the end.
    Stream {
        /// Rows of a batch; 0 counts as 1.
        rows: usize,
        /// Bytes of a batch's rows as they came over the wire, after which it ends.
        bytes: usize,
    },
    /// As `Stream`, by a portal that stays open and is asked for some rows at a time: in between the
    /// connection is free for others (see [`Event::Suspended`](crate::Event::Suspended)). In a
    /// transaction only, with whose end the portal ends.
    Portal {
        /// Rows of a batch; 0 counts as 1.
        rows: usize,
        /// Bytes of a batch's rows as they came over the wire, after which it ends.
        bytes: usize,
    },
    /// Rows are never decoded, only counted by the server.
    Discard,
}

use rowmill_columns::Batch;

use crate::postgres::{Lease, PartitionedStream, PortalStream, PostgresStream};
use crate::sqlite::SqliteStream;
use crate::{Control, Result};

/// A result that comes in parts. It holds a connection until it is read to its end or dropped.
///
/// ```
/// let db = rowmill::Database::open("sqlite://")?;
/// let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) select i from n";
/// let parts = db.query(sql).stream(4)?.collect::<rowmill::Result<Vec<_>>>()?;
/// assert_eq!(parts.iter().map(rowmill::Batch::rows).collect::<Vec<_>>(), [4, 4, 2]);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    parts: Parts,
    ended: bool,
}

pub(crate) enum Parts {
    Sqlite(SqliteStream),
    Postgres(PostgresStream),
    /// Of PostgreSQL, by several connections.
    Partitioned(PartitionedStream),
    /// Of PostgreSQL, inside a transaction.
    Portal(PortalStream),
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) | Self::Partitioned(_) | Self::Portal(_) => "postgres",
        })
    }
}

impl Stream {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts, ended: false }
    }

    /// The next part, or `None` after the last. A result without rows has one part without rows,
    /// so that its columns are told.
    ///
    /// # Errors
    /// Any; the stream has ended then.
    pub fn next_part(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        if self.ended {
            return Ok(None);
        }
        let part = match &mut self.parts {
            Parts::Sqlite(stream) => stream.next(control),
            Parts::Postgres(stream) => stream.next(control),
            Parts::Partitioned(stream) => stream.next(control),
            Parts::Portal(stream) => stream.next(control),
        };
        self.ended = !matches!(part, Ok(Some(_)));
        part
    }
}

impl Stream {
    /// Gives the connection for the next call to a stream inside a transaction.
    pub(crate) fn lend(&mut self, lease: Lease) {
        if let Parts::Portal(stream) = &mut self.parts {
            stream.lend(lease);
        }
    }

    /// Whether such a stream has something to end.
    pub(crate) fn has_portal(&self) -> bool {
        matches!(&self.parts, Parts::Portal(stream) if stream.has_portal())
    }

    /// Whether such a stream keeps it until the next one.
    pub(crate) fn keeps_connection(&self) -> bool {
        matches!(&self.parts, Parts::Portal(stream) if stream.keeps_connection())
    }
}

impl Iterator for Stream {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_part(&Control::default()).transpose()
    }
}

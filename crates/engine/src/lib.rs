//! The data path of an API server: PostgreSQL and SQLite to columns and JSON.
//!
//! Rows go from the wire, or from SQLite's cells, straight into Arrow columns; a row is never an
//! object. The same statements run on both databases.
//!
//! ```
//! use rowmill::{Database, Orient};
//!
//! let db = Database::open("sqlite://")?;
//! db.script("create table orders (id integer primary key, total real)")?;
//! db.query("insert into orders (total) values ($1), ($2)").bind(99.5).bind(120.0).execute()?;
//!
//! let batch = db.query("select id, total from orders where total > $1").bind(100).fetch()?;
//! assert_eq!(batch.rows(), 1);
//!
//! let json = db.query("select id, total from orders").fetch_json(Orient::Records)?;
//! assert_eq!(json, br#"[{"id":1,"total":99.5},{"id":2,"total":120.0}]"#);
//! # Ok::<(), rowmill::Error>(())
//! ```
//!
//! [`Database`] blocks the calling thread. [`evented`] drives the same connections from an event
//! loop that belongs to someone else, as asyncio's does.

mod completion;
mod config;
mod control;
mod database;
mod error;
pub mod evented;
pub mod filter;
pub mod grouping;
pub mod limits;
mod load;
mod many;
pub mod matcher;
mod page;
mod partition;
mod postgres;
mod process;
mod pump;
mod query;
mod recent;
mod recorder;
mod row;
mod shapes;
mod shared;
mod signal;
mod sqlite;
mod stats;
mod stream;
#[cfg(test)]
mod tests;
mod texts;
mod transaction;
mod url;
mod words;

pub use completion::Completion;
pub use config::{
    Address, AuthMethods, ChannelBinding, ClientCertificate, Config, PoolerMode, PostgresConfig,
    SourceConfig, TargetSession, TcpKeepalive, TlsMode,
};
pub use control::Control;
pub use database::Database;
pub use error::{Error, ErrorKind, Place, Result};
pub use load::{Load, OnConflict, Rows};
pub use page::{Page, Paging};
pub use partition::{Cut, Partition};
pub use query::{Arguments, Ask, Query};
pub use recorder::Recorder;
pub use row::Row;
pub use rowmill_columns::json::Orient;
pub use rowmill_columns::*;
pub use rowmill_expr as expr;
pub use sqlite::Dates;
pub use stats::Stats;
pub use stream::Stream;
pub use transaction::{Isolation, Transaction, TransactionMode};

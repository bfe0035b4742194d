//! PostgreSQL: connections, their pool, and what is done on them.

mod cancel;
mod load;
mod many;
mod opener;
mod partitions;
mod pool;
mod portal;
mod run;
mod stop;
mod stream;
mod transaction;
mod upkeep;
mod waiting_room;

pub(crate) use cancel::CancelTarget;
pub(crate) use load::{load, load_inside};
pub(crate) use many::{run_many, run_many_inside};
pub(crate) use opener::{Opener, random_fraction};
pub(crate) use partitions::{PartitionedStream, Plan, Seat};
pub(crate) use pool::{Home, Lease, Pool, pool_timeout};
pub(crate) use portal::PortalStream;
pub(crate) use run::{begin_sql, leave_idle, run, run_script, wire_statement};
pub(crate) use stop::stop_all;
pub(crate) use stream::PostgresStream;
pub(crate) use transaction::{
    PostgresTransaction, SAVEPOINT, busy, committed, in_transaction, unknown_outcome,
};
pub(crate) use upkeep::Upkeep;

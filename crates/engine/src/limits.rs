//! Every bound of the engine, by name, with its reason. The protocol's own are in
//! [`rowmill_wire::Limits`].

use std::time::Duration;

/// How often a blocked call looks whether its caller wants it to stop. A person who presses Ctrl-C
/// does not see a tenth of a second, and ten wake-ups a second cost nothing measurable.
pub const TICK: Duration = Duration::from_millis(100);

/// How long a blocked caller that is faster than the server sleeps before it receives more of a long
/// answer. A local server sends some 50 KiB meanwhile, and a socket takes 200.
pub const NAP: Duration = Duration::from_micros(200);

/// How long an error about a snapshot waits for that of the transaction which had it, and which tells
/// more: both are on their way at once.
pub const SNAPSHOT_GRACE: Duration = Duration::from_secs(1);

/// How long a cancelled statement may take to end before its connection is given up. The server
/// answers a cancel within milliseconds unless it or the network is gone.
pub const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How long a cancelled statement has before the server is asked again; each wait is twice the one
/// before. A server drops a cancel that comes before its statement does, or between two.
pub const CANCEL_AGAIN: Duration = Duration::from_millis(20);

/// What is as good as for ever for a wait, and still a moment that a clock can tell.
pub const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long opening a connection may take where nothing else is said.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call waits for a free connection where nothing else is said.
pub const POOL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may be idle where nothing else is said: most firewalls and balancers forget
/// one after longer than that.
pub const POOL_IDLE: Duration = Duration::from_secs(600);

/// How long a connection lives where nothing else is said: what a server's session gathers (caches,
/// plans) goes, and after a change of the servers behind a name all are found within that time.
pub const POOL_LIFETIME: Duration = Duration::from_secs(3600);

/// How often a pool that is in use looks for connections to close or to open ahead.
pub const UPKEEP: Duration = Duration::from_secs(1);

/// The first pause before a server that is away is tried again; each is twice the one before.
pub const RECONNECT_FIRST: Duration = Duration::from_millis(50);

/// The longest pause before a server that is away is tried again.
pub const RECONNECT_MOST: Duration = Duration::from_secs(1);

/// Prepared statements kept per connection where nothing else is said; the 257th closes the one
/// unused longest.
pub const STATEMENTS: usize = 256;

/// Parsed SQL texts kept per database. Past that all are dropped and read again: a program with
/// more distinct texts builds them from values, and no cache helps it.
pub const TEXTS: usize = 1024;

/// Bytes of an SQL text that is kept at most: one beyond holds values, and takes longer to run than to
/// read.
pub const TEXT_BYTES: usize = 32 << 10;

/// Rows in one part of a stream where nothing else is said.
pub const BATCH_ROWS: usize = 65_536;

/// Rows in one part where so many were asked for; none says nothing.
pub(crate) const fn batch_rows(asked: usize) -> usize {
    if asked == 0 { BATCH_ROWS } else { asked }
}

/// Bytes of columns after which a part of a stream ends early, so that wide rows stay bounded too.
pub const BATCH_BYTES: usize = 8 << 20;

/// The same where several connections share them: smaller parts cost more than they save.
pub const LEAST_BATCH_BYTES: usize = 1 << 20;

/// Bytes of one result decoded on an event loop's own thread. More is handed to a worker: at about
/// 1 GB/s this much takes 65 us, which no other task on the loop can notice.
pub const ON_LOOP_BYTES: usize = 64 << 10;

/// Requests sent on one shared connection before its first answer. Deeper pipelines gain nothing
/// (the server is never idle at 16) and make one slow statement delay more of its neighbours.
pub const PIPELINE: usize = 16;

/// How long a statement may run before others are no longer sent behind it on a shared connection:
/// they would wait for it, and it could not be cancelled without a risk to them.
pub const QUICK: Duration = Duration::from_millis(10);

/// Bytes of a buffer for JSON that is kept for the next answer. Larger ones are rare, and their cost
/// is not the buffer's.
pub const JSON_BUFFER: usize = 8 << 20;

/// Bytes of rows that a load makes at once: they stay in the second-level cache until the kernel has
/// copied them, and in the 64 KiB that a session keeps room for.
pub const LOAD_BYTES: usize = 60 << 10;

/// Rows that a load into SQLite inserts between two looks at its deadline: about a millisecond's.
pub const ROWS_BETWEEN_LOOKS: usize = 1024;

/// Calls that may wait for a connection on one event loop; one more is refused at once.
pub const WAITING: usize = 100_000;

/// Reader connections to one SQLite file at most: each holds a page cache, and more readers than
/// cores gain nothing.
pub const SQLITE_READERS: usize = 8;

/// How long SQLite waits for another process's lock before it says so.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a worker thread waits for its next job before it ends.
pub const WORKER_IDLE: Duration = Duration::from_secs(10);

/// Connections to one database where nothing else is said: two per core and one, the sizing rule
/// of PostgreSQL's own wiki (cores x 2 + disks that seek). What is above that queues at the server
/// instead of here, and its processes take each other's cores, caches and locks. The cores are this
/// machine's, as the server's are not known: the rule is a start for one client beside its server.
pub fn pool_size() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get) * 2 + 1
}

/// From how many rows on a frame is filtered by all cores. A thread takes 50 us to begin, ten times that on a
/// busy machine, and so many rows take a millisecond.
pub const FILTER_THREAD_ROWS: usize = 200_000;

/// How much freed memory a filter may have the allocator keep: twice this is what the GNU one keeps at most.
pub const FILTER_FREED: usize = 32 << 20;
/// For how many cells it does so: below, what they take is kept anyway.
pub const FILTER_FREED_CELLS: usize = 16_384;

/// A filtered frame holds the one it is of until its columns are copied: at once, where it has a smaller part of
/// the rows than this.
pub const FILTER_HELD: usize = 16;
/// And that one takes at least so many bytes, which the columns of a few hundred rows do not.
pub const FILTER_HELD_BYTES: usize = 128 << 10;

/// How many filters are kept compiled. One takes a few hundred bytes, and what its literals take.
pub const FILTERS: usize = 64;

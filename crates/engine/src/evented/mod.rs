//! A database driven by an event loop that belongs to someone else.
//!
//! The loop owns the waiting: it watches file descriptors and tells [`Evented`] what became
//! ready. [`Evented`] sends and receives without ever blocking, decodes small results at once on
//! the loop's own thread, hands large ones to a worker thread, and answers with [`Action`]s for the
//! loop to carry out. Workers announce what they finished by one byte on [`Evented::wake_fd`],
//! however many completions wait behind it.
//!
//! `T` is whatever the loop completes a call with: a future's handle, a channel, a token.

mod bulk;
mod bytes;
mod calls;
mod cancel;
mod dispatch;
mod lane;
mod reopen;
mod shared;
mod spare;
mod sqlite;
mod streams;
mod submit;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub use calls::{Action, Answer, Call, Submitted, TransactionId, Want};

pub use streams::EventedStream;

use calls::{About, Waiting};
use lane::{Lane, State, Work};
use reopen::Reopening;
use shared::Shared;

use crate::config::SourceConfig;
use crate::postgres::{Opener, Upkeep, stop_all};
use crate::process;
use crate::pump::{Link, Workers};
use crate::{Config, Control, Database, Error, ErrorKind, Result, Stats, limits};

/// Names a call, so that it can be cancelled.
pub type CallId = u64;

/// A database on one event loop.
pub struct Evented<T> {
    database: Database,
    /// Where and how to connect; none for SQLite.
    postgres: Option<Opener>,
    upkeep: Upkeep,
    /// When to look for connections to close, or to open ahead, again.
    next_look: Instant,
    shared: Arc<Shared>,
    workers: Workers,
    lanes: Vec<Lane<T>>,
    waiting: VecDeque<Waiting<T>>,
    /// Calls that a worker answers, and how to stop them.
    away: HashMap<CallId, Away<T>>,
    transactions: HashMap<TransactionId, Transaction>,
    /// The SQLite transaction that has the writer, or is getting it.
    writer: Option<TransactionId>,
    /// What waits for it to end.
    writers: VecDeque<sqlite::Writing>,
    actions: Vec<Action<T>>,
    /// Connections that ended: kept until the loop has stopped watching their descriptors, which
    /// could otherwise be given to something else first.
    #[expect(clippy::vec_box, reason = "a connection changes hands by its pointer")]
    ended: [Vec<Box<Link>>; 2],
    next_call: CallId,
    /// Connections opened so far.
    opened: u64,
    /// Connections that broke or were given up so far.
    lost: u64,
    /// Connections closed for their age, or for having been idle, so far.
    retired: u64,
    flush_asked: bool,
    closed: bool,
    reopening: Reopening,
    process: u32,
}

/// A call that a worker answers.
struct Away<T> {
    to: T,
    /// Set to have the worker stop.
    stop: Arc<AtomicBool>,
    about: About,
}

/// Where a transaction lives.
enum Transaction {
    Lane(usize),
    Sqlite(sqlite::Held),
    /// Its connection was lost while it waited for its next call, which is told so.
    Lost(Error),
}

impl<T> Evented<T> {
    /// A database for one event loop.
    ///
    /// # Errors
    /// As [`Database::with_config`]; `Operational` where the process is out of descriptors.
    pub fn new(config: Config) -> Result<Self> {
        let postgres = match &config.source {
            SourceConfig::Postgres(postgres) => Some(Opener::new(postgres, &config)),
            SourceConfig::Sqlite { .. } => None,
        };
        // A worker for each connection, and as many again so that a cancel never waits for what
        // it is to cancel.
        let workers = Workers::new(config.pool_size.max(1).saturating_mul(2));
        let shared = Shared::new().map_err(|error| {
            Error::new(ErrorKind::Operational, format!("no wake-up channel could be made: {error}"))
        })?;
        Ok(Self {
            upkeep: Upkeep::new(&config),
            database: Database::with_config(config)?,
            postgres,
            next_look: Instant::now(),
            shared: Arc::new(shared),
            workers,
            lanes: Vec::new(),
            waiting: VecDeque::new(),
            away: HashMap::new(),
            transactions: HashMap::new(),
            writer: None,
            writers: VecDeque::new(),
            actions: Vec::new(),
            ended: Default::default(),
            next_call: 0,
            opened: 0,
            lost: 0,
            retired: 0,
            flush_asked: false,
            closed: false,
            reopening: Reopening::default(),
            process: process::id(),
        })
    }

    /// The descriptor to watch: when it can be read, call [`wake`](Self::wake).
    pub fn wake_fd(&self) -> RawFd {
        self.shared.wake_fd()
    }

    /// What the loop has to do now; empty after each call of this.
    pub fn take_actions(&mut self) -> Vec<Action<T>> {
        self.ended[1] = std::mem::take(&mut self.ended[0]);
        std::mem::take(&mut self.actions)
    }

    /// The database behind this.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// How the database was opened.
    pub fn config(&self) -> &Config {
        self.database.config()
    }

    /// How the connections are doing, for a look from time to time.
    pub fn stats(&self) -> Stats {
        if self.postgres.is_none() {
            return self.database.stats();
        }
        let open = self.lanes.iter().filter(|lane| !matches!(lane.state, State::Empty));
        Stats {
            size: self.config().pool_size.max(1),
            open: open.count(),
            idle: self.lanes.iter().filter(|lane| lane.is_idle()).count(),
            waiting: self.waiting.len(),
            opened: self.opened,
            lost: self.lost,
            retired: self.retired,
        }
    }

    /// Calls not yet answered.
    pub fn in_flight(&self) -> usize {
        let lanes = self.lanes.iter().map(Lane::in_flight).sum::<usize>();
        lanes + self.waiting.len() + self.away.len()
    }

    /// Refuses calls from now on, and fails those that wait for a connection. What is under way
    /// ends as it will.
    pub fn close(&mut self) {
        self.closed = true;
        for waiting in std::mem::take(&mut self.waiting) {
            let (to, about) = waiting.into_target();
            let closed = Error::new(ErrorKind::Misuse, "the database is closed");
            self.complete(to, Err(about.blame(closed)));
        }
        for lane in &mut self.lanes {
            // A portal that waits to be ended behind a stream ends with the connection: that stream's
            // reader may be the caller.
            if matches!(lane.state, State::Kept(_)) {
                lane.parked.retain(|parked| !matches!(parked.work, Work::End(_)));
            }
        }
        if self.process == process::id() {
            self.close_lanes(false);
        }
        self.database.close();
    }

    /// Closes what [`close`](Self::close) left: connections of transactions that nobody ended. Call
    /// [`take_actions`](Self::take_actions) and carry them out, then [`bury`](Self::bury).
    pub fn finish(&mut self) {
        if self.process == process::id() {
            self.close_lanes(true);
        }
    }

    /// Lets go of connections that ended, now that the loop watches them no more.
    pub fn bury(&mut self) {
        self.ended = Default::default();
    }

    fn check_usable(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(ErrorKind::Misuse, "the database is closed"));
        }
        process::check(self.process)
    }

    fn new_call(&mut self) -> CallId {
        self.next_call += 1;
        self.next_call
    }

    fn complete(&mut self, to: T, result: Result<Answer>) {
        self.actions.push(Action::Complete { to, result });
    }
}

impl<T> Drop for Evented<T> {
    /// A loop that was closed in the middle leaves statements running: the server is told to stop,
    /// for it looks at a closed connection only when a statement has ended.
    fn drop(&mut self) {
        if self.process != process::id() {
            return;
        }
        for away in self.away.values() {
            away.stop.store(true, Ordering::Release);
        }
        for lane in &mut self.lanes {
            if let (false, Some(target)) = (lane.flights.is_empty(), lane.cancel_target.take()) {
                // The connection ends after that: a pooler knows nobody's statement once he left.
                let left = std::mem::replace(&mut lane.state, State::Empty);
                let asked: Vec<_> = lane.flights.iter().map(|flight| flight.request).collect();
                self.workers.run(move |_| match left {
                    State::Here(link) => stop_all(link, asked),
                    // Another worker has the connection, and takes an answer for each.
                    _ => asked.iter().for_each(|_| {
                        target.cancel(&Control::grace());
                        std::thread::sleep(limits::TICK);
                    }),
                });
            }
        }
    }
}

impl<T> std::fmt::Debug for Evented<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evented").field("database", &self.database).finish_non_exhaustive()
    }
}

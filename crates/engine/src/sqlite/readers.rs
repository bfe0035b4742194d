//! The connections that only read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::config::{Role, SqliteConfig};
use super::connection::Connection;
use super::shared::closed;
use crate::signal::Signal;
use crate::{Control, Error, ErrorKind, Result, Stats, limits};

/// Readers of one database, opened when needed. The one used last is lent first: its pages are
/// still in the processor's cache.
#[derive(Default)]
pub(super) struct Readers {
    state: Mutex<State>,
    free: Signal,
}

#[derive(Default)]
struct State {
    #[expect(clippy::vec_box, reason = "a connection is lent and returned by its pointer")]
    idle: Vec<Box<Connection>>,
    /// Idle, lent, or being opened.
    open: usize,
    closed: bool,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free reader, opened or waited for.
    pub(super) fn take(
        &self,
        config: &SqliteConfig,
        control: &Control<'_>,
    ) -> Result<Box<Connection>> {
        let mut state = self.lock();
        if let Some(connection) = state.idle.pop() {
            return Ok(connection);
        }
        let since = Instant::now();
        loop {
            if state.closed {
                return Err(closed());
            }
            if let Some(connection) = state.idle.pop() {
                return Ok(connection);
            }
            if state.open < config.readers.max(1) {
                state.open += 1;
                drop(state);
                let opened = Connection::open(config, Role::Reader);
                if opened.is_err() {
                    self.lose();
                }
                return opened.map(Box::new);
            }
            let patience = config.busy_timeout.saturating_sub(since.elapsed());
            if patience.is_zero() {
                return Err(all_taken(config));
            }
            let wait = control.wait(limits::TICK.min(patience));
            (state, _) = self.free.wait(state, wait);
            if state.idle.is_empty() {
                drop(state);
                control.check()?;
                state = self.lock();
            }
        }
    }

    /// Adds the readers to what is known of the writer.
    pub(super) fn count(&self, stats: &mut Stats) {
        let state = self.lock();
        stats.open += state.open;
        stats.idle += state.idle.len();
        stats.waiting += self.free.waiting();
    }

    /// A reader that is open and free now.
    pub(super) fn try_take(&self) -> Option<Box<Connection>> {
        self.state.try_lock().ok()?.idle.pop()
    }

    pub(super) fn give(&self, connection: Box<Connection>) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            drop(connection);
            return;
        }
        state.idle.push(connection);
        drop(state);
        self.free.notify_one();
    }

    /// A reader is gone.
    pub(super) fn lose(&self) {
        self.lock().open -= 1;
        self.free.notify_one();
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        self.free.notify_all();
        drop(idle);
    }
}

#[cold]
fn all_taken(config: &SqliteConfig) -> Error {
    let (readers, seconds) = (config.readers.max(1), config.busy_timeout.as_secs_f64());
    let message = format!(
        "no connection became free in {seconds} s: all {readers} readers are in use by streams, \
         transactions or long queries"
    );
    Error::new(ErrorKind::PoolTimeout, message)
        .with_hint("read streams to their end or drop them, or allow a larger pool")
}

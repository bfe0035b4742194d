//! What all handles of one database share, and the lending of its connections.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::config::{Role, SqliteConfig};
use super::connection::Connection;
use super::readers::Readers;
use super::slow::Slow;
use super::writer::{Entered, Job, Writer};
use crate::process;
use crate::{Completion, Control, Error, ErrorKind, Result};

pub(super) struct Shared {
    pub(super) config: SqliteConfig,
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    pub(super) slow: Slow,
    pub(super) closed: AtomicBool,
    /// Cursors that streams over a database in memory left on its one connection.
    left: Mutex<Vec<usize>>,
    pub(super) process: u32,
}

/// Which connection is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Reader,
    Writer,
}

/// A connection on loan; it goes back when this is dropped, and what transaction is open then is
/// rolled back.
pub(super) struct Lease<H: Deref<Target = Shared>> {
    home: H,
    which: Which,
    connection: Option<Box<Connection>>,
}

/// How a call gets its answer from the writer.
pub(super) enum Turn<H: Deref<Target = Shared>> {
    Mine(Lease<H>),
    Done(Completion),
}

impl Shared {
    pub(super) fn new(config: SqliteConfig) -> Self {
        Self {
            config,
            readers: Readers::default(),
            writer: Writer::default(),
            slow: Slow::default(),
            closed: AtomicBool::new(false),
            left: Mutex::default(),
            process: process::id(),
        }
    }

    /// Whether the database is in memory, where one connection does all.
    pub(super) fn in_memory(&self) -> bool {
        self.config.path.is_none()
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        process::check(self.process)
    }

    /// Whether this is a fork of the process that opened the database.
    pub(super) fn is_forked(&self) -> bool {
        process::is_forked(self.process)
    }

    /// Leaves a cursor to be closed by who has the connection next.
    pub(super) fn leave_cursor(&self, cursor: usize) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push(cursor);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.is_forked() {
            // Closing would take the child's view of the locks, which it does not have, for true.
            std::mem::forget((std::mem::take(&mut self.readers), std::mem::take(&mut self.writer)));
        }
    }
}

impl<H: Deref<Target = Shared>> Lease<H> {
    /// A connection that may read.
    pub(super) fn reader(home: H, control: &Control<'_>) -> Result<Self> {
        if home.in_memory() {
            return Self::writer(home, control);
        }
        let connection = home.readers.take(&home.config, control)?;
        Ok(Self { home, which: Which::Reader, connection: Some(connection) })
    }

    /// A connection that may read, if one is open and free now.
    pub(super) fn try_reader(home: H) -> Option<Self> {
        let (which, connection) = if home.in_memory() {
            (Which::Writer, home.writer.try_enter()?)
        } else {
            (Which::Reader, home.readers.try_take()?)
        };
        Some(Self { home, which, connection: Some(connection) })
    }

    /// The connection that writes, for the caller alone.
    pub(super) fn writer(home: H, control: &Control<'_>) -> Result<Self> {
        match Self::turn(home, || None, control)? {
            Turn::Mine(lease) => Ok(lease),
            Turn::Done(_) => Err(Error::new(ErrorKind::Internal, "work was done that nobody gave")),
        }
    }

    /// The connection that writes, or the job done by who has it.
    pub(super) fn turn(
        home: H,
        job: impl FnOnce() -> Option<Job>,
        control: &Control<'_>,
    ) -> Result<Turn<H>> {
        let connection = match home.writer.enter(job, control, home.config.busy_timeout)? {
            Entered::Done(completion) => return Ok(Turn::Done(completion)),
            Entered::Holder(connection) => connection,
        };
        // From here on the drop gives the turn to the next, also where opening fails.
        let mut lease = Self { home, which: Which::Writer, connection };
        if lease.connection.is_none() {
            let role = if lease.home.in_memory() { Role::Only } else { Role::Writer };
            lease.connection = Some(Box::new(Connection::open(&lease.home.config, role)?));
        }
        Ok(Turn::Mine(lease))
    }

    pub(super) fn home(&self) -> &Shared {
        &self.home
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("a lease holds its connection until it is dropped"),
        }
    }
}

impl<H: Deref<Target = Shared>> Drop for Lease<H> {
    fn drop(&mut self) {
        if self.home.is_forked() {
            return std::mem::forget(self.connection.take());
        }
        let connection = self.connection.take().and_then(|mut connection| {
            if self.home.in_memory() {
                let mut left = self.home.left.lock().unwrap_or_else(PoisonError::into_inner);
                left.drain(..).for_each(|cursor| connection.close_cursor(cursor));
            }
            // One that cannot roll back, or that a panic left in the middle, is not lent again. A
            // database in memory is its connection and must be kept.
            let sound = connection.rollback().is_ok() && !std::thread::panicking();
            (sound || self.home.in_memory()).then_some(connection)
        });
        match (self.which, connection) {
            (Which::Writer, connection) => self.home.writer.leave(connection),
            (Which::Reader, Some(connection)) => self.home.readers.give(connection),
            (Which::Reader, None) => self.home.readers.lose(),
        }
    }
}

#[cold]
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Misuse, "the database is closed")
}

//! The queue before the one connection that writes.
//!
//! A caller that finds the connection free takes it and works on its own thread: handing work to a
//! writer thread costs about 80 us, a small write 10. Callers that come meanwhile queue. Who gives
//! the connection up first does the work of those that queue, in one transaction, then gives the
//! connection to the next of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rowmill_columns::Scalar;
use rowmill_expr::Statement;

use super::connection::Connection;
use super::shared::closed;
use crate::{Completion, Control, Error, ErrorKind, Result, Stats, limits};

#[derive(Default)]
pub(super) struct Writer {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The connection, while nobody holds it and once it was opened.
    idle: Option<Box<Connection>>,
    held: bool,
    queue: VecDeque<Arc<Ticket>>,
    closed: bool,
}

/// A place in the queue.
pub(super) struct Ticket {
    /// What another may do for the caller; without it the caller wants the connection itself.
    job: Option<Job>,
    phase: Mutex<Phase>,
    woken: Condvar,
    pub(super) cancel: AtomicBool,
}

/// A statement that another thread may run.
pub(super) struct Job {
    pub(super) statement: Statement,
    pub(super) parameters: Vec<Scalar>,
    pub(super) deadline: Option<Instant>,
}

enum Phase {
    Waiting,
    /// Another thread runs the job.
    Taken,
    /// The connection is the caller's; `None` where it has to be opened.
    Granted(Option<Box<Connection>>),
    Done(Result<Completion>),
    Withdrawn,
}

/// How a caller leaves the queue.
pub(super) enum Entered {
    /// With the connection; `None` where it has to be opened.
    Holder(Option<Box<Connection>>),
    /// With the work done.
    Done(Completion),
}

impl Writer {
    /// Adds the writer, and those who wait for it.
    pub(super) fn count(&self, stats: &mut Stats) {
        let state = self.lock();
        stats.open += usize::from(state.idle.is_some() || state.held);
        stats.idle += usize::from(state.idle.is_some());
        stats.waiting += state.queue.len();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the connection, or for the work to be done by who has it. `job` is asked for only
    /// where there is a wait.
    pub(super) fn enter(
        &self,
        job: impl FnOnce() -> Option<Job>,
        control: &Control<'_>,
        patience: Duration,
    ) -> Result<Entered> {
        let mut state = self.lock();
        if state.closed {
            return Err(closed());
        }
        if !state.held {
            state.held = true;
            return Ok(Entered::Holder(state.idle.take()));
        }
        let ticket = Arc::new(Ticket {
            job: job(),
            phase: Mutex::new(Phase::Waiting),
            woken: Condvar::new(),
            cancel: AtomicBool::new(false),
        });
        state.queue.push_back(Arc::clone(&ticket));
        drop(state);
        ticket.wait(control, patience)
    }

    /// The connection, if it is open and free now.
    pub(super) fn try_enter(&self) -> Option<Box<Connection>> {
        let mut state = self.state.try_lock().ok()?;
        let connection = if state.held { None } else { state.idle.take() }?;
        state.held = true;
        Some(connection)
    }

    /// Gives the connection to the next in the queue; `None` where it is gone.
    pub(super) fn leave(&self, connection: Option<Box<Connection>>) {
        let mut connection = connection;
        let mut state = self.lock();
        while let Some(ticket) = state.queue.pop_front() {
            match ticket.grant(connection) {
                Ok(()) => return,
                Err(back) => connection = back,
            }
        }
        state.held = false;
        if !state.closed {
            state.idle = connection;
            return;
        }
        drop(state);
        drop(connection);
    }

    /// The jobs at the head of the queue, at most `most`; they are the caller's to finish.
    pub(super) fn take_jobs(&self, most: usize) -> Vec<Arc<Ticket>> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        while taken.len() < most && state.queue.front().is_some_and(|ticket| ticket.job.is_some()) {
            let Some(ticket) = state.queue.pop_front() else { break };
            let mut phase = ticket.lock();
            if matches!(*phase, Phase::Waiting) {
                *phase = Phase::Taken;
                drop(phase);
                taken.push(ticket);
            }
        }
        taken
    }

    /// Refuses all who wait and all who come; the connection closes when it is free.
    pub(super) fn close(&self) -> Option<Box<Connection>> {
        let mut state = self.lock();
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        let idle = state.idle.take();
        drop(state);
        for ticket in queue {
            ticket.finish(Err(closed()));
        }
        idle
    }
}

impl Ticket {
    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    fn grant(
        &self,
        connection: Option<Box<Connection>>,
    ) -> std::result::Result<(), Option<Box<Connection>>> {
        let mut phase = self.lock();
        if !matches!(*phase, Phase::Waiting) {
            return Err(connection);
        }
        *phase = Phase::Granted(connection);
        self.woken.notify_one();
        Ok(())
    }

    /// Hands the caller its result.
    pub(super) fn finish(&self, result: Result<Completion>) {
        let mut phase = self.lock();
        if matches!(*phase, Phase::Waiting | Phase::Taken) {
            *phase = Phase::Done(result);
            self.woken.notify_one();
        }
    }

    fn wait(&self, control: &Control<'_>, patience: Duration) -> Result<Entered> {
        let since = Instant::now();
        let mut phase = self.lock();
        loop {
            let waiting = match std::mem::replace(&mut *phase, Phase::Withdrawn) {
                Phase::Granted(connection) => return Ok(Entered::Holder(connection)),
                Phase::Done(result) => return result.map(Entered::Done),
                Phase::Withdrawn => return Err(closed()),
                Phase::Waiting => true,
                Phase::Taken => false,
            };
            *phase = if waiting { Phase::Waiting } else { Phase::Taken };
            let tick = control.wait(limits::TICK.min(patience)).max(Duration::from_millis(1));
            let timeout;
            (phase, timeout) =
                self.woken.wait_timeout(phase, tick).unwrap_or_else(PoisonError::into_inner);
            if !timeout.timed_out() || self.cancel.load(Ordering::Relaxed) {
                continue;
            }
            // The caller's own function may do anything, so it is asked without the lock.
            drop(phase);
            let verdict = control.check();
            let verdict = verdict.and_then(|()| {
                if waiting && since.elapsed() >= patience { Err(locked(patience)) } else { Ok(()) }
            });
            phase = self.lock();
            match (verdict, &*phase) {
                (Err(error), Phase::Waiting) => {
                    *phase = Phase::Withdrawn;
                    return Err(error);
                }
                // It is being run: whether it came to be must be known, so its end is awaited. Who
                // runs it knows the deadline.
                (Err(error), Phase::Taken) if error.kind() == ErrorKind::Cancelled => {
                    self.cancel.store(true, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }
}

#[cold]
fn locked(patience: Duration) -> Error {
    let message = format!(
        "the database is locked: another transaction of this process has held its one writer for \
         {} s",
        patience.as_secs_f64()
    );
    Error::new(ErrorKind::Operational, message)
        .with_hint("end transactions and streams that write before other writes")
}

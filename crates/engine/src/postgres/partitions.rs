use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Event, Output, Request};

use super::run::{roll_back, run_anew, wire_statement};
use super::stop::stop;
use super::stream::not_in_time;
use super::{Lease, run_script};
use crate::partition::{Partition, Piece};
use crate::pump::{Link, Until, drive};
use crate::{Control, Error, ErrorKind, Result, limits, process};

/// A connection for some of the parts: one that is there, or that the part's own thread opens.
pub(crate) enum Seat {
    Here(Lease),
    ToOpen(Open),
}

type Open = Box<dyn FnOnce(&Control<'_>) -> Result<Lease> + Send>;

/// A result that several connections read side by side, each in a transaction of its own and all on
/// one snapshot. They take its pieces one after the other.
pub(crate) struct PartitionedStream {
    state: Progress,
    process: u32,
}

enum Progress {
    /// The statement runs from the first part on: a stream that nobody reads does nothing.
    New(Box<Plan>),
    Running(Running),
    Over,
}

/// What is to be read, and by whom.
pub(crate) struct Plan {
    pub(crate) first: Lease,
    pub(crate) others: Vec<Seat>,
    pub(crate) statement: Arc<Statement>,
    pub(crate) parameters: Vec<Scalar>,
    pub(crate) partition: Partition,
    pub(crate) batch_rows: usize,
}

struct Running {
    shared: Arc<Shared>,
    /// The piece whose parts come next, where order matters.
    next: usize,
    started: bool,
}

/// What the reader and the connections' threads share.
struct Shared {
    state: Mutex<State>,
    /// Something in `state` is new.
    changed: Condvar,
    /// Nobody wants more.
    stop: AtomicBool,
    ordered: bool,
    batch_rows: usize,
    batch_bytes: usize,
}

struct State {
    pieces: VecDeque<(usize, Piece)>,
    /// The parts that are ready: of each piece, or all in the first place where they come as they are.
    ready: Vec<VecDeque<Ready>>,
    /// Which pieces are done.
    done: Vec<bool>,
    /// Of each connection, how many parts of its wait to be taken.
    waiting: Vec<usize>,
    /// A part without rows, for a result without any.
    empty: Option<Batch>,
    /// Connections that have not taken on the snapshot yet.
    joining: usize,
    /// Threads that have a connection.
    threads: usize,
    failure: Option<Error>,
}

struct Ready {
    batch: Batch,
    /// Whose it is.
    seat: usize,
}

/// Parts that wait of each connection: with the one being read all connections together hold about
/// three times what one stream does.
const WAITING: usize = 2;

impl PartitionedStream {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { state: Progress::New(Box::new(plan)), process: process::id() }
    }

    /// The next part, or `None` after the last. An empty result has one part without rows.
    pub(crate) fn next(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        process::check(self.process)?;
        if let Progress::New(plan) = &mut self.state {
            let begun = plan.begin(control);
            match (begun, std::mem::replace(&mut self.state, Progress::Over)) {
                (Ok((pieces, snapshot)), Progress::New(plan)) => {
                    self.state = Progress::Running(plan.run(pieces, snapshot.as_deref())?);
                }
                (Err(error), Progress::New(mut plan)) => {
                    end(&mut plan.first);
                    return Err(error);
                }
                _ => {}
            }
        }
        let Progress::Running(running) = &mut self.state else { return Ok(None) };
        let part = running.part(control);
        if !matches!(part, Ok(Some(_))) {
            running.end();
            self.state = Progress::Over;
        }
        part
    }
}

impl Drop for PartitionedStream {
    /// The server stops, and every connection goes back.
    fn drop(&mut self) {
        if let Progress::Running(running) = &mut self.state
            && !process::is_forked(self.process)
        {
            running.end();
        }
    }
}

impl Plan {
    /// Begins on the first connection: asks where to cut, and for the name of the snapshot.
    fn begin(&mut self, control: &Control<'_>) -> Result<(Vec<Piece>, Option<String>)> {
        let Self { first, statement, parameters, partition, .. } = self;
        first.check_process()?;
        run_script(first, "begin isolation level repeatable read read only", control)?;
        let mut ask = |sql: &str, parameters: Vec<Scalar>| -> Result<Vec<Scalar>> {
            let sql = Statement::parse(sql, Dialect::Postgres)?;
            let found = run_anew(first, &sql, parameters, Output::Batch, control)?.batch;
            let rows = (0..found.rows()).map(|row| found.value(0, row).to_scalar());
            let odd = || Error::new(ErrorKind::Programming, "the column cannot be cut into parts");
            rows.map(|value| value.ok_or_else(odd)).collect()
        };
        let answer = match partition.question(statement.text())? {
            Some(question) => ask(&question, parameters.clone())?,
            None => Vec::new(),
        };
        let pieces = partition.pieces(statement, parameters, &answer)?;
        let snapshot = if self.others.is_empty() || pieces.len() < 2 {
            None
        } else {
            match ask("select pg_catalog.pg_export_snapshot()", Vec::new())?.pop() {
                Some(Scalar::Text(name)) => Some(name),
                _ => None,
            }
        };
        Ok((pieces, snapshot))
    }

    /// Has threads read the pieces.
    fn run(self, pieces: Vec<Piece>, snapshot: Option<&str>) -> Result<Running> {
        let Self { first, mut others, partition, batch_rows, .. } = self;
        others.truncate(if snapshot.is_some() { pieces.len() - 1 } else { 0 });
        let seats = others.len() + 1;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                ready: pieces.iter().map(|_| VecDeque::new()).collect(),
                done: vec![false; pieces.len()],
                pieces: pieces.into_iter().enumerate().collect(),
                waiting: vec![0; seats],
                empty: None,
                joining: others.len(),
                threads: 0,
                failure: None,
            }),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
            ordered: partition.is_ordered(),
            batch_rows,
            batch_bytes: (limits::BATCH_BYTES / seats).max(limits::LEAST_BATCH_BYTES),
        });
        // Made first, so that what was begun ends where a thread is not to be had.
        let mut running = Running { shared: Arc::clone(&shared), next: 0, started: false };
        let begun = shared.spawn(0, move |shared| {
            shared.lead(first);
            Ok(())
        });
        for (at, seat) in others.into_iter().enumerate() {
            let snapshot = snapshot.unwrap_or_default().to_owned();
            // One that cannot be had is one connection fewer.
            if shared.spawn(at + 1, move |shared| shared.follow(at + 1, seat, &snapshot)).is_err() {
                shared.joined();
            }
        }
        if let Err(error) = begun {
            running.end();
            return Err(error);
        }
        Ok(running)
    }
}

impl Running {
    fn part(&mut self, control: &Control<'_>) -> Result<Option<Batch>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        loop {
            if let Some(error) = state.failure.take() {
                return Err(error);
            }
            while shared.ordered
                && state.done.get(self.next) == Some(&true)
                && state.ready[self.next].is_empty()
            {
                self.next += 1;
            }
            if let Some(Ready { batch, seat }) =
                state.ready.get_mut(self.next).and_then(VecDeque::pop_front)
            {
                state.waiting[seat] -= 1;
                drop(state);
                shared.changed.notify_all();
                self.started = true;
                return Ok(Some(batch));
            }
            if state.done.iter().all(|is_done| *is_done) {
                let empty = state.empty.take().filter(|_| !self.started);
                self.started = true;
                return Ok(empty);
            }
            let (woken, wait) = shared
                .changed
                .wait_timeout(state, control.wait(limits::TICK))
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if wait.timed_out() {
                // The interrupt may run arbitrary code of the caller: not under our lock.
                drop(state);
                control.check()?;
                state = shared.lock();
            }
        }
    }

    /// Stops what still runs, and waits until every connection is back.
    fn end(&mut self) {
        // Under the lock, lest somebody looks just before and then sleeps.
        let mut state = self.shared.lock();
        self.shared.stop.store(true, Ordering::Release);
        self.shared.changed.notify_all();
        while state.threads > 0 {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Runs `work` on a thread of its own, which is counted until it is over.
    fn spawn(
        self: &Arc<Self>,
        seat: usize,
        work: impl FnOnce(&Self) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.lock().threads += 1;
        let over = Over(Arc::clone(self));
        let thread = thread::Builder::new().name(format!("rowmill-part-{seat}"));
        let spawned = thread.spawn(move || {
            let Over(shared) = &over;
            if let Err(error) = work(shared) {
                shared.fail(error);
            }
        });
        spawned.map(drop).map_err(|error| {
            Error::new(ErrorKind::Operational, format!("no thread could be started: {error}"))
        })
    }

    /// The first failure is told, and ends the others.
    fn fail(&self, error: Error) {
        let mut state = self.lock();
        if !self.stop.swap(true, Ordering::AcqRel) {
            state.failure = Some(error);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// One connection fewer has to take on the snapshot.
    fn joined(&self) {
        self.lock().joining -= 1;
        self.changed.notify_all();
    }

    /// The connection whose transaction has the snapshot: it stays open until all others have it too.
    fn lead(&self, mut lease: Lease) {
        // Told at once: the snapshot went with the transaction, which others may be about to complain of.
        if let Err(error) = self.read_all(0, &mut lease) {
            self.fail(error);
        }
        let mut state = self.lock();
        while state.joining > 0 && !self.is_stopped() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        end(&mut lease);
    }

    fn follow(&self, seat: usize, connection: Seat, snapshot: &str) -> Result<()> {
        let joined = Joined(self);
        let stopped = || self.is_stopped() || self.lock().pieces.is_empty();
        let control = Control::default().interrupted_by(&stopped);
        let opened = match connection {
            Seat::Here(lease) => Ok(lease),
            Seat::ToOpen(open) => open(&control),
        };
        // One that cannot be had is one connection fewer.
        let Ok(mut lease) = opened else { return Ok(()) };
        let join = format!(
            "begin isolation level repeatable read read only; set transaction snapshot '{snapshot}'"
        );
        if self.lock().pieces.is_empty() {
            return Ok(());
        }
        let stopped = || self.is_stopped();
        let control = Control::default().interrupted_by(&stopped);
        let begun = run_script(&mut lease, &join, &control);
        drop(joined);
        let done = match begun {
            Ok(_) => self.read_all(seat, &mut lease),
            // What ended the transaction that has the snapshot is the error to tell.
            Err(_) if self.stops_within(limits::SNAPSHOT_GRACE) => Ok(()),
            Err(error) => Err(error
                .with_hint("the connections of a partitioned stream must reach the same server")),
        };
        end(&mut lease);
        done
    }

    /// Whether somebody failed, or all is stopped, before that time has passed.
    fn stops_within(&self, time: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), time, |_| !self.is_stopped())
            .unwrap_or_else(PoisonError::into_inner);
        drop(waited);
        self.is_stopped()
    }

    /// Reads pieces until there are none.
    fn read_all(&self, seat: usize, link: &mut Link) -> Result<()> {
        while !self.is_stopped() {
            let Some((at, piece)) = self.lock().pieces.pop_front() else { break };
            self.read(seat, link, at, &piece).map_err(|error| error.about(&piece.statement))?;
            self.lock().done[at] = true;
            self.changed.notify_all();
        }
        Ok(())
    }

    fn read(&self, seat: usize, link: &mut Link, at: usize, piece: &Piece) -> Result<()> {
        let stopped = || self.is_stopped();
        let control = Control::default().interrupted_by(&stopped);
        let id = link.session.start_anew(Request {
            statement: wire_statement(&piece.statement),
            parameters: piece.parameters.clone(),
            output: Output::Stream { rows: self.batch_rows, bytes: self.batch_bytes },
        });
        loop {
            let part = drive(link, &control, |event| match event {
                Event::Batch { id: of, batch } if of == id => Until::Stop(Ok((batch, false))),
                Event::Done { id: of, result } if of == id => {
                    Until::Stop(result.map(|completion| (completion.batch, true)))
                }
                _ => Until::More,
            });
            let (batch, is_last) = match part {
                Ok(part) => part?,
                Err(stopped) => return Err(not_in_time(stop(link, id, stopped))),
            };
            // While it waits here nothing is read, and the server waits too.
            let is_wanted = self.give(seat, at, batch);
            if is_last {
                return Ok(());
            }
            if !is_wanted {
                let over = Error::new(ErrorKind::Cancelled, "the stream was ended");
                return Err(not_in_time(stop(link, id, over)));
            }
        }
    }

    /// Hands a part over once there is room for it; false where nobody wants it.
    fn give(&self, seat: usize, at: usize, batch: Batch) -> bool {
        let mut state = self.lock();
        if batch.rows() == 0 {
            state.empty.get_or_insert(batch);
            return true;
        }
        while state.waiting[seat] >= WAITING && !self.is_stopped() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if self.is_stopped() {
            return false;
        }
        state.waiting[seat] += 1;
        let at = if self.ordered { at } else { 0 };
        state.ready[at].push_back(Ready { batch, seat });
        drop(state);
        self.changed.notify_all();
        true
    }
}

/// Counts a thread out, whatever became of it.
struct Over(Arc<Shared>);

impl Drop for Over {
    fn drop(&mut self) {
        if thread::panicking() {
            let message = "a thread of the stream failed; this is a fault in Rowmill";
            self.0.fail(Error::new(ErrorKind::Internal, message));
        }
        self.0.lock().threads -= 1;
        self.0.changed.notify_all();
    }
}

/// Tells that a connection has the snapshot, or will not take it on.
struct Joined<'a>(&'a Shared);

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.0.joined();
    }
}

/// Ends the transaction of a connection, which then can be used again.
fn end(link: &mut Link) {
    if !link.is_broken() {
        roll_back(link);
    }
}

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Opener, Seat, Upkeep};
use crate::config::PostgresConfig;
use crate::pump::Link;
use crate::signal::Signal;
use crate::{Control, Error, ErrorKind, Result, Stats, limits};

/// Where a connection goes when its user is done with it.
pub(crate) trait Home: Send + Sync {
    /// Takes the connection back, whatever state it is in.
    fn give_back(&self, link: Box<Link>, slot: usize);
}

/// A connection on loan; it goes home when dropped.
pub(crate) struct Lease {
    link: Option<Box<Link>>,
    home: Arc<dyn Home>,
    slot: usize,
}

impl Lease {
    /// A loan of `link`, which belongs in `slot` at `home`.
    pub(crate) fn new(link: Box<Link>, home: Arc<dyn Home>, slot: usize) -> Self {
        Self { link: Some(link), home, slot }
    }
}

impl Deref for Lease {
    type Target = Link;

    fn deref(&self) -> &Link {
        match &self.link {
            Some(link) => link,
            None => unreachable!("a lease holds its link until it is dropped"),
        }
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Link {
        match &mut self.link {
            Some(link) => link,
            None => unreachable!("a lease holds its link until it is dropped"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        if link.is_forked() {
            // Both are the parent's: what its threads were doing with them never ends here.
            std::mem::forget((link, Arc::clone(&self.home)));
        } else {
            self.home.give_back(link, self.slot);
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("slot", &self.slot).finish_non_exhaustive()
    }
}

/// The connections of a database that blocking callers share.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    opener: Opener,
    upkeep: Upkeep,
    size: usize,
    pool_timeout: Duration,
    state: Mutex<State>,
    freed: Signal,
}

/// Whether connections are to be opened ahead.
#[derive(Clone, Copy, Default)]
enum Fill {
    /// As soon as there are too few.
    #[default]
    Ready,
    /// A thread is at it.
    Busy,
    /// It failed: not before then.
    From(Instant),
}

#[derive(Default)]
struct State {
    /// Idle connections, the one used last at the end: a small load stays on few warm ones.
    idle: Vec<(Box<Link>, Instant)>,
    /// Connections that exist or are being made.
    total: usize,
    opened: u64,
    lost: u64,
    retired: u64,
    /// When to look for connections to close again.
    next_look: Option<Instant>,
    fill: Fill,
    /// When one was last found broken: those that were idle then may be, too.
    broke: Option<Instant>,
    closed: bool,
}

/// An idle connection is probed before use only after this long: a server or a router that went
/// away is found then, and a busy pool never pays for the question.
const PROBE_AFTER: Duration = Duration::from_secs(1);

impl Pool {
    pub(crate) fn new(config: &PostgresConfig, options: &crate::Config) -> Self {
        Self(Arc::new(Shared {
            opener: Opener::new(config, options),
            upkeep: Upkeep::new(options),
            size: options.pool_size.max(1),
            pool_timeout: options.pool_timeout.min(limits::FOREVER),
            state: Mutex::default(),
            freed: Signal::default(),
        }))
    }

    /// A connection: an idle one, else a new one, else the next that is given back.
    pub(crate) fn lease(&self, control: &Control<'_>) -> Result<Lease> {
        let shared = &self.0;
        let mut give_up = None;
        let mut state = shared.lock();
        loop {
            if state.closed {
                return Err(Error::new(ErrorKind::Misuse, "the database is closed"));
            }
            if let Some((mut link, since)) = state.idle.pop() {
                let now = Instant::now();
                if shared.upkeep.is_over(&link, since, state.total, now) {
                    state.total -= 1;
                    state.retired += 1;
                    drop(state);
                    drop(link);
                    state = shared.lock();
                    continue;
                }
                let is_suspect = state.broke.is_some_and(|broke| since < broke);
                if now.saturating_duration_since(since) < PROBE_AFTER && !is_suspect {
                    self.fill(&mut state);
                    return Ok(self.lend(link));
                }
                drop(state);
                if !link.has_ended() {
                    return Ok(self.lend(link));
                }
                link.break_off();
                drop(link);
                state = shared.lock();
                state.total -= 1;
                state.lost += 1;
                continue;
            }
            if state.total < shared.size {
                let room = Room::take(shared, &mut state);
                let was_there = state.opened > 0;
                self.fill(&mut state);
                drop(state);
                return Ok(self.lend(room.open(was_there, control)?));
            }
            let give_up = *give_up.get_or_insert_with(|| Instant::now() + shared.pool_timeout);
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(pool_timeout(shared.pool_timeout, shared.size));
            }
            let wait = control.wait(limits::TICK).min(left);
            let timed_out;
            (state, timed_out) = shared.freed.wait(state, wait);
            if timed_out {
                // The interrupt may run arbitrary code of the caller: not under our lock.
                drop(state);
                control.check()?;
                state = shared.lock();
            }
        }
    }

    /// Connections that can be had without waiting, `most` at most: idle ones, and those that there is
    /// room for. One is left to others, for the caller may want it before these come back.
    pub(crate) fn spare(&self, most: usize) -> Vec<Seat> {
        let mut state = self.0.lock();
        let free = (state.idle.len() + self.0.size.saturating_sub(state.total)).saturating_sub(1);
        let mut seats = Vec::new();
        for _ in 0..free.min(most) {
            if let Some((mut link, _)) = state.idle.pop() {
                if link.has_ended() {
                    link.break_off();
                    state.total -= 1;
                    state.lost += 1;
                } else {
                    seats.push(Seat::Here(self.lend(link)));
                }
                continue;
            }
            let (pool, room) = (self.clone(), Room::take(&self.0, &mut state));
            let open = move |control: &Control<'_>| Ok(pool.lend(room.open(true, control)?));
            seats.push(Seat::ToOpen(Box::new(open)));
        }
        seats
    }

    fn lend(&self, link: Box<Link>) -> Lease {
        Lease::new(link, self.0.clone(), 0)
    }

    /// Has a thread open connections ahead, where there are too few.
    fn fill(&self, state: &mut State) {
        let is_due = match state.fill {
            Fill::Ready => true,
            Fill::Busy => false,
            Fill::From(then) => Instant::now() >= then,
        };
        if state.total >= self.0.upkeep.min || !is_due {
            return;
        }
        state.fill = Fill::Busy;
        let shared = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("rowmill-pool".into());
        if thread.spawn(move || shared.fill()).is_err() {
            state.fill = Fill::From(Instant::now() + limits::UPKEEP);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.0.lock();
        Stats {
            size: self.0.size,
            open: state.total,
            idle: state.idle.len(),
            waiting: self.0.freed.waiting(),
            opened: state.opened,
            lost: state.lost,
            retired: state.retired,
        }
    }

    /// Closes idle connections now and the others as they come back.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        state.total -= idle.len();
        drop(state);
        self.0.freed.notify_all();
    }
}

/// The error of a call that found no free connection in time.
pub(crate) fn pool_timeout(waited: Duration, size: usize) -> Error {
    let message = format!("no connection became free within {waited:?}; all {size} are in use");
    Error::new(ErrorKind::PoolTimeout, message)
        .with_hint("raise pool_size or pool_timeout, hold transactions shorter, close streams that are not read to their end")
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens connections until there are enough.
    fn fill(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            if state.closed || state.total >= self.upkeep.min {
                state.fill = Fill::Ready;
                return;
            }
            let room = Room::take(self, &mut state);
            drop(state);
            // Where there is none, whoever needs one hears why.
            let Ok(link) = room.open(false, &Control::default()) else {
                self.lock().fill = Fill::From(Instant::now() + limits::UPKEEP);
                return;
            };
            self.give_back(link, 0);
        }
    }
}

impl State {
    /// Takes the idle connections that are of no use any more, every now and then.
    #[expect(clippy::vec_box, reason = "a connection changes hands by its pointer")]
    fn retire(&mut self, upkeep: &Upkeep, now: Instant) -> Vec<Box<Link>> {
        if self.next_look.is_some_and(|next| now < next) {
            return Vec::new();
        }
        self.next_look = Some(now + limits::UPKEEP);
        let mut retired = Vec::new();
        let mut at = 0;
        while let Some((link, since)) = self.idle.get(at) {
            if upkeep.is_over(link, *since, self.total, now) {
                retired.push(self.idle.remove(at).0);
                self.total -= 1;
            } else {
                at += 1;
            }
        }
        self.retired += retired.len() as u64;
        retired
    }
}

impl Home for Shared {
    fn give_back(&self, link: Box<Link>, _slot: usize) {
        let mut state = self.lock();
        let is_lost = !link.is_reusable();
        if state.closed || is_lost {
            state.total -= 1;
            if is_lost {
                state.broke = Some(Instant::now());
                state.lost += 1;
            }
            drop(state);
            drop(link);
        } else {
            let now = Instant::now();
            state.idle.push((link, now));
            let retired = state.retire(&self.upkeep, now);
            drop(state);
            drop(retired);
        }
        self.freed.notify_one();
    }
}

/// Room that was taken for a connection; given back where none is opened.
struct Room {
    shared: Arc<Shared>,
    is_filled: bool,
}

impl Room {
    /// Counts a connection that is to be made.
    fn take(shared: &Arc<Shared>, state: &mut State) -> Self {
        state.total += 1;
        Self { shared: Arc::clone(shared), is_filled: false }
    }

    fn open(mut self, was_there: bool, control: &Control<'_>) -> Result<Box<Link>> {
        let link = self.shared.opener.open(was_there, control)?;
        self.is_filled = true;
        self.shared.lock().opened += 1;
        Ok(link)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.is_filled {
            self.shared.lock().total -= 1;
            self.shared.freed.notify_one();
        }
    }
}

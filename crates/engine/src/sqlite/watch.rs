//! What SQLite asks while a statement runs: whether to go on, and how long to wait for a lock.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::ffi;

use super::raw::RawConnection;
use crate::{Control, limits};

/// Steps of SQLite's virtual machine between two looks at the clock: 20-40 us of work, against
/// which the look (25-50 ns) is nothing.
const STEPS: c_int = 2_000;

/// The longest sleep while another process holds a lock; the first are 50 us.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

/// Why a statement was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Deadline,
    Interrupt,
    /// It may run so long and no longer on this thread.
    Budget,
}

/// What a running statement must heed.
#[derive(Clone, Copy, Default)]
pub(super) struct Orders<'a> {
    pub(super) control: Control<'a>,
    /// Set by another thread that waits for the result and wants it no more.
    pub(super) cancel: Option<&'a AtomicBool>,
    /// Stop at this moment for want of budget, and wait for no lock.
    pub(super) budget: Option<Instant>,
}

impl<'a> Orders<'a> {
    pub(super) fn of(control: &Control<'a>) -> Self {
        Self { control: *control, ..Self::default() }
    }
}

/// The orders of one connection, where SQLite's callbacks find them.
pub(super) struct Watch(Rc<Inner>);

struct Inner {
    /// Valid while the call that set it runs; `None` else.
    orders: Cell<Option<Orders<'static>>>,
    stopped: Cell<Option<Stopped>>,
    asked: Cell<Option<Instant>>,
    waiting_since: Cell<Option<Instant>>,
    random: Cell<u64>,
    busy_timeout: Duration,
}

// SAFETY: the callbacks run inside calls on the connection, so on the thread that uses it; the
// orders, which need not be `Send`, are there only while such a call runs; the `Rc` is never
// cloned, it only keeps the place that SQLite knows where it is.
unsafe impl Send for Watch {}

impl Watch {
    /// Sets the callbacks of `connection`, which must be dropped before the watch.
    pub(super) fn new(connection: &RawConnection, busy_timeout: Duration) -> Self {
        let inner = Rc::new(Inner {
            orders: Cell::new(None),
            stopped: Cell::new(None),
            asked: Cell::new(None),
            waiting_since: Cell::new(None),
            random: Cell::new(connection.handle() as u64 | 1),
            busy_timeout,
        });
        let context = Rc::as_ptr(&inner).cast_mut().cast::<c_void>();
        // SAFETY: the context lives as long as the watch, which outlives the connection.
        unsafe {
            ffi::sqlite3_progress_handler(connection.handle(), STEPS, Some(progress), context);
            ffi::sqlite3_busy_handler(connection.handle(), Some(busy), context);
        }
        Self(inner)
    }

    /// Gives orders until the guard is dropped.
    pub(super) fn arm<'a>(&'a self, orders: &Orders<'a>) -> Armed<'a> {
        // SAFETY: only the lifetime changes; the guard takes the orders back before it ends. A
        // guard that is leaked would leave them, and none is: it is a local of `Connection`'s calls.
        let orders = unsafe { std::mem::transmute::<Orders<'a>, Orders<'static>>(*orders) };
        self.0.orders.set(Some(orders));
        self.0.stopped.set(None);
        self.0.asked.set(None);
        Armed(self)
    }

    /// Why the last statement was stopped, where it was.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.0.stopped.get()
    }
}

/// Orders in force.
pub(super) struct Armed<'a>(&'a Watch);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.0.orders.set(None);
    }
}

impl Inner {
    /// Whether to go on.
    fn go_on(&self) -> bool {
        let Some(orders) = self.orders.get() else { return true };
        let why = self.why_stop(&orders);
        if why.is_some() {
            self.stopped.set(why);
        }
        why.is_none()
    }

    fn why_stop(&self, orders: &Orders<'_>) -> Option<Stopped> {
        if orders.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Some(Stopped::Interrupt);
        }
        let Control { deadline, interrupt } = orders.control;
        if deadline.is_none() && interrupt.is_none() && orders.budget.is_none() {
            return None;
        }
        let now = Instant::now();
        if orders.budget.is_some_and(|budget| now >= budget) {
            return Some(Stopped::Budget);
        }
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Some(Stopped::Deadline);
        }
        let interrupt = interrupt?;
        let asked = self.asked.get().unwrap_or_else(|| {
            self.asked.set(Some(now));
            now
        });
        if now - asked < limits::TICK {
            return None;
        }
        self.asked.set(Some(now));
        // A panic must not cross SQLite's frames; it is taken for a wish to stop.
        let stop = catch_unwind(AssertUnwindSafe(interrupt)).unwrap_or(true);
        stop.then_some(Stopped::Interrupt)
    }

    /// Sleeps a little before another attempt at a lock; false to give up.
    fn wait(&self, attempt: u32) -> bool {
        let orders = self.orders.get().unwrap_or_default();
        if orders.budget.is_some() {
            self.stopped.set(Some(Stopped::Budget));
            return false;
        }
        let now = Instant::now();
        if attempt == 0 {
            self.waiting_since.set(Some(now));
        }
        let waited = self.waiting_since.get().map_or(Duration::ZERO, |since| now - since);
        let patience = self.busy_timeout.saturating_sub(waited);
        if patience.is_zero() || !self.go_on() {
            return false;
        }
        // Doubling, then a random part of it: processes that were refused together do not come
        // back together.
        let most = Duration::from_micros(50 << attempt.min(8)).min(LONGEST_SLEEP);
        let mut random = self.random.get();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        self.random.set(random);
        let sleep = most / 2 + most.mul_f64((random >> 40) as f64 / f64::from(1 << 25));
        thread::sleep(orders.control.wait(sleep).min(patience));
        true
    }
}

extern "C" fn progress(context: *mut c_void) -> c_int {
    // SAFETY: the context is the `Inner` that `Watch::new` gave, which outlives the connection.
    let inner = unsafe { &*context.cast::<Inner>() };
    c_int::from(!inner.go_on())
}

extern "C" fn busy(context: *mut c_void, attempt: c_int) -> c_int {
    // SAFETY: as of `progress`.
    let inner = unsafe { &*context.cast::<Inner>() };
    c_int::from(inner.wait(attempt as u32))
}

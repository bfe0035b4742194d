use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::limits;

/// Something for a worker to do. It calls what it is given when only telling its answer is left: who
/// hears that may have the next job at once, which this worker can take then.
pub(crate) type Job = Box<dyn FnOnce(&dyn Fn()) + Send>;

/// Threads for what must not run on an event loop's own: connecting, large results, long SQLite
/// reads, every SQLite write. They start when needed and end when idle.
#[derive(Clone)]
pub(crate) struct Workers(Arc<Handle>);

/// Held by those who give jobs, and not by the threads: these end when it is gone.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        for thread in state.idle.drain(..) {
            thread.notify_one();
        }
    }
}

struct Shared {
    state: Mutex<State>,
    most: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// What the idle threads wait on, the last to become idle last. It is the first to be woken: its
    /// caches are warm, what it freed is there to be used again (the allocator keeps freed memory by
    /// thread), and those not needed stay idle until they end.
    idle: Vec<Arc<Condvar>>,
    /// Nobody can give a job any more.
    is_over: bool,
}

impl Workers {
    /// At most `most` threads.
    pub(crate) fn new(most: usize) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Handle(Arc::new(Shared { state, most: most.max(1) }))))
    }

    /// Runs `job` on a worker. A job that panics loses only itself: what it held is dropped.
    pub(crate) fn run(&self, job: impl FnOnce(&dyn Fn()) + Send + 'static) {
        self.start(Box::new(job), false);
    }

    /// As [`run`](Self::run), with one thread more than the most where all are busy: for jobs that
    /// others may be waiting for, as the next statement of a transaction that holds a lock. There
    /// are as many of these at once as there are transactions and streams.
    pub(crate) fn run_now(&self, job: impl FnOnce(&dyn Fn()) + Send + 'static) {
        self.start(Box::new(job), true);
    }

    fn start(&self, job: Job, now: bool) {
        let shared = &self.0.0;
        let mut state = shared.lock();
        if now {
            state.jobs.push_front(job);
        } else {
            state.jobs.push_back(job);
        }
        if let Some(thread) = state.idle.pop() {
            thread.notify_one();
            return;
        }
        if !now && state.threads >= shared.most {
            return;
        }
        state.threads += 1;
        drop(state);
        let shared = Arc::clone(shared);
        let thread = thread::Builder::new().name("rowmill-worker".into());
        if thread.spawn(move || shared.work()).is_err() {
            // No thread to be had: the job is done here, late rather than never.
            let mut state = self.0.0.lock();
            state.threads -= 1;
            let job = if state.threads == 0 { state.jobs.pop_front() } else { None };
            drop(state);
            if let Some(job) = job {
                let _ = catch_unwind(AssertUnwindSafe(|| job(&|| ())));
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let wake = Arc::new(Condvar::new());
        let is_mine = |thread: &Arc<Condvar>| Arc::ptr_eq(thread, &wake);
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                let is_done = || self.lock().idle.push(Arc::clone(&wake));
                let _ = catch_unwind(AssertUnwindSafe(|| job(&is_done)));
                state = self.lock();
                state.idle.retain(|thread| !is_mine(thread));
                continue;
            }
            if state.is_over {
                break;
            }
            state.idle.push(Arc::clone(&wake));
            let waited = wake.wait_timeout_while(state, limits::WORKER_IDLE, |state| {
                state.idle.iter().any(is_mine)
            });
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            // Nobody woke it.
            if let Some(at) = state.idle.iter().position(is_mine) {
                state.idle.remove(at);
                break;
            }
        }
        state.threads -= 1;
    }
}

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::limits;

/// Something for a worker to do.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Threads for what must not run on an event loop's own: connecting, large results, long SQLite
/// reads, every SQLite write. They start when needed and end when idle.
#[derive(Clone)]
pub(crate) struct Workers(Arc<Handle>);

/// Held by those who give jobs, and not by the threads: these end when it is gone.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.work.notify_all();
    }
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    most: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    /// Nobody can give a job any more.
    is_over: bool,
}

impl Workers {
    /// At most `most` threads.
    pub(crate) fn new(most: usize) -> Self {
        let state = Mutex::default();
        let shared = Shared { state, work: Condvar::new(), most: most.max(1) };
        Self(Arc::new(Handle(Arc::new(shared))))
    }

    /// Runs `job` on a worker. A job that panics loses only itself: what it held is dropped.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.start(Box::new(job), false);
    }

    /// As [`run`](Self::run), with one thread more than the most where all are busy: for jobs that
    /// others may be waiting for, as the next statement of a transaction that holds a lock. There
    /// are as many of these at once as there are transactions and streams.
    pub(crate) fn run_now(&self, job: Job) {
        self.start(job, true);
    }

    fn start(&self, job: Job, now: bool) {
        let shared = &self.0.0;
        let mut state = shared.lock();
        if now {
            state.jobs.push_front(job);
        } else {
            state.jobs.push_back(job);
        }
        if state.idle >= state.jobs.len() || (!now && state.threads >= shared.most) {
            shared.work.notify_one();
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
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.is_over {
                state.threads -= 1;
                return;
            }
            state.idle += 1;
            let (woken, wait) = self
                .work
                .wait_timeout(state, limits::WORKER_IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if wait.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

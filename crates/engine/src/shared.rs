use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Work in pieces, of which whoever is free takes the next.
struct Work<T, F> {
    make: F,
    count: usize,
    next: AtomicUsize,
    made: Mutex<Made<T>>,
    all: Condvar,
}

struct Made<T> {
    pieces: Vec<Option<T>>,
    left: usize,
    panic: Option<Box<dyn Any + Send>>,
}

/// Threads that help with one thing after the other, of which one that asks for help is there too.
///
/// Whoever asks waits for pieces that others have begun, never for a thread: on a busy machine one may
/// begin when all is done, and then finds nothing to do.
pub(crate) struct Crew {
    board: Arc<Board>,
    threads: usize,
}

/// What the threads look at for their next work.
#[derive(Default)]
struct Board {
    posted: Mutex<Posted>,
    /// How often something was posted, to be looked at without the lock.
    times: AtomicUsize,
    news: Condvar,
}

#[derive(Default)]
struct Posted {
    work: Option<Arc<dyn Help>>,
    is_over: bool,
}

trait Help: Send + Sync {
    fn help(&self);
}

impl<T: Send, F: Fn(usize) -> T + Send + Sync> Help for Work<T, F> {
    fn help(&self) {
        self.run();
    }
}

impl Crew {
    /// So many threads, of which the caller's is one. One that cannot be had is done without.
    pub(crate) fn new(threads: usize) -> Self {
        let board = Arc::new(Board::default());
        for _ in 1..threads {
            let board = Arc::clone(&board);
            let thread = std::thread::Builder::new().name("rowmill-filter".into());
            drop(thread.spawn(move || board.work()));
        }
        Self { board, threads }
    }

    /// What `make` gives for each number below `count`.
    pub(crate) fn share<T: Send + 'static>(
        &self,
        count: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Vec<T> {
        let pieces = (0..count).map(|_| None).collect();
        let made = Mutex::new(Made { pieces, left: count, panic: None });
        let all = Condvar::new();
        let work = Arc::new(Work { make, count, next: AtomicUsize::new(0), made, all });
        if self.threads > 1 && count > 1 {
            self.board.post(|posted| posted.work = Some(Arc::clone(&work) as Arc<dyn Help>));
        }
        work.run();
        let mut made = work.lock();
        while made.left > 0 {
            made = work.all.wait(made).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(panic) = made.panic.take() {
            drop(made);
            resume_unwind(panic);
        }
        std::mem::take(&mut made.pieces).into_iter().flatten().collect()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.board.post(|posted| *posted = Posted { work: None, is_over: true });
    }
}

impl Board {
    /// Looks at the board before sleeping: what a thread is asked for next comes some ten microseconds
    /// after what it did last, and to be woken takes as long.
    const LOOKS: usize = 1_000;

    fn lock(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, change: impl FnOnce(&mut Posted)) {
        let mut posted = self.lock();
        change(&mut posted);
        self.times.fetch_add(1, Ordering::Release);
        drop(posted);
        self.news.notify_all();
    }

    fn work(&self) {
        let mut seen = 0;
        loop {
            let is_news = || self.times.load(Ordering::Acquire) != seen;
            (0..Self::LOOKS).take_while(|_| !is_news()).for_each(|_| std::hint::spin_loop());
            let posted = self.lock();
            let posted = self.news.wait_while(posted, |_| !is_news());
            let posted = posted.unwrap_or_else(PoisonError::into_inner);
            seen = self.times.load(Ordering::Acquire);
            if posted.is_over {
                return;
            }
            let work = posted.work.clone();
            drop(posted);
            if let Some(work) = work {
                work.help();
            }
        }
    }
}

impl<T, F: Fn(usize) -> T> Work<T, F> {
    fn run(&self) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= self.count {
                return;
            }
            // Whoever waits for the piece must hear of its end, whatever that is.
            let piece = catch_unwind(AssertUnwindSafe(|| (self.make)(at)));
            let mut made = self.lock();
            match piece {
                Ok(piece) => made.pieces[at] = Some(piece),
                Err(panic) => made.panic = Some(panic),
            }
            made.left -= 1;
            if made.left == 0 {
                self.all.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Made<T>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_whoever_makes_them() {
        for threads in [1, 2, 7] {
            let crew = Crew::new(threads);
            for times in 1..5 {
                let products = crew.share(100, move |at| at * times);
                assert_eq!(products, (0..100).map(|at| at * times).collect::<Vec<_>>());
            }
            assert_eq!(crew.share(0, |at| at), Vec::<usize>::new());
        }
    }

    #[test]
    fn a_panic_is_the_callers() {
        let caught = catch_unwind(|| Crew::new(2).share(10, |at| assert_ne!(at, 7)));
        assert!(caught.is_err());
    }
}

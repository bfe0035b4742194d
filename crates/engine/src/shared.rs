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

/// What `make` gives for each number below `count`, made by several threads of which the caller's is one.
///
/// The caller waits for pieces that others have begun, never for a thread: on a busy machine one may
/// begin when all is done, and then finds nothing to do.
pub(crate) fn shared<T: Send + 'static>(
    threads: usize,
    count: usize,
    make: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let pieces = (0..count).map(|_| None).collect();
    let made = Mutex::new(Made { pieces, left: count, panic: None });
    let work = Arc::new(Work { make, count, next: AtomicUsize::new(0), made, all: Condvar::new() });
    for _ in 1..threads.min(count) {
        let work = Arc::clone(&work);
        // A thread that cannot be had is done without.
        drop(std::thread::Builder::new().name("rowmill-filter".into()).spawn(move || work.run()));
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
            let squares = shared(threads, 100, |at| at * at);
            assert_eq!(squares, (0..100).map(|at| at * at).collect::<Vec<_>>());
        }
        assert_eq!(shared(4, 0, |at| at), Vec::<usize>::new());
    }

    #[test]
    fn a_panic_is_the_callers() {
        let caught = catch_unwind(|| shared(2, 10, |at| assert_ne!(at, 7)));
        assert!(caught.is_err());
    }
}

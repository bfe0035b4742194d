use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard, PoisonError};
use std::time::Duration;

/// A condition variable that knows whether anybody waits. The standard one asks the kernel to wake
/// whoever does at each notice: a system call, a third of those of a point query.
#[derive(Default)]
pub(crate) struct Signal {
    condition: Condvar,
    /// Changes under the lock of what is waited for. A notifier changed that under the same lock
    /// before: either it sees who waits, or they saw the change.
    waiting: AtomicUsize,
}

impl Signal {
    /// Waits for a notice, for `timeout` at most; with the guard, whether it passed.
    pub(crate) fn wait<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let (guard, wait) =
            self.condition.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        (guard, wait.timed_out())
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Wakes one of those who wait. To be called after the change, under its lock or later.
    pub(crate) fn notify_one(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.condition.notify_one();
        }
    }

    /// Wakes all who wait.
    pub(crate) fn notify_all(&self) {
        self.condition.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use super::Signal;

    #[test]
    fn no_notice_is_lost() {
        const TURNS: usize = 20_000;
        let shared = Arc::new((Mutex::new(0_usize), Signal::default()));
        // Two take turns: each waits without a limit worth the name for the other's change.
        let play = |shared: &(Mutex<usize>, Signal), side: usize| {
            let (turn, signal) = shared;
            for _ in 0..TURNS {
                let mut now = turn.lock().unwrap_or_else(PoisonError::into_inner);
                while *now % 2 != side {
                    let (woken, timed_out) = signal.wait(now, Duration::from_secs(60));
                    assert!(!timed_out, "a notice was lost");
                    now = woken;
                }
                *now += 1;
                drop(now);
                signal.notify_one();
            }
        };
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || play(&other, 1));
        play(&shared, 0);
        assert!(thread.join().is_ok());
        assert_eq!(*shared.0.lock().unwrap_or_else(PoisonError::into_inner), 2 * TURNS);
    }
}

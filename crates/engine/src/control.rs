use std::time::{Duration, Instant};

use crate::{Error, ErrorKind, limits};

/// When a blocking call should give up: a deadline, or the caller's word.
#[derive(Clone, Copy, Default)]
pub struct Control<'a> {
    /// The moment after which the statement is cancelled.
    pub deadline: Option<Instant>,
    /// Asked about ten times a second while a call waits; true stops the call.
    pub interrupt: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Control<'a> {
    /// A deadline that far from now.
    pub fn timeout(timeout: Duration) -> Self {
        Self { deadline: Instant::now().checked_add(timeout), interrupt: None }
    }

    /// A deadline that far from now where there is a timeout, else none.
    pub fn within(timeout: Option<Duration>) -> Self {
        timeout.map_or_else(Self::default, Self::timeout)
    }

    /// For a last step on a connection, which is to come to rest: as long as a cancel may take.
    pub(crate) fn grace() -> Self {
        Self::timeout(limits::CANCEL_GRACE)
    }

    /// The same control with another way to interrupt.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &'a dyn Fn() -> bool) -> Self {
        Self { interrupt: Some(interrupt), ..self }
    }

    /// `Err` once the deadline has passed or the caller wants to stop.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::new(ErrorKind::QueryTimeout, "the statement ran past its deadline"));
        }
        if self.interrupt.is_some_and(|interrupt| interrupt()) {
            return Err(Error::new(ErrorKind::Cancelled, "the call was interrupted"));
        }
        Ok(())
    }

    /// How long to wait before the next [`check`](Self::check): at most `tick`.
    pub(crate) fn wait(&self, tick: Duration) -> Duration {
        self.deadline
            .map_or(tick, |deadline| deadline.saturating_duration_since(Instant::now()).min(tick))
    }
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

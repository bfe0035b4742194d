use std::time::{Duration, Instant};

use crate::Config;
use crate::pump::Link;

/// How many connections a pool keeps ready, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upkeep {
    /// Connections that are opened ahead, and not closed for being idle.
    pub(crate) min: usize,
    idle: Option<Duration>,
    lifetime: Option<Duration>,
}

impl Upkeep {
    pub(crate) fn new(options: &Config) -> Self {
        let min = options.pool_min.min(options.pool_size.max(1));
        Self { min, idle: options.pool_idle, lifetime: options.pool_lifetime }
    }

    /// Whether a connection that was last used at `since` is of no use any more, where `open` are.
    pub(crate) fn is_over(&self, link: &Link, since: Instant, open: usize, now: Instant) -> bool {
        let idle = now.saturating_duration_since(since);
        self.is_old(link, now) || open > self.min && self.idle.is_some_and(|most| idle >= most)
    }

    /// Whether a connection has lived long enough.
    pub(crate) fn is_old(&self, link: &Link, now: Instant) -> bool {
        self.lifetime.is_some_and(|most| {
            // Up to a tenth earlier, so that connections opened together do not end together.
            now.saturating_duration_since(link.opened) >= most.mul_f64(1.0 - link.spread / 10.0)
        })
    }
}

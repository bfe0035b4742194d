use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rowmill_wire::Catalogue;

use crate::config::PostgresConfig;
use crate::pump::Link;
use crate::{Config, Control, Error, ErrorKind, Result, limits};

/// Opens connections of one pool.
#[derive(Clone)]
pub(crate) struct Opener {
    config: Arc<PostgresConfig>,
    catalogue: Arc<Catalogue>,
    statements: usize,
    timeout: Duration,
}

impl Opener {
    pub(crate) fn new(config: &PostgresConfig, options: &Config) -> Self {
        Self {
            config: Arc::new(config.clone()),
            catalogue: Arc::default(),
            statements: options.statement_cache,
            timeout: options.connect_timeout.min(limits::FOREVER),
        }
    }

    /// Opens one. Where a server that was there is away, as while it restarts, it is asked again and
    /// again as long as a connection may take to open: no statement has been sent yet. A server that
    /// says itself that it takes connections soon is waited for in any case; `was_there` tells
    /// whether one ever answered, for a wrong address is to fail at once.
    pub(crate) fn open(&self, was_there: bool, control: &Control<'_>) -> Result<Box<Link>> {
        let limit = Instant::now() + self.timeout;
        let deadline = control.deadline.map_or(limit, |deadline| deadline.min(limit));
        let control = Control { deadline: Some(deadline), ..*control };
        let mut pause = limits::RECONNECT_FIRST;
        let mut heard = None;
        loop {
            let error = match Link::open(&self.config, self.statements, &self.catalogue, &control) {
                Ok(link) => {
                    // What other programs altered meanwhile, nobody tells.
                    self.catalogue.forget_composites();
                    return Ok(link);
                }
                Err(error) => error,
            };
            // Between half the pause and the whole: those that were cut off together come apart.
            let pause_now = pause / 2 + pause.mul_f64(random_fraction() / 2.0);
            let is_silence = error.sqlstate().is_none() && error.is_unreachable();
            if is_silence && Instant::now() >= deadline {
                // The time cut this try short; what a server said to an earlier one says more.
                return Err(heard.unwrap_or(error));
            }
            if !is_passing(&error, was_there) || Instant::now() + pause_now >= deadline {
                return Err(error);
            }
            if heard.is_none() || !is_silence {
                heard = Some(error);
            }
            let until = Instant::now() + pause_now;
            while Instant::now() < until {
                thread::sleep(until.saturating_duration_since(Instant::now()).min(limits::TICK));
                if control.interrupt.is_some_and(|interrupt| interrupt()) {
                    return Err(Error::new(ErrorKind::Cancelled, "the call was interrupted"));
                }
            }
            pause = (pause * 2).min(limits::RECONNECT_MOST);
        }
    }
}

/// Whether the next try may find what this one did not.
fn is_passing(error: &Error, was_there: bool) -> bool {
    match error.sqlstate() {
        Some("57P03") => true,
        // As one that shuts down says.
        Some("57P01" | "57P02") => was_there,
        Some(_) => false,
        None => was_there && error.kind() == ErrorKind::Connect && error.is_unreachable(),
    }
}

/// From 0 to 1.
pub(crate) fn random_fraction() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

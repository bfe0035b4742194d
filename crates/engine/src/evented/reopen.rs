//! The pauses between connections that cannot be opened while others are open and serve.

use std::time::Duration;

use super::lane::State;
use super::{Action, Evented};
use crate::{Error, limits};

/// Whether one more connection may be opened.
#[derive(Clone, Copy, Default)]
pub(crate) enum Reopening {
    /// As many as are wanted.
    #[default]
    Free,
    /// The last could not be opened: none until the loop says that so long has passed.
    Paused(Duration),
    /// That has passed: one at a time, until one opens.
    OneByOne(Duration),
}

impl<T> Evented<T> {
    /// Whether one more connection may be opened. A call that finds none open hears why at once, and is
    /// not held up.
    pub(super) fn may_open(&self) -> bool {
        let is_opening = || self.lanes.iter().any(|lane| matches!(lane.state, State::Opening));
        match self.reopening {
            Reopening::Free => true,
            Reopening::Paused(_) => self.open_lanes() == 0,
            Reopening::OneByOne(_) => !is_opening(),
        }
    }

    /// A connection could not be opened: that is the answer to whoever waits, unless others are
    /// open and will serve them.
    pub(super) fn not_opened(&mut self, lane: usize, error: &Error) {
        self.lanes[lane].state = State::Empty;
        if self.open_lanes() == 0 {
            for waiting in std::mem::take(&mut self.waiting) {
                let (to, about) = waiting.into_target();
                self.complete(to, Err(about.blame(error.clone())));
            }
            return;
        }
        let after = match self.reopening {
            Reopening::Free => limits::RECONNECT_FIRST,
            Reopening::OneByOne(last) => (last * 2).min(limits::RECONNECT_MOST),
            // Several were being opened; the loop has its timer.
            Reopening::Paused(_) => return,
        };
        self.reopening = Reopening::Paused(after);
        self.actions.push(Action::Reopen { after });
    }

    /// The pause that [`Action::Reopen`] asked for has passed.
    pub fn reopen(&mut self) {
        if let Reopening::Paused(last) = self.reopening {
            self.reopening = Reopening::OneByOne(last);
            self.serve();
        }
    }
}

//! Connections that are closed for their age, or for having been idle, and those opened ahead.

use std::time::Instant;

use super::Evented;
use super::lane::{Lane, State};
use crate::limits;

impl<T> Evented<T> {
    /// Looks after the connections, every now and then.
    pub(super) fn look_after(&mut self) {
        let now = Instant::now();
        if now < self.next_look || self.postgres.is_none() || self.closed {
            return;
        }
        self.next_look = now + limits::UPKEEP;
        let mut open = self.open_lanes();
        for lane in 0..self.lanes.len() {
            let place = &mut self.lanes[lane];
            let State::Here(link) = &place.state else { continue };
            if !place.flights.is_empty() || !place.is_free() {
                // It takes nothing more, and goes once all it has is answered.
                place.is_old = self.upkeep.is_old(link, now);
            } else if self.upkeep.is_over(link, place.used, open, now) {
                self.retire(lane);
                open -= 1;
            }
        }
        while open < self.upkeep.min && self.open_another() {
            open += 1;
        }
    }

    /// Closes the connection of a lane that nothing runs on.
    pub(super) fn retire(&mut self, lane: usize) {
        self.let_go(lane);
        let place = &mut self.lanes[lane];
        place.generation += 1;
        place.cancel_target = None;
        self.retired += 1;
    }

    pub(super) fn open_lanes(&self) -> usize {
        let is_open = |lane: &&Lane<T>| !matches!(lane.state, State::Empty);
        self.lanes.iter().filter(is_open).count()
    }
}

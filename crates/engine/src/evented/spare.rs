//! Connections that a partitioned stream takes besides the one it waited for.

use std::sync::Arc;

use super::Evented;
use super::lane::{Lane, State};
use super::shared::{News, Shared};
use crate::postgres::{Home, Lease, Seat};
use crate::pump::Link;
use crate::{Error, ErrorKind, Result};

impl<T> Evented<T> {
    /// Connections that can be had without waiting, `most` at most: idle ones, and those that there is
    /// room for. One is left to others, for the caller may want it before these come back.
    pub(super) fn spare(&mut self, most: usize) -> Vec<Seat> {
        let idle: Vec<usize> =
            (0..self.lanes.len()).filter(|lane| self.lanes[*lane].is_idle()).collect();
        let used = self.lanes.iter().filter(|lane| !matches!(lane.state, State::Empty)).count();
        let room = self.config().pool_size.max(1).saturating_sub(used);
        let most = most.min((idle.len() + room).saturating_sub(1));
        let here = idle.into_iter().take(most).collect::<Vec<_>>();
        let here = here.into_iter().filter_map(|lane| self.take_link(lane));
        let mut seats: Vec<_> = here.map(Seat::Here).collect();
        while seats.len() < most
            && let Some(seat) = self.seat_to_open()
        {
            seats.push(seat);
        }
        seats
    }

    /// Takes a lane whose connection the stream opens.
    fn seat_to_open(&mut self) -> Option<Seat> {
        let opener = self.postgres.clone()?;
        let empty = self.lanes.iter().position(|lane| matches!(lane.state, State::Empty));
        let lane = empty.unwrap_or_else(|| {
            self.lanes.push(Lane::opening(0));
            self.lanes.len() - 1
        });
        let place = &mut self.lanes[lane];
        *place = Lane::opening(place.generation + 1);
        place.state = State::Away;
        self.opened += 1;
        let home = Place::new(&self.shared, lane);
        Some(Seat::ToOpen(Box::new(move |control| home.lease(opener.open(true, control)))))
    }
}

/// The lane of a connection that is to be opened; it is told to be lost where none is.
struct Place {
    shared: Arc<Shared>,
    lane: usize,
    is_filled: bool,
}

impl Place {
    fn new(shared: &Arc<Shared>, lane: usize) -> Self {
        Self { shared: Arc::clone(shared), lane, is_filled: false }
    }

    fn lease(mut self, opened: Result<Box<Link>>) -> Result<Lease> {
        let link = opened?;
        self.is_filled = true;
        let home: Arc<dyn Home> = Arc::<Shared>::clone(&self.shared);
        Ok(Lease::new(link, home, self.lane))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_filled {
            let lost = Error::new(ErrorKind::ConnectionLost, "no connection was opened");
            self.shared.tell(News::Returned(self.lane, Err(lost)));
        }
    }
}

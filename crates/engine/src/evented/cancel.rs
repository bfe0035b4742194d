//! Calls that nobody waits for any more, and calls whose time is up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::calls::Waiting;
use super::lane::{Purpose, State};
use super::shared::News;
use super::{CallId, Evented};
use crate::postgres::cancel;
use crate::{Error, ErrorKind};

impl<T> Evented<T> {
    /// Nobody waits for the call any more. What waits is forgotten; what runs is cancelled on the
    /// server, unless requests of others were sent behind it that the cancel could hit.
    pub fn cancel(&mut self, call: CallId) {
        drop(self.take_target(call));
        for lane in 0..self.lanes.len() {
            let place = &mut self.lanes[lane];
            let Some(flight) = place.flights.iter().find(|flight| flight.call == call) else {
                continue;
            };
            // A COMMIT on its way is left to arrive: cancelling it would only blur the outcome.
            if matches!(flight.purpose, Purpose::End { .. }) {
                return;
            }
            let request = flight.request;
            if let State::Here(link) = &mut place.state {
                link.session.abandon(request);
            }
            if place.flights.len() == 1 && !place.cancelling {
                self.ask_to_stop(lane);
            }
            return;
        }
    }

    /// Who waits for the call, who then waits no more. A worker that has the call is told to stop.
    fn take_target(&mut self, call: CallId) -> Option<T> {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.id() == call) {
            return self.waiting.remove(at).map(Waiting::into_target);
        }
        if let Some(away) = self.away.remove(&call) {
            away.stop.store(true, Ordering::Release);
            return Some(away.to);
        }
        let mut flights = self.lanes.iter_mut().flat_map(|lane| lane.flights.iter_mut());
        flights.find(|flight| flight.call == call).and_then(|flight| flight.to.take())
    }

    fn ask_to_stop(&mut self, lane: usize) {
        let place = &mut self.lanes[lane];
        let (Some(key), Some(config)) = (place.key.clone(), self.postgres.clone()) else { return };
        place.cancelling = true;
        let shared = Arc::clone(&self.shared);
        self.workers.run(move || {
            cancel(&config, &key);
            shared.tell(News::Cancelled(lane));
        });
    }

    /// The call's deadline has passed: it fails now, and is cancelled.
    pub fn expire(&mut self, call: CallId, after: Duration) {
        if let Some(to) = self.take_target(call) {
            let message = format!("the statement ran past its deadline of {after:?}");
            self.complete(to, Err(Error::new(ErrorKind::QueryTimeout, message)));
        }
        self.cancel(call);
    }

    /// The call has waited too long for a connection; nothing happens where it waits no more.
    pub fn expire_waiting(&mut self, call: CallId) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.id() == call) else { return };
        if let Some(waiting) = self.waiting.remove(at) {
            let config = self.config();
            let error = crate::postgres::pool_timeout(config.pool_timeout, config.pool_size);
            self.complete(waiting.into_target(), Err(error));
        }
        self.serve();
    }
}

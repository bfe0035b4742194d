//! Calls that nobody waits for any more, and calls whose time is up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::calls::{About, Waiting};
use super::lane::{Purpose, State};
use super::shared::News;
use super::{Action, CallId, Evented};
use crate::postgres::unknown_outcome;
use crate::{Control, Error, ErrorKind, limits};

impl<T> Evented<T> {
    /// Nobody waits for the call any more. What waits is forgotten; what runs is cancelled on the
    /// server, unless requests of others were sent behind it that the cancel could hit.
    pub fn cancel(&mut self, call: CallId) {
        if let Some((to, _)) = self.take_target(call) {
            self.actions.push(Action::Forget { to });
        }
        for lane in 0..self.lanes.len() {
            let place = &mut self.lanes[lane];
            let Some(flight) = place.flights.iter().find(|flight| flight.call == call) else {
                continue;
            };
            // A COMMIT on its way is left to arrive: cancelling it would only blur the outcome. It has
            // as long as a statement has to stop.
            if matches!(flight.purpose, Purpose::End { .. }) {
                self.actions.push(Action::Later { after: limits::CANCEL_GRACE, lane, call });
                return;
            }
            let request = flight.request;
            if let State::Here(link) = &mut place.state {
                link.session.abandon(request);
            }
            if place.is_abandoned() && !place.cancelling {
                self.ask_to_stop(lane);
            }
            return;
        }
    }

    /// Who waits for the call, who then waits no more. A worker that has the call is told to stop.
    fn take_target(&mut self, call: CallId) -> Option<(T, About)> {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.id() == call) {
            return self.waiting.remove(at).map(Waiting::into_target);
        }
        if let Some(away) = self.away.remove(&call) {
            away.stop.store(true, Ordering::Release);
            return Some((away.to, away.about));
        }
        for lane in &mut self.lanes {
            if let Some(at) = lane.parked.iter().position(|parked| parked.call == call) {
                // The end of a transaction still has to come, whoever waits for it.
                if matches!(lane.parked[at].purpose, Purpose::End { .. }) {
                    let parked = &mut lane.parked[at];
                    return parked.to.take().map(|to| (to, parked.about.clone()));
                }
                let parked = lane.parked.remove(at)?;
                return parked.to.map(|to| (to, parked.about));
            }
            if let Some(flight) = lane.flights.iter_mut().find(|flight| flight.call == call) {
                return flight.to.take().map(|to| (to, flight.about.clone()));
            }
        }
        None
    }

    /// Has the server stop what a lane is doing; a connection on which that takes longer than
    /// [`limits::CANCEL_GRACE`] is given up.
    pub(super) fn ask_to_stop(&mut self, lane: usize) {
        let place = &mut self.lanes[lane];
        let Some(call) = place.flights.front().map(|flight| flight.call) else { return };
        if !place.cancelling && place.stopping.is_none_or(|(asked, _)| asked != call) {
            self.ask_for(lane, call, limits::CANCEL_AGAIN);
        }
    }

    /// Asks the server to stop `call`, the lane's first, where it can be asked; looks again after `pause`.
    fn ask_for(&mut self, lane: usize, call: CallId, pause: Duration) {
        let place = &mut self.lanes[lane];
        place.stopping = Some((call, pause));
        self.actions.push(Action::Later { after: pause, lane, call });
        let Some(target) = place.cancel_target.clone().filter(|_| !place.cancelling) else {
            return;
        };
        place.cancelling = true;
        let (shared, generation) = (Arc::clone(&self.shared), place.generation);
        self.workers.run(move |_| {
            let heard = target.cancel(&Control::grace());
            shared.tell(News::Cancelled { lane, generation, heard });
        });
    }

    /// A call that nobody wants should have been stopped by now: the server is asked again, until its
    /// time is up.
    pub fn overdue(&mut self, lane: usize, call: CallId) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        if !place.flights.front().is_some_and(|flight| flight.call == call && flight.to.is_none()) {
            return;
        }
        if let Some((asked, pause)) = place.stopping
            && asked == call
            && pause < limits::CANCEL_GRACE / 2
        {
            return self.ask_for(lane, call, pause * 2);
        }
        match &place.state {
            // The worker gives the connection up within a tick.
            State::Away | State::Kept(_) => place.stop.store(true, Ordering::Release),
            _ => {
                let message = "the server did not stop a cancelled statement in time";
                self.lose(lane, &Error::new(ErrorKind::ConnectionLost, message));
            }
        }
    }

    /// The call's deadline has passed: it fails now, and is cancelled.
    pub fn expire(&mut self, call: CallId, after: Duration) {
        let verb = if self.is_commit(call) { "commit" } else { "" };
        if let Some((to, about)) = self.take_target(call) {
            let message = format!("the statement ran past its deadline of {after:?}");
            let error = unknown_outcome(Error::new(ErrorKind::QueryTimeout, message), verb);
            self.complete(to, Err(about.blame(error)));
        }
        self.cancel(call);
    }

    fn is_commit(&self, call: CallId) -> bool {
        let end = Purpose::End { commit: true };
        self.lanes.iter().any(|lane| {
            lane.flights.iter().any(|flight| flight.call == call && flight.purpose == end)
                || lane.parked.iter().any(|parked| parked.call == call && parked.purpose == end)
        })
    }

    /// The call has waited too long for a connection; nothing happens where it waits no more.
    pub fn expire_waiting(&mut self, call: CallId) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.id() == call) else { return };
        if let Some(waiting) = self.waiting.remove(at) {
            let config = self.config();
            let error = crate::postgres::pool_timeout(config.pool_timeout, config.pool_size);
            let (to, about) = waiting.into_target();
            self.complete(to, Err(about.blame(error)));
        }
        self.serve();
    }
}

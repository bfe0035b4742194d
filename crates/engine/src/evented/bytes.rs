//! What the bytes of a lane bring, on the loop's thread or on a worker's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rowmill_wire::{Completion, Event, RequestId, TransactionStatus};

use super::lane::{Purpose, State};
use super::reopen::Reopening;
use super::shared::{News, Shared};
use super::submit::worker_failed;
use super::{Action, Answer, Away, CallId, Evented, Transaction, TransactionId};
use crate::postgres::{committed, unknown_outcome};
use crate::pump::{Fill, Link, Until, drive};
use crate::transaction::ended_by_script;
use crate::{Control, Error, ErrorKind, Result, limits};

impl<T> Evented<T> {
    /// Sends what every lane holds back; the loop calls this after [`Action::FlushSoon`].
    pub fn flush(&mut self) {
        self.flush_asked = false;
        for lane in 0..self.lanes.len() {
            if !self.lanes[lane].write_watched {
                self.send(lane);
            }
            self.take_events(lane);
        }
    }

    /// A lane's descriptor can be written.
    pub fn writable(&mut self, lane: usize) {
        self.send(lane);
    }

    pub(super) fn send(&mut self, lane: usize) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        let State::Here(link) = &mut place.state else { return };
        let fd = link.fd();
        match link.flush() {
            Ok(all) => {
                if all && place.write_watched {
                    self.actions.push(Action::UnwatchWrite { fd });
                } else if !all && !place.write_watched {
                    self.actions.push(Action::WatchWrite { fd, lane });
                }
                place.write_watched = !all;
            }
            Err(error) => self.lose(lane, &error),
        }
    }

    /// A lane's descriptor can be read.
    pub fn readable(&mut self, lane: usize) {
        let Some(place) = self.lanes.get_mut(lane) else { return };
        let mut taken = 0;
        loop {
            let State::Here(link) = &mut place.state else { return };
            let is_more = match link.fill(false) {
                Ok(Fill::Received { bytes, drained }) => {
                    taken += bytes;
                    !drained
                }
                Ok(Fill::Nothing) => false,
                Err(error) => {
                    self.take_events(lane);
                    return self.lose(lane, &error);
                }
            };
            if link.session.bytes_of_current() > limits::ON_LOOP_BYTES {
                self.take_events(lane);
                return self.hand_over(lane);
            }
            // Without more here, or anything under way, there is no call just to hear so. What is
            // not rows, as notices, ends the turn too: the loop comes back for the rest.
            let is_long = taken > 4 * limits::ON_LOOP_BYTES;
            if !is_more || is_long || link.session.in_flight() == 0 {
                break;
            }
        }
        self.take_events(lane);
        if let State::Here(link) = &mut self.lanes[lane].state
            && link.has_said_goodbye()
        {
            let error = link.farewell();
            return self.lose(lane, &error);
        }
        if self.closed {
            self.close_lanes(false);
        }
        // An answer may have let the session send what it held back (a statement just described).
        self.send(lane);
        self.look_after();
        self.serve();
    }

    pub(super) fn take_events(&mut self, lane: usize) {
        loop {
            let State::Here(link) = &mut self.lanes[lane].state else { return };
            let Some(event) = link.session.next_event() else { return };
            if let Event::Done { id, result } = event {
                let result = result.map_err(Error::from);
                self.landed(lane, id, |purpose| result.and_then(|done| answer(purpose, done)));
            }
        }
    }

    /// A request was answered.
    fn landed(
        &mut self,
        lane: usize,
        request: RequestId,
        result: impl FnOnce(Purpose) -> Result<Answer>,
    ) {
        let place = &mut self.lanes[lane];
        let Some(at) = place.flights.iter().position(|flight| flight.request == request) else {
            return;
        };
        let Some(flight) = place.flights.remove(at) else { return };
        let mut result = result(flight.purpose).map_err(|error| flight.about.blame(error));
        match flight.purpose {
            Purpose::Begin(id) if result.is_ok() => {
                self.transactions.insert(id, Transaction::Lane(lane));
                if flight.to.is_none() {
                    // Whoever wanted the transaction has gone.
                    self.forget(id);
                }
            }
            Purpose::Begin(_) => self.release(lane),
            Purpose::End { commit } => {
                let verb = if commit { "commit" } else { "rollback" };
                result = result.map_err(|error| unknown_outcome(error, verb));
                self.release(lane);
            }
            Purpose::Call(_) | Purpose::Script => {
                if self.is_left_open(lane) {
                    result = result.and(Err(left_open()));
                } else if self.is_ended_inside(lane) {
                    result = result.and(Err(ended_by_script()));
                    if let Some(id) = self.lanes[lane].reserved.take() {
                        self.transactions.insert(id, Transaction::Lost(ended_by_script()));
                    }
                }
            }
        }
        if let Some(to) = flight.to {
            self.complete(to, result);
        }
        let place = &mut self.lanes[lane];
        if place.flights.is_empty() {
            place.stopping = None;
            let place = &self.lanes[lane];
            if self.is_left_open(lane) {
                self.lose(lane, &left_open());
            } else if !place.parked.is_empty() {
                self.unpark(lane);
            } else if place.is_old && place.is_free() {
                self.retire(lane);
            }
        } else if place.is_abandoned() {
            // Those that were wanted are answered: the rest can be stopped without hitting anybody.
            self.ask_to_stop(lane);
        }
    }

    /// Whether somebody's `begin` left a transaction open that is not one of ours.
    fn is_left_open(&self, lane: usize) -> bool {
        let place = &self.lanes[lane];
        let State::Here(link) = &place.state else { return false };
        place.reserved.is_none() && link.session.transaction() != TransactionStatus::Idle
    }

    /// Whether a script ended the transaction that has the lane.
    fn is_ended_inside(&self, lane: usize) -> bool {
        let place = &self.lanes[lane];
        let State::Here(link) = &place.state else { return false };
        let is_end = |purpose: Purpose| matches!(purpose, Purpose::End { .. });
        place.reserved.is_some()
            && link.session.transaction() == TransactionStatus::Idle
            && !place.flights.iter().any(|flight| is_end(flight.purpose))
    }

    /// A transaction is over: its lane is for everyone again.
    fn release(&mut self, lane: usize) {
        let place = &mut self.lanes[lane];
        if let Some(id) = place.reserved.take() {
            self.transactions.remove(&id);
        }
    }

    /// A large result: a worker takes the connection until all that is under way is answered.
    fn hand_over(&mut self, lane: usize) {
        let Some(mut link) = self.send_away(lane) else { return };
        let place = &mut self.lanes[lane];
        let stop = Arc::new(AtomicBool::new(false));
        place.stop = Arc::clone(&stop);
        let purposes: Vec<_> =
            place.flights.iter().map(|flight| (flight.request, flight.purpose)).collect();
        let guard = ReturnGuard { shared: Arc::clone(&self.shared), lane, armed: true };
        self.workers.run(move |_| {
            let shared = Arc::clone(&guard.shared);
            let mut left = purposes.len();
            let stopped = || stop.load(Ordering::Acquire);
            let control = Control::default().interrupted_by(&stopped);
            let driven = drive(&mut link, &control, |event| {
                if let Event::Done { id, result } = event {
                    left -= 1;
                    let purpose = purposes.iter().find(|(request, _)| *request == id);
                    let result = result.map_err(Error::from);
                    let result = match purpose {
                        Some((_, purpose)) => result.and_then(|done| answer(*purpose, done)),
                        None => result.map(|_| Answer::Done),
                    };
                    shared.tell(News::Answered(lane, id, result));
                }
                if left == 0 { Until::Stop(()) } else { Until::More }
            });
            guard.disarm();
            shared.tell(News::Returned(lane, driven.map(|()| link)));
        });
    }

    /// Workers have news.
    pub fn wake(&mut self) {
        for news in self.shared.hear() {
            match news {
                News::Opened(lane, Ok(link)) => {
                    self.opened += 1;
                    self.reopening = Reopening::Free;
                    self.settle(lane, link);
                }
                News::Returned(lane, Ok(link)) => self.settle(lane, link),
                News::Opened(lane, Err(error)) => self.not_opened(lane, &error),
                News::Returned(lane, Err(error)) => self.lose(lane, &error),
                News::Answered(lane, request, result) => self.landed(lane, request, |_| result),
                News::Kept(lane, keeper) => self.kept(lane, keeper),
                News::WriterFree(transaction) => self.writer_is_free(transaction),
                News::Done(call, result) => self.done(call, result),
                News::Cancelled { lane, generation, heard } => {
                    if self.lanes[lane].generation == generation {
                        self.cancelled(lane, heard);
                    }
                }
            }
        }
        if self.postgres.is_some() {
            self.serve();
        }
    }

    /// A cancel was heard, or it may still come.
    fn cancelled(&mut self, lane: usize, heard: bool) {
        if !heard {
            // It would hit what ran here next.
            let message = "the server did not hear that a statement was cancelled";
            return self.lose(lane, &Error::new(ErrorKind::ConnectionLost, message));
        }
        self.lanes[lane].cancelling = false;
        if self.lanes[lane].is_abandoned() {
            // It was answered before the cancel was: now for the one behind it.
            self.ask_to_stop(lane);
        }
        self.unpark(lane);
    }

    /// A worker answered a call.
    fn done(&mut self, call: CallId, result: Result<Answer>) {
        let away = self.away.remove(&call);
        // A transaction bears the id of the call that began it, and keeps the writer.
        if !matches!(result, Ok(Answer::Transaction(_))) {
            self.writer_is_free(TransactionId(call));
        }
        match &result {
            Err(_) => drop(self.transactions.remove(&TransactionId(call))),
            Ok(Answer::Transaction(id)) if away.is_none() => self.forget(*id),
            Ok(_) => {}
        }
        if let Some(Away { to, about, .. }) = away {
            self.complete(to, result.map_err(|error| about.blame(error)));
        }
    }

    /// A connection is here, new or back.
    fn settle(&mut self, lane: usize, link: Box<Link>) {
        if link.is_broken() || link.has_said_goodbye() || link.session.in_flight() > 0 {
            let error = Error::new(ErrorKind::ConnectionLost, "the connection broke");
            return self.lose(lane, &error);
        }
        let place = &mut self.lanes[lane];
        place.cancel_target = link.cancel_target();
        place.used = Instant::now();
        place.is_old = false;
        let fd = link.fd();
        place.state = State::Here(link);
        self.actions.push(Action::Watch { fd, lane });
        if self.is_left_open(lane) {
            return self.lose(lane, &left_open());
        }
        self.unpark(lane);
        if self.closed {
            self.close_lanes(false);
        }
    }

    /// A connection is gone, and with it the answers it owed.
    pub(super) fn lose(&mut self, lane: usize, error: &Error) {
        if let State::Here(link) = &mut self.lanes[lane].state {
            link.break_off();
        }
        self.let_go(lane);
        let place = &mut self.lanes[lane];
        place.state = State::Empty;
        place.cancelling = false;
        place.stopping = None;
        place.generation += 1;
        self.lost += 1;
        let flights = std::mem::take(&mut place.flights);
        let parked = std::mem::take(&mut place.parked);
        if let Some(id) = place.reserved.take() {
            let purposes = flights.iter().map(|flight| flight.purpose);
            let mut purposes = purposes.chain(parked.iter().map(|call| call.purpose));
            if purposes.any(|purpose| matches!(purpose, Purpose::End { .. })) {
                self.transactions.remove(&id);
            } else if let Some(transaction) = self.transactions.get_mut(&id) {
                let mut error = error.clone();
                error.set(ErrorKind::ConnectionLost, error.message().to_owned());
                *transaction = Transaction::Lost(error);
            }
        }
        let owed = flights.into_iter().map(|flight| (flight.to, flight.purpose, flight.about));
        let owed = owed.chain(parked.into_iter().map(|call| (call.to, call.purpose, call.about)));
        for (to, purpose, about) in owed {
            let mut error = error.clone();
            if purpose == (Purpose::End { commit: true }) {
                error = unknown_outcome(error, "commit");
            }
            if let Some(to) = to {
                self.complete(to, Err(about.blame(error)));
            }
        }
        self.serve();
    }
}

/// Somebody wrote `begin` where a connection is shared.
fn left_open() -> Error {
    let message = "a statement left a transaction open, which was rolled back";
    Error::new(ErrorKind::Misuse, message)
        .with_hint("use transaction() instead of begin and commit")
}

/// The answer of a request that went well.
fn answer(purpose: Purpose, completion: Completion) -> Result<Answer> {
    match purpose {
        Purpose::Call(want) => want.of(completion.into()),
        Purpose::Begin(id) => Ok(Answer::Transaction(id)),
        Purpose::Script => Ok(Answer::Done),
        Purpose::End { commit } => {
            committed(if commit { "commit" } else { "rollback" }, &completion)?;
            Ok(Answer::Done)
        }
    }
}

/// Tells the loop that a connection is lost where the worker that had it panicked.
struct ReturnGuard {
    shared: Arc<Shared>,
    lane: usize,
    armed: bool,
}

impl ReturnGuard {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for ReturnGuard {
    fn drop(&mut self) {
        if self.armed {
            self.shared.tell(News::Returned(self.lane, Err(worker_failed())));
        }
    }
}

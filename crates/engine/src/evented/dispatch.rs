//! Calls on PostgreSQL: which lane takes a request.

use std::sync::Arc;
use std::time::Instant;

use rowmill_expr::{Dialect, Statement};
use rowmill_wire::{Output, Request, RequestId};

use super::calls::{About, Waiting};
use super::lane::{Flight, Lane, Parked, Purpose, State, Work};
use super::shared::News;
use super::{Action, Call, CallId, Evented, Submitted, Transaction, TransactionId};
use crate::postgres::{Lease, begin_sql, busy, wire_statement};
use crate::pump::Link;
use crate::{Control, Error, ErrorKind, Result, TransactionMode, limits};

impl<T> Evented<T> {
    pub(super) fn submit_postgres(&mut self, call: Call, to: T) -> Submitted {
        let id = self.new_call();
        if let Some(transaction) = call.transaction {
            return match self.transaction_lane(transaction) {
                Ok(lane) => {
                    self.start_call(lane, id, to, call);
                    Submitted::Sent(id)
                }
                Err(error) => Submitted::Now(Err(error.about(&call.statement))),
            };
        }
        self.look_after();
        if self.waiting.is_empty()
            && let Some(lane) = self.shared_lane()
        {
            self.start_call(lane, id, to, call);
            return Submitted::Sent(id);
        }
        self.enqueue(Waiting::Call { id, to, call })
    }

    pub(super) fn enqueue(&mut self, waiting: Waiting<T>) -> Submitted {
        if self.waiting.len() >= limits::WAITING {
            let message = format!("{} calls already wait for a connection", limits::WAITING);
            return Submitted::Now(Err(Error::new(ErrorKind::PoolTimeout, message)));
        }
        self.look_after();
        let id = waiting.id();
        self.waiting.push_back(waiting);
        self.serve();
        if self.waiting.iter().any(|waiting| waiting.id() == id) {
            Submitted::Queued(id)
        } else {
            Submitted::Sent(id)
        }
    }

    /// The lane for a request that may share one: an idle one, else the shortest pipeline once no
    /// connection more may be opened.
    fn shared_lane(&mut self) -> Option<usize> {
        if let Some(idle) = self.lanes.iter().position(Lane::is_idle) {
            return Some(idle);
        }
        if self.open_lane() {
            return None;
        }
        let shared = self.lanes.iter().enumerate().filter(|(_, lane)| lane.is_shared());
        let shortest = shared.min_by_key(|(_, lane)| lane.in_flight());
        shortest.filter(|(_, lane)| lane.in_flight() < limits::PIPELINE).map(|(index, _)| index)
    }

    /// Has a worker open one more connection, where the pool may grow; false where it may not.
    fn open_lane(&mut self) -> bool {
        let opening = self.lanes.iter().filter(|lane| matches!(lane.state, State::Opening)).count();
        if opening >= self.waiting.len().max(1) {
            return true;
        }
        self.open_another()
    }

    /// Has a worker open one more connection, whoever it is for; false where the pool may not grow.
    pub(super) fn open_another(&mut self) -> bool {
        let Some(opener) = self.postgres.clone().filter(|_| self.may_open()) else { return false };
        let empty = self.lanes.iter().position(|lane| matches!(lane.state, State::Empty));
        let index = match empty {
            Some(index) => {
                let generation = self.lanes[index].generation + 1;
                self.lanes[index] = Lane::opening(generation);
                index
            }
            None if self.lanes.len() < self.config().pool_size.max(1) => {
                self.lanes.push(Lane::opening(0));
                self.lanes.len() - 1
            }
            None => return false,
        };
        let (shared, was_there) = (Arc::clone(&self.shared), self.opened > 0);
        self.workers.run(move |_| {
            let link = opener.open(was_there, &Control::default());
            shared.tell(News::Opened(index, link));
        });
        true
    }

    /// Gives waiting calls to lanes, in order, as far as they go.
    pub(super) fn serve(&mut self) {
        while let Some(first) = self.waiting.front() {
            let lane = match first {
                Waiting::Call { .. } => self.shared_lane(),
                // These need a lane for themselves; those behind wait too, so that one empties.
                _ => self.lanes.iter().position(Lane::is_idle).or_else(|| {
                    self.open_lane();
                    None
                }),
            };
            let Some(lane) = lane else { return };
            let Some(first) = self.waiting.pop_front() else { return };
            match first {
                Waiting::Call { id, to, call } => self.start_call(lane, id, to, call),
                Waiting::Begin { id, to, sql } => self.start_begin(lane, id, to, &sql),
                Waiting::Script { id, to, sql } => self.start_script(lane, id, to, &sql),
                Waiting::Stream { to, call, batch_rows, partition, .. } => {
                    self.start_stream(lane, to, call, batch_rows, partition);
                }
                Waiting::Bulk { id, to, bulk } => self.start_bulk(lane, id, to, bulk),
            }
        }
    }

    fn start_call(&mut self, lane: usize, call_id: CallId, to: T, call: Call) {
        let purpose = Purpose::Call(call.want);
        let Call { statement, parameters, want, .. } = call;
        let request =
            Request { statement: wire_statement(&statement), parameters, output: want.output() };
        let send = move |link: &mut Link| link.session.start(request);
        self.start(lane, call_id, Some(to), purpose, About::Statement(statement), send);
    }

    fn start_script(&mut self, lane: usize, call_id: CallId, to: T, sql: &str) {
        let sql: Arc<str> = sql.into();
        let about = About::Script(Arc::clone(&sql));
        let send = move |link: &mut Link| link.session.script(&sql);
        self.start(lane, call_id, Some(to), Purpose::Script, about, send);
    }

    fn start_begin(&mut self, lane: usize, call_id: CallId, to: T, sql: &str) {
        let id = TransactionId(call_id);
        self.lanes[lane].reserved = Some(id);
        let purpose = Purpose::Begin(id);
        self.start_sql(lane, call_id, Some(to), purpose, sql);
    }

    fn start_sql(&mut self, lane: usize, call: CallId, to: Option<T>, purpose: Purpose, sql: &str) {
        match Statement::parse(sql, Dialect::Postgres) {
            Ok(statement) => {
                let statement = Arc::new(statement);
                let wire = wire_statement(&statement);
                let request =
                    Request { statement: wire, parameters: Vec::new(), output: Output::Discard };
                let send = move |link: &mut Link| link.session.start(request);
                self.start(lane, call, to, purpose, About::Statement(statement), send);
            }
            Err(error) => {
                if let Some(to) = to {
                    self.complete(to, Err(error.into()));
                }
            }
        }
    }

    fn start(
        &mut self,
        lane: usize,
        call: CallId,
        to: Option<T>,
        purpose: Purpose,
        about: About,
        send: impl FnOnce(&mut Link) -> RequestId + Send + 'static,
    ) {
        let place = &mut self.lanes[lane];
        let ends = matches!(purpose, Purpose::End { .. });
        match &mut place.state {
            State::Here(link)
                if !place.cancelling && place.stopping.is_none() && place.parked.is_empty() =>
            {
                let alone = place.flights.is_empty();
                if to.is_none() {
                    // The end of a transaction that nobody waits for still has to come.
                    self.actions.push(Action::Later { after: limits::CANCEL_GRACE, lane, call });
                }
                let request = send(link);
                let since = Instant::now();
                place.used = since;
                place.flights.push_back(Flight { call, request, to, purpose, about, since });
                self.sent(lane, alone);
            }
            State::Kept(_) if !ends => {
                if let Some(to) = to {
                    self.complete(to, Err(busy()));
                }
            }
            // Its own large result, a load, or a cancel that could still hit what is sent now, or has to be
            // asked for again.
            State::Here(_) | State::Away | State::Kept(_) => {
                let work = Work::Send(Box::new(send));
                place.parked.push_back(Parked { call, to, purpose, about, work });
            }
            State::Empty | State::Opening => {
                if let Some(to) = to {
                    let lost = Error::new(ErrorKind::ConnectionLost, "the connection was lost");
                    self.complete(to, Err(lost));
                }
            }
        }
    }

    /// A request was given to a lane's session. A lone one leaves at once; one that joins others
    /// waits for the round's end, so that many leave in one write.
    fn sent(&mut self, lane: usize, alone: bool) {
        if alone {
            self.send(lane);
            // A parameter that does not fit is refused with no byte sent: no readiness would come.
            self.take_events(lane);
        } else if !self.flush_asked {
            self.flush_asked = true;
            self.actions.push(Action::FlushSoon);
        }
    }

    /// Starts what waited for the lane's connection, as far as it goes: what cannot start waits
    /// again, and what came after it too.
    pub(super) fn unpark(&mut self, lane: usize) {
        for parked in std::mem::take(&mut self.lanes[lane].parked) {
            let Parked { call, to, purpose, about, work } = parked;
            match (work, to) {
                (Work::Send(send), to) => self.start(lane, call, to, purpose, about, send),
                (Work::Bulk(bulk), Some(to)) => self.start_bulk(lane, call, to, bulk),
                (Work::Bulk(_), None) => {}
                (Work::End(stream), _) => self.end_stream_inside(lane, stream),
            }
        }
    }

    pub(super) fn begin_postgres(&mut self, mode: TransactionMode, to: T) -> Submitted {
        let id = self.new_call();
        let sql = begin_sql(mode);
        self.enqueue(Waiting::Begin { id, to, sql })
    }

    /// Ends a transaction on its lane.
    pub(super) fn end_postgres(&mut self, lane: usize, commit: bool, to: Option<T>) -> Submitted {
        let id = self.new_call();
        let sql = if commit { "commit" } else { "rollback" };
        self.start_sql(lane, id, to, Purpose::End { commit }, sql);
        Submitted::Sent(id)
    }

    pub(super) fn script_postgres(
        &mut self,
        sql: String,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let id = self.new_call();
        match transaction.map(|transaction| self.transaction_lane(transaction)) {
            Some(Ok(lane)) => {
                self.start_script(lane, id, to, &sql);
                Submitted::Sent(id)
            }
            Some(Err(error)) => Submitted::Now(Err(error)),
            // A script may hold BEGIN: it gets a lane to itself.
            None => self.enqueue(Waiting::Script { id, to, sql }),
        }
    }

    /// The lane of an open transaction.
    pub(super) fn transaction_lane(&self, id: TransactionId) -> Result<usize> {
        match self.transactions.get(&id) {
            Some(Transaction::Lane(lane)) => Ok(*lane),
            Some(Transaction::Lost(error)) => Err(error.clone()),
            _ => Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
        }
    }

    /// Closes the connections that nothing runs on; with `all` those of open transactions too.
    pub(super) fn close_lanes(&mut self, all: bool) {
        for lane in 0..self.lanes.len() {
            let place = &self.lanes[lane];
            if place.flights.is_empty() && (all || place.is_idle()) {
                self.let_go(lane);
            }
        }
    }

    /// Ends a lane's connection where the loop has it, and keeps it until the loop watches it no more.
    pub(super) fn let_go(&mut self, lane: usize) {
        if let Some(link) = self.unwatch(lane, State::Empty) {
            self.ended[0].push(link);
        }
    }

    /// Takes a lane's connection where the loop has it, for a worker, whose receives wait.
    pub(super) fn send_away(&mut self, lane: usize) -> Option<Box<Link>> {
        self.unwatch(lane, State::Away).inspect(|link| link.block())
    }

    /// Takes a lane's connection where the loop has it, and has the loop watch it no more.
    fn unwatch(&mut self, lane: usize, then: State) -> Option<Box<Link>> {
        let place = &mut self.lanes[lane];
        let link = match std::mem::replace(&mut place.state, then) {
            State::Here(link) => link,
            other => {
                place.state = other;
                return None;
            }
        };
        let fd = link.fd();
        self.actions.push(Action::Unwatch { fd });
        if std::mem::take(&mut place.write_watched) {
            self.actions.push(Action::UnwatchWrite { fd });
        }
        Some(link)
    }

    /// Takes a lane's connection, for a stream or a load.
    pub(super) fn take_link(&mut self, lane: usize) -> Option<Lease> {
        let place = &self.lanes[lane];
        if place.cancelling || !place.flights.is_empty() || !place.parked.is_empty() {
            return None;
        }
        let link = self.send_away(lane)?;
        Some(Lease::new(link, self.shared.clone(), lane))
    }
}

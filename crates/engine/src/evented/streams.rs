//! Streams: a worker reads each part, for a part is too much for the loop's own thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bulk::Bulk;
use super::calls::{About, Waiting};
use super::lane::{Parked, Purpose, State, Work};
use super::sqlite::{Held, Way, with};
use super::{Answer, Call, CallId, Evented, Submitted, Transaction, TransactionId, Want};
use crate::postgres::{Lease, PartitionedStream, Plan, PortalStream, PostgresStream, busy};
use crate::stream::{Parts, Stream};
use crate::{Control, Error, ErrorKind, Partition, limits};

/// A stream that has begun.
#[derive(Clone, Debug)]
pub struct EventedStream {
    stream: Arc<Mutex<Option<Stream>>>,
    inside: Option<Inside>,
}

/// Of a stream inside a transaction of PostgreSQL, whose connection is the transaction's between two
/// parts.
#[derive(Clone, Copy, Debug)]
struct Inside {
    transaction: TransactionId,
    id: StreamId,
}

/// Tells the streams of one database apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamId(CallId);

impl EventedStream {
    fn new(parts: Parts, inside: Option<Inside>) -> Self {
        Self { stream: Arc::new(Mutex::new(Some(Stream::new(parts)))), inside }
    }

    fn is(&self, id: StreamId) -> bool {
        self.inside.is_some_and(|inside| inside.id == id)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_part(&self, control: &Control<'_>) -> crate::Result<Answer> {
        let part = match &mut *self.lock() {
            Some(stream) => stream.next_part(control)?,
            None => None,
        };
        Ok(Answer::Part(part))
    }

    /// The next part of a stream inside a transaction, by the transaction's connection; the stream's id
    /// where that stays with it.
    pub(super) fn next_part_by(
        &self,
        lease: Lease,
        control: &Control<'_>,
    ) -> (crate::Result<Answer>, Option<StreamId>) {
        self.lend(lease);
        let part = self.next_part(control);
        let is_kept = self.lock().as_ref().is_some_and(Stream::keeps_connection);
        (part, self.inside.filter(|_| is_kept).map(|inside| inside.id))
    }

    /// Ends a stream inside a transaction by the transaction's connection.
    pub(super) fn end_by(&self, lease: Lease) {
        self.lend(lease);
        self.end();
    }

    /// False where a stream inside a transaction leaves nothing to end there.
    fn may_have_portal(&self) -> bool {
        // While a worker reads it nobody knows.
        let Ok(stream) = self.stream.try_lock() else { return true };
        stream.as_ref().is_some_and(Stream::has_portal)
    }

    fn lend(&self, lease: Lease) {
        if let Some(stream) = &mut *self.lock() {
            stream.lend(lease);
        }
    }

    fn end(&self) {
        drop(self.lock().take());
    }
}

impl<T> Evented<T> {
    pub(super) fn stream_postgres(&mut self, call: Call, batch_rows: usize, to: T) -> Submitted {
        let batch_rows = if batch_rows == 0 { limits::BATCH_ROWS } else { batch_rows };
        let Some(transaction) = call.transaction else {
            let id = self.new_call();
            return self.enqueue(Waiting::Stream { id, to, call, batch_rows, partition: None });
        };
        let inside = Inside { transaction, id: StreamId(self.new_call()) };
        Submitted::Now(self.transaction_lane(transaction).map(|_| {
            let Call { statement, parameters, .. } = call;
            let parts = PortalStream::new(None, &statement, parameters, batch_rows);
            Answer::Stream(EventedStream::new(Parts::Portal(parts), Some(inside)))
        }))
    }

    /// Starts a stream of a call's rows that several connections read, as many as are free; on SQLite one
    /// does.
    pub fn stream_partitioned(
        &mut self,
        mut call: Call,
        partition: Partition,
        batch_rows: usize,
        to: T,
    ) -> Submitted {
        let is_sqlite = self.postgres.is_none();
        let mut cut = || {
            if is_sqlite {
                call.statement = partition.on_sqlite(&self.database, &call.statement)?;
            }
            self.check_usable()
        };
        match cut() {
            Err(error) => Submitted::Now(Err(error)),
            Ok(()) if is_sqlite => self.stream_sqlite(call, batch_rows, to),
            Ok(()) => {
                let batch_rows = if batch_rows == 0 { limits::BATCH_ROWS } else { batch_rows };
                let (id, partition) = (self.new_call(), Some(partition));
                self.enqueue(Waiting::Stream { id, to, call, batch_rows, partition })
            }
        }
    }

    pub(super) fn start_stream(
        &mut self,
        lane: usize,
        to: T,
        call: Call,
        batch_rows: usize,
        partition: Option<Partition>,
    ) {
        let Some(lease) = self.take_link(lane) else {
            return self.complete(to, Err(busy()));
        };
        let Call { statement, parameters, .. } = call;
        if let Some(partition) = partition {
            let others = self.spare(partition.count() - 1);
            let plan = Plan { first: lease, others, statement, parameters, partition, batch_rows };
            let parts = Parts::Partitioned(PartitionedStream::new(plan));
            return self.complete(to, Ok(Answer::Stream(EventedStream::new(parts, None))));
        }
        let parts = PostgresStream::start(lease, &statement, parameters, batch_rows);
        let stream = EventedStream::new(Parts::Postgres(parts), None);
        self.complete(to, Ok(Answer::Stream(stream)));
    }

    pub(super) fn stream_sqlite(&mut self, call: Call, batch_rows: usize, to: T) -> Submitted {
        let batch_rows = if batch_rows == 0 { limits::BATCH_ROWS } else { batch_rows };
        let transaction = match self.sqlite_transaction(call.transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        let about = About::Statement(call.statement.clone());
        self.on_worker(to, about, Way::Any, move |sqlite, _| {
            let Call { statement, parameters, .. } = call;
            let stream = match &transaction {
                None => sqlite.stream(&statement, &parameters, batch_rows),
                Some(held) => with(held, |transaction| {
                    transaction.stream(&statement, &parameters, batch_rows)
                }),
            };
            let parts = Parts::Sqlite(stream?);
            Ok(Answer::Stream(EventedStream::new(parts, None)))
        })
    }

    /// Asks for the next part of a stream.
    pub fn part(&mut self, stream: &EventedStream, timeout: Option<Duration>, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        let stream = stream.clone();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        if let Some(inside) = stream.inside {
            match self.transaction_lane(inside.transaction) {
                // A stream whose rows are on their way, most likely this one.
                Ok(lane) if matches!(self.lanes[lane].state, State::Kept(_)) => {}
                Ok(lane) => {
                    let id = self.new_call();
                    self.start_bulk(lane, id, to, Bulk::Part { stream, deadline });
                    return Submitted::Sent(id);
                }
                Err(error) => return Submitted::Now(Err(error)),
            }
        }
        let (id, stop) = self.expect_answer(to, About::Nothing);
        let job =
            self.job(id, stop, move |control| stream.next_part(&Control { deadline, ..*control }));
        self.workers.run_now(job);
        Submitted::Sent(id)
    }

    /// Ends a stream early, or one that has ended: its connection goes back, and what its
    /// transaction does next waits for that.
    pub fn end_stream(&mut self, stream: EventedStream) {
        if let Some(inside) = stream.inside
            && let Ok(lane) = self.transaction_lane(inside.transaction)
        {
            let state = &mut self.lanes[lane].state;
            if matches!(state, State::Kept(keeper) if *keeper == inside.id) {
                *state = State::Away;
            } else if stream.may_have_portal() {
                return self.end_stream_inside(lane, stream);
            }
        }
        self.workers.run_now(move |_| stream.end());
    }

    /// Ends a stream between two of its parts, once its transaction's connection is free.
    pub(super) fn end_stream_inside(&mut self, lane: usize, stream: EventedStream) {
        if let Some(lease) = self.take_link(lane) {
            self.workers.run_now(move |_| stream.end_by(lease));
        } else if !matches!(self.lanes[lane].state, State::Empty | State::Opening) {
            let call = self.new_call();
            let (purpose, about) = (Purpose::Call(Want::Count), About::Nothing);
            let work = Work::End(stream);
            self.lanes[lane].parked.push_back(Parked { call, to: None, purpose, about, work });
        }
    }

    /// A stream inside a transaction keeps the lane's connection: what waits for it would wait for the
    /// stream's reader, who may be the very caller.
    pub(super) fn kept(&mut self, lane: usize, keeper: StreamId) {
        let place = &mut self.lanes[lane];
        if let state @ State::Away = &mut place.state {
            *state = State::Kept(keeper);
        }
        // Its reader went as the part came: what waits for the connection gets it from this end.
        let ends =
            |parked: &Parked<T>| matches!(&parked.work, Work::End(stream) if stream.is(keeper));
        if let Some(at) = place.parked.iter().position(ends)
            && let Some(Parked { work: Work::End(stream), .. }) = place.parked.remove(at)
        {
            return self.end_stream(stream);
        }
        for parked in std::mem::take(&mut self.lanes[lane].parked) {
            match parked {
                Parked { to: Some(to), purpose: Purpose::Call(_) | Purpose::Script, .. } => {
                    self.complete(to, Err(busy()));
                }
                parked => self.lanes[lane].parked.push_back(parked),
            }
        }
    }

    pub(super) fn sqlite_transaction(
        &self,
        id: Option<TransactionId>,
    ) -> crate::Result<Option<Held>> {
        match id.map(|id| self.transactions.get(&id)) {
            None => Ok(None),
            Some(Some(Transaction::Sqlite(held))) => Ok(Some(held.clone())),
            Some(_) => Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
        }
    }
}

//! Streams: a worker reads each part, for a part is too much for the loop's own thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calls::{About, Waiting};
use super::lane::{State, Why};
use super::sqlite::{Held, Way, with};
use super::{Answer, Call, Evented, Submitted, Transaction};
use crate::postgres::{PostgresStream, busy};
use crate::stream::{Parts, Stream};
use crate::{Control, Error, ErrorKind, limits};

/// A stream that has begun.
#[derive(Clone, Debug)]
pub struct EventedStream {
    stream: Arc<Mutex<Option<Stream>>>,
    /// The lane whose connection it has, where it has one.
    lane: Option<usize>,
}

impl EventedStream {
    fn new(stream: Stream, lane: Option<usize>) -> Self {
        Self { stream: Arc::new(Mutex::new(Some(stream))), lane }
    }
}

impl<T> Evented<T> {
    pub(super) fn stream_postgres(&mut self, call: Call, batch_rows: usize, to: T) -> Submitted {
        let id = self.new_call();
        match call.transaction.map(|transaction| self.transaction_lane(transaction)) {
            None => self.enqueue(Waiting::Stream { id, to, call, batch_rows }),
            Some(Ok(lane)) => {
                self.start_stream(lane, to, call, batch_rows);
                Submitted::Sent(id)
            }
            Some(Err(error)) => Submitted::Now(Err(error)),
        }
    }

    pub(super) fn start_stream(&mut self, lane: usize, to: T, call: Call, batch_rows: usize) {
        let batch_rows = if batch_rows == 0 { limits::BATCH_ROWS } else { batch_rows };
        let Some(lease) = self.take_link(lane, Why::Stream) else {
            return self.complete(to, Err(busy()));
        };
        let Call { statement, parameters, .. } = call;
        let parts = PostgresStream::start(lease, None, &statement, parameters, batch_rows);
        let stream = EventedStream::new(Stream::new(Parts::Postgres(parts)), Some(lane));
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
            let stream = Stream::new(Parts::Sqlite(stream?));
            Ok(Answer::Stream(EventedStream::new(stream, None)))
        })
    }

    /// Asks for the next part of a stream.
    pub fn part(&mut self, stream: &EventedStream, timeout: Option<Duration>, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        let stream = stream.clone();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (id, stop) = self.expect_answer(to, About::Nothing);
        let job = self.job(id, stop, move |control| {
            let control = Control { deadline, ..*control };
            let mut stream = stream.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let part = match &mut *stream {
                Some(stream) => stream.next_part(&control)?,
                None => None,
            };
            Ok(Answer::Part(part))
        });
        self.workers.run_now(job);
        Submitted::Sent(id)
    }

    /// Ends a stream early, or one that has ended: its connection goes back, and what its
    /// transaction does next waits for that.
    pub fn end_stream(&mut self, stream: EventedStream) {
        if let Some(lane) = stream.lane
            && let State::Away(why @ Why::Stream) = &mut self.lanes[lane].state
        {
            *why = Why::Result;
        }
        self.workers.run_now(Box::new(move || {
            drop(stream.stream.lock().unwrap_or_else(PoisonError::into_inner).take());
        }));
    }

    pub(super) fn sqlite_transaction(
        &self,
        id: Option<super::TransactionId>,
    ) -> crate::Result<Option<Held>> {
        match id.map(|id| self.transactions.get(&id)) {
            None => Ok(None),
            Some(Some(Transaction::Sqlite(held))) => Ok(Some(held.clone())),
            Some(_) => Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
        }
    }
}

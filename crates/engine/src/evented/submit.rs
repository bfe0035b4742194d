//! The verbs of [`Evented`], for either database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::calls::About;
use super::shared::News;
use super::{Answer, Away, Call, CallId, Evented, Submitted, Transaction, TransactionId};
use crate::pump::Job;
use crate::{Control, Error, ErrorKind, Result, TransactionMode};

impl<T> Evented<T> {
    /// Runs a call. Ask [`answer_now`](Self::answer_now) first.
    pub fn submit(&mut self, call: Call, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_some() {
            self.submit_postgres(call, to)
        } else {
            self.submit_sqlite(call, to)
        }
    }

    /// Runs several statements, separated by semicolons.
    pub fn script(&mut self, sql: &str, transaction: Option<TransactionId>, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_some() {
            self.script_postgres(sql.to_owned(), transaction, to)
        } else {
            self.script_sqlite(sql.to_owned(), transaction, to)
        }
    }

    /// Begins a transaction.
    pub fn begin(&mut self, mode: TransactionMode, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_some() {
            self.begin_postgres(mode, to)
        } else {
            self.begin_sqlite(mode.read_only, to)
        }
    }

    /// Commits a transaction, or rolls it back.
    pub fn end(&mut self, transaction: TransactionId, commit: bool, to: T) -> Submitted {
        self.finish_transaction(transaction, commit, Some(to))
    }

    /// Gives back an answer that nobody waits for any more: a transaction that has begun is rolled
    /// back, a stream is ended.
    pub fn take_back(&mut self, answer: Answer) {
        match answer {
            Answer::Transaction(id) => self.forget(id),
            Answer::Stream(stream) => self.end_stream(stream),
            _ => {}
        }
    }

    /// Rolls back a transaction that nobody will end.
    pub fn forget(&mut self, transaction: TransactionId) {
        self.finish_transaction(transaction, false, None);
    }

    fn finish_transaction(&mut self, id: TransactionId, commit: bool, to: Option<T>) -> Submitted {
        match self.transactions.get(&id) {
            Some(Transaction::Lane(lane)) => {
                let lane = *lane;
                self.end_postgres(lane, commit, to)
            }
            Some(Transaction::Sqlite(_)) => self.end_sqlite(id, commit, to),
            Some(Transaction::Lost(error)) => {
                let error = error.clone();
                self.transactions.remove(&id);
                Submitted::Now(Err(error))
            }
            None => {
                let error = Error::new(ErrorKind::Misuse, "the transaction has ended");
                Submitted::Now(Err(error))
            }
        }
    }

    /// Starts a stream of a call's rows in parts of about `batch_rows`.
    pub fn stream(&mut self, call: Call, batch_rows: usize, to: T) -> Submitted {
        if let Err(error) = self.check_usable() {
            return Submitted::Now(Err(error));
        }
        if self.postgres.is_some() {
            self.stream_postgres(call, batch_rows, to)
        } else {
            self.stream_sqlite(call, batch_rows, to)
        }
    }

    /// Notes that a worker will answer a call, and gives the flag by which it is stopped.
    pub(super) fn expect_answer(&mut self, to: T, about: About) -> (CallId, Arc<AtomicBool>) {
        let id = self.new_call();
        let stop = self.expect(id, to, about);
        (id, stop)
    }

    /// As [`expect_answer`](Self::expect_answer), of a call that has its id.
    pub(super) fn expect(&mut self, id: CallId, to: T, about: About) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        self.away.insert(id, Away { to, stop: Arc::clone(&stop), about });
        stop
    }

    /// The job that answers a call. Work that panics answers with an error and harms nothing else.
    pub(super) fn job(
        &self,
        id: CallId,
        stop: Arc<AtomicBool>,
        work: impl FnOnce(&Control<'_>) -> Result<Answer> + Send + 'static,
    ) -> Job {
        let shared = Arc::clone(&self.shared);
        Box::new(move |is_done| {
            let stopped = || stop.load(Ordering::Acquire);
            let control = Control::default().interrupted_by(&stopped);
            let answer = catch_unwind(AssertUnwindSafe(|| work(&control)));
            is_done();
            shared.tell(News::Done(id, answer.unwrap_or_else(|_| Err(worker_failed()))));
        })
    }
}

/// A worker panicked: a mistake in this library, which costs its user one call.
pub(super) fn worker_failed() -> Error {
    Error::new(ErrorKind::Internal, "a worker thread failed; this is a fault in Rowmill")
}

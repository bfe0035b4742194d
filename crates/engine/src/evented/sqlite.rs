//! Calls on SQLite: a short read is answered at once on the loop's thread, the rest by a worker.

use std::sync::{Arc, Mutex, PoisonError};

use super::calls::About;
use super::shared::News;
use super::{Answer, Call, Evented, Submitted, Transaction, TransactionId, Want};
use crate::pump::Job;
use crate::sqlite::{Sqlite, SqliteTransaction};
use crate::{Control, Error, ErrorKind, Result};

pub(super) type Held = Arc<Mutex<Option<SqliteTransaction>>>;

/// Lends a transaction to `work`.
pub(super) fn with<R>(
    held: &Held,
    work: impl FnOnce(&SqliteTransaction) -> Result<R>,
) -> Result<R> {
    let held = held.lock().unwrap_or_else(PoisonError::into_inner);
    match &*held {
        Some(transaction) => work(transaction),
        None => Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
    }
}

/// Which worker takes a job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Any, in its turn.
    Any,
    /// One at once: the job belongs to a transaction that others may wait for.
    Now,
    /// Any, once nobody has the writer.
    Writer,
    /// As `Writer`, and the call has it until it is done.
    Owner,
}

/// A job that wants SQLite's one writer.
pub(super) struct Writing {
    /// Whose the writer is until the call is done, or the transaction that it begins.
    owner: Option<TransactionId>,
    job: Job,
}

impl<T> Evented<T> {
    /// The answer of a short SQLite read, at once; `None` where the call needs a wait.
    pub fn answer_now(&self, call: &Call) -> Option<Result<Answer>> {
        if call.transaction.is_some() {
            return None;
        }
        if let Err(error) = self.check_usable() {
            return Some(Err(error));
        }
        let (sqlite, Call { statement, parameters, want, .. }) = (self.database.sqlite()?, call);
        let done = if *want == Want::Row {
            sqlite.try_fetch_row(statement, parameters)?.map(Answer::Row)
        } else {
            let done = sqlite.try_fetch(statement, parameters)?;
            done.and_then(|completion| want.of(completion))
        };
        Some(done.map_err(|error| error.about(&call.statement)))
    }

    pub(super) fn submit_sqlite(&mut self, call: Call, to: T) -> Submitted {
        let transaction = match self.sqlite_transaction(call.transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        let about = About::Statement(call.statement.clone());
        let way = match &transaction {
            Some(_) => Way::Now,
            None if Sqlite::may_write(&call.statement) => Way::Writer,
            None => Way::Any,
        };
        self.on_worker(to, about, way, move |sqlite, control| {
            let Call { statement, parameters, want, .. } = call;
            let done = match &transaction {
                None => sqlite.fetch(&statement, &parameters, control),
                Some(held) => {
                    with(held, |transaction| transaction.fetch(&statement, &parameters, control))
                }
            };
            done.and_then(|completion| want.of(completion))
        })
    }

    pub(super) fn script_sqlite(
        &mut self,
        sql: String,
        transaction: Option<TransactionId>,
        to: T,
    ) -> Submitted {
        let transaction = match self.sqlite_transaction(transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        let about = About::Script(sql.as_str().into());
        let way = if transaction.is_none() { Way::Writer } else { Way::Now };
        self.on_worker(to, about, way, move |sqlite, control| {
            match &transaction {
                None => sqlite.script(&sql, control)?,
                Some(held) => with(held, |transaction| transaction.script(&sql, control))?,
            }
            Ok(Answer::Done)
        })
    }

    pub(super) fn begin_sqlite(&mut self, read_only: bool, to: T) -> Submitted {
        let Some(sqlite) = self.database.sqlite().cloned() else { return no_database() };
        let held: Held = Arc::default();
        let (id, stop) = self.expect_answer(to, About::Nothing);
        let transaction = TransactionId(id);
        // Filled by the worker before the answer is told, so it is there when the id is used.
        self.transactions.insert(transaction, Transaction::Sqlite(held.clone()));
        let job = self.job(id, stop, move |control| {
            let begun = sqlite.begin(read_only, control)?;
            *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
            Ok(Answer::Transaction(transaction))
        });
        if read_only {
            self.workers.run(job);
        } else {
            self.write(Writing { owner: Some(transaction), job });
        }
        Submitted::Sent(id)
    }

    pub(super) fn end_sqlite(
        &mut self,
        id: TransactionId,
        commit: bool,
        to: Option<T>,
    ) -> Submitted {
        let Some(Transaction::Sqlite(held)) = self.transactions.remove(&id) else {
            return Submitted::Now(Err(Error::new(ErrorKind::Misuse, "the transaction has ended")));
        };
        let shared = Arc::clone(&self.shared);
        let end = move |control: &Control<'_>| {
            let transaction = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            let ended = match transaction {
                Some(transaction) if commit => transaction.commit(control),
                Some(transaction) => transaction.rollback(control),
                None => Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
            };
            shared.tell(News::WriterFree(id));
            ended.map(|()| Answer::Done)
        };
        match to {
            Some(to) => {
                let (id, stop) = self.expect_answer(to, About::Nothing);
                let job = self.job(id, stop, end);
                self.workers.run_now(job);
                Submitted::Sent(id)
            }
            None => {
                self.workers.run_now(move |_| drop(end(&Control::default())));
                Submitted::Now(Ok(Answer::Done))
            }
        }
    }

    /// Has a worker do something with the database and answer the call.
    pub(super) fn on_worker(
        &mut self,
        to: T,
        about: About,
        way: Way,
        work: impl FnOnce(&Sqlite, &Control<'_>) -> Result<Answer> + Send + 'static,
    ) -> Submitted {
        let Some(sqlite) = self.database.sqlite().cloned() else { return no_database() };
        let (id, stop) = self.expect_answer(to, about);
        let job = self.job(id, stop, move |control| work(&sqlite, control));
        match way {
            Way::Writer => self.write(Writing { owner: None, job }),
            Way::Owner => self.write(Writing { owner: Some(TransactionId(id)), job }),
            Way::Now => self.workers.run_now(job),
            Way::Any => self.workers.run(job),
        }
        Submitted::Sent(id)
    }

    /// Runs a job that wants the writer, unless a transaction has it: then the job waits here and
    /// not on a worker, which the transaction's own statements need to come to their end.
    fn write(&mut self, writing: Writing) {
        if self.writer.is_some() {
            self.writers.push_back(writing);
            return;
        }
        self.writer = writing.owner;
        self.workers.run(writing.job);
    }

    /// A transaction no longer has the writer.
    pub(super) fn writer_is_free(&mut self, id: TransactionId) {
        if self.writer != Some(id) {
            return;
        }
        self.writer = None;
        while self.writer.is_none()
            && let Some(next) = self.writers.pop_front()
        {
            self.write(next);
        }
    }
}

fn no_database() -> Submitted {
    Submitted::Now(Err(Error::new(ErrorKind::Internal, "there is no database")))
}

//! Calls on SQLite: a short read is answered at once on the loop's thread, the rest by a worker.

use std::sync::{Arc, Mutex, PoisonError};

use rowmill_expr::Statement;

use super::{Answer, Call, Evented, Submitted, Transaction, TransactionId};
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

impl<T> Evented<T> {
    pub(super) fn submit_sqlite(&mut self, call: Call, to: impl FnOnce() -> T) -> Submitted {
        let transaction = match self.sqlite_transaction(call.transaction) {
            Ok(transaction) => transaction,
            Err(error) => return Submitted::Now(Err(error)),
        };
        let Some(sqlite) = self.database.sqlite().cloned() else {
            return Submitted::Now(Err(Error::new(ErrorKind::Internal, "there is no database")));
        };
        if transaction.is_none()
            && let Some(done) = sqlite.try_fetch(&call.statement, &call.parameters)
        {
            let done = done.and_then(|completion| call.want.of(completion));
            return Submitted::Now(done.map_err(|error| error.about(&call.statement)));
        }
        let statement = Some(call.statement.clone());
        self.on_worker(to(), statement, move |sqlite, control| {
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
        self.on_worker(to, None, move |sqlite, control| {
            match &transaction {
                None => sqlite.script(&sql, control)?,
                Some(held) => with(held, |transaction| transaction.script(&sql, control))?,
            }
            Ok(Answer::Done)
        })
    }

    pub(super) fn begin_sqlite(&mut self, read_only: bool, to: T) -> Submitted {
        let held: Held = Arc::default();
        // Filled by the worker before the answer is told, so it is there when the id is used.
        let id = TransactionId(self.next_call + 1);
        self.transactions.insert(id, Transaction::Sqlite(held.clone()));
        self.on_worker(to, None, move |sqlite, control| {
            let transaction = sqlite.begin(read_only, control)?;
            *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(transaction);
            Ok(Answer::Transaction(id))
        })
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
        let end = move |control: &Control<'_>| {
            let ended = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            match ended {
                Some(transaction) if commit => transaction.commit(control)?,
                Some(transaction) => transaction.rollback(control)?,
                None => return Err(Error::new(ErrorKind::Misuse, "the transaction has ended")),
            }
            Ok(Answer::Done)
        };
        match to {
            Some(to) => self.on_worker(to, None, move |_, control| end(control)),
            None => {
                self.workers.run(move || drop(end(&Control::default())));
                Submitted::Now(Ok(Answer::Done))
            }
        }
    }

    /// Has a worker do something with the database and answer the call.
    pub(super) fn on_worker(
        &mut self,
        to: T,
        statement: Option<Arc<Statement>>,
        work: impl FnOnce(&Sqlite, &Control<'_>) -> Result<Answer> + Send + 'static,
    ) -> Submitted {
        let Some(sqlite) = self.database.sqlite().cloned() else {
            return Submitted::Now(Err(Error::new(ErrorKind::Internal, "there is no database")));
        };
        self.answer_later(to, statement, move |control| work(&sqlite, control))
    }
}

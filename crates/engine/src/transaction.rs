use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::Statement;
use rowmill_wire::Output;

use crate::many::Many;
use crate::postgres::PostgresTransaction;
use crate::query::Target;
use crate::sqlite::SqliteTransaction;
use crate::stream::{Parts, Stream};
use crate::{Arguments, Ask, Completion, Control, Database, Error, ErrorKind, Load, Query, Result};

/// How much a transaction sees of others: PostgreSQL's isolation levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

impl Isolation {
    /// The level of this name: `read committed`, `repeatable read` or `serializable`, with spaces
    /// or underscores.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().replace('_', " ").as_str() {
            "read committed" => Some(Self::ReadCommitted),
            "repeatable read" => Some(Self::RepeatableRead),
            "serializable" => Some(Self::Serializable),
            _ => None,
        }
    }

    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}

/// How a transaction begins: SQL's "transaction modes".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionMode {
    /// How much it sees of others; none leaves that to the server. SQLite has one level,
    /// serializable, whatever is asked for.
    pub isolation: Option<Isolation>,
    /// Whether writing is refused.
    pub read_only: bool,
    /// Whether a serializable transaction that only reads waits at its first statement until it can
    /// no longer fail: for long reports. SQLite's never fail that way.
    pub deferrable: bool,
}

/// An open transaction. Dropping it rolls back.
///
/// ```
/// use rowmill::{Control, Database};
/// let db = Database::open("sqlite://")?;
/// db.script("create table t (x integer)")?;
/// let tx = db.transaction(Default::default(), &Control::default())?;
/// tx.query("insert into t values ($1)").bind(1).execute()?;
/// tx.commit(&Control::default())?;
/// assert_eq!(db.query("select count(*) from t").fetch_value()?, 1_i64.into());
/// # Ok::<(), rowmill::Error>(())
/// ```
pub struct Transaction {
    database: Database,
    work: Work,
    /// Whether a part of it that failed could not be undone.
    doomed: AtomicBool,
}

pub(crate) enum Work {
    Sqlite(SqliteTransaction),
    Postgres(PostgresTransaction),
}

impl Transaction {
    pub(crate) fn new(database: Database, work: Work) -> Self {
        Self { database, work, doomed: AtomicBool::new(false) }
    }

    /// Starts a query inside the transaction.
    pub fn query<'a>(&'a self, sql: &'a str) -> Query<'a> {
        self.ask(Ask::Sql(sql.into(), Arguments::Positional(Vec::new())))
    }

    /// Starts whatever is asked: say what to do with the rows.
    pub fn ask<'a>(&'a self, ask: Ask<'a>) -> Query<'a> {
        Query::new(Target::Transaction(self), ask)
    }

    /// Loads rows into a table (see [`Database::load`]). A failure undoes the whole load; on
    /// PostgreSQL it fails the transaction too, as that of any statement does.
    ///
    /// # Errors
    /// As [`Database::load`].
    pub fn load(&self, mut load: Load<'_>, control: &Control<'_>) -> Result<u64> {
        self.run_load(&mut load, control)
    }

    /// As [`load`](Self::load); gives the rows back (see [`Database::load_returning`]).
    ///
    /// # Errors
    /// As [`Database::load_returning`].
    pub fn load_returning(&self, mut load: Load<'_>, control: &Control<'_>) -> Result<Batch> {
        self.run_load(&mut load, control)?;
        load.into_returned()
    }

    fn run_load(&self, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
        load.check_inside()?;
        match &self.work {
            Work::Sqlite(transaction) => transaction.load(load, control),
            Work::Postgres(transaction) => transaction.load(load, control),
        }
    }

    /// Runs a statement once for each row of arguments (see [`Database::execute_many`]).
    ///
    /// # Errors
    /// As [`Database::execute_many`].
    pub fn execute_many(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = Arguments>,
        control: &Control<'_>,
    ) -> Result<u64> {
        let many = Many::new(self.database.statement(sql)?, rows)?;
        match &self.work {
            Work::Sqlite(transaction) => transaction.run_many(&many, control),
            Work::Postgres(transaction) => transaction.run_many(many, control),
        }
    }

    /// Runs `work` so that its failure undoes what it did and nothing else: the transaction goes on.
    /// May be nested.
    ///
    /// # Errors
    /// That of `work`, or of the savepoint's own statements.
    pub fn savepoint<R>(
        &self,
        control: &Control<'_>,
        work: impl FnOnce(&Self) -> Result<R>,
    ) -> Result<R> {
        // Of savepoints of one name the latest is meant.
        self.script("savepoint rowmill", control)?;
        let done = work(self);
        if done.is_ok() {
            self.script("release savepoint rowmill", &Control::grace())?;
            return done;
        }
        // Also where the work ran out of time: what it did has to go.
        let undo = "rollback to savepoint rowmill; release savepoint rowmill";
        if self.script(undo, &Control::grace()).is_err() {
            self.doom();
        }
        done
    }

    /// Makes the transaction one that can only be rolled back: something in it that failed could not be
    /// undone.
    pub fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Runs several statements, separated by semicolons.
    ///
    /// # Errors
    /// The first statement's that fails.
    pub fn script(&self, sql: &str, control: &Control<'_>) -> Result<()> {
        match &self.work {
            Work::Sqlite(transaction) => transaction.script(sql, control),
            Work::Postgres(transaction) => transaction.script(sql, control).map(drop),
        }
    }

    /// Keeps what was done.
    ///
    /// # Errors
    /// `Operational` where a statement had failed and the server could only roll back, or a savepoint
    /// could not be undone;
    /// `ConnectionLost` where it is not known whether the work was kept.
    pub fn commit(self, control: &Control<'_>) -> Result<()> {
        if self.doomed.load(Ordering::Relaxed) {
            self.rollback(control)?;
            let message = "the transaction was rolled back: a savepoint in it could not be undone";
            return Err(Error::new(ErrorKind::Operational, message));
        }
        match self.work {
            Work::Sqlite(transaction) => transaction.commit(control),
            Work::Postgres(mut transaction) => transaction.commit(control),
        }
    }

    /// Undoes what was done.
    ///
    /// # Errors
    /// `ConnectionLost`; the server undoes the work then too.
    pub fn rollback(self, control: &Control<'_>) -> Result<()> {
        match self.work {
            Work::Sqlite(transaction) => transaction.rollback(control),
            Work::Postgres(mut transaction) => transaction.rollback(control),
        }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn run(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        output: Output,
        control: &Control<'_>,
    ) -> Result<Completion> {
        match &self.work {
            Work::Sqlite(transaction) => transaction.fetch(statement, &parameters, control),
            Work::Postgres(transaction) => {
                transaction.run(statement, parameters, output, control).map(Completion::from)
            }
        }
    }

    pub(crate) fn stream(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
    ) -> Result<Stream> {
        let parts = match &self.work {
            Work::Sqlite(transaction) => {
                Parts::Sqlite(transaction.stream(statement, &parameters, batch_rows)?)
            }
            Work::Postgres(transaction) => {
                Parts::Portal(transaction.stream(statement, parameters, batch_rows)?)
            }
        };
        Ok(Stream::new(parts))
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("database", &self.database).finish_non_exhaustive()
    }
}

/// The error for a statement that begins or ends a transaction behind the library's back.
#[cold]
pub(crate) fn refused() -> Error {
    Error::new(ErrorKind::Programming, "transactions are not begun or ended by a statement")
        .with_hint("use db.transaction()")
}

/// The error for a script that did, in a transaction: what came after stood in none.
#[cold]
pub(crate) fn ended_by_script() -> Error {
    Error::new(ErrorKind::Programming, "the script ended the transaction it was run in")
        .with_hint("leave the `with` block to commit, or raise to roll back")
}

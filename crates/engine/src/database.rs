use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rowmill_columns::{Batch, Scalar};
use rowmill_expr::{self as expr, Statement};
use rowmill_wire::Output;

use crate::config::SourceConfig;
use crate::many::Many;
use crate::postgres::{
    self, PartitionedStream, Plan, Pool, PostgresStream, PostgresTransaction, begin_sql,
    leave_idle, run, run_script,
};
use crate::query::Target;
use crate::recorder::{Recorder, Recorders};
use crate::shapes::Shapes;
use crate::sqlite::{Sqlite, SqliteConfig};
use crate::stream::{Parts, Stream};
use crate::texts::Texts;
use crate::transaction::{Transaction, TransactionMode, Work};
use crate::{
    Arguments, Ask, Completion, Config, Control, Error, ErrorKind, Load, Partition, Query, Result,
    Stats, limits, process,
};

/// A database: an SQLite file, or a PostgreSQL server behind a pool of connections.
///
/// Cheap to clone and safe to share between threads; each call blocks its own thread only.
///
/// ```
/// let db = rowmill::Database::open("sqlite://")?;
/// let batch = db.query("select :a + 1 as b").bind_named("a", 41).fetch()?;
/// assert_eq!(batch.schema().fields[0].name.as_ref(), "b");
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    config: Config,
    source: Source,
    texts: Texts,
    shapes: Shapes,
    recorders: Recorders,
    process: u32,
    closed: AtomicBool,
}

enum Source {
    Sqlite(Sqlite),
    Postgres(Pool),
}

impl Database {
    /// Opens the database a URL names (see [`Config::parse`]). An SQLite file is opened at once, a
    /// PostgreSQL server is reached by the first call.
    ///
    /// # Errors
    /// `Config` for a URL that makes no sense, `Connect` for a file that cannot be opened.
    pub fn open(url: &str) -> Result<Self> {
        Self::with_config(Config::parse(url)?)
    }

    /// Opens the database a configuration names.
    ///
    /// # Errors
    /// `Connect` for a file that cannot be opened.
    pub fn with_config(config: Config) -> Result<Self> {
        let target = config.target();
        let source = match &config.source {
            SourceConfig::Sqlite { path, read_only, dates } => {
                let sqlite = Sqlite::open(SqliteConfig {
                    path: path.clone(),
                    readers: config.pool_size.clamp(1, limits::SQLITE_READERS),
                    statements: config.statement_cache,
                    busy_timeout: limits::BUSY_TIMEOUT,
                    read_only: *read_only,
                    dates: *dates,
                })?;
                Source::Sqlite(sqlite)
            }
            SourceConfig::Postgres(postgres) => Source::Postgres(Pool::new(postgres, &config)),
        };
        Ok(Self(Arc::new(Inner {
            config,
            source,
            texts: Texts::new(target.dialect()),
            shapes: Shapes::new(target),
            recorders: Recorders::default(),
            process: process::id(),
            closed: AtomicBool::new(false),
        })))
    }

    /// Starts a query: bind parameters, then say what to do with the rows.
    pub fn query<'a>(&'a self, sql: &'a str) -> Query<'a> {
        self.ask(Ask::Sql(sql.into(), Arguments::Positional(Vec::new())))
    }

    /// Starts whatever is asked: say what to do with the rows.
    pub fn ask<'a>(&'a self, ask: Ask<'a>) -> Query<'a> {
        Query::new(Target::Database(self), ask)
    }

    /// The SQL of a query, and the values of its parameters.
    ///
    /// # Errors
    /// `Programming` where the query makes no sense.
    pub fn sql(
        &self,
        query: &expr::query::Query,
        given: &[Scalar],
    ) -> Result<(Arc<str>, Vec<Scalar>)> {
        let (statement, values) = self.shapes().get(query, given)?;
        Ok((Arc::clone(statement.text()), values))
    }

    /// Loads rows into a table: all of them, or none, unless the load says otherwise. How many rows
    /// were inserted or updated.
    ///
    /// # Errors
    /// `Data` and `Integrity` name row and column where they can; `Programming` for a table or
    /// columns that are not there.
    pub fn load(&self, load: Load<'_>) -> Result<u64> {
        self.load_with(load, &Control::default())
    }

    /// As [`load`](Self::load), with a deadline or an interrupt.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(&self, mut load: Load<'_>, control: &Control<'_>) -> Result<u64> {
        self.run_load(&mut load, control)
    }

    /// As [`load`](Self::load); gives the rows back as they are in the table, the columns that
    /// [`Load::returning`] names, in the order of the rows given: with what the database made of them,
    /// as keys and defaults. Rows left out on a conflict are not among them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use rowmill::{Batch, Control, Database, Field, Load, Schema, Type, build::Fixed};
    /// let db = Database::open("sqlite://")?;
    /// db.script("create table t (id integer primary key, n integer)")?;
    /// # let mut n = Fixed::new(0_i64);
    /// # (7..=8).for_each(|value| n.push(value));
    /// # let schema = Arc::new(Schema::new(vec![Field::new("n", Type::Int64)]));
    /// # let rows = Batch::new(schema, vec![n.finish(&Type::Int64)], 2);
    /// let made = db.load_returning(Load::new("t", &rows).returning(["id"]), &Control::default())?;
    /// assert_eq!((made.value(0, 0).to_string(), made.rows()), ("1".to_owned(), 2));
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load); `Programming` where no columns are named.
    pub fn load_returning(&self, mut load: Load<'_>, control: &Control<'_>) -> Result<Batch> {
        self.run_load(&mut load, control)?;
        load.into_returned()
    }

    fn run_load(&self, load: &mut Load<'_>, control: &Control<'_>) -> Result<u64> {
        match self.source()? {
            Source::Sqlite(sqlite) => sqlite.load(load, control),
            Source::Postgres(pool) => {
                let mut lease = pool.lease(control)?;
                postgres::load(&mut lease, load, control)
            }
        }
    }

    /// Runs a statement once for each row of arguments: all of them, or none. How many rows they
    /// changed; rows that they return are dropped.
    ///
    /// # Errors
    /// As of the statement; the message names the row, from 0.
    pub fn execute_many(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = Arguments>,
        control: &Control<'_>,
    ) -> Result<u64> {
        let many = Many::new(self.statement(sql)?, rows)?;
        match self.source()? {
            Source::Sqlite(sqlite) => sqlite.run_many(&many, control),
            Source::Postgres(pool) => {
                let mut lease = pool.lease(control)?;
                postgres::run_many(&mut lease, many, control)
            }
        }
    }

    /// Runs several statements, separated by semicolons.
    ///
    /// # Errors
    /// The first statement's that fails.
    pub fn script(&self, sql: &str) -> Result<()> {
        self.script_with(sql, &Control::default())
    }

    /// As [`script`](Self::script), with a deadline or an interrupt.
    ///
    /// # Errors
    /// The first statement's that fails.
    pub fn script_with(&self, sql: &str, control: &Control<'_>) -> Result<()> {
        match self.source()? {
            Source::Sqlite(sqlite) => sqlite.script(sql, control),
            Source::Postgres(pool) => {
                let mut lease = pool.lease(control)?;
                let done = run_script(&mut lease, sql, control);
                leave_idle(&mut lease, done).map(drop)
            }
        }
    }

    /// Begins a transaction. It is rolled back when dropped.
    ///
    /// On SQLite, unless it is to read only, the transaction takes the write lock at once, so that it
    /// never fails half way for want of it.
    ///
    /// # Errors
    /// As of any statement.
    pub fn transaction(&self, mode: TransactionMode, control: &Control<'_>) -> Result<Transaction> {
        let work = match self.source()? {
            Source::Sqlite(sqlite) => Work::Sqlite(sqlite.begin(mode.read_only, control)?),
            Source::Postgres(pool) => {
                let sql = begin_sql(mode);
                let lease = pool.lease(control)?;
                Work::Postgres(PostgresTransaction::begin(lease, &sql, control)?)
            }
        };
        Ok(Transaction::new(self.clone(), work))
    }

    /// Closes the database: calls that come later fail, calls under way end as they will.
    pub fn close(&self) {
        if !self.0.closed.swap(true, Ordering::AcqRel) && self.0.process == process::id() {
            match &self.0.source {
                Source::Sqlite(sqlite) => sqlite.close(),
                Source::Postgres(pool) => pool.close(),
            }
        }
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// How the connections are doing, for a look from time to time.
    pub fn stats(&self) -> Stats {
        match &self.0.source {
            Source::Sqlite(sqlite) => sqlite.stats(),
            Source::Postgres(pool) => pool.stats(),
        }
    }

    /// How the database was opened.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The statement of `sql`.
    pub(crate) fn statement(&self, sql: &str) -> Result<Arc<Statement>> {
        self.0.texts.get(sql)
    }

    /// Keeps the statements that run from now on, until the recorder is dropped.
    ///
    /// ```
    /// let db = rowmill::Database::open("sqlite://")?;
    /// let recorder = db.record();
    /// db.query("select 1 as a").fetch()?;
    /// assert_eq!(recorder.statements(), ["select 1 as a".into()]);
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    pub fn record(&self) -> Recorder {
        self.0.recorders.add()
    }

    pub(crate) fn recorders(&self) -> &Recorders {
        &self.0.recorders
    }

    /// The statements of queries.
    pub(crate) fn shapes(&self) -> &Shapes {
        &self.0.shapes
    }

    /// The SQLite database behind this, where it is one.
    pub(crate) fn sqlite(&self) -> Option<&Sqlite> {
        match &self.0.source {
            Source::Sqlite(sqlite) => Some(sqlite),
            Source::Postgres(_) => None,
        }
    }

    pub(crate) fn run(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        output: Output,
        control: &Control<'_>,
    ) -> Result<Completion> {
        match self.source()? {
            Source::Sqlite(sqlite) => sqlite.fetch(statement, &parameters, control),
            Source::Postgres(pool) => {
                let mut lease = pool.lease(control)?;
                let done = run(&mut lease, statement, parameters, output, control);
                leave_idle(&mut lease, done).map(Completion::from)
            }
        }
    }

    pub(crate) fn stream(
        &self,
        statement: &Statement,
        parameters: Vec<Scalar>,
        batch_rows: usize,
        control: &Control<'_>,
    ) -> Result<Stream> {
        let parts = match self.source()? {
            Source::Sqlite(sqlite) => {
                Parts::Sqlite(sqlite.stream(statement, &parameters, batch_rows)?)
            }
            Source::Postgres(pool) => {
                let lease = pool.lease(control)?;
                Parts::Postgres(PostgresStream::start(lease, statement, parameters, batch_rows))
            }
        };
        Ok(Stream::new(parts))
    }

    /// A stream by several connections. Not for SQLite.
    pub(crate) fn stream_partitioned(
        &self,
        statement: Arc<Statement>,
        parameters: Vec<Scalar>,
        partition: Partition,
        batch_rows: usize,
        control: &Control<'_>,
    ) -> Result<Stream> {
        let Source::Postgres(pool) = self.source()? else {
            return self.stream(&statement, parameters, batch_rows, control);
        };
        let first = pool.lease(control)?;
        let others = pool.spare(partition.count() - 1);
        let plan = Plan { first, others, statement, parameters, partition, batch_rows };
        Ok(Stream::new(Parts::Partitioned(PartitionedStream::new(plan))))
    }

    /// The source, where it may be used.
    fn source(&self) -> Result<&Source> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Misuse, "the database is closed"));
        }
        process::check(self.0.process)?;
        Ok(&self.0.source)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({:?})", self.0.config.label())
    }
}

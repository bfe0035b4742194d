#![allow(clippy::doc_link_with_quotes)] // the examples are Python
use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use rowmill::{Control, Isolation, Query, Stats, TransactionMode, limits};

use crate::blocking::{blocking, many_arguments, seconds, whole};
use crate::config::{Options, UrlOrPath};
use crate::errors;
use crate::expect::Expected;
use crate::frame::{Frame, orientation};
use crate::load::Keywords;
use crate::query::{Page, Paging, asked, dialect, nested, statement};
use crate::row::Row;
use crate::stream::Stream;
use crate::text::Text;
use crate::transaction::Transaction;
use crate::value;

/// A database for blocking code: an SQLite file, or a PostgreSQL server behind a pool.
///
/// >>> import rowmill as rm
/// >>> db = rm.Database("sqlite://")
/// >>> db.execute_script("create table orders (id integer primary key, total real)")
/// >>> db.execute("insert into orders (total) values ($1), ($2)", 99.5, 120.0)
/// 2
/// >>> db.fetch_value("select count(*) from orders where total > :floor", floor=100)
/// 1
///
/// Safe to share between threads: each call blocks its own thread only, and other threads run
/// Python meanwhile. (A transaction or a stream is used by one call at a time.) An SQLite file is
/// Rowmill's alone within a process: another SQLite library in it, as Python's `sqlite3`, does not see
/// its locks. Other processes do. Parameters are given by position for `$1`, `$2`, ..., and by keyword, or as
/// one mapping, for `:name`.
///
/// Args:
///     url: `sqlite:///file.db` (three slashes: relative, four: absolute; with `?mode=ro` it is
///         only read and must exist; with `?dates=unix` or `?dates=julian` it stores dates as
///         numbers), a `pathlib.Path`, `sqlite://` (memory), or
///         `postgresql://user:password@host:port/database?sslmode=...`. None reads `DATABASE_URL`,
///         else the `PG*` variables. As in libpq there may be several `host:port` with commas
///         between, of which the first that answers and fits `target_session_attrs` is used, and
///         the options `sslrootcert`, `sslcert`, `sslkey`, `channel_binding`, `require_auth`,
///         `passfile`, `service`, `load_balance_hosts`, `connect_timeout`, `keepalives` and its
///         kin, `tcp_user_timeout`, `application_name` and `options`. Behind PgBouncer, or another
///         pooler, in transaction mode `pooler=transaction` is needed, unless it follows prepared
///         statements.
///     pool_size: Connections at most. None means two per core of this machine and one, the rule of
///         PostgreSQL's wiki: a server that has more to do at once than cores does each thing slower.
///     pool_min: Connections opened ahead, from the first call on, and kept when idle. (For
///         PostgreSQL, as are the next two.)
///     pool_idle: Seconds after which an idle connection is closed, looked at whenever the pool is
///         used. None keeps them.
///     pool_lifetime: Seconds that a connection lives, less up to a tenth by chance so that not all
///         end at once; what runs on it is let finish. None lets them live.
///     timeout: Seconds that a call may take where it names none. None means no deadline. A server
///         that does not even answer being told to stop is given 5 seconds more.
///     connect_timeout: Seconds that opening a connection may take. As long a server that was there
///         and is away, as while it restarts, is tried again.
///     pool_timeout: Seconds that a call waits for a free connection.
///     statement_cache: Prepared statements kept per connection.
///
/// Raises:
///     InterfaceError: The URL makes no sense, or none is given.
///     ConnectError: The SQLite file cannot be opened. (A server is reached by the first call.)
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Database {
    engine: rowmill::Database,
    /// What the last JSON was written into, for the next.
    json: Mutex<Vec<u8>>,
}

impl Database {
    fn query<R: Send>(
        &self,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
        finish: impl FnOnce(Query<'_>) -> rowmill::Result<R> + Send,
    ) -> PyResult<R> {
        let asked = asked(sql, parameters, named)?;
        let timeout = seconds(timeout)?;
        blocking(sql.py(), |interrupt| {
            let query = self.engine.ask(asked.into_ask()).interrupt(interrupt);
            finish(match timeout {
                Some(timeout) => query.timeout(timeout),
                None => query,
            })
        })
    }
}

#[pymethods]
impl Database {
    #[expect(clippy::too_many_arguments, reason = "the keywords of Database")]
    #[new]
    #[pyo3(signature = (url=None, *, pool_size=None, pool_min=0, pool_idle=600.0,
        pool_lifetime=3600.0, timeout=None, connect_timeout=10.0, pool_timeout=30.0,
        statement_cache=256))]
    fn new(
        py: Python<'_>,
        url: Option<UrlOrPath>,
        pool_size: Option<i64>,
        pool_min: i64,
        pool_idle: Option<f64>,
        pool_lifetime: Option<f64>,
        timeout: Option<f64>,
        connect_timeout: f64,
        pool_timeout: f64,
        statement_cache: i64,
    ) -> PyResult<Self> {
        let options = Options::new(
            py,
            url,
            pool_size,
            pool_min,
            pool_idle,
            pool_lifetime,
            timeout,
            connect_timeout,
            pool_timeout,
            statement_cache,
        )?;
        let opened = py.detach(|| rowmill::Database::with_config(options.config()));
        let opened = opened.map(|engine| Self { engine, json: Mutex::default() });
        opened.map_err(|error| errors::raised(py, &error))
    }

    /// All rows, as a Frame.
    ///
    /// >>> frame = db.fetch("select * from orders where total > $1", 100)
    #[pyo3(signature = (sql, /, *parameters, timeout=None, **named))]
    fn fetch(
        slf: &Bound<'_, Self>,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Frame> {
        if let Some(frame) = nested(slf, sql, false, timeout)? {
            return Ok(Frame::from(frame.get().batch.clone()));
        }
        let this = slf.get();
        this.query(sql, parameters, timeout, named, |query| query.fetch()).map(Frame::from)
    }

    /// The first row, or None where there is none. Later rows may stay unread.
    ///
    /// >>> db.fetch_one("select id, total from orders order by id").total
    /// 99.5
    #[pyo3(signature = (sql, /, *parameters, timeout=None, **named))]
    fn fetch_one(
        slf: &Bound<'_, Self>,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Option<Row>> {
        if let Some(frame) = nested(slf, sql, true, timeout)? {
            return Ok((frame.get().batch.rows() > 0).then(|| Row::new(frame.unbind(), 0)));
        }
        let this = slf.get();
        let row = this.query(sql, parameters, timeout, named, |query| query.fetch_one())?;
        row.map(|row| Row::from_engine(sql.py(), row)).transpose()
    }

    /// The first column of the first row, or None where there is no row.
    ///
    /// >>> db.fetch_value("select max(total) from orders")
    /// 120.0
    #[pyo3(signature = (sql, /, *parameters, timeout=None, **named))]
    fn fetch_value<'py>(
        &self,
        sql: &Bound<'py, PyAny>,
        parameters: &Bound<'py, PyTuple>,
        timeout: Option<f64>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let row = self.query(sql, parameters, timeout, named, |query| query.fetch_one())?;
        match row {
            Some(row) => value::of_row(sql.py(), &row, 0),
            None => Ok(sql.py().None().into_bound(sql.py())),
        }
    }

    /// All rows as JSON bytes, with no Python object on the way. JSON has no NaN and no infinity:
    /// such floats become null.
    ///
    /// >>> db.fetch_json("select id, total from orders")
    /// b'[{"id":1,"total":99.5},{"id":2,"total":120.0}]'
    ///
    /// Args:
    ///     orient: "records" (an array of objects), "columns" (an object of arrays) or "ndjson"
    ///         (an object a line).
    #[pyo3(signature = (sql, /, *parameters, orient="records", timeout=None, **named))]
    fn fetch_json<'py>(
        slf: &Bound<'py, Self>,
        sql: &Bound<'py, PyAny>,
        parameters: &Bound<'py, PyTuple>,
        orient: &str,
        timeout: Option<f64>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if let Some(frame) = nested(slf, sql, false, timeout)? {
            return frame.get().to_json(sql.py(), orient);
        }
        let this = slf.get();
        let orient = orientation(orient)?;
        // Who comes while another has the buffer takes one of their own.
        let kept = this.json.try_lock().map(|mut kept| std::mem::take(&mut *kept));
        let mut buffer = kept.unwrap_or_default();
        let write = |query: Query<'_>| query.fetch_json_over(orient, &mut buffer);
        let written = this.query(sql, parameters, timeout, named, write);
        let json = written.map(|len| PyBytes::new(sql.py(), &buffer[..len]));
        if let Ok(mut kept) = this.json.try_lock()
            && (kept.len()..=limits::JSON_BUFFER).contains(&buffer.len())
            && !this.engine.is_closed()
        {
            *kept = buffer;
        }
        json
    }

    /// The rows in Frames of about `batch_rows`: memory stays bounded whatever the result's size.
    ///
    /// >>> for part in db.stream("select * from orders", batch_rows=1000):
    /// ...     print(len(part))
    /// 2
    ///
    /// A stream holds a connection until it is read to its end, closed, or left by `with`. A result
    /// without rows gives one Frame without rows, so that its columns are told.
    ///
    /// Args:
    ///     batch_rows: Rows of a Frame at most; 8 MiB of them make a Frame too.
    ///     partition: A column by which the result is cut into parts that several connections read
    ///         side by side, or a `Partition` that says more.
    #[pyo3(signature = (sql, /, *parameters, batch_rows=65536, partition=None, timeout=None, **named))]
    fn stream(
        &self,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        batch_rows: i64,
        partition: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Stream> {
        let timeout_each = seconds(timeout)?.or(self.engine.config().timeout);
        let batch_rows = whole("batch_rows", batch_rows, 1)?;
        let partition = crate::partition::partition(partition)?;
        let start = |query: Query<'_>| match &partition {
            Some(partition) => query.stream_partitioned(partition, batch_rows),
            None => query.stream(batch_rows),
        };
        let stream = self.query(sql, parameters, timeout, named, start)?;
        Ok(Stream::new(stream, timeout_each))
    }

    /// Rows into a table: all of them, or none. Returns how many were inserted or updated.
    ///
    /// >>> db.load("orders", {"id": [10, 11], "total": [5.0, 6.5]})
    /// 2
    /// >>> db.load("orders", [{"id": 11, "total": 7.0}], on_conflict="update")
    /// 1
    /// >>> db.load("orders", {"total": [1.5, 2.5]}, returning="id")["id"].to_list()
    /// [12, 13]
    ///
    /// PostgreSQL gets them by COPY, SQLite by one prepared insert. Columns go by name. A value of
    /// another type than its column's is refused; what the database does by a column's precision
    /// (`numeric(12, 2)`, `real`, SQLite's affinities) it does here too.
    ///
    /// Args:
    ///     table: `table` or `schema.table`, as they are named in the database: capitals count.
    ///     data: Whatever `Frame` takes: a DataFrame of pandas or Polars, Arrow data, a dict of
    ///         columns, a list of dicts or dataclasses.
    ///         An iterator of any of these is loaded part by part, in bounded memory.
    ///     columns: Names of the rows that are another in the table: {"Id": "id", "note": None},
    ///         where None leaves the column out.
    ///     on_conflict: What becomes of a row whose key is there: None (an error), "nothing" (it is
    ///         left out) or "update" (the row that is there takes its values).
    ///     key: The columns of the unique constraint that decides; None is the primary key.
    ///     commit_each: Commits after each so many rows: where a later one fails the earlier stay.
    ///     progress: Called now and then with the number of rows sent so far.
    ///     returning: Columns of the table, of which a Frame is returned in place of the count: the
    ///         rows as they are there, in the order given, with the keys and defaults that the
    ///         database made. Rows left out by `on_conflict="nothing"` are not among them.
    ///
    /// Raises:
    ///     IntegrityError: A constraint of the table; the message names the row, from 0.
    ///     DataError: A value that its column cannot take; it names column, row and type.
    #[pyo3(signature = (table, data, /, *, columns=None, on_conflict=None, key=None, commit_each=None, progress=None, returning=None, timeout=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn load<'py>(
        &self,
        table: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
        columns: Option<Bound<'_, PyDict>>,
        on_conflict: Option<&str>,
        key: Option<Bound<'_, PyAny>>,
        commit_each: Option<i64>,
        progress: Option<Py<PyAny>>,
        returning: Option<Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = seconds(timeout)?.or(self.engine.config().timeout);
        let keywords = Keywords { columns, on_conflict, key, commit_each, progress, returning };
        let engine = &self.engine;
        keywords.run(
            table,
            data,
            timeout,
            |load, control| engine.load_with(load, control),
            |load, control| engine.load_returning(load, control),
        )
    }

    /// Runs a statement for its effect; returns the rows affected. What SET changes
    /// is undone before the next call: use `set local` in a transaction, or the URL's `options=`.
    ///
    /// >>> db.execute("update orders set total = total + 1 where id = $1", 1)
    /// 1
    #[pyo3(signature = (sql, /, *parameters, timeout=None, **named))]
    fn execute(
        &self,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        self.query(sql, parameters, timeout, named, |query| query.execute())
    }

    /// Runs a statement once for each row of parameters: all of them, or none. Returns the rows
    /// affected.
    ///
    /// >>> db.execute_many("update orders set total = $2 where id = $1", [(1, 5.0), (2, 6.0)])
    /// 2
    ///
    /// Many are on their way at once: no round trip is waited for between them. To insert rows,
    /// `load` is faster.
    ///
    /// Args:
    ///     rows: Sequences for `$1`, `$2`, ..., or mappings for `:name`; Rows and dataclasses too. What
    ///         the statement returns is dropped: `load(returning=)` gives rows back.
    ///
    /// Raises:
    ///     Error: As of the statement; the message names the row, from 0.
    #[pyo3(signature = (sql, rows, /, *, timeout=None))]
    fn execute_many(
        &self,
        sql: &Bound<'_, PyAny>,
        rows: &Bound<'_, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let timeout = seconds(timeout)?.or(self.engine.config().timeout);
        let sql = &*statement(sql)?;
        let arguments = many_arguments(rows, sql)?;
        blocking(rows.py(), |interrupt| {
            let control = Control::within(timeout);
            self.engine.execute_many(sql, arguments, &control.interrupted_by(interrupt))
        })
    }

    /// Runs several statements, separated by semicolons, without parameters.
    #[pyo3(signature = (sql, /, *, timeout=None))]
    fn execute_script(&self, py: Python<'_>, sql: Text<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = seconds(timeout)?.or(self.engine.config().timeout);
        blocking(py, |interrupt| {
            let control = Control::within(timeout);
            self.engine.script_with(&sql, &control.interrupted_by(interrupt))
        })
    }

    /// A transaction: commits when its `with` block ends, rolls back when it raises.
    ///
    /// >>> with db.transaction() as tx:
    /// ...     tx.execute("delete from orders where id = $1", 1)
    /// 1
    ///
    /// Args:
    ///     isolation: "read committed", "repeatable read" or "serializable"; None leaves it to the
    ///         server. SQLite's transactions are always serializable.
    ///     read_only: Whether writing is refused.
    ///     deferrable: Whether a serializable transaction that only reads waits at its first
    ///         statement until it can no longer fail; for long reports.
    #[pyo3(signature = (*, isolation=None, read_only=false, deferrable=false))]
    fn transaction(
        &self,
        py: Python<'_>,
        isolation: Option<&str>,
        read_only: bool,
        deferrable: bool,
    ) -> PyResult<Transaction> {
        let isolation = isolation_level(py, isolation)?;
        let mode = TransactionMode { isolation, read_only, deferrable };
        Ok(Transaction::new(self.engine.clone(), mode))
    }

    /// Calls `work` with a transaction, and again with a new one where the database says that it ran
    /// into another (SerializationError: a serialization failure or a deadlock). Returns what `work`
    /// returned, once that is committed.
    ///
    /// >>> db.transact(lambda tx: tx.execute("update orders set total = total + 1 where id = $1", 1))
    /// 1
    ///
    /// `work` may run several times, so it does nothing that a rollback does not undo. A lost
    /// connection is never a reason to try again: nobody knows whether the commit was heard.
    ///
    /// Args:
    ///     work: Takes the transaction.
    ///     retry: How often to try again at most, after a short pause that grows.
    ///     isolation, read_only, deferrable: As of `transaction`.
    #[pyo3(signature = (work, /, *, retry=5, isolation=None, read_only=false, deferrable=false))]
    fn transact<'py>(
        this: &Bound<'py, Self>,
        work: &Bound<'py, PyAny>,
        retry: u32,
        isolation: Option<&str>,
        read_only: bool,
        deferrable: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let helper = this.py().import(intern!(this.py(), "rowmill._transact"))?;
        let mode = (isolation, read_only, deferrable);
        helper.call_method1(intern!(this.py(), "transact"), (this, work, retry, mode))
    }

    /// How the database means to run a statement, as a `Plan`: a tree that prints itself, and a picture.
    ///
    /// >>> plan = db.explain("select * from orders where id = $1", 1)
    /// >>> plan.nodes[0].kind, plan.nodes[0].table
    /// ('SEARCH', 'orders')
    ///
    /// Args:
    ///     sql: The statement itself, without the word explain.
    ///     analyze: Whether to run it and measure. What it changes is rolled back; what no rollback
    ///         undoes (numbers drawn from a sequence, what a function does elsewhere) stays. PostgreSQL
    ///         measures each node, SQLite tells of the whole statement alone how long it took and
    ///         how many rows it gave.
    ///
    /// Raises:
    ///     InterfaceError: A statement of SQLite that has no plan, as `pragma`.
    #[pyo3(signature = (sql, /, *parameters, analyze=false, timeout=None, **named))]
    fn explain<'py>(
        this: &Bound<'py, Self>,
        sql: &Bound<'py, PyAny>,
        parameters: &Bound<'py, PyTuple>,
        analyze: bool,
        timeout: Option<f64>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let helper = this.py().import(intern!(this.py(), "rowmill._explain"))?;
        let asked = (this, sql, parameters, named, analyze, timeout);
        helper.call_method1(intern!(this.py(), "explain"), asked)
    }

    /// For what asks each database in its own way.
    #[getter]
    fn _is_sqlite(&self) -> bool {
        self.engine.config().is_sqlite()
    }

    /// The dialect of `sql()` that this database is asked in.
    #[getter]
    fn _dialect(&self) -> &'static str {
        dialect(self.engine.config().target())
    }

    /// A page of a query's rows, found by the place of the page before: the thousandth costs what the first
    /// does, and what is inserted meanwhile moves nothing.
    ///
    /// >>> q = rm.select(Order).order_by(-Order.total)
    /// >>> page = db.page(q, size=50)
    /// >>> page.next is None, len(page.rows)
    /// (True, 1)
    ///
    /// Args:
    ///     query: With an order; the primary key is appended to it, so that it tells all rows apart. (Of a
    ///         table whose class declares none, the order has to do that itself.)
    ///     size: Rows of a page.
    ///     after: `next` of the page before; with neither this nor `before` it is the first page. A token
    ///         that was changed, or made for another order, is refused; the values of the order's keys can be
    ///         read in it.
    ///     before: `previous` of the page after.
    ///     secret: What tokens are sealed with; they are good as long as it stays. None is the database's
    ///         address, which stops mistakes; who must not make up tokens must not know the secret.
    #[pyo3(signature = (query, /, size=50, *, after=None, before=None, secret=None, timeout=None))]
    fn page(
        &self,
        query: &Bound<'_, PyAny>,
        size: i64,
        after: Option<Text<'_>>,
        before: Option<Text<'_>>,
        secret: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Page> {
        let py = query.py();
        let paging = Paging::of(query, size, after, before, secret, &self.engine.config().label())?;
        let select = paging.query(py)?;
        let rows =
            self.query(&select, &PyTuple::empty(py), timeout, None, |query| query.fetch())?;
        paging.page(py, &rows)
    }

    /// Closes the database. Calls that come later fail; calls under way end as they will.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.engine.close());
        if let Ok(mut kept) = self.json.lock() {
            *kept = Vec::new();
        }
    }

    /// A block in which so many queries run at most, for tests: more are an AssertionError that lists them.
    ///
    /// >>> with db.expect(max_queries=1) as ran:
    /// ...     frame = db.fetch("select id from orders")
    /// >>> ran.queries
    /// ['select id from orders']
    ///
    /// Counts what `fetch` and its kin, `execute` and `stream` run, in transactions too.
    #[pyo3(signature = (*, max_queries))]
    fn expect(&self, max_queries: i64) -> PyResult<Expected> {
        Ok(Expected::new(self.engine.clone(), whole("max_queries", max_queries, 0)?))
    }

    /// How the connections are doing, for a look from time to time: a dict of "size" (how many there
    /// may be), "open", "idle", "waiting" (calls that wait for one), "opened", "lost" and "retired" (so
    /// far; the last for their age or for having been idle).
    ///
    /// >>> db.stats()["waiting"]
    /// 0
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        stats(py, self.engine.stats())
    }

    /// Whether the database was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.engine.is_closed()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let state = if self.engine.is_closed() { " (closed)" } else { "" };
        format!("<rowmill.Database {}{state}>", self.engine.config().label())
    }
}

/// The dict of `stats()`.
pub(crate) fn stats(py: Python<'_>, stats: Stats) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("size", stats.size)?;
    dict.set_item("open", stats.open)?;
    dict.set_item("idle", stats.idle)?;
    dict.set_item("waiting", stats.waiting)?;
    dict.set_item("opened", stats.opened)?;
    dict.set_item("lost", stats.lost)?;
    dict.set_item("retired", stats.retired)?;
    Ok(dict)
}

/// The isolation level of this name.
pub(crate) fn isolation_level(py: Python<'_>, name: Option<&str>) -> PyResult<Option<Isolation>> {
    let Some(name) = name else { return Ok(None) };
    match Isolation::from_name(name) {
        Some(isolation) => Ok(Some(isolation)),
        None => Err(errors::programming(
            py,
            &format!(
                "isolation is \"read committed\", \"repeatable read\" or \"serializable\", not {name:?}"
            ),
        )),
    }
}

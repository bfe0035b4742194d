use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use rowmill::{Control, Error, ErrorKind, Query, TransactionMode, limits};

use crate::blocking::{Absent, Exclusive, Taken, blocking, many_arguments, seconds, whole};
use crate::frame::{Frame, orientation};
use crate::load::Keywords;
use crate::query::{Page, Paging, asked, dialect, nested, statement};
use crate::row::Row;
use crate::stream::Stream;
use crate::text::Text;
use crate::value;

/// A transaction: the verbs of a database, all or nothing. Begins at `with`.
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Transaction {
    database: rowmill::Database,
    mode: TransactionMode,
    state: Exclusive<State>,
}

enum State {
    New,
    Open(rowmill::Transaction),
    Ended,
}

impl Transaction {
    pub(crate) fn new(database: rowmill::Database, mode: TransactionMode) -> Self {
        Self { database, mode, state: Exclusive::new(State::New) }
    }

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
            self.with(interrupt, |transaction| {
                let query = transaction.ask(asked.into_ask()).interrupt(interrupt);
                finish(match timeout {
                    Some(timeout) => query.timeout(timeout),
                    None => query,
                })
            })
        })
    }

    fn with<R>(
        &self,
        interrupt: &dyn Fn() -> bool,
        work: impl FnOnce(&rowmill::Transaction) -> rowmill::Result<R>,
    ) -> rowmill::Result<R> {
        match self.take(interrupt)?.value() {
            State::Open(transaction) => work(transaction),
            State::New => Err(Error::new(
                ErrorKind::Misuse,
                "the transaction begins at `with`; it has not begun",
            )),
            State::Ended => Err(ended()),
        }
    }

    /// The state, for one call at a time.
    fn take(&self, interrupt: &dyn Fn() -> bool) -> rowmill::Result<Taken<'_, State>> {
        self.state.take(interrupt).map_err(refused)
    }
}

fn refused(absent: Absent) -> Error {
    match absent {
        Absent::InUse => Error::new(ErrorKind::Misuse, "the transaction is in use by another call"),
        Absent::Gone => ended(),
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Misuse, "the transaction has ended")
}

#[pymethods]
impl Transaction {
    /// As `Database.load`, committed with the transaction. A load that fails leaves nothing; on
    /// PostgreSQL it fails the transaction too, as any statement does.
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
        let timeout = seconds(timeout)?.or(self.database.config().timeout);
        let keywords = Keywords { columns, on_conflict, key, commit_each, progress, returning };
        keywords.run(
            table,
            data,
            timeout,
            |load, control| {
                let interrupt = control.interrupt.unwrap_or(&|| false);
                self.with(interrupt, |transaction| transaction.load(load, control))
            },
            |load, control| {
                let interrupt = control.interrupt.unwrap_or(&|| false);
                self.with(interrupt, |transaction| transaction.load_returning(load, control))
            },
        )
    }

    /// As `Database.page`.
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
        let paging =
            Paging::of(query, size, after, before, secret, &self.database.config().label())?;
        let select = paging.query(py)?;
        let rows =
            self.query(&select, &PyTuple::empty(py), timeout, None, |query| query.fetch())?;
        paging.page(py, &rows)
    }

    /// As `Database.fetch`.
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

    /// As `Database.fetch_one`.
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

    /// As `Database.fetch_value`.
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

    /// As `Database.fetch_json`.
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
        let json = this.query(sql, parameters, timeout, named, |query| query.fetch_json(orient))?;
        Ok(PyBytes::new(sql.py(), &json))
    }

    /// As `Database.stream`, on the transaction's one connection. Other statements may run between two
    /// parts; what the stream gives is what its statement saw when it began.
    #[pyo3(signature = (sql, /, *parameters, batch_rows=65536, timeout=None, **named))]
    fn stream(
        &self,
        sql: &Bound<'_, PyAny>,
        parameters: &Bound<'_, PyTuple>,
        batch_rows: i64,
        timeout: Option<f64>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Stream> {
        let timeout_each = seconds(timeout)?.or(self.database.config().timeout);
        let batch_rows = whole("batch_rows", batch_rows, 1)?;
        let start = |query: Query<'_>| query.stream(batch_rows);
        let stream = self.query(sql, parameters, timeout, named, start)?;
        Ok(Stream::new(stream, timeout_each))
    }

    /// As `Database.execute`.
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

    /// As `Database.execute_script`.
    #[pyo3(signature = (sql, /, *, timeout=None))]
    fn execute_script(&self, py: Python<'_>, sql: Text<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = seconds(timeout)?.or(self.database.config().timeout);
        blocking(py, |interrupt| {
            let control = Control::within(timeout);
            self.with(interrupt, |transaction| {
                transaction.script(&sql, &control.interrupted_by(interrupt))
            })
        })
    }

    /// As `Database.execute_many`.
    #[pyo3(signature = (sql, rows, /, *, timeout=None))]
    fn execute_many(
        &self,
        sql: &Bound<'_, PyAny>,
        rows: &Bound<'_, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let timeout = seconds(timeout)?.or(self.database.config().timeout);
        let sql = &*statement(sql)?;
        let arguments = many_arguments(rows, sql)?;
        blocking(rows.py(), |interrupt| {
            let control = Control::within(timeout);
            self.with(interrupt, |transaction| {
                transaction.execute_many(sql, arguments, &control.interrupted_by(interrupt))
            })
        })
    }

    /// As `Database.explain`. With `analyze` the statement runs in a savepoint that is undone, and the
    /// transaction goes on.
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
        self.database.config().is_sqlite()
    }

    /// As of the database.
    #[getter]
    fn _dialect(&self) -> &'static str {
        dialect(self.database.config().target())
    }

    /// A part of the transaction that can fail alone, for `with`: where the block raises, what it did
    /// is undone, and the transaction goes on. May be nested.
    fn savepoint<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let helper = this.py().import(intern!(this.py(), "rowmill._transact"))?;
        helper.call_method1(intern!(this.py(), "Savepoint"), (this,))
    }

    /// Makes it one that can only be rolled back. For `Savepoint`.
    #[pyo3(name = "_doom")]
    fn doom(&self) {
        // Where it is not to be had it has ended, or its end waits for the call that has it.
        let _ = self.with(&|| true, |transaction| {
            transaction.doom();
            Ok(())
        });
    }

    fn __enter__(this: Py<Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        let own = this.get();
        let timeout = own.database.config().timeout;
        blocking(py, |interrupt| {
            let mut state = own.take(interrupt)?;
            if !matches!(state.value(), State::New) {
                return Err(Error::new(
                    ErrorKind::Misuse,
                    "a transaction is entered once; make a new one",
                ));
            }
            let control = Control::within(timeout);
            let control = control.interrupted_by(interrupt);
            let begun = own.database.transaction(own.mode, &control)?;
            *state.value() = State::Open(begun);
            Ok(())
        })?;
        Ok(this)
    }

    #[pyo3(signature = (kind, _value, _traceback))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let commit = kind.is_none();
        let timeout = self.database.config().timeout;
        let ended = blocking(py, |interrupt| {
            let mut state = self.state.take(interrupt).map_err(|absent| {
                // Nobody comes back to end it: the call that has it does.
                drop(self.state.end());
                match absent {
                    Absent::InUse => Error::new(
                        ErrorKind::Misuse,
                        "the transaction is in use by another call, which rolls it back at its end",
                    ),
                    Absent::Gone => ended(),
                }
            })?;
            let State::Open(transaction) = std::mem::replace(state.value(), State::Ended) else {
                return Ok(());
            };
            if commit {
                transaction.commit(&Control::within(timeout).interrupted_by(interrupt))
            } else {
                // Also where calls have no deadline: a silent server would keep the block's exception.
                transaction.rollback(&Control::timeout(timeout.unwrap_or(limits::CANCEL_GRACE)))
            }
        });
        match ended {
            // The block's own exception says more than a rollback that found the connection gone.
            Err(_) if !commit => Ok(false),
            ended => ended.map(|()| false),
        }
    }

    fn __repr__(&self) -> String {
        let state = self.state.peek(|state| match state {
            State::New => "not begun",
            State::Open(_) => "open",
            State::Ended => "ended",
        });
        let state = state.unwrap_or_else(|absent| match absent {
            Absent::InUse => "in use",
            Absent::Gone => "ended",
        });
        format!("<rowmill.Transaction {state} on {}>", self.database.config().label())
    }
}

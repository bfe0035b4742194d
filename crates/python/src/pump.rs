//! The asyncio side: an [`Evented`] database whose loop is Python's. What happens here happens on
//! the loop's own thread, with the GIL: bytes of small results and the handing over of finished
//! objects, nothing else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::IntoPyObjectExt as _;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use rowmill::TransactionMode;
use rowmill::evented::{Action, Answer, Evented, EventedStream, Submitted, TransactionId, Want};

use crate::blocking::{Detached, many_arguments, seconds, whole};
use crate::config::Options;
use crate::database::{isolation_level, stats};
use crate::errors;
use crate::expect::Expected;
use crate::frame::{Frame, orientation};
use crate::load::{Keywords, Raised};
use crate::query::{asked, statement};
use crate::row::Row;
use crate::text::Text;
use crate::value;

/// What a call's future is to hold.
#[derive(Clone, Copy)]
enum Shape {
    Frame,
    Row,
    Value,
    Other,
}

/// Whom to tell of an answer.
pub(crate) struct Target {
    future: Py<PyAny>,
    shape: Shape,
    /// What Python code raised that the call called back.
    raised: Option<Raised>,
}

/// A database on one event loop. Not public: `AsyncDatabase` stands on it.
#[pyclass(frozen, module = "rowmill._rowmill", weakref)]
pub(crate) struct Pump {
    inner: Mutex<Evented<Target>>,
    event_loop: Py<PyAny>,
}

type Inner<'a> = MutexGuard<'a, Evented<Target>>;

impl Pump {
    fn inner(&self) -> Inner<'_> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.event_loop.bind(py).call_method0(intern!(py, "create_future"))
    }

    /// Carries out what the engine asks of the loop. The lock is given up first: completing a
    /// future may run code that comes back here.
    fn act(this: &Bound<'_, Self>, mut inner: Inner<'_>) -> PyResult<()> {
        let py = this.py();
        let event_loop = this.get().event_loop.bind(py);
        let mut actions = inner.take_actions();
        drop(inner);
        let mut first = Ok(());
        loop {
            let mut unwanted = Vec::new();
            for action in actions {
                // Each is somebody's answer: one that cannot be carried out stops no other.
                let done = Self::carry_out(this, event_loop, action, &mut unwanted);
                first = first.and(done);
            }
            if unwanted.is_empty() {
                return first;
            }
            let mut inner = this.get().inner();
            for answer in unwanted {
                inner.take_back(answer);
            }
            actions = inner.take_actions();
        }
    }

    fn carry_out(
        this: &Bound<'_, Self>,
        event_loop: &Bound<'_, PyAny>,
        action: Action<Target>,
        unwanted: &mut Vec<Answer>,
    ) -> PyResult<()> {
        let py = this.py();
        match action {
            Action::Complete { to, result } => unwanted.extend(to.complete(py, result)?),
            Action::Forget { to } => drop(to),
            Action::FlushSoon => {
                let flush = this.getattr(intern!(py, "flush"))?;
                event_loop.call_method1(intern!(py, "call_soon"), (flush,))?;
            }
            Action::Watch { fd, lane } => {
                let readable = this.getattr(intern!(py, "readable"))?;
                event_loop.call_method1(intern!(py, "add_reader"), (fd, readable, lane))?;
            }
            Action::Unwatch { fd } => {
                event_loop.call_method1(intern!(py, "remove_reader"), (fd,))?;
            }
            Action::WatchWrite { fd, lane } => {
                let writable = this.getattr(intern!(py, "writable"))?;
                event_loop.call_method1(intern!(py, "add_writer"), (fd, writable, lane))?;
            }
            Action::UnwatchWrite { fd } => {
                event_loop.call_method1(intern!(py, "remove_writer"), (fd,))?;
            }
            Action::Reopen { after } => {
                let reopen = this.getattr(intern!(py, "reopen"))?;
                let arguments = (after.as_secs_f64(), reopen);
                event_loop.call_method1(intern!(py, "call_later"), arguments)?;
            }
            Action::Later { after, lane, call } => {
                let overdue = this.getattr(intern!(py, "overdue"))?;
                let arguments = (after.as_secs_f64(), overdue, lane, call);
                event_loop.call_method1(intern!(py, "call_later"), arguments)?;
            }
        }
        Ok(())
    }

    /// What a verb returns: the answer and None, or a future and the call's id; and whether the
    /// call waits for a connection.
    fn submitted<'py>(
        this: &Bound<'py, Self>,
        start: impl FnOnce(&mut Evented<Target>, Target) -> Submitted,
        shape: Shape,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let py = this.py();
        let future = this.get().future(py)?;
        let target = Target { future: future.clone().unbind(), shape, raised: None };
        let mut inner = this.get().inner();
        let submitted = start(&mut inner, target);
        Self::act(this, inner)?;
        match submitted {
            Submitted::Now(result) => {
                (shape.object(py, result)?, py.None(), false).into_pyobject(py)
            }
            Submitted::Sent(id) => (future, id, false).into_pyobject(py),
            Submitted::Queued(id) => (future, id, true).into_pyobject(py),
        }
    }
}

#[pymethods]
impl Pump {
    #[new]
    fn new(py: Python<'_>, event_loop: Py<PyAny>, options: &Options) -> PyResult<Self> {
        let evented = Evented::new(options.config()).map_err(|error| errors::raised(py, &error))?;
        Ok(Self { inner: Mutex::new(evented), event_loop })
    }

    /// Begins to listen to the workers.
    fn attach(this: &Bound<'_, Self>) -> PyResult<()> {
        let py = this.py();
        let fd = this.get().inner().wake_fd();
        let wake = this.getattr(intern!(py, "wake"))?;
        this.get().event_loop.bind(py).call_method1(intern!(py, "add_reader"), (fd, wake))?;
        Ok(())
    }

    /// Refuses calls from now on; stops listening once nothing is under way.
    fn close(this: &Bound<'_, Self>) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.close();
        Self::act(this, inner)
    }

    /// Closes what `close` left: connections of transactions that nobody ended.
    fn finish(this: &Bound<'_, Self>) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.finish();
        Self::act(this, inner)
    }

    /// As `Database.stats`.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let now = self.inner().stats();
        stats(py, now)
    }

    /// As `Database.expect`.
    fn expect(&self, max_queries: i64) -> PyResult<Expected> {
        let database = self.inner().database().clone();
        Ok(Expected::new(database, whole("max_queries", max_queries, 0)?))
    }

    /// Where the database is, without a password.
    #[getter]
    fn address(&self) -> String {
        self.inner().config().label()
    }

    /// Calls not yet answered.
    fn in_flight(&self) -> usize {
        self.inner().in_flight()
    }

    /// Stops listening to the workers.
    fn detach(&self, py: Python<'_>) -> PyResult<()> {
        let fd = self.inner().wake_fd();
        self.event_loop.bind(py).call_method1(intern!(py, "remove_reader"), (fd,))?;
        self.inner().bury();
        Ok(())
    }

    /// Runs a statement. `want` is "frame", "row", "value", "count", or JSON's orient.
    /// `timeout` is only checked here, before anything is sent; the caller keeps the deadline.
    #[pyo3(signature = (want, sql, parameters, named, transaction, timeout))]
    fn submit<'py>(
        this: &Bound<'py, Self>,
        want: &str,
        sql: &Bound<'py, PyAny>,
        parameters: &Bound<'py, PyTuple>,
        named: &Bound<'py, PyDict>,
        transaction: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let py = this.py();
        seconds(timeout)?;
        let (want, shape) = match want {
            "frame" => (Want::Rows, Shape::Frame),
            "row" => (Want::Row, Shape::Row),
            "value" => (Want::Row, Shape::Value),
            "count" => (Want::Count, Shape::Other),
            orient => (Want::Json(orientation(orient)?), Shape::Other),
        };
        let asked = asked(sql, parameters, Some(named))?;
        let transaction = transaction.map(TransactionId::from_raw);
        let own = this.get();
        // No Python code runs while the lock is held: a collection could come back here.
        let (call, now) = {
            let inner = own.inner();
            let call = inner.call(asked.into_ask(), want, transaction);
            let now = call.as_ref().ok().and_then(|call| inner.answer_now(call));
            (call, now)
        };
        let call = call.map_err(|error| errors::raised(py, &error))?;
        if let Some(answer) = now {
            return (shape.object(py, answer)?, py.None(), false).into_pyobject(py);
        }
        Self::submitted(this, |inner, target| inner.submit(call, target), shape)
    }

    /// Runs several statements.
    fn script<'py>(
        this: &Bound<'py, Self>,
        sql: Text<'_>,
        transaction: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        seconds(timeout)?;
        let transaction = transaction.map(TransactionId::from_raw);
        let start = |inner: &mut Evented<Target>, target| inner.script(&sql, transaction, target);
        Self::submitted(this, start, Shape::Other)
    }

    /// Loads rows into a table; the answer is their count, or a Frame of `returning`.
    #[expect(clippy::too_many_arguments, reason = "keywords")]
    fn load<'py>(
        this: &Bound<'py, Self>,
        table: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
        columns: Option<Bound<'py, PyDict>>,
        on_conflict: Option<&str>,
        key: Option<Bound<'py, PyAny>>,
        commit_each: Option<i64>,
        progress: Option<Py<PyAny>>,
        returning: Option<Bound<'py, PyAny>>,
        transaction: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        seconds(timeout)?;
        let transaction = transaction.map(TransactionId::from_raw);
        let raised = Raised::default();
        let shape = if returning.is_some() { Shape::Frame } else { Shape::Other };
        let keywords = Keywords { columns, on_conflict, key, commit_each, progress, returning };
        let load = keywords.load(table, data, &raised)?;
        let start = |inner: &mut Evented<Target>, target| {
            let target = Target { raised: Some(raised), ..target };
            inner.load(load, transaction, target)
        };
        Self::submitted(this, start, shape)
    }

    /// Runs a statement once for each row; the answer is the count of rows they changed.
    fn execute_many<'py>(
        this: &Bound<'py, Self>,
        sql: &Bound<'py, PyAny>,
        rows: &Bound<'py, PyAny>,
        transaction: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        seconds(timeout)?;
        let transaction = transaction.map(TransactionId::from_raw);
        let sql = &*statement(sql)?;
        let rows = many_arguments(rows, sql)?;
        let start = |inner: &mut Evented<Target>, target| {
            inner.execute_many(sql, rows, transaction, target)
        };
        Self::submitted(this, start, Shape::Other)
    }

    /// Begins a transaction; the answer is its id.
    fn begin<'py>(
        this: &Bound<'py, Self>,
        isolation: Option<&str>,
        read_only: bool,
        deferrable: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let isolation = isolation_level(this.py(), isolation)?;
        let mode = TransactionMode { isolation, read_only, deferrable };
        let start = |inner: &mut Evented<Target>, target| inner.begin(mode, target);
        Self::submitted(this, start, Shape::Other)
    }

    /// Ends a transaction.
    fn end<'py>(
        this: &Bound<'py, Self>,
        transaction: u64,
        commit: bool,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let id = TransactionId::from_raw(transaction);
        let start = |inner: &mut Evented<Target>, target| inner.end(id, commit, target);
        Self::submitted(this, start, Shape::Other)
    }

    /// Rolls back a transaction that nobody will end.
    fn forget(this: &Bound<'_, Self>, transaction: u64) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.forget(TransactionId::from_raw(transaction));
        Self::act(this, inner)
    }

    /// Begins a stream; the answer is its handle.
    fn stream<'py>(
        this: &Bound<'py, Self>,
        sql: &Bound<'py, PyAny>,
        parameters: &Bound<'py, PyTuple>,
        named: &Bound<'py, PyDict>,
        batch_rows: i64,
        partition: Option<&Bound<'py, PyAny>>,
        transaction: Option<u64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let asked = asked(sql, parameters, Some(named))?;
        let batch_rows = whole("batch_rows", batch_rows, 1)?;
        let partition = crate::partition::partition(partition)?;
        let transaction = transaction.map(TransactionId::from_raw);
        let call = this.get().inner().call(asked.into_ask(), Want::Rows, transaction);
        let call = call.map_err(|error| errors::raised(this.py(), &error))?;
        if let Some(partition) = partition {
            let start = |inner: &mut Evented<Target>, target| {
                inner.stream_partitioned(call, partition, batch_rows, target)
            };
            return Self::submitted(this, start, Shape::Other);
        }
        let start = |inner: &mut Evented<Target>, target| inner.stream(call, batch_rows, target);
        Self::submitted(this, start, Shape::Other)
    }

    /// Asks for the next part of a stream.
    fn part<'py>(
        this: &Bound<'py, Self>,
        stream: &StreamHandle,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let timeout = seconds(timeout)?.or_else(|| this.get().inner().config().timeout);
        let start = |inner: &mut Evented<Target>, target| inner.part(&stream.0, timeout, target);
        Self::submitted(this, start, Shape::Frame)
    }

    /// Ends a stream early, or one that has ended.
    fn end_stream(&self, stream: &StreamHandle) {
        self.inner().end_stream(stream.0.clone());
    }

    /// Nobody waits for the call any more.
    fn cancel(this: &Bound<'_, Self>, call: u64) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.cancel(call);
        Self::act(this, inner)
    }

    /// The call's deadline has passed.
    fn expire(this: &Bound<'_, Self>, call: u64, after: f64) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.expire(call, Duration::try_from_secs_f64(after).unwrap_or_default());
        Self::act(this, inner)
    }

    /// The call has waited long enough for a connection.
    fn expire_waiting(this: &Bound<'_, Self>, call: u64) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.expire_waiting(call);
        Self::act(this, inner)
    }

    /// A cancelled call should have been stopped by now.
    fn overdue(this: &Bound<'_, Self>, lane: usize, call: u64) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.overdue(lane, call);
        Self::act(this, inner)
    }

    /// A connection that could not be opened may be tried again.
    fn reopen(this: &Bound<'_, Self>) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.reopen();
        Self::act(this, inner)
    }

    /// A lane can be read.
    fn readable(this: &Bound<'_, Self>, lane: usize) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.readable(lane);
        Self::act(this, inner)
    }

    /// A lane can be written.
    fn writable(this: &Bound<'_, Self>, lane: usize) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.writable(lane);
        Self::act(this, inner)
    }

    /// Sends what was held back.
    fn flush(this: &Bound<'_, Self>) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.flush();
        Self::act(this, inner)
    }

    /// Workers have news.
    fn wake(this: &Bound<'_, Self>) -> PyResult<()> {
        let mut inner = this.get().inner();
        inner.wake();
        Self::act(this, inner)
    }
}

impl Target {
    /// Completes the future. Where nobody waits any more, an answer that has to be given back
    /// (a transaction that has begun, a stream) is returned.
    fn complete(self, py: Python<'_>, result: rowmill::Result<Answer>) -> PyResult<Option<Answer>> {
        let future = self.future.bind(py);
        if future.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(result.ok());
        }
        let object = self.shape.object(py, result);
        let object = match &self.raised {
            Some(raised) => raised.over(py, object),
            None => object,
        };
        match object {
            Ok(object) => future.call_method1(intern!(py, "set_result"), (object,))?,
            Err(error) => future.call_method1(intern!(py, "set_exception"), (error.value(py),))?,
        };
        Ok(None)
    }
}

impl Shape {
    /// The Python object of an answer.
    fn object(self, py: Python<'_>, result: rowmill::Result<Answer>) -> PyResult<Py<PyAny>> {
        match result.map_err(|error| errors::raised(py, &error))? {
            Answer::Rows(batch) => Frame::from(batch).into_py_any(py),
            Answer::Row(Some(row)) => match self {
                Self::Value => value::of_row(py, &row, 0).map(Bound::unbind),
                _ => Row::from_engine(py, row)?.into_py_any(py),
            },
            Answer::Json(json) => Ok(PyBytes::new(py, &json).into_any().unbind()),
            Answer::Count(count) => count.into_py_any(py),
            Answer::Transaction(id) => id.raw().into_py_any(py),
            Answer::Stream(stream) => StreamHandle(Detached::new(stream)).into_py_any(py),
            Answer::Part(part) => part.map(Frame::from).into_py_any(py),
            Answer::Row(None) | Answer::Done => Ok(py.None()),
        }
    }
}

/// A stream that has begun. Not public: `AsyncStream` stands on it.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct StreamHandle(Detached<EventedStream>);

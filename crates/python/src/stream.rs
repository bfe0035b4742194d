use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rowmill::{Control, Error, ErrorKind};

use crate::blocking::{Absent, Detached, Exclusive, blocking};
use crate::frame::Frame;

/// The parts of a result, one Frame at a time.
///
/// Iterate over it, best inside `with`: leaving the block early has the server stop and gives the
/// connection back at once.
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Stream {
    /// Gone once it is closed.
    stream: Exclusive<rowmill::Stream>,
    /// How long each part may take.
    timeout: Option<Duration>,
}

impl Stream {
    pub(crate) fn new(stream: rowmill::Stream, timeout: Option<Duration>) -> Self {
        Self { stream: Exclusive::new(stream), timeout }
    }
}

#[pymethods]
impl Stream {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        let part = blocking(py, |interrupt| {
            let control = Control::within(self.timeout);
            match self.stream.take(interrupt) {
                Ok(mut stream) => stream.value().next_part(&control.interrupted_by(interrupt)),
                Err(Absent::Gone) => Ok(None),
                Err(Absent::InUse) => {
                    Err(Error::new(ErrorKind::Misuse, "the stream is in use by another call"))
                }
            }
        })?;
        Ok(part.map(Frame::from))
    }

    /// Ends the stream: the server stops, the connection goes back. Closing twice is fine. Where
    /// another thread waits for a part the stream ends when that has come.
    fn close(&self) {
        drop(self.stream.end().map(Detached::new));
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __repr__(&self) -> &'static str {
        match self.stream.peek(|_| ()) {
            Ok(()) => "<rowmill.Stream open>",
            Err(Absent::InUse) => "<rowmill.Stream being read>",
            Err(Absent::Gone) => "<rowmill.Stream closed>",
        }
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }
}

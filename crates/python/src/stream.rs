use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rowmill::Control;

use crate::blocking::blocking;
use crate::frame::Frame;

/// The parts of a result, one Frame at a time.
///
/// Iterate over it, best inside `with`: leaving the block early has the server stop and gives the
/// connection back at once.
#[pyclass(frozen, module = "rowmill", weakref)]
pub(crate) struct Stream {
    /// None once it is closed.
    stream: Mutex<Option<rowmill::Stream>>,
    /// How long each part may take.
    timeout: Option<Duration>,
}

impl Stream {
    pub(crate) fn new(stream: rowmill::Stream, timeout: Option<Duration>) -> Self {
        Self { stream: Mutex::new(Some(stream)), timeout }
    }
}

#[pymethods]
impl Stream {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        let part = blocking(py, |interrupt| {
            let control = self.timeout.map_or_else(Control::default, Control::timeout);
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *stream {
                Some(stream) => stream.next_part(&control.interrupted_by(interrupt)),
                None => Ok(None),
            }
        })?;
        Ok(part.map(Frame::from))
    }

    /// Ends the stream: the server stops, the connection goes back. Closing twice is fine.
    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.stream.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }
}

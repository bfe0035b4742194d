//! Calls that block their thread: the GIL is given away, and taken now and then to see Ctrl-C.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use pyo3::exceptions::{PyAttributeError, PyImportError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PySequence, PyString, PyTuple};
use rowmill::{Arguments, Scalar};

use crate::errors;
use crate::infer::record;
use crate::parameter::{Place, scalar};
use crate::row::Row;
use crate::text::Name;
use crate::value;

/// Runs `work` without the GIL. `work` is given the interrupt to pass on; an exception that a
/// signal handler raised meanwhile wins over what `work` made of being interrupted.
pub(crate) fn blocking<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&dyn Fn() -> bool) -> rowmill::Result<R> + Send,
) -> PyResult<R> {
    let sees_signals = sees_signals(py)?;
    let (done, raised) = py.detach(move || {
        let raised = RefCell::new(None);
        // Not attached: Python shuts down, and there are no handlers any more.
        let look = || Python::try_attach(|py| py.check_signals()).unwrap_or(Ok(()));
        let interrupt = || match if sees_signals { look() } else { Ok(()) } {
            Ok(()) => false,
            Err(error) => {
                raised.borrow_mut().get_or_insert(error);
                true
            }
        };
        let done = work(&interrupt);
        (done, raised.into_inner())
    });
    match raised {
        Some(error) => Err(error),
        None => done.map_err(|error| errors::raised(py, &error)),
    }
}

/// Whether signal handlers run on this thread, as they do on Python's main thread alone. Any other
/// leaves the interpreter alone while it waits: a daemon thread may outlive it, and to attach to what
/// is being taken down crashes the process.
fn sees_signals(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        /// By process: the thread that forks is the main thread of the fork.
        static KNOWN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
    }
    let process = std::process::id();
    if let Some((_, sees)) = KNOWN.get().filter(|(known, _)| *known == process) {
        return Ok(sees);
    }
    match is_main_thread(py) {
        Ok(sees) => {
            KNOWN.set(Some((process, sees)));
            Ok(sees)
        }
        // Nothing can be imported, and no handler runs, once Python shuts down.
        Err(error)
            if error.is_instance_of::<PyImportError>(py)
                || error.is_instance_of::<PyAttributeError>(py) =>
        {
            Ok(false)
        }
        // What a signal's handler raised meanwhile.
        Err(error) => Err(error),
    }
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let main = threading.call_method0(intern!(py, "main_thread"))?;
    let this = threading.call_method0(intern!(py, "get_ident"))?;
    main.getattr(intern!(py, "ident"))?.eq(this)
}

/// A value that one call at a time uses: the call takes it out and puts it back. Other threads wait
/// for it without the GIL. A signal handler cannot wait for the call that it interrupts: it is
/// refused.
pub(crate) struct Exclusive<T: Send> {
    slot: Mutex<Slot<T>>,
    back: Condvar,
    /// Threads that wait; changes under the lock. A notice that nobody waits for is a system call.
    waiting: AtomicUsize,
    process: u32,
}

enum Slot<T> {
    Here(T),
    /// A call of this thread has it, and drops it afterwards where `end` says so.
    InUse {
        by: ThreadId,
        end: bool,
    },
    Gone,
}

/// As often as the engine looks for an interrupt.
const TICK: Duration = rowmill::limits::TICK;

/// Why there is no value to be had.
#[derive(Clone, Copy)]
pub(crate) enum Absent {
    InUse,
    Gone,
}

impl<T: Send> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            slot: Mutex::new(Slot::Here(value)),
            back: Condvar::new(),
            waiting: AtomicUsize::new(0),
            process: std::process::id(),
        }
    }

    /// Never held while anything else happens, so that it is free within nanoseconds.
    fn slot(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the value out for a call, once other threads have put it back. Not with the GIL.
    pub(crate) fn take(&self, interrupt: &dyn Fn() -> bool) -> Result<Taken<'_, T>, Absent> {
        let this = thread::current().id();
        let mut slot = self.slot();
        loop {
            match std::mem::replace(&mut *slot, Slot::Gone) {
                Slot::Here(value) => {
                    *slot = Slot::InUse { by: this, end: false };
                    return Ok(Taken { home: self, value: Some(value) });
                }
                Slot::InUse { by, end } => *slot = Slot::InUse { by, end },
                Slot::Gone => return Err(Absent::Gone),
            }
            // In a fork the thread that has it does not exist.
            let reentered = matches!(*slot, Slot::InUse { by, .. } if by == this);
            if reentered || self.process != std::process::id() {
                return Err(Absent::InUse);
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            let (woken, wait) =
                self.back.wait_timeout(slot, TICK).unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            slot = woken;
            if wait.timed_out() {
                // A signal handler may come back here.
                drop(slot);
                if interrupt() {
                    return Err(Absent::InUse);
                }
                slot = self.slot();
            }
        }
    }

    /// Takes the value for good. Where a call has it, the call drops it when it returns.
    pub(crate) fn end(&self) -> Option<T> {
        let mut slot = self.slot();
        match std::mem::replace(&mut *slot, Slot::Gone) {
            Slot::Here(value) => return Some(value),
            Slot::InUse { by, .. } => *slot = Slot::InUse { by, end: true },
            Slot::Gone => {}
        }
        None
    }

    /// Tells something about the value, where it is here.
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&T) -> R) -> Result<R, Absent> {
        match &*self.slot() {
            Slot::Here(value) => Ok(look(value)),
            Slot::InUse { .. } => Err(Absent::InUse),
            Slot::Gone => Err(Absent::Gone),
        }
    }
}

impl<T: Send> Drop for Exclusive<T> {
    fn drop(&mut self) {
        drop(self.end().map(Detached::new));
    }
}

/// The value of an [`Exclusive`] during a call.
pub(crate) struct Taken<'a, T: Send> {
    home: &'a Exclusive<T>,
    value: Option<T>,
}

impl<T: Send> Taken<'_, T> {
    pub(crate) fn value(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("the value goes back when this is dropped"),
        }
    }
}

impl<T: Send> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut slot = self.home.slot();
        let end = matches!(*slot, Slot::InUse { end: true, .. }) || thread::panicking();
        *slot = match self.value.take() {
            Some(value) if !end => Slot::Here(value),
            unwanted => {
                self.value = unwanted;
                Slot::Gone
            }
        };
        // What is unwanted is dropped after the lock: that may talk to a server.
        drop(slot);
        if self.home.waiting.load(Ordering::Relaxed) > 0 {
            self.home.back.notify_one();
        }
    }
}

/// A value that is dropped without the GIL: its end may wait for a server.
pub(crate) struct Detached<T: Send>(Option<T>);

impl<T: Send> Detached<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send> Deref for Detached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("the value is there until this is dropped"),
        }
    }
}

impl<T: Send> Drop for Detached<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        // While the interpreter shuts down nobody else can want the GIL: the closure is dropped
        // here, unused, and the value with it.
        Python::try_attach(move |py| py.detach(move || drop(value)));
    }
}

/// `timeout=`: seconds, or None for no deadline of its own.
pub(crate) fn seconds(timeout: Option<f64>) -> PyResult<Option<Duration>> {
    let wrong = || PyValueError::new_err("timeout is a number of seconds above 0, or None");
    match timeout {
        None => Ok(None),
        Some(seconds) if seconds > 0.0 => {
            // Beyond what a Duration holds is as good as for ever.
            Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
        }
        Some(_) => Err(wrong()),
    }
}

/// A whole number that an option wants.
pub(crate) fn whole(name: &str, value: i64, least: usize) -> PyResult<usize> {
    let fits = usize::try_from(value).ok().filter(|&value| value >= least);
    fits.ok_or_else(|| PyValueError::new_err(format!("{name} is at least {least}, not {value}")))
}

/// The arguments of a call: positional ones, keywords, or one mapping for `:name` parameters.
pub(crate) fn arguments(
    parameters: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
    sql: &str,
) -> PyResult<Arguments> {
    let named = named.filter(|named| !named.is_empty());
    match (parameters.len(), named) {
        (_, None) if !is_mapping(parameters, sql)? => {
            let scalars = parameters.iter().enumerate();
            let scalars = scalars.map(|(at, value)| scalar(&value, Place::Position(at + 1)));
            Ok(Arguments::Positional(scalars.collect::<PyResult<_>>()?))
        }
        (_, None) => {
            let mapping = parameters.get_item(0)?;
            let items = mapping.cast::<PyMapping>()?.items()?;
            let items = items.iter().map(|item| {
                let (Name(name), value): (Name, Bound<'_, PyAny>) = item.extract()?;
                pair(name, &value)
            });
            Ok(Arguments::Named(items.collect::<PyResult<_>>()?))
        }
        (0, Some(named)) => {
            let items = named.iter().map(|(name, value)| pair(name.extract::<Name>()?.0, &value));
            Ok(Arguments::Named(items.collect::<PyResult<_>>()?))
        }
        (_, Some(_)) => Err(errors::programming(
            parameters.py(),
            "parameters are given by position ($1) or by name (:name), not both",
        )),
    }
}

/// The arguments of each of many runs: sequences for `$1`, `$2`, ..., or mappings for `:name`.
pub(crate) fn many_arguments(rows: &Bound<'_, PyAny>, sql: &str) -> PyResult<Vec<Arguments>> {
    let py = rows.py();
    let is_numbered = sql.contains("$1");
    let row = |(at, row): (usize, PyResult<Bound<'_, PyAny>>)| {
        let row = row?;
        let parameters = if row.cast::<PyMapping>().is_ok() {
            PyTuple::new(py, [row])?
        } else if !is_numbered && let Some(row) = record(&row)? {
            PyTuple::new(py, [row])?
        } else if row.is_instance_of::<Row>() {
            PyTuple::new(py, row.try_iter()?.collect::<PyResult<Vec<_>>>()?)?
        } else if row.cast::<PySequence>().is_ok() && !row.is_instance_of::<PyString>() {
            row.try_iter()?.collect::<PyResult<Vec<_>>>().and_then(|row| PyTuple::new(py, row))?
        } else {
            let class = value::class_name(&row);
            let message =
                format!("row {at} must be a sequence or a mapping of parameters, not {class}");
            return Err(PyTypeError::new_err(message));
        };
        arguments(&parameters, None, sql)
    };
    rows.try_iter()?.enumerate().map(row).collect()
}

fn pair(name: String, value: &Bound<'_, PyAny>) -> PyResult<(String, Scalar)> {
    let scalar = scalar(value, Place::Name(&name))?;
    Ok((name, scalar))
}

/// One mapping alone holds the named parameters, unless the statement asks for `$1`, whose value
/// it then is (as JSON).
fn is_mapping(parameters: &Bound<'_, PyTuple>, sql: &str) -> PyResult<bool> {
    Ok(parameters.len() == 1
        && !sql.contains("$1")
        && parameters.get_item(0)?.cast::<PyMapping>().is_ok())
}

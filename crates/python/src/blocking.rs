//! Calls that block their thread: the GIL is given away, and taken now and then to see Ctrl-C.

use std::cell::RefCell;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use rowmill::{Arguments, Scalar};

use crate::errors;
use crate::parameter::{Place, scalar};

/// Runs `work` without the GIL. `work` is given the interrupt to pass on; an exception that a
/// signal handler raised meanwhile wins over what `work` made of being interrupted.
pub(crate) fn blocking<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&dyn Fn() -> bool) -> rowmill::Result<R> + Send,
) -> PyResult<R> {
    let (done, raised) = py.detach(move || {
        let raised = RefCell::new(None);
        let interrupt = || match Python::attach(|py| py.check_signals()) {
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
                let (name, value): (String, Bound<'_, PyAny>) = item.extract()?;
                pair(name, &value)
            });
            Ok(Arguments::Named(items.collect::<PyResult<_>>()?))
        }
        (0, Some(named)) => {
            let items = named.iter().map(|(name, value)| pair(name.extract()?, &value));
            Ok(Arguments::Named(items.collect::<PyResult<_>>()?))
        }
        (_, Some(_)) => Err(errors::programming(
            parameters.py(),
            "parameters are given by position ($1) or by name (:name), not both",
        )),
    }
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

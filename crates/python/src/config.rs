//! The keywords by which a database is opened.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rowmill::Config;

use crate::blocking::seconds;
use crate::errors;

/// The configuration of `url` and the keywords of `Database` and `AsyncDatabase`.
pub(crate) fn config(
    py: Python<'_>,
    url: Option<&str>,
    pool_size: Option<usize>,
    timeout: Option<f64>,
    connect_timeout: f64,
    pool_timeout: f64,
    statement_cache: usize,
) -> PyResult<Config> {
    let config = match url {
        Some(url) => Config::parse(url),
        None => Config::from_environment(),
    };
    let mut config = config.map_err(|error| errors::raised(py, &error))?;
    if let Some(pool_size) = pool_size {
        if pool_size == 0 {
            return Err(PyValueError::new_err("pool_size is at least 1"));
        }
        config.pool_size = pool_size;
    }
    let positive = |seconds: f64, name: &str| {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| !duration.is_zero())
            .ok_or_else(|| PyValueError::new_err(format!("{name} is a number of seconds above 0")))
    };
    config.timeout = seconds(timeout)?;
    // The default gives way to the URL's connect_timeout; a keyword that differs wins.
    #[expect(clippy::float_cmp, reason = "the default itself, not a computed value")]
    if connect_timeout != 10.0 {
        config.connect_timeout = positive(connect_timeout, "connect_timeout")?;
    }
    config.pool_timeout = positive(pool_timeout, "pool_timeout")?;
    if statement_cache == 0 {
        return Err(PyValueError::new_err("statement_cache is at least 1"));
    }
    config.statement_cache = statement_cache;
    Ok(config)
}

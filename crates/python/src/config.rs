//! The keywords by which a database is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rowmill::Config;

use crate::blocking::seconds;
use crate::errors;

/// What names a database: a URL, or the path of an SQLite file.
#[derive(FromPyObject)]
pub(crate) enum UrlOrPath {
    #[pyo3(annotation = "str")]
    Url(String),
    #[pyo3(annotation = "Path")]
    Path(PathBuf),
}

fn url_of(path: &Path) -> PyResult<String> {
    let path = path.to_str().ok_or_else(|| PyValueError::new_err("the path is not UTF-8"))?;
    let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite:///{escaped}"))
}

/// The keywords of `Database` and `AsyncDatabase`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    pub(crate) url: Option<UrlOrPath>,
    pub(crate) pool_size: Option<usize>,
    pub(crate) pool_min: usize,
    pub(crate) pool_idle: Option<f64>,
    pub(crate) pool_lifetime: Option<f64>,
    pub(crate) timeout: Option<f64>,
    pub(crate) connect_timeout: f64,
    pub(crate) pool_timeout: f64,
    pub(crate) statement_cache: usize,
}

/// The configuration that the keywords make.
pub(crate) fn config(py: Python<'_>, options: Options) -> PyResult<Config> {
    let config = match options.url {
        Some(UrlOrPath::Url(url)) => Config::parse(&url),
        Some(UrlOrPath::Path(path)) => Config::parse(&url_of(&path)?),
        None => Config::from_environment(),
    };
    let mut config = config.map_err(|error| errors::raised(py, &error))?;
    if let Some(pool_size) = options.pool_size {
        if pool_size == 0 {
            return Err(PyValueError::new_err("pool_size is at least 1"));
        }
        config.pool_size = pool_size;
    }
    if options.pool_min > config.pool_size {
        let (min, size) = (options.pool_min, config.pool_size);
        let message = format!("pool_min is {min}, and pool_size {size}: it is at most that");
        return Err(PyValueError::new_err(message));
    }
    config.pool_min = options.pool_min;
    let positive = |seconds: f64, name: &str| {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|duration| !duration.is_zero())
            .ok_or_else(|| PyValueError::new_err(format!("{name} is a number of seconds above 0")))
    };
    let idle = options.pool_idle.map(|seconds| positive(seconds, "pool_idle"));
    config.pool_idle = idle.transpose()?;
    let lifetime = options.pool_lifetime.map(|seconds| positive(seconds, "pool_lifetime"));
    config.pool_lifetime = lifetime.transpose()?;
    config.timeout = seconds(options.timeout)?;
    // The default gives way to the URL's connect_timeout; a keyword that differs wins.
    #[expect(clippy::float_cmp, reason = "the default itself, not a computed value")]
    if options.connect_timeout != 10.0 {
        config.connect_timeout = positive(options.connect_timeout, "connect_timeout")?;
    }
    config.pool_timeout = positive(options.pool_timeout, "pool_timeout")?;
    if options.statement_cache == 0 {
        return Err(PyValueError::new_err(
            "statement_cache is at least 1; behind a pooler in transaction mode write \
             pooler=transaction into the URL",
        ));
    }
    config.statement_cache = options.statement_cache;
    Ok(config)
}

//! The keywords by which a database is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use rowmill::{Config, limits};

use crate::blocking::{seconds, whole};
use crate::errors;
use crate::query::dialect;
use crate::text::text;
use crate::value::class_name;

/// What names a database: a URL, or the path of an SQLite file.
pub(crate) enum UrlOrPath {
    Url(String),
    Path(PathBuf),
}

impl<'py> FromPyObject<'_, 'py> for UrlOrPath {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(url) = value.cast::<PyString>() {
            return text(&url).map(|url| Self::Url(url.into_owned()));
        }
        value.extract().map(Self::Path).map_err(|_| {
            let class = class_name(&value);
            PyTypeError::new_err(format!("a database is named by a URL or a path, not {class}"))
        })
    }
}

fn url_of(path: &Path) -> PyResult<String> {
    let path = path.to_str().ok_or_else(|| PyValueError::new_err("the path is not UTF-8"))?;
    let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite:///{escaped}"))
}

/// What the keywords of `Database` and `AsyncDatabase` come to.
#[pyclass(frozen, module = "rowmill._rowmill")]
pub(crate) struct Options(Config);

#[pymethods]
impl Options {
    #[expect(clippy::too_many_arguments, reason = "the keywords of Database")]
    #[new]
    pub(crate) fn new(
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
        let config = match url {
            Some(UrlOrPath::Url(url)) => Config::parse(&url),
            Some(UrlOrPath::Path(path)) => Config::parse(&url_of(&path)?),
            None => Config::from_environment(),
        };
        let mut config = config.map_err(|error| errors::raised(py, &error))?;
        if let Some(pool_size) = pool_size {
            config.pool_size = whole("pool_size", pool_size, 1)?;
        }
        let pool_min = whole("pool_min", pool_min, 0)?;
        if pool_min > config.pool_size {
            let (min, size) = (pool_min, config.pool_size);
            let message = format!("pool_min is {min}, and pool_size {size}: it is at most that");
            return Err(PyValueError::new_err(message));
        }
        config.pool_min = pool_min;
        let positive = |seconds: f64, name: &str| {
            if seconds.is_nan() || seconds <= 0.0 {
                let message = format!("{name} is a number of seconds above 0");
                return Err(PyValueError::new_err(message));
            }
            // Also infinity is for ever.
            let forever = limits::FOREVER.as_secs_f64();
            Ok(Duration::from_secs_f64(seconds.min(forever)).max(Duration::from_nanos(1)))
        };
        let idle = pool_idle.map(|seconds| positive(seconds, "pool_idle"));
        config.pool_idle = idle.transpose()?;
        let lifetime = pool_lifetime.map(|seconds| positive(seconds, "pool_lifetime"));
        config.pool_lifetime = lifetime.transpose()?;
        config.timeout = seconds(timeout)?;
        // The default gives way to the URL's connect_timeout; a keyword that differs wins.
        #[expect(clippy::float_cmp, reason = "the default itself, not a computed value")]
        if connect_timeout != 10.0 {
            config.connect_timeout = positive(connect_timeout, "connect_timeout")?;
        }
        config.pool_timeout = positive(pool_timeout, "pool_timeout")?;
        if statement_cache == 0 {
            return Err(PyValueError::new_err(
                "statement_cache is at least 1; behind a pooler in transaction mode write \
             pooler=transaction into the URL",
            ));
        }
        config.statement_cache = whole("statement_cache", statement_cache, 1)?;
        Ok(Self(config))
    }

    /// The URL without its password.
    #[getter]
    fn label(&self) -> String {
        self.0.label()
    }

    /// Whether this is an SQLite database.
    #[getter]
    fn is_sqlite(&self) -> bool {
        self.0.is_sqlite()
    }

    /// The dialect of `sql()` that the database is asked in.
    #[getter]
    fn dialect(&self) -> &'static str {
        dialect(self.0.target())
    }
}

impl Options {
    pub(crate) fn config(&self) -> Config {
        self.0.clone()
    }
}

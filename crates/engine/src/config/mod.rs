//! How a database is named and reached.

mod files;
mod login;
mod postgres;
mod session;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::files::password;
pub use self::postgres::{Address, ClientCertificate, PostgresConfig, TargetSession, TlsMode};
pub use self::session::{PoolerMode, TcpKeepalive};
use rowmill_expr::sql::Target as SqlTarget;

use crate::sqlite::Dates;
use crate::url::Url;
use crate::{Error, ErrorKind, Result, limits};
pub use rowmill_wire::{Binding as ChannelBinding, Methods as AuthMethods};

/// How a database is reached and how much of everything may be used.
///
/// ```
/// use rowmill::Config;
/// let config = Config::parse("postgresql://ann:secret@db.example/shop?sslmode=verify-full")?;
/// assert!(!format!("{config:?}").contains("secret"));
/// assert!(Config::parse("mysql://x").is_err());
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Which database.
    pub source: SourceConfig,
    /// Connections at most.
    pub pool_size: usize,
    /// Connections opened ahead once the database is used, and kept when they are idle.
    pub pool_min: usize,
    /// How long a connection may be idle; none means for ever.
    pub pool_idle: Option<Duration>,
    /// How long a connection lives, less up to a tenth by chance; none means for ever. It is never
    /// closed in the middle of anything.
    pub pool_lifetime: Option<Duration>,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long a call waits for a free connection.
    pub pool_timeout: Duration,
    /// A deadline for every call that names none.
    pub timeout: Option<Duration>,
    /// Prepared statements kept per connection.
    pub statement_cache: usize,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum SourceConfig {
    /// An SQLite file, or memory where there is no path.
    Sqlite {
        /// The file.
        path: Option<PathBuf>,
        /// Whether writing is refused.
        read_only: bool,
        /// How dates and timestamps are stored.
        dates: Dates,
    },
    /// A PostgreSQL server, or one that speaks its protocol.
    Postgres(Box<PostgresConfig>),
}

impl Config {
    /// Reads a URL: `sqlite:///file.db`, `sqlite:////absolute/file.db`, `sqlite://` (memory), or
    /// `postgresql://user:password@host:port/database?sslmode=...`. Parts of a PostgreSQL URL that
    /// are missing come from the `PG*` variables of the environment.
    ///
    /// # Errors
    /// `Config`, naming the part that makes no sense.
    pub fn parse(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let (source, connect_timeout) = match url.scheme.as_str() {
            "sqlite" => (sqlite(&url)?, None),
            "postgresql" | "postgres" => postgres::parse(&url)?,
            other => {
                let told =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let scheme = if other.bytes().all(told) { other } else { "this" };
                // As SQLAlchemy writes it: database and driver.
                let hint = match other.split_once('+') {
                    Some(("postgresql" | "postgres", _)) => "write postgresql://, without a driver",
                    Some(("sqlite", _)) => "write sqlite://, without a driver",
                    _ => "a URL starts with sqlite:// or postgresql://",
                };
                return Err(
                    bad(format!("{scheme}:// is not a database Rowmill knows")).with_hint(hint)
                );
            }
        };
        Ok(Self {
            source,
            pool_size: limits::pool_size(),
            pool_min: 0,
            pool_idle: Some(limits::POOL_IDLE),
            pool_lifetime: Some(limits::POOL_LIFETIME),
            connect_timeout: connect_timeout.unwrap_or(limits::CONNECT_TIMEOUT),
            pool_timeout: limits::POOL_TIMEOUT,
            timeout: None,
            statement_cache: limits::STATEMENTS,
        })
    }

    /// The database that the environment names: `DATABASE_URL`, else the `PG*` variables.
    ///
    /// # Errors
    /// `Config` where neither is set, or what is set makes no sense.
    pub fn from_environment() -> Result<Self> {
        if let Some(url) = variable("DATABASE_URL") {
            return Self::parse(&url).map_err(|mut error| {
                let message = format!("in DATABASE_URL: {}", error.message());
                error.set(error.kind(), message);
                error
            });
        }
        if ["PGHOST", "PGDATABASE", "PGUSER", "PGPORT", "PGSERVICE"]
            .iter()
            .any(|name| variable(name).is_some())
        {
            return Self::parse("postgresql://");
        }
        Err(bad("no database was named".into())
            .with_hint("give a URL, or set DATABASE_URL or PGHOST and its kin"))
    }

    /// Whether this is an SQLite database; else it is PostgreSQL.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.source, SourceConfig::Sqlite { .. })
    }

    /// Whose SQL the database is asked in.
    pub fn target(&self) -> SqlTarget {
        match &self.source {
            SourceConfig::Postgres(_) => SqlTarget::Postgres,
            SourceConfig::Sqlite { dates: Dates::Unix, .. } => SqlTarget::SqliteUnix,
            SourceConfig::Sqlite { .. } => SqlTarget::Sqlite,
        }
    }

    /// The URL without its password, for messages and `repr`.
    pub fn label(&self) -> String {
        match &self.source {
            SourceConfig::Sqlite { path: None, .. } => "sqlite://".into(),
            SourceConfig::Sqlite { path: Some(path), .. } => {
                format!("sqlite:///{}", path.display())
            }
            SourceConfig::Postgres(config) => config.to_string(),
        }
    }
}

fn bad(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn sqlite(url: &Url) -> Result<SourceConfig> {
    let (mut read_only, mut dates) = (false, Dates::Text);
    for (key, value) in &url.query {
        match (key.as_str(), value.as_str()) {
            ("mode", "ro") => read_only = true,
            ("mode", "rwc") => {}
            ("dates", "text") => dates = Dates::Text,
            ("dates", "julian") => dates = Dates::Julian,
            ("dates", "unix") => dates = Dates::Unix,
            _ => {
                let option = match key.as_str() {
                    "mode" | "dates" => format!("{key}={value}"),
                    _ => unknown(key, value),
                };
                return Err(bad(format!("{option} is not an option of an sqlite:// URL"))
                    .with_hint(
                        "it takes mode=ro or mode=rwc, and dates=text, dates=julian or dates=unix",
                    ));
            }
        }
    }
    if !url.authority.is_empty() {
        let host = if url.authority.contains(['@', ':']) { "..." } else { &url.authority };
        return Err(bad(format!("sqlite://{host} names a host, and a file has none"))
            .with_hint("write three slashes for a relative path and four for an absolute one"));
    }
    let path = url.path.strip_prefix('/').unwrap_or(&url.path);
    let path = (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path));
    Ok(SourceConfig::Sqlite { path, read_only, dates })
}

/// What may be said of an option that is not known: its name, where it looks like one. The rest may
/// be part of a password.
fn unknown(key: &str, value: &str) -> String {
    let named = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let named = named && !key.is_empty() && !value.is_empty();
    if named { key.to_owned() } else { "what follows the ?".to_owned() }
}

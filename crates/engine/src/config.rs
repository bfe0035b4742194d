use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::url::Url;
use crate::{Error, ErrorKind, Result, limits};

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
    },
    /// A PostgreSQL server, or one that speaks its protocol.
    Postgres(PostgresConfig),
}

/// How a PostgreSQL server is reached.
#[derive(Clone)]
pub struct PostgresConfig {
    /// Where it listens.
    pub address: Address,
    /// The user's name.
    pub user: String,
    /// The password; never printed.
    pub password: Option<String>,
    /// The database's name.
    pub database: String,
    /// Whether and how the connection is encrypted.
    pub tls: TlsMode,
    /// A file of certificates to trust instead of the system's (`sslrootcert=system`, which is only
    /// for `verify-full`).
    pub root_certificates: Option<PathBuf>,
    /// Further parameters of the session, such as `application_name`.
    pub parameters: Vec<(String, String)>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket in this directory, for this port.
    Unix(PathBuf, u16),
    /// A host name or address, and a port.
    Tcp(String, u16),
}

/// Whether and how a connection is encrypted: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it; the certificate is not checked. The default, as in libpq.
    Prefer,
    /// Always; the certificate is checked only where `sslrootcert` is given.
    Require,
    /// Always; the certificate must be signed by an authority of `sslrootcert`.
    VerifyCa,
    /// Always; the certificate must also be for this host.
    VerifyFull,
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
            "postgresql" | "postgres" => postgres(&url)?,
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
            return Self::parse(&url);
        }
        if ["PGHOST", "PGDATABASE", "PGUSER", "PGPORT"].iter().any(|name| variable(name).is_some())
        {
            return Self::parse("postgresql://");
        }
        Err(bad("no database was named".into())
            .with_hint("give a URL, or set DATABASE_URL or PGHOST and its kin"))
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
    let mut read_only = false;
    for (key, value) in &url.query {
        match (key.as_str(), value.as_str()) {
            ("mode", "ro") => read_only = true,
            ("mode", "rwc") => {}
            _ => {
                let option = match key.as_str() {
                    "mode" => format!("mode={value}"),
                    _ => unknown(key, value),
                };
                return Err(bad(format!("{option} is not an option of an sqlite:// URL"))
                    .with_hint("it takes mode=ro or mode=rwc"));
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
    Ok(SourceConfig::Sqlite { path, read_only })
}

/// What may be said of an option that is not known: its name, where it looks like one. The rest may
/// be part of a password.
fn unknown(key: &str, value: &str) -> String {
    let named = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let named = named && !key.is_empty() && !value.is_empty();
    if named { key.to_owned() } else { "what follows the ?".to_owned() }
}

/// The options of a PostgreSQL URL.
const KNOWN: [&str; 10] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "application_name",
    "options",
];

fn postgres(url: &Url) -> Result<(SourceConfig, Option<Duration>)> {
    url.check_password_ends(&KNOWN)?;
    let option = |key: &str| url.query.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let setting = |given: Option<String>, name: &str| given.or_else(|| variable(name));
    let (user, password, host, port) = url.split_authority()?;
    // In `ann:secret`, whose host was forgotten, the secret stands where a port does.
    let is_secret = port.is_some() && !url.authority.contains('@');
    let port = match setting(port.or_else(|| option("port")), "PGPORT") {
        None => 5432,
        Some(port) => port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(|| {
            let port = if is_secret { "in the URL" } else { &port };
            bad(format!("port {port} is not a number from 1 to 65535"))
        })?,
    };
    let address = match setting(host.or_else(|| option("host")), "PGHOST") {
        Some(host) if host.contains(',') => {
            return Err(bad(format!("{host} names several hosts; give one")));
        }
        Some(host) if host.starts_with('/') => Address::Unix(host.into(), port),
        Some(host) => Address::Tcp(host, port),
        None => default_address(port),
    };
    let login = || variable("USER").or_else(|| variable("LOGNAME")).unwrap_or("postgres".into());
    let user = setting(user.or_else(|| option("user")), "PGUSER").unwrap_or_else(login);
    let name = url.path.strip_prefix('/').filter(|name| !name.is_empty()).map(str::to_owned);
    let database = setting(name.or_else(|| option("dbname")), "PGDATABASE").unwrap_or(user.clone());
    let root_certificates = setting(option("sslrootcert"), "PGSSLROOTCERT");
    let system = root_certificates.as_deref() == Some("system");
    let tls = match setting(option("sslmode"), "PGSSLMODE").as_deref() {
        None | Some("verify-full") if system => TlsMode::VerifyFull,
        Some(weak) if system => {
            // Any of the system's authorities signs for anybody: only the name tells who it is.
            return Err(bad(format!("sslmode={weak} is too weak for sslrootcert=system"))
                .with_hint("use sslmode=verify-full"));
        }
        None | Some("prefer" | "allow") => TlsMode::Prefer,
        Some("disable") => TlsMode::Disable,
        Some("require") => TlsMode::Require,
        Some("verify-ca") => TlsMode::VerifyCa,
        Some("verify-full") => TlsMode::VerifyFull,
        Some(other) => {
            return Err(bad(format!("sslmode={other} is not known"))
                .with_hint("one of disable, allow, prefer, require, verify-ca, verify-full"));
        }
    };
    let connect_timeout = match setting(option("connect_timeout"), "PGCONNECT_TIMEOUT") {
        None => None,
        Some(text) => {
            let seconds = text.parse::<u32>();
            let seconds = seconds
                .map_err(|_| bad(format!("connect_timeout={text} is not a number of seconds")))?;
            (seconds > 0).then(|| Duration::from_secs(seconds.into()))
        }
    };
    let mut parameters = Vec::new();
    for (key, env, fallback) in
        [("application_name", "PGAPPNAME", Some("rowmill")), ("options", "PGOPTIONS", None)]
    {
        if let Some(value) = setting(option(key), env).or_else(|| fallback.map(str::to_owned)) {
            parameters.push((key.to_owned(), value));
        }
    }
    if let Some((key, value)) = url.query.iter().find(|(key, _)| !KNOWN.contains(&key.as_str())) {
        let option = unknown(key, value);
        return Err(bad(format!("{option} is not an option of a postgresql:// URL"))
            .with_hint(format!("known options: {}", KNOWN.join(", "))));
    }
    let config = PostgresConfig {
        address,
        user,
        password: setting(password.or_else(|| option("password")), "PGPASSWORD"),
        database,
        tls,
        root_certificates: root_certificates.filter(|_| !system).map(PathBuf::from),
        parameters,
    };
    if matches!(config.address, Address::Tcp(..)) {
        config.check_tls()?;
    }
    Ok((SourceConfig::Postgres(config), connect_timeout))
}

impl PostgresConfig {
    /// Without the name's check any of the system's authorities would do for any server.
    pub(crate) fn check_tls(&self) -> Result<()> {
        if self.tls == TlsMode::VerifyCa && self.root_certificates.is_none() {
            return Err(bad("sslmode=verify-ca needs sslrootcert, the authority to trust".into())
                .with_hint("give the file, or use sslmode=verify-full with the system's"));
        }
        Ok(())
    }
}

/// Where libpq looks: the distribution's socket directory, `/tmp`, then this host.
fn default_address(port: u16) -> Address {
    let directories = ["/var/run/postgresql", "/run/postgresql", "/tmp"].map(PathBuf::from);
    let socket = format!(".s.PGSQL.{port}");
    directories
        .into_iter()
        .find(|directory| directory.join(&socket).exists())
        .map_or(Address::Tcp("localhost".into(), port), |directory| Address::Unix(directory, port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(directory, port) => write!(f, "{}/.s.PGSQL.{port}", directory.display()),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

impl fmt::Display for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, database, .. } = self;
        match &self.address {
            Address::Unix(directory, port) => {
                let directory = directory.display();
                write!(f, "postgresql://{user}@/{database}?host={directory}&port={port}")
            }
            Address::Tcp(host, port) => write!(f, "postgresql://{user}@{host}:{port}/{database}"),
        }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("url", &self.to_string())
            .field("password", &self.password.as_ref().map(|_| "..."))
            .field("tls", &self.tls)
            .field("root_certificates", &self.root_certificates)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

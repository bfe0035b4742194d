use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rowmill_wire::{Binding, Methods};

use super::session::{self, PoolerMode, TcpKeepalive};
use super::{SourceConfig, bad, files, login, unknown, variable};
use crate::Result;
use crate::url::Url;

/// How a PostgreSQL server is reached.
#[derive(Clone)]
pub struct PostgresConfig {
    /// Where it listens: one place or several, to be tried in turn.
    pub addresses: Vec<Address>,
    /// Which of several servers will do.
    pub target: TargetSession,
    /// Whether the places are tried in random order.
    pub random_order: bool,
    /// The user's name.
    pub user: String,
    /// The password; never printed.
    pub password: Option<String>,
    /// A file of passwords, asked where none is given: libpq's `.pgpass`.
    pub password_file: Option<PathBuf>,
    /// The database's name.
    pub database: String,
    /// Whether and how the connection is encrypted.
    pub tls: TlsMode,
    /// A file of certificates to trust instead of the system's (`sslrootcert=system`, which is only
    /// for `verify-full`).
    pub root_certificates: Option<PathBuf>,
    /// What to prove one's own name by.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether a login by password is tied to the server's certificate.
    pub channel_binding: Binding,
    /// The ways to log in that will do.
    pub require_auth: Methods,
    /// What stands before the server.
    pub pooler: PoolerMode,
    /// How a connection whose other side is gone is noticed.
    pub keepalive: TcpKeepalive,
    /// Further parameters of the session, such as `application_name`.
    pub parameters: Vec<(String, String)>,
}

/// The files of a client's certificate, with its chain, and of its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// `sslcert`
    pub certificate: PathBuf,
    /// `sslkey`
    pub key: PathBuf,
}

/// Which of several servers will do: libpq's `target_session_attrs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetSession {
    /// The first that answers.
    #[default]
    Any,
    /// One whose sessions may write.
    ReadWrite,
    /// One whose sessions may not.
    ReadOnly,
    /// One that is not in recovery.
    Primary,
    /// One that is.
    Standby,
    /// One that is, and any where there is none.
    PreferStandby,
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

/// The options of a PostgreSQL URL.
const KNOWN: [&str; 24] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "channel_binding",
    "require_auth",
    "passfile",
    "service",
    "target_session_attrs",
    "load_balance_hosts",
    "connect_timeout",
    "application_name",
    "options",
    "pooler",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
];

/// Reads a URL; what it leaves out comes from the service it names, then from the environment.
pub(super) fn parse(url: &Url) -> Result<(SourceConfig, Option<Duration>)> {
    url.check_password_ends(&KNOWN)?;
    if let Some((key, value)) = url.query.iter().find(|(key, _)| !KNOWN.contains(&key.as_str())) {
        let option = unknown(key, value);
        return Err(bad(format!("{option} is not an option of a postgresql:// URL"))
            .with_hint(session::hint(key, &KNOWN)));
    }
    let given = |key: &str| url.query.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let service = match given("service").or_else(|| variable("PGSERVICE")) {
        Some(name) => files::service(&name, &KNOWN)?,
        None => Vec::new(),
    };
    let option = |key: &str| {
        let of_service = || service.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
        given(key).or_else(of_service)
    };
    let setting = |given: Option<String>, name: &str| given.or_else(|| variable(name));
    let (user, password, places) = url.split_authority()?;
    let hosts = setting(option("host"), "PGHOST");
    let ports = setting(option("port"), "PGPORT");
    let addresses = if places.is_empty() {
        addresses(hosts.as_deref(), ports.as_deref())?
    } else {
        // In `ann:secret`, whose host was forgotten, the secret stands where a port does.
        let is_secret = !url.authority.contains('@');
        let fallback = hosts.as_deref().filter(|hosts| !hosts.contains(','));
        let place = |(host, port): &(Option<String>, Option<String>)| {
            let port = match (port, &ports) {
                (Some(port), _) => self::port(port, is_secret)?,
                (None, Some(port)) => self::port(port, false)?,
                (None, None) => DEFAULT_PORT,
            };
            Ok(address(host.as_deref().or(fallback), port))
        };
        places.iter().map(place).collect::<Result<_>>()?
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
    let target = setting(option("target_session_attrs"), "PGTARGETSESSIONATTRS");
    let balance = setting(option("load_balance_hosts"), "PGLOADBALANCEHOSTS");
    let random_order = match balance.as_deref() {
        None | Some("disable") => false,
        Some("random") => true,
        Some(other) => {
            return Err(bad(format!("load_balance_hosts={other} is not known"))
                .with_hint("one of disable, random"));
        }
    };
    let config = PostgresConfig {
        addresses,
        target: target_session(target.as_deref())?,
        random_order,
        user,
        password: setting(password.or_else(|| option("password")), "PGPASSWORD"),
        password_file: setting(option("passfile"), "PGPASSFILE")
            .map(PathBuf::from)
            .or_else(|| files::at_home(".pgpass")),
        database,
        tls,
        root_certificates: root_certificates.filter(|_| !system).map(PathBuf::from),
        client_certificate: client_certificate(
            setting(option("sslcert"), "PGSSLCERT"),
            setting(option("sslkey"), "PGSSLKEY"),
        )?,
        channel_binding: login::binding(
            setting(option("channel_binding"), "PGCHANNELBINDING").as_deref(),
        )?,
        require_auth: login::methods(setting(option("require_auth"), "PGREQUIREAUTH").as_deref())?,
        pooler: session::pooler(option("pooler").as_deref())?,
        keepalive: session::keepalive(option)?,
        parameters,
    };
    if config.addresses.iter().any(|address| matches!(address, Address::Tcp(..))) {
        config.check_tls()?;
    }
    Ok((SourceConfig::Postgres(Box::new(config)), connect_timeout))
}

const DEFAULT_PORT: u16 = 5432;

fn port(text: &str, is_secret: bool) -> Result<u16> {
    text.parse().ok().filter(|port: &u16| *port > 0).ok_or_else(|| {
        let port = if is_secret { "in the URL" } else { text };
        bad(format!("port {port} is not a number from 1 to 65535"))
    })
}

fn address(host: Option<&str>, port: u16) -> Address {
    match host {
        Some(host) if host.starts_with('/') => Address::Unix(host.into(), port),
        Some(host) => Address::Tcp(host.to_owned(), port),
        None => default_address(port),
    }
}

/// Hosts with commas between, and a port for each or one for all.
fn addresses(hosts: Option<&str>, ports: Option<&str>) -> Result<Vec<Address>> {
    let ports = ports.map_or(Ok(vec![DEFAULT_PORT]), |ports| {
        ports.split(',').map(|text| port(text.trim(), false)).collect::<Result<Vec<_>>>()
    })?;
    let Some(hosts) = hosts else {
        return Ok(ports.into_iter().map(|port| address(None, port)).collect());
    };
    let hosts: Vec<&str> = hosts.split(',').map(str::trim).collect();
    if hosts.iter().any(|host| host.is_empty()) {
        return Err(bad("a host between two commas has no name".into()));
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        let message = format!("there are {} hosts and {} ports", hosts.len(), ports.len());
        return Err(bad(message).with_hint("give one port for all, or one for each host"));
    }
    let port_of = |at: usize| ports[at % ports.len()];
    Ok(hosts.iter().enumerate().map(|(at, host)| address(Some(host), port_of(at))).collect())
}

fn target_session(name: Option<&str>) -> Result<TargetSession> {
    Ok(match name {
        None | Some("any") => TargetSession::Any,
        Some("read-write") => TargetSession::ReadWrite,
        Some("read-only") => TargetSession::ReadOnly,
        Some("primary") => TargetSession::Primary,
        Some("standby") => TargetSession::Standby,
        Some("prefer-standby") => TargetSession::PreferStandby,
        Some(other) => {
            return Err(bad(format!("target_session_attrs={other} is not known"))
                .with_hint("one of any, read-write, read-only, primary, standby, prefer-standby"));
        }
    })
}

/// The files given, else those that libpq takes where they exist.
fn client_certificate(
    certificate: Option<String>,
    key: Option<String>,
) -> Result<Option<ClientCertificate>> {
    match (certificate.map(PathBuf::from), key.map(PathBuf::from)) {
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate { certificate, key })),
        (None, None) => {
            let at_home = |name: &str| files::at_home(name).filter(|path| path.exists());
            let files =
                at_home(".postgresql/postgresql.crt").zip(at_home(".postgresql/postgresql.key"));
            Ok(files.map(|(certificate, key)| ClientCertificate { certificate, key }))
        }
        (Some(_), None) => Err(bad("sslcert needs sslkey, the private key".into())),
        (None, Some(_)) => Err(bad("sslkey needs sslcert, the certificate".into())),
    }
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
        let Self { user, database, addresses, .. } = self;
        if let [Address::Unix(directory, port)] = &addresses[..] {
            let directory = directory.display();
            return write!(f, "postgresql://{user}@/{database}?host={directory}&port={port}");
        }
        let places = addresses.iter().map(|address| match address {
            Address::Unix(directory, port) => {
                format!("{}:{port}", directory.display().to_string().replace('/', "%2F"))
            }
            Address::Tcp(host, port) => format!("{host}:{port}"),
        });
        let places: Vec<_> = places.collect();
        write!(f, "postgresql://{user}@{}/{database}", places.join(","))
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("url", &self.to_string())
            .field("password", &self.password.as_ref().map(|_| "..."))
            .field("tls", &self.tls)
            .field("target", &self.target)
            .field("channel_binding", &self.channel_binding)
            .field("require_auth", &self.require_auth)
            .field("pooler", &self.pooler)
            .field("keepalive", &self.keepalive)
            .field("root_certificates", &self.root_certificates)
            .field("client_certificate", &self.client_certificate)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

//! What lies between here and the server: poolers, and networks that go silent.

use std::time::Duration;

use super::bad;
use crate::Result;

/// What stands between the client and the server, and so what a connection is: the option `pooler`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolerMode {
    /// Nothing, or a pooler that keeps a connection to one session of the server as long as it
    /// lasts. Also one in transaction mode that follows prepared statements, as `PgBouncer` from 1.21
    /// on with `max_prepared_statements` above 0.
    #[default]
    Session,
    /// A pooler that leads each transaction to another session, and knows nothing of prepared
    /// statements. None outlives its transaction then: each is sent as a whole, in one round trip
    /// as else, once its description is known to the database's pool.
    Transaction,
}

/// How a TCP connection whose other side is gone without a word is noticed: libpq's `keepalives`,
/// `keepalives_idle`, `keepalives_interval`, `keepalives_count` and `tcp_user_timeout`. What is none
/// is as the system has it. Unix sockets need none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// Whether the system asks after a silent peer at all.
    pub enabled: bool,
    /// Silence after which it asks.
    pub idle: Option<Duration>,
    /// Time between two questions.
    pub interval: Option<Duration>,
    /// Questions without an answer after which the connection counts as lost.
    pub count: Option<u32>,
    /// How long what was sent may stay unacknowledged (on Linux).
    pub user_timeout: Option<Duration>,
}

impl Default for TcpKeepalive {
    fn default() -> Self {
        Self { enabled: true, idle: None, interval: None, count: None, user_timeout: None }
    }
}

pub(super) fn pooler(name: Option<&str>) -> Result<PoolerMode> {
    match name {
        None | Some("session") => Ok(PoolerMode::Session),
        Some("transaction") => Ok(PoolerMode::Transaction),
        Some("statement") => Err(bad(
            "pooler=statement cannot work: it allows no transactions".into()
        )
        .with_hint("set pool_mode = transaction at the pooler, and pooler=transaction here")),
        Some(other) => {
            Err(bad(format!("pooler={other} is not known"))
                .with_hint("one of session, transaction"))
        }
    }
}

pub(super) fn keepalive(option: impl Fn(&str) -> Option<String>) -> Result<TcpKeepalive> {
    // As in libpq, 0 and less leave it to the system.
    let number = |name: &str| -> Result<Option<u32>> {
        let Some(text) = option(name) else { return Ok(None) };
        match text.trim().parse::<i32>() {
            Ok(number) => Ok(u32::try_from(number).ok().filter(|number| *number > 0)),
            Err(_) => Err(bad(format!("{name}={text} is not a whole number"))),
        }
    };
    let seconds = |name: &str| -> Result<Option<Duration>> {
        Ok(number(name)?.map(|number| Duration::from_secs(number.into())))
    };
    let enabled = match option("keepalives").as_deref() {
        None | Some("1") => true,
        Some("0") => false,
        Some(other) => {
            return Err(bad(format!("keepalives={other} is not known")).with_hint("one of 0, 1"));
        }
    };
    Ok(TcpKeepalive {
        enabled,
        idle: seconds("keepalives_idle")?,
        interval: seconds("keepalives_interval")?,
        count: number("keepalives_count")?,
        user_timeout: number("tcp_user_timeout")?.map(|ms| Duration::from_millis(ms.into())),
    })
}

/// The way out for an option that is not known; what other drivers call `pooler` is told by name.
pub(super) fn hint(option: &str, known: &[&str]) -> String {
    let theirs = ["pgbouncer", "prepareThreshold", "prepare_threshold", "statement_cache_size"];
    if theirs.contains(&option) || option == "prepared_statement_cache_size" {
        return "behind a pooler in transaction mode write pooler=transaction".into();
    }
    format!("known options: {}", known.join(", "))
}

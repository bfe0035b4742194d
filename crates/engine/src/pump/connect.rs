//! A connection to the first of several places that will do.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Instant;

use rowmill_columns::Value;
use rowmill_wire::{Catalogue, Event, Output, Request, Statement};

use super::{Link, Until, drive};
use crate::config::{Address, PostgresConfig, TargetSession};
use crate::{Control, Error, ErrorKind, Result, limits};

impl Link {
    /// Connects and logs in, giving up at the control's deadline.
    pub(crate) fn open(
        config: &Arc<PostgresConfig>,
        statements: usize,
        catalogue: &Arc<Catalogue>,
        control: &Control<'_>,
    ) -> Result<Box<Self>> {
        let places = in_order(config);
        let deadline = control.deadline.unwrap_or_else(|| Instant::now() + limits::CONNECT_TIMEOUT);
        // Where a standby is only preferred, a second round takes any.
        let rounds: &[TargetSession] = match config.target {
            TargetSession::PreferStandby => &[TargetSession::Standby, TargetSession::Any],
            _ => std::slice::from_ref(&config.target),
        };
        let mut tries = places.len() * rounds.len();
        let mut failures: Vec<Error> = Vec::new();
        for target in rounds {
            for address in &places {
                // Each place has its share of the time that is left, so that one that is silent
                // does not use up that of the others.
                let left = deadline.saturating_duration_since(Instant::now());
                let share = Instant::now() + left / tries as u32;
                tries -= 1;
                let control = Control { deadline: Some(share), ..*control };
                let opened = Self::open_at(address, config, statements, catalogue, &control);
                let opened =
                    opened.and_then(|mut link| match unfit(&mut link, *target, &control)? {
                        None => Ok(link),
                        Some(is) => Err(Error::new(ErrorKind::Connect, format!("{address} {is}"))),
                    });
                match opened {
                    Ok(link) => return Ok(link),
                    Err(error) if places.len() == 1 && rounds.len() == 1 => return Err(error),
                    Err(error) if is_final(&error) => return Err(error),
                    Err(error) => failures.push(error),
                }
            }
        }
        Err(all(&failures))
    }
}

fn in_order(config: &PostgresConfig) -> Vec<&Address> {
    let mut places: Vec<&Address> = config.addresses.iter().collect();
    if config.random_order {
        let random = RandomState::new();
        places.sort_by_cached_key(|address| random.hash_one(address.to_string()));
    }
    places
}

/// Whether another place would say the same: a login that is refused, or a caller that gave up. As by
/// libpq, only a server that cannot be reached, or takes nobody now, is passed over.
fn is_final(error: &Error) -> bool {
    match error.sqlstate() {
        Some(code) => !matches!(code, "57P03" | "53300"),
        None => error.kind() != ErrorKind::Connect,
    }
}

fn all(failures: &[Error]) -> Error {
    let mut messages: Vec<&str> = Vec::new();
    for failure in failures {
        if !messages.contains(&failure.message()) {
            messages.push(failure.message());
        }
    }
    let message = format!("no server will do: {}", messages.join("; "));
    // A standby that is to become the primary is passed over too, until it has.
    Error::new(ErrorKind::Connect, message)
        .with_hint(
            "is one of the servers running, and of the kind that target_session_attrs names?",
        )
        .nobody_there()
}

/// Why a server is not of the kind that is wanted; `None` where it is.
fn unfit(
    link: &mut Link,
    target: TargetSession,
    control: &Control<'_>,
) -> Result<Option<&'static str>> {
    if matches!(target, TargetSession::Any | TargetSession::PreferStandby) {
        return Ok(None);
    }
    let (in_recovery, read_only) = state(link, control)?;
    Ok(match target {
        TargetSession::ReadWrite if read_only => Some("is read-only"),
        TargetSession::ReadOnly if !read_only => Some("is not read-only"),
        TargetSession::Primary if in_recovery => Some("is a standby"),
        TargetSession::Standby if !in_recovery => Some("is not a standby"),
        _ => None,
    })
}

/// Whether the server is in recovery, and whether its sessions are read-only: it says so itself from
/// PostgreSQL 14 on, and is asked before.
fn state(link: &mut Link, control: &Control<'_>) -> Result<(bool, bool)> {
    let told = |link: &Link, name: &str| link.session.parameter(name).map(|value| value == "on");
    if let (Some(in_recovery), Some(read_only)) =
        (told(link, "in_hot_standby"), told(link, "default_transaction_read_only"))
    {
        return Ok((in_recovery, in_recovery || read_only));
    }
    let text = "select pg_catalog.pg_is_in_recovery(), \
                pg_catalog.current_setting('transaction_read_only') = 'on'";
    let id = link.session.start(Request {
        statement: Statement { text: text.into(), key: 0 },
        parameters: Vec::new(),
        output: Output::Batch,
    });
    let done = drive(link, control, |event| match event {
        Event::Done { id: done, result } if done == id => Until::Stop(result),
        _ => Until::More,
    })?;
    let batch = done.map_err(Error::from)?.batch;
    let is = |column| batch.rows() == 1 && batch.value(column, 0) == Value::Bool(true);
    Ok((is(0), is(1)))
}

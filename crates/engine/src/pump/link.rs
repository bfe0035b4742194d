use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Instant;

use rowmill_wire::{Catalogue, Event, Limits, Login, Session, Startup, TransactionStatus};

use super::pace::Pace;
use super::socket::{Transport, is_not_yet, unreachable_server};
use super::{Until, drive};
use crate::config::{Address, PoolerMode, PostgresConfig, password};
use crate::postgres::{CancelTarget, random_fraction};
use crate::process;
use crate::{Control, Error, ErrorKind, Result};

/// One connection: a transport and the session that gives its bytes a meaning.
#[derive(Debug)]
pub(crate) struct Link {
    config: Arc<PostgresConfig>,
    address: Address,
    transport: Transport,
    pub(crate) session: Session,
    pub(super) pace: Pace,
    pub(crate) opened: Instant,
    /// A number from 0 to 1 that is each connection's own.
    pub(crate) spread: f64,
    /// Set once bytes were lost or made no sense: nothing may be sent any more.
    broken: bool,
    process: u32,
}

/// What came of trying to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// This many bytes, already taken by the session. `drained` where it is known that there were
    /// no more, which it never is with TLS.
    Received { bytes: usize, drained: bool },
    /// Nothing yet.
    Nothing,
}

impl Link {
    /// Connects to one place and logs in, giving up at the deadline. Boxed, for a connection changes
    /// hands twice a query and is half a kilobyte.
    pub(super) fn open_at(
        address: &Address,
        config: &Arc<PostgresConfig>,
        statements: usize,
        catalogue: &Arc<Catalogue>,
        control: &Control<'_>,
    ) -> Result<Box<Self>> {
        let deadline =
            control.deadline.unwrap_or_else(|| Instant::now() + crate::limits::CONNECT_TIMEOUT);
        let control = Control { deadline: Some(deadline), ..*control };
        let transport = Transport::open(config, address, &control)?;
        let mut parameters = vec![("client_encoding".to_owned(), "UTF8".to_owned())];
        parameters.extend(config.parameters.iter().cloned());
        let from_file = || {
            let file = config.password_file.as_deref()?;
            password(file, address, &config.database, &config.user)
        };
        // A pooler that gives the server's session to another client takes its statements along.
        let statements = match config.pooler {
            PoolerMode::Session => statements,
            PoolerMode::Transaction => 0,
        };
        let startup = Startup {
            user: config.user.clone(),
            database: config.database.clone(),
            password: config.password.clone().or_else(from_file),
            parameters,
            login: Login {
                certificate: transport.certificate(),
                binding: config.channel_binding,
                methods: config.require_auth,
            },
            // Half the range is left to count in.
            last_statement: RandomState::new().build_hasher().finish() >> 1,
            limits: Limits { statements, ..Limits::default() },
        };
        let session = Session::new(startup, Arc::clone(catalogue));
        let mut link = Box::new(Self {
            config: Arc::clone(config),
            address: address.clone(),
            transport,
            session,
            pace: Pace::default(),
            opened: Instant::now(),
            spread: random_fraction(),
            broken: false,
            process: process::id(),
        });
        let ready = drive(&mut link, &control, |event| match event {
            Event::Ready => Until::Stop(Ok(())),
            Event::Refused(error) => Until::Stop(Err(refused(*error))),
            _ => Until::More,
        });
        match ready {
            Ok(Ok(())) => Ok(link),
            Err(error) if error.kind() == ErrorKind::QueryTimeout => {
                Err(unreachable_server(address, io::ErrorKind::TimedOut.into()))
            }
            // A server that hangs up during the greeting refused us; no statement was lost.
            Err(error) if error.kind() == ErrorKind::ConnectionLost => {
                let message = format!("{address} hung up during login: {error}");
                Err(Error::new(ErrorKind::Connect, message).nobody_there())
            }
            Ok(Err(error)) | Err(error) => Err(error),
        }
    }

    /// What it takes to stop what the session is doing.
    pub(crate) fn cancel_target(&self) -> Option<CancelTarget> {
        let key = self.session.cancel_key()?.clone();
        Some(CancelTarget { config: Arc::clone(&self.config), address: self.address.clone(), key })
    }

    /// Sends what is pending, as far as it goes without waiting; true once all is sent.
    pub(crate) fn flush(&mut self) -> Result<bool> {
        loop {
            let pending = self.session.pending();
            if pending.is_empty() {
                return self.transport.flush().map_err(|error| self.lost(&error.to_string()));
            }
            match self.transport.send(pending) {
                Ok(sent) => self.session.sent(sent),
                Err(error) if is_not_yet(&error) => return Ok(false),
                Err(error) => {
                    // Why the other side ended may stand in what it sent before.
                    while let (false, Ok(Fill::Received { .. })) = (self.broken, self.fill(false)) {
                    }
                    return Err(self.lost(&error.to_string()));
                }
            }
        }
    }

    /// Receives once and lets the session take it. With `wait` it blocks for a tick at most.
    #[inline]
    pub(crate) fn fill(&mut self, wait: bool) -> Result<Fill> {
        let space = self.session.space();
        let room = space.len();
        match self.transport.recv(space, wait) {
            Ok(0) => Err(self.lost("the server closed the connection")),
            Ok(bytes) => match self.session.received(bytes) {
                Ok(()) => {
                    let drained = bytes < room && matches!(self.transport, Transport::Plain(_));
                    Ok(Fill::Received { bytes, drained })
                }
                Err(error) => {
                    self.broken = true;
                    Err(Error::from(error))
                }
            },
            Err(error) if is_not_yet(&error) => Ok(Fill::Nothing),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    /// The connection is gone; the server's last words, where there are any, say why.
    fn lost(&mut self, why: &str) -> Error {
        self.broken = true;
        if self.has_said_goodbye() {
            return self.farewell();
        }
        let message = match why.strip_prefix("the server ") {
            Some(rest) => format!("the server {rest}"),
            None => format!("the connection broke: {why}"),
        };
        Error::new(ErrorKind::ConnectionLost, message)
    }

    /// The server's last words.
    pub(crate) fn farewell(&mut self) -> Error {
        self.broken = true;
        let Some(fatal) = self.session.last_fatal() else {
            return Error::new(ErrorKind::ConnectionLost, "the server closed the connection");
        };
        let message = format!("the server ended the connection: {}", fatal.message);
        let mut error = Error::server(fatal.clone());
        error.set(ErrorKind::ConnectionLost, message);
        error
    }

    /// Fails in a fork of the process that opened the connection.
    pub(crate) fn check_process(&self) -> Result<()> {
        process::check(self.process)
    }

    /// Whether this is a fork of the process that opened the connection.
    pub(crate) fn is_forked(&self) -> bool {
        process::is_forked(self.process)
    }

    /// Prepares the connection for a caller that blocks, after an event loop had it.
    pub(crate) fn block(&self) {
        // Where that fails the caller spins, which is slow and still right.
        let _ = self.transport.socket().set_blocking();
    }

    /// Declares the connection unusable.
    pub(crate) fn break_off(&mut self) {
        self.broken = true;
    }

    /// True where another caller may use the connection: nothing under way, no open transaction.
    pub(crate) fn is_reusable(&self) -> bool {
        !self.has_said_goodbye()
            && !self.broken
            && self.session.in_flight() == 0
            && self.session.transaction() == TransactionStatus::Idle
    }

    /// True once the server has said that it ends the connection; the end itself may still come.
    pub(crate) fn has_said_goodbye(&self) -> bool {
        self.session.last_fatal().is_some()
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// True where an idle connection has been closed by the other side. Costs one system call.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self.fill(false) {
            // A notice or a changed parameter may wait there; a farewell is told by `last_fatal`.
            Ok(_) => self.session.last_fatal().is_some(),
            Err(_) => true,
        }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.transport.fd()
    }
}

impl Drop for Link {
    /// Says goodbye, so that the server need not find out; not in a forked child, where the
    /// session belongs to the parent.
    fn drop(&mut self) {
        if !self.broken && !self.is_forked() {
            self.session.close();
            let _ = self.flush();
        }
    }
}

/// The error of a server that refused the login.
fn refused(error: rowmill_wire::ServerError) -> Error {
    let mut this = Error::server(error);
    if this.kind() != ErrorKind::Config {
        let message = this.message().to_owned();
        this.set(ErrorKind::Connect, message);
    }
    this
}

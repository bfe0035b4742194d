//! The state machine of one connection.

mod answer;
mod in_flight;
mod loading;
mod portals;
mod reset;
mod rows;
mod send;
mod startup;
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_again;
#[cfg(test)]
mod tests_login;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use rowmill_columns::Schema;

use crate::split::{self, Message, ReadBuffer};
use crate::statement::StatementCache;
use crate::{
    Catalogue, Event, Failure, Limits, Load, Login, ProtocolError, Request, RequestId, ServerError,
    TransactionStatus, encode,
};
use in_flight::{Asked, InFlight, Rows, Stage, Work};
pub use portals::Portal;
use startup::Authentication;

/// Who connects to what.
#[derive(Clone, Default)]
pub struct Startup {
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, where the server may ask for one.
    pub password: Option<String>,
    /// Server parameters set from the start, as `application_name`.
    pub parameters: Vec<(String, String)>,
    /// Prepared statements are named by the numbers after this one. Drawn at random it keeps sessions
    /// apart that a pooler leads to the same server: one that asks there for a statement of its own
    /// hears that there is none, and never gets another session's.
    pub last_statement: u64,
    /// How the login may go.
    pub login: Login,
    /// The bounds to keep.
    pub limits: Limits,
}

impl fmt::Debug for Startup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "***");
        f.debug_struct("Startup")
            .field("user", &self.user)
            .field("database", &self.database)
            .field("password", &password)
            .field("parameters", &self.parameters)
            .field("login", &self.login)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The request that asks for TLS; the server answers with one byte, `S` for yes and `N` for no.
pub fn ssl_request() -> [u8; 8] {
    [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
}

/// What another connection must show to cancel this one's request.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelKey {
    /// The server's process.
    pub process: i32,
    /// The secret.
    pub secret: Vec<u8>,
}

impl fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelKey").field("process", &self.process).finish_non_exhaustive()
    }
}

impl CancelKey {
    /// The bytes of the CancelRequest: the only message of a connection of its own.
    pub fn request(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12 + self.secret.len());
        out.extend_from_slice(&(12 + self.secret.len() as u32).to_be_bytes());
        out.extend_from_slice(&80_877_102_u32.to_be_bytes());
        out.extend_from_slice(&self.process.to_be_bytes());
        out.extend_from_slice(&self.secret);
        out
    }
}

/// One connection's protocol: bytes in, events and bytes out.
///
/// Requests are sent as soon as the startup is done, one behind the other without waiting, and
/// answered in that order. Each ends in its own Sync, so that an error touches no other. After a
/// [`ProtocolError`] the session is of no more use.
///
/// A pump does this: read into [`space`](Self::space), tell [`received`](Self::received), take
/// every [`next_event`](Self::next_event), write [`pending`](Self::pending), tell
/// [`sent`](Self::sent).
pub struct Session {
    startup: Startup,
    limits: Limits,
    catalogue: Arc<Catalogue>,
    /// The transaction altered types, or may have.
    has_altered: bool,
    /// Statements may have set something that lasts.
    is_touched: bool,
    phase: Phase,
    read: ReadBuffer,
    /// Bytes of a message that are passed over as they come.
    skip: usize,
    out: Vec<u8>,
    /// How much of `out` was written.
    written: usize,
    /// Where a Bind is made whose way into `out` depends on its parameters.
    scratch: Vec<u8>,
    events: VecDeque<Event>,
    queue: VecDeque<InFlight>,
    /// How many of `queue` were sent; they are its first.
    sent: usize,
    last_id: RequestId,
    statements: StatementCache,
    status: TransactionStatus,
    cancel_key: Option<CancelKey>,
    parameters: Vec<(String, String)>,
    last_fatal: Option<Box<ServerError>>,
    broken: Option<ProtocolError>,
    is_closing: bool,
    no_columns: Arc<Schema>,
}

enum Phase {
    Starting(Authentication),
    Live,
    /// Refused, or told that the connection ends: whatever follows is passed over.
    Dead,
}

/// Bytes to write that are kept room for once they were written.
const KEPT_OUT: usize = 64 << 10;

impl Session {
    /// A session whose startup message is pending.
    ///
    /// `catalogue` is shared by the sessions of one database, and by no others.
    pub fn new(startup: Startup, catalogue: Arc<Catalogue>) -> Self {
        let mut limits = startup.limits.clone();
        // Lengths are 32 bits on the wire.
        limits.max_message = limits.max_message.min(i32::MAX as usize);
        limits.max_short_message = limits.max_short_message.min(limits.max_message);
        let mut out = Vec::new();
        startup::write(&startup, &mut out);
        Self {
            read: ReadBuffer::new(&limits),
            statements: StatementCache::new(limits.statements, startup.last_statement),
            startup,
            limits,
            catalogue,
            has_altered: false,
            is_touched: false,
            phase: Phase::Starting(Authentication::Awaited),
            skip: 0,
            out,
            written: 0,
            scratch: Vec::new(),
            events: VecDeque::new(),
            queue: VecDeque::new(),
            sent: 0,
            last_id: 0,
            status: TransactionStatus::Idle,
            cancel_key: None,
            parameters: Vec::new(),
            last_fatal: None,
            broken: None,
            is_closing: false,
            no_columns: Arc::default(),
        }
    }

    /// Room to read into, at least 16 KiB.
    pub fn space(&mut self) -> &mut [u8] {
        self.read.space()
    }

    /// Takes `n` bytes that were read into [`space`](Self::space): every message that is now
    /// complete is understood, every complete row decoded.
    ///
    /// # Errors
    /// [`ProtocolError`] if the server says what it cannot say there; then, and at every later
    /// call, the connection is of no more use.
    ///
    /// # Panics
    /// If `n` is more than there was space.
    pub fn received(&mut self, n: usize) -> Result<(), ProtocolError> {
        self.read.filled(n);
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut read = std::mem::take(&mut self.read);
        let result = self.process(&mut read);
        self.read = read;
        if let Err(error) = &result {
            self.broken = Some(error.clone());
            self.phase = Phase::Dead;
        }
        result
    }

    /// As [`space`](Self::space) and [`received`](Self::received), by copying `bytes`.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolError> {
        loop {
            let space = self.read.space();
            let n = space.len().min(bytes.len());
            let (now, later) = bytes.split_at(n);
            space[..n].copy_from_slice(now);
            self.received(n)?;
            if later.is_empty() {
                return Ok(());
            }
            bytes = later;
        }
    }

    fn process(&mut self, read: &mut ReadBuffer) -> Result<(), ProtocolError> {
        loop {
            let unread = read.unread();
            let Some(&kind) = unread.first() else { return Ok(()) };
            if matches!(self.phase, Phase::Dead) {
                read.consume(unread.len());
                return Ok(());
            }
            if self.skip > 0 {
                let skipped = self.skip.min(unread.len());
                self.skip -= skipped;
                read.consume(skipped);
                continue;
            }
            if matches!(kind, b'D' | b'd') && self.expects_rows(kind) {
                match self.rows(unread)? {
                    0 => return Ok(()),
                    taken => read.consume(taken),
                }
                continue;
            }
            let is_live = matches!(self.phase, Phase::Live);
            let (long, short) = (self.limits.max_message, self.limits.max_short_message);
            let limit = |kind| if is_live && split::may_be_long(kind) { long } else { short };
            let Some(message) = split::message(unread, limit)? else { return Ok(()) };
            let len = message.len();
            self.message(message)?;
            read.consume(len);
        }
    }

    fn message(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        match self.phase {
            Phase::Starting(_) => self.startup_message(message),
            Phase::Live => self.live_message(message),
            Phase::Dead => Ok(()),
        }
    }

    /// Bytes to write.
    pub fn pending(&self) -> &[u8] {
        &self.out[self.written..]
    }

    /// The first `n` bytes of [`pending`](Self::pending) were written.
    ///
    /// # Panics
    /// If there were not as many.
    pub fn sent(&mut self, n: usize) {
        assert!(n <= self.out.len() - self.written, "more bytes than were pending");
        self.written += n;
        if self.written == self.out.len() {
            self.written = 0;
            self.out.clear();
            self.out.shrink_to(KEPT_OUT);
            self.scratch.clear();
            self.scratch.shrink_to(KEPT_OUT);
        }
    }

    /// Starts a request; it may be called at any time and as often as wanted.
    pub fn start(&mut self, request: Request) -> RequestId {
        self.enqueue(Work::Request(request))
    }

    /// As [`start`](Self::start), for a statement that has to be right at once, as in a transaction
    /// nothing is asked again: nothing that is known of it is relied on, and nothing kept.
    pub fn start_anew(&mut self, request: Request) -> RequestId {
        self.enqueue_as(Asked::Unnamed, Work::Request(request))
    }

    /// Starts several statements, separated by semicolons, without parameters. Their rows are
    /// passed over; the one [`Event::Done`] tells of the first error or of the last statement.
    ///
    /// Nothing is sent behind a script until it is done.
    pub fn script(&mut self, text: &str) -> RequestId {
        self.enqueue(Work::Script(text.to_owned()))
    }

    /// Starts a load. [`Event::Loading`] says when its rows may be [given](Self::load_rows); its
    /// [`Event::Done`] may come before that, and at any time later.
    ///
    /// Nothing is sent behind a load until it is done.
    pub fn load(&mut self, load: Load) -> RequestId {
        self.enqueue(Work::Load(load))
    }

    fn enqueue(&mut self, work: Work) -> RequestId {
        self.enqueue_as(Asked::Once, work)
    }

    fn enqueue_as(&mut self, asked: Asked, work: Work) -> RequestId {
        self.reset_if_touched();
        self.last_id += 1;
        self.queue.push_back(InFlight { asked, ..InFlight::new(self.last_id, work) });
        self.flush();
        self.last_id
    }

    /// Rows of `id` are no longer wanted: they are passed over as they come. Its
    /// [`Event::Done`] still comes; where nothing of it was sent, nothing will be, and it comes at
    /// once with [`Failure::NotSent`].
    ///
    /// An `id` that is done is no error.
    pub fn abandon(&mut self, id: RequestId) {
        let Some(at) = self.queue.iter().position(|request| request.id == id) else { return };
        let request = &mut self.queue[at];
        request.is_wanted = false;
        if at >= self.sent {
            self.finish(at, Err(Failure::NotSent));
        } else if let Stage::Running(running) = &mut request.stage {
            running.rows = Rows::Ignored;
        }
    }

    /// What happened next.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Requests that are not done, those not sent among them.
    pub fn in_flight(&self) -> usize {
        self.queue.len()
    }

    /// The request whose answer the server is giving now, or will give next.
    pub fn oldest(&self) -> Option<RequestId> {
        self.queue.front().filter(|_| self.sent > 0).map(|front| front.id)
    }

    /// Whether anything of `id` is among the bytes to write or was written, and it is not done.
    pub fn is_sent(&self, id: RequestId) -> bool {
        self.queue.iter().take(self.sent).any(|request| request.id == id)
    }

    /// Where the server stood when it last was ready: at the end of the last request done.
    pub fn transaction(&self) -> TransactionStatus {
        self.status
    }

    /// What cancels a request here, if the server gave such a key.
    pub fn cancel_key(&self) -> Option<&CancelKey> {
        self.cancel_key.as_ref()
    }

    /// A parameter that the server reports, as `server_version` or `TimeZone`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Ends the session: Terminate is pending, and nothing will be sent behind it.
    pub fn close(&mut self) {
        if !self.is_closing {
            self.is_closing = true;
            encode::terminate(&mut self.out);
        }
    }

    /// The error with which the server said that it ends the connection, as at its shutdown:
    /// what to report when the connection then ends.
    pub fn last_fatal(&self) -> Option<&ServerError> {
        self.last_fatal.as_deref()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Starting(_) => "starting",
            Phase::Live => "live",
            Phase::Dead => "dead",
        };
        f.debug_struct("Session")
            .field("phase", &phase)
            .field("in_flight", &self.queue.len())
            .field("sent", &self.sent)
            .field("transaction", &self.status)
            .finish_non_exhaustive()
    }
}

//! The state machine of one connection.
use std::fmt;
use std::sync::Arc;

use crate::{Catalogue, Event, Limits, ProtocolError, Request, RequestId, ServerError, TransactionStatus};

/// Who connects to what.
#[derive(Clone)]
pub struct Startup {
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, where the server may ask for one.
    pub password: Option<String>,
    /// Server parameters set from the start, as `application_name`.
    pub parameters: Vec<(String, String)>,
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
            .field("limits", &self.limits)
            .finish()
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

/// One connection's protocol.
#[derive(Debug)]
pub struct Session {}

impl Session {
    /// A session whose startup message is pending.
    pub fn new(_startup: Startup, _catalogue: Arc<Catalogue>) -> Self { Self {} }
    /// Spare room of the read buffer, at least 16 KiB.
    pub fn space(&mut self) -> &mut [u8] { &mut [] }
    /// Takes `n` bytes that were read into [`space`](Self::space).
    pub fn received(&mut self, _n: usize) -> Result<(), ProtocolError> { Ok(()) }
    /// Takes bytes by copy.
    pub fn feed(&mut self, _bytes: &[u8]) -> Result<(), ProtocolError> { Ok(()) }
    /// Bytes to write.
    pub fn pending(&self) -> &[u8] { &[] }
    /// Says that `n` bytes of [`pending`](Self::pending) were written.
    pub fn sent(&mut self, _n: usize) {}
    /// Starts a request.
    pub fn start(&mut self, _request: Request) -> RequestId { 0 }
    /// Starts several statements at once.
    pub fn script(&mut self, _text: &str) -> RequestId { 0 }
    /// Rows of `id` are no longer wanted.
    pub fn abandon(&mut self, _id: RequestId) {}
    /// What happened next.
    pub fn next_event(&mut self) -> Option<Event> { None }
    /// Requests not done.
    pub fn in_flight(&self) -> usize { 0 }
    /// The request whose answer the server is giving now.
    pub fn oldest(&self) -> Option<RequestId> { None }
    /// Whether anything of `id` was sent.
    pub fn is_sent(&self, _id: RequestId) -> bool { false }
    /// Where the server stood when it last was ready.
    pub fn transaction(&self) -> TransactionStatus { TransactionStatus::Idle }
    /// What cancels a request here.
    pub fn cancel_key(&self) -> Option<&CancelKey> { None }
    /// A server parameter.
    pub fn parameter(&self, _name: &str) -> Option<&str> { None }
    /// Ends the session.
    pub fn close(&mut self) {}
    /// Bytes of rows so far for the oldest request.
    pub fn bytes_of_current(&self) -> usize { 0 }
    /// The error with which the server said it ends the connection.
    pub fn last_fatal(&self) -> Option<&ServerError> { None }
}

//! PostgreSQL bytes to meaning and back, without IO.
//!
//! [`Session`] is one connection's protocol: bytes that were read go in, bytes to write and
//! [`Event`]s come out. It opens no socket, reads no clock, starts no thread. Rows go from the read
//! buffer straight into column builders; a row is never an object.
//!
//! ```
//! use std::sync::Arc;
//! use rowmill_wire::{Catalogue, Session, Startup};
//! let startup = Startup {
//!     user: "app".into(),
//!     database: "shop".into(),
//!     parameters: vec![("application_name".into(), "report".into())],
//!     ..Startup::default()
//! };
//! let mut session = Session::new(startup, Arc::new(Catalogue::default()));
//! let sent = session.pending().len();            // the startup message: write it to a socket
//! session.sent(sent);
//! session.feed(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap(); // what a trusting server answers
//! assert!(matches!(session.next_event(), Some(rowmill_wire::Event::Ready)));
//! ```
#![forbid(unsafe_code)]

mod bind;
mod catalogue;
mod decode;
mod encode;
mod end_point;
mod error;
mod event;
mod limits;
mod load;
mod login;
mod message;
mod oid;
mod request;
mod session;
mod split;
mod statement;
#[cfg(test)]
mod testing;
mod words;

pub use catalogue::Catalogue;
pub use error::{DecodeError, Failure, ParameterError, ProtocolError, ServerError};
pub use event::{Completion, Event, Tag, TransactionStatus};
pub use limits::Limits;
pub use load::LoadError;
pub use login::{Binding, Login, Methods};
pub use request::{Load, Output, Request, RequestId, Statement};
pub use session::{CancelKey, Portal, Session, Startup, ssl_request};

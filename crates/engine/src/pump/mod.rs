//! Pumps move bytes between a socket and a sans-IO session; nothing else here touches a socket.

mod blocking;
mod connect;
mod link;
mod pace;
mod socket;
mod tls;
mod workers;

pub(crate) use blocking::{Until, drive};
pub(crate) use link::{Fill, Link};
pub(crate) use socket::Transport;
pub(crate) use workers::{Job, Workers};

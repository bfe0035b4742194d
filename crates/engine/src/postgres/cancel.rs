use std::time::Instant;

use rowmill_wire::CancelKey;

use crate::config::Address;
use crate::limits;
use crate::pump::Socket;

/// What it takes to stop the statement that a session is running.
#[derive(Clone, Debug)]
pub(crate) struct CancelTarget {
    pub(crate) address: Address,
    pub(crate) key: CancelKey,
}

impl CancelTarget {
    /// Asks the server to stop what the session is doing, and waits until it has heard: the server
    /// closes the asking connection once it has signalled the session, so nothing that is started
    /// afterwards can be hit by mistake. True where the server was reached.
    pub(crate) fn cancel(&self) -> bool {
        let deadline = Instant::now() + limits::CANCEL_GRACE;
        let Ok(socket) = Socket::connect(&self.address, deadline) else { return false };
        socket.exchange(&self.key.request(), &mut [0], deadline).is_ok()
    }
}

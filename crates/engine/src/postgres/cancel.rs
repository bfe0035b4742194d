use std::time::Instant;

use rowmill_wire::CancelKey;

use crate::config::PostgresConfig;
use crate::limits;
use crate::pump::Socket;

/// Asks the server to stop what the session with this key is doing, and waits until it has heard:
/// the server closes the asking connection once it has signalled the session, so nothing that is
/// started afterwards can be hit by mistake. True where the server was reached.
pub(crate) fn cancel(config: &PostgresConfig, key: &CancelKey) -> bool {
    let deadline = Instant::now() + limits::CANCEL_GRACE;
    let Ok(socket) = Socket::connect(&config.address, deadline) else { return false };
    socket.exchange(&key.request(), &mut [0], deadline).is_ok()
}

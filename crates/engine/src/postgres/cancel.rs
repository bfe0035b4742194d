use std::sync::Arc;

use rowmill_wire::CancelKey;

use crate::Control;
use crate::config::{Address, PostgresConfig};
use crate::pump::Transport;

/// What it takes to stop the statement that a session is running.
#[derive(Clone, Debug)]
pub(crate) struct CancelTarget {
    pub(crate) config: Arc<PostgresConfig>,
    pub(crate) address: Address,
    pub(crate) key: CancelKey,
}

impl CancelTarget {
    /// Asks the server to stop what the session is doing, and waits until it has heard: the server
    /// closes the asking connection once it has signalled the session, so nothing that is started
    /// afterwards can be hit by mistake. True where it has heard.
    pub(crate) fn cancel(&self, control: &Control<'_>) -> bool {
        // The key is as secret as all else: whoever has it can stop what runs.
        let Ok(mut transport) = Transport::open(&self.config, &self.address, control) else {
            return false;
        };
        transport.exchange(&self.key.request(), &mut [0], control).is_ok()
    }
}

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, ErrorKind, Result};

/// This process's id, without asking the kernel: the question is put at every call, and a system
/// call is a tenth of a short one.
pub(crate) fn id() -> u32 {
    /// 0 until first asked for, and again in a fork.
    static ID: AtomicU32 = AtomicU32::new(0);
    static WATCH: Once = Once::new();

    extern "C" fn forget() {
        ID.store(0, Ordering::Relaxed);
    }

    match ID.load(Ordering::Relaxed) {
        0 => {
            WATCH.call_once(|| {
                // SAFETY: the handler is a plain function that lives as long as the program, and
                // stores to an atomic, which a child of many threads may do.
                let failed = unsafe { libc::pthread_atfork(None, None, Some(forget)) };
                assert_eq!(failed, 0, "no memory for a fork handler");
            });
            let id = std::process::id();
            ID.store(id, Ordering::Relaxed);
            id
        }
        id => id,
    }
}

/// Connections do not survive a fork: both processes would talk on one socket.
pub(crate) fn check(opened_in: u32) -> Result<()> {
    if !is_forked(opened_in) {
        return Ok(());
    }
    let here = id();
    let message =
        format!("the database was opened in process {opened_in} and this is its fork {here}");
    Err(Error::new(ErrorKind::Misuse, message)
        .with_hint("open the database in each process, after the fork"))
}

/// Whether this process is a fork of the one that has this id. What another thread was at work on
/// when the fork happened is in no known state here: it is neither used nor dropped.
pub(crate) fn is_forked(opened_in: u32) -> bool {
    id() != opened_in
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_kernels() {
        assert_eq!(super::id(), std::process::id());
        assert_eq!(super::id(), std::process::id());
    }
}

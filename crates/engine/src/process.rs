#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::{Error, ErrorKind, Result};

/// 0 until first asked for, and again in a fork.
static ID: AtomicU32 = AtomicU32::new(0);
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

/// This process's id, without asking the kernel: the question is put at every call, and a system
/// call is a tenth of a short one.
///
/// A fork is noticed where it is made by the C library's `fork`, as Python's and everybody's is.
pub(crate) fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => find_out(),
        id => id,
    }
}

#[cold]
fn find_out() -> u32 {
    extern "C" fn forget() {
        ID.store(0, Ordering::Relaxed);
    }

    let id = std::process::id();
    if !IS_WATCHED.load(Ordering::Relaxed) {
        // Two threads may both do so: then it is forgotten twice.
        // SAFETY: the handler is a plain function that lives as long as the program, and stores to
        // an atomic, which a child of many threads may do.
        if unsafe { libc::pthread_atfork(None, None, Some(forget)) } != 0 {
            return id;
        }
        IS_WATCHED.store(true, Ordering::Relaxed);
    }
    ID.store(id, Ordering::Relaxed);
    id
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

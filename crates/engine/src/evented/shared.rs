use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rowmill_wire::RequestId;

use super::streams::StreamId;
use super::{Answer, CallId, TransactionId};
use crate::Result;
use crate::postgres::Home;
use crate::pump::Link;

/// What workers leave for the loop, and the one wake-up that tells of it.
pub(crate) struct Shared {
    news: Mutex<Vec<News>>,
    /// True from the wake-up's writing to its reading: further news needs no second one.
    told: AtomicBool,
    // A socket pair and not an eventfd: the same on every Unix, in safe code, for about 1 us more.
    bell: UnixStream,
    ear: UnixStream,
}

/// Something a worker finished.
pub(crate) enum News {
    /// A lane's connection is open, or could not be opened.
    Opened(usize, Result<Box<Link>>),
    /// A request of an away lane was answered.
    Answered(usize, RequestId, Result<Answer>),
    /// A lane's connection comes back.
    Returned(usize, Result<Box<Link>>),
    /// A stream keeps a lane's connection until its next part.
    Kept(usize, StreamId),
    /// A call was answered.
    Done(CallId, Result<Answer>),
    /// An SQLite transaction that wrote, or would have, is over.
    WriterFree(TransactionId),
    /// A lane's cancel request was made, as far as could be.
    Cancelled {
        lane: usize,
        /// Of the connection that was meant.
        generation: u64,
        /// Whether the server has it; else it may still come.
        heard: bool,
    },
}

impl Shared {
    pub(crate) fn new() -> io::Result<Self> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self { news: Mutex::default(), told: AtomicBool::new(false), bell, ear })
    }

    pub(crate) fn wake_fd(&self) -> RawFd {
        self.ear.as_raw_fd()
    }

    pub(crate) fn tell(&self, news: News) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).push(news);
        if !self.told.swap(true, Ordering::AcqRel) {
            // A full channel already holds a wake-up, and a closed one has nobody to wake.
            let _ = (&self.bell).write(&[0]);
        }
    }

    /// All news so far.
    pub(crate) fn hear(&self) -> Vec<News> {
        let mut bytes = [0; 16];
        let _ = (&self.ear).read(&mut bytes);
        self.told.store(false, Ordering::Release);
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Home for Shared {
    fn give_back(&self, link: Box<Link>, lane: usize) {
        self.tell(News::Returned(lane, Ok(link)));
    }
}

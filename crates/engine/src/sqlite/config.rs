//! How a database file is opened and tuned.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dates::Dates;
use crate::{Error, ErrorKind, Result};

/// What an SQLite database is opened with.
#[derive(Clone, Debug)]
pub(crate) struct SqliteConfig {
    /// The file; `None` for a private database in memory.
    pub(crate) path: Option<PathBuf>,
    /// Reading connections at most.
    pub(crate) readers: usize,
    /// Prepared statements kept per connection.
    pub(crate) statements: usize,
    /// How long a call waits for a lock or a connection.
    pub(crate) busy_timeout: Duration,
    /// Whether writing is refused.
    pub(crate) read_only: bool,
    pub(crate) dates: Dates,
}

impl SqliteConfig {
    /// The path as SQLite takes it.
    pub(super) fn c_path(&self) -> Result<CString> {
        let Some(path) = &self.path else { return Ok(c":memory:".to_owned()) };
        if path.as_os_str().is_empty() {
            return Err(Error::new(ErrorKind::Config, "the database's path is empty"));
        }
        c_path(path).ok_or_else(|| {
            let message = format!("the path {} holds a NUL character", path.display());
            Error::new(ErrorKind::Config, message)
        })
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that writes a file.
    Writer,
    /// One of those that only read it.
    Reader,
    /// The one there is to a database in memory.
    Only,
}

impl Role {
    /// Run once at opening.
    ///
    /// The write-ahead log lets readers and the writer work at once; with it `synchronous=normal`
    /// keeps the file whole through a crash and needs no `fsync` per commit (a power cut may lose
    /// the last commits). The writer holds 64 MiB of pages; readers hold 16 MiB each because they
    /// find most pages through the memory map of the file's first 256 MiB. A log that grew under a
    /// long reader is cut back to 64 MiB.
    pub(super) fn pragmas(self) -> &'static str {
        match self {
            Self::Writer => {
                "pragma journal_mode=wal; pragma synchronous=normal; pragma foreign_keys=on;
                 pragma cache_size=-65536; pragma mmap_size=268435456; pragma temp_store=memory;
                 pragma journal_size_limit=67108864"
            }
            Self::Reader => {
                "pragma schema_version; pragma query_only=on; pragma cache_size=-16384;
                 pragma mmap_size=268435456; pragma temp_store=memory"
            }
            Self::Only => "pragma foreign_keys=on; pragma temp_store=memory",
        }
    }
}

/// A path as SQLite takes it. It would read `file:...` as a URI, so such a name gets `./` before.
fn c_path(path: &Path) -> Option<CString> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let plain =
        if bytes.starts_with(b"file:") || bytes.starts_with(b":") { &b"./"[..] } else { b"" };
    CString::new([plain, bytes].concat()).ok()
}

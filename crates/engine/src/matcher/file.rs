//! Snapshots in files: mapped to be read, and put in place whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;
use rowmill_expr::matcher::{Bytes, View};

/// Writes a snapshot beside `path` and renames it: who reads finds the old one or the new one, whole.
pub(super) fn save(view: &View, beside: &[u8], path: &Path) -> io::Result<()> {
    let snapshot = view
        .snapshot(beside)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let (file, new) = create(path)?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let written = snapshot
        .write(&mut file)
        .and_then(|()| file.flush())
        .and_then(|()| file.get_ref().sync_all())
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    // The name is on the disk too, where directories can be asked for that.
    if let Some(directory) = path.parent().filter(|_| cfg!(unix)) {
        let here = Path::new(".");
        let directory = if directory.as_os_str().is_empty() { here } else { directory };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// A file of a name that nobody has, in the same directory.
fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut new = name.to_owned();
        new.push(format!(".{}-{number}.tmp", std::process::id()));
        let new = path.with_file_name(new);
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (file, new)),
        }
    }
}

/// A file's bytes, of which the system reads what is looked at, once for all processes.
#[expect(unsafe_code, reason = "a mapping shows whatever becomes of the file")]
pub(super) fn mapped(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: a snapshot is never written in place: `save` renames a new file over it, which leaves the mapped one as
    // it was for as long as it is mapped. That nobody else changes or cuts it is what `Matcher::load` asks for.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}

//! What `recover` takes off a recording's end, kept beside it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use crate::dirfd::DirEntry;

/// The name of what is kept of a recording: the recording's with this behind it.
pub const SUFFIX: &str = ".torn";

/// The most that is kept, bytes: a line of the longest, with what was written around it. What a torn line has beyond
/// that are zeros.
const MOST: u64 = 32 << 20;

/// Where the torn tail of this recording is kept.
#[must_use]
pub fn path_beside(recording: &Path) -> PathBuf {
    let mut name = OsString::from(recording);
    name.push(SUFFIX);
    name.into()
}

/// Copies all of the file from `from` on into a new one, `beside`, and gets it to the disk, but for the zeros at its end:
/// nothing was ever written there. Returns the bytes that are kept; where there are none, no file is made.
///
/// # Errors
/// Those of reading and writing; then no new file is left. An existing one is an error, as it may be the only copy.
pub(super) fn keep(file: &File, from: u64, beside: &DirEntry) -> io::Result<u64> {
    let metadata = file.metadata()?;
    let len = metadata.len().saturating_sub(from).min(MOST);
    let mut tail = vec![0; usize::try_from(len).unwrap_or_default()];
    file.read_exact_at(&mut tail, from)?;
    let used = tail.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if used == 0 {
        return Ok(0);
    }
    let mut kept = beside.create_new(0o600)?;
    let written = (|| {
        // Who owns the recording can read it, also where root recovers it.
        if kept.metadata()?.uid() != metadata.uid() {
            fchown(&kept, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        kept.write_all(&tail[..used])?;
        kept.sync_all()
    })();
    if written.is_err() {
        let _ = beside.unlink();
    }
    written.map(|()| used as u64)
}

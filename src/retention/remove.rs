//! Removing recordings from a directory whose parts may belong to others, who must not be able to have
//! anything else removed: no link is followed, and what was judged is what goes.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::dirfd::{DirEntry, EntryKind, FileRef};
use crate::recording::torn;
use crate::signature::EXTENSION;
use crate::sys;

/// Why a recording is still there.
#[derive(Debug, thiserror::Error)]
pub enum NotRemoved {
    /// It is being written.
    #[error("it is being written")]
    Live,
    /// It is not what was judged: another file has its place.
    #[error("it has changed meanwhile")]
    Changed,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Removes the files of a recording, which were seen as `seen`, with their signatures and torn ends: all of them, or none where
/// one of them may not go. `gone` is called for each that is removed.
///
/// # Errors
/// The file that is still there, and why.
pub fn remove<'a>(
    files: &'a [(FileRef, Metadata)],
    gone: &mut dyn FnMut(&'a FileRef, &'a Metadata),
) -> Result<(), (&'a FileRef, NotRemoved)> {
    let mut judged = Vec::new();
    for (file, seen) in files {
        judged.push(judge(file, seen).map_err(|error| (file, error))?);
    }
    for ((file, seen), (entry, _lock)) in files.iter().zip(judged) {
        entry.unlink().map_err(|error| (file, error.into()))?;
        gone(file, seen);
        remove_beside(&entry, seen).map_err(|error| (file, error.into()))?;
    }
    Ok(())
}

/// Whether a file is what was seen, and no recorder has it; it is locked as long as it is held.
fn judge(file: &FileRef, seen: &Metadata) -> Result<(DirEntry, File), NotRemoved> {
    let entry = file.entry()?;
    let file = entry.open()?;
    // The recorder holds the lock as long as it lives, and none can begin with a file that exists.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(NotRemoved::Live),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // Other recorders hold no lock.
    if sys::has_writer(&file) == Some(true) {
        return Err(NotRemoved::Live);
    }
    let now = file.metadata()?;
    let same = |metadata: &Metadata| (metadata.dev(), metadata.ino(), metadata.mtime(), metadata.len());
    let there = entry.stat()?;
    if same(&now) != same(seen) || (there.st_dev, there.st_ino) != (now.dev(), now.ino()) {
        return Err(NotRemoved::Changed);
    }
    Ok((entry, file))
}

/// Removes what belongs to a recording beside it, if the same user owns it. What belongs to `FILE` belongs to `FILE.gz`
/// where that has taken its place.
fn remove_beside(entry: &DirEntry, recording: &Metadata) -> io::Result<()> {
    let packed = [".gz", ".zst"].into_iter().find_map(|suffix| entry.without_suffix(suffix));
    let unpacked = packed.transpose()?.filter(|unpacked| unpacked.stat().is_err());
    for entry in [Some(entry), unpacked.as_ref()].into_iter().flatten() {
        for suffix in [&format!(".{EXTENSION}"), torn::SUFFIX] {
            let beside = entry.with_suffix(suffix)?;
            match beside.stat() {
                Ok(stat)
                    if EntryKind::of(stat.st_mode) == EntryKind::File && stat.st_uid == recording.uid() =>
                {
                    beside.unlink()?;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

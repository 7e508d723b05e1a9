//! The recordings below a directory, looked at in parallel.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Entry;
use super::entry::look_at_file;
use crate::cast::{Segment, SegmentFault};
use crate::dirfd::{EntryKind, FileRef, Root};
use crate::recording::reader::Reader;
use crate::{cast, sys};

/// How far the work is; for a progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files in all.
    pub files: AtomicUsize,
    /// Files that are done.
    pub done: AtomicUsize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Listing {
    /// The recordings, in no order.
    pub entries: Vec<Entry>,
    /// What could not be looked at, and why.
    pub trouble: Vec<(PathBuf, io::Error)>,
}

/// Looks at all files below a directory, or at one file. What is no recording is passed over, unless it is named, or
/// [is called one](is_cast).
///
/// # Errors
///
/// When the path itself can't be read.
pub fn list(path: &Path, progress: &Progress) -> io::Result<Listing> {
    let mut trouble = Vec::new();
    let files = files(path, &mut trouble)?;
    let mut listing = look_at(files, progress);
    listing.trouble.splice(0..0, trouble);
    Ok(listing)
}

/// Looks at these files, as [`list`] does.
#[must_use]
pub fn look_at(files: Vec<FileRef>, progress: &Progress) -> Listing {
    let mut listing = Listing::default();
    progress.files.store(files.len(), Ordering::Relaxed);
    let looked: Vec<_> = files
        .into_par_iter()
        .map(|file| {
            let entry = look_at_file(&file);
            progress.done.fetch_add(1, Ordering::Relaxed);
            (file, entry)
        })
        .collect();
    for (file, entry) in looked {
        match entry {
            Ok(Some(entry)) => listing.entries.push(entry),
            Ok(None) if file.is_named() || is_cast(file.path()) => {
                let why = why_unread(&file);
                listing.trouble.extend(why.map(|error| (file.path().to_owned(), error)));
            }
            Ok(None) => {}
            // Retention, or a user, was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => listing.trouble.push((file.path().to_owned(), error)),
        }
    }
    listing
}

/// The same, with one entry for each session, also where that has several files.
///
/// # Errors
///
/// Those of [`list`].
pub fn list_sessions(path: &Path, progress: &Progress) -> io::Result<Listing> {
    let mut trouble = Vec::new();
    let files = files(path, &mut trouble)?;
    // Any file of these stands for where its session's other files are found.
    let by = files.first().cloned();
    let mut listing = look_at(files, progress);
    if let Some(by) = by {
        listing.entries = joined(std::mem::take(&mut listing.entries), &by, &mut listing.trouble);
    }
    listing.trouble.splice(0..0, trouble);
    Ok(listing)
}

/// One entry for each session: of several files, that of the last one with what the others add.
fn joined(found: Vec<Entry>, by: &FileRef, trouble: &mut Vec<(PathBuf, io::Error)>) -> Vec<Entry> {
    let (mut single, mut sessions) = (BTreeMap::new(), Vec::new());
    for entry in found {
        // Any of a session's files may be named; in a directory a later one leads to the others.
        let later = entry.session.segment.is_some_and(|segment| segment > 1);
        let segments = if by.is_named() {
            cast::segments(&entry.path)
        } else if later {
            cast::segments_of(&by.at(&entry.path))
        } else {
            Ok(None)
        };
        let segments = segments.unwrap_or_else(|error| {
            trouble.push((entry.path.clone(), error));
            None
        });
        if let Some(segments) = segments {
            sessions.push(segments);
            if by.is_named() {
                continue;
            }
        }
        single.insert(entry.path.clone(), entry);
    }
    let mut entries = Vec::new();
    for segments in sessions {
        let Some(last) = segments.files.last().cloned() else { continue };
        // Its other files have led to it, too.
        let entry = single.remove(&last.path).or_else(|| {
            let led = entries.iter().any(|entry: &Entry| entry.has(&last.path));
            let looked = if led { Ok(None) } else { look_at_file(&by.at(&last.path)) };
            looked.unwrap_or_else(|error| {
                trouble.push((last.path.clone(), error));
                None
            })
        });
        if let Some(entry) = entry {
            let mut segments = segments;
            let mut faults = Vec::new();
            for pair in segments.files.windows(2) {
                let [segment, next] = pair else { continue };
                let seen = match single.remove(&segment.path) {
                    Some(seen) => Ok(Some(seen)),
                    None => look_at_file(&by.at(&segment.path)),
                };
                match seen {
                    Ok(seen) => faults.extend(seen.and_then(|seen| fault(segment, next, seen))),
                    Err(error) => trouble.push((segment.path.clone(), error)),
                }
            }
            single.remove(&last.path);
            segments.faults.extend(faults);
            entries.push(entry.of_session(segments));
        }
    }
    entries.extend(single.into_values());
    entries
}

/// What a glance finds wrong with a file that `next` continues: that it is shorter than it was, unless it is packed, or that
/// one of its lines that were read is wrong, unless that may follow what counts.
fn fault(segment: &Segment, next: &Segment, seen: Entry) -> Option<SegmentFault> {
    let bytes = segment.counted_by(next);
    if !segment.packed
        && let Ok(Some(short)) = segment.cut_off(next)
    {
        return Some(short);
    }
    let has_surplus = bytes.is_some_and(|bytes| segment.packed || segment.size > bytes);
    let reason = seen.damage.filter(|_| !has_surplus)?;
    Some(SegmentFault::Damaged { path: segment.path.clone(), reason, next: next.number })
}

/// Whether a file is called a recording, so that it should be one.
#[must_use]
pub fn is_cast(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    [".cast", ".cast.gz", ".cast.zst"].iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// Whether a file holds nothing yet, as its recorder is just beginning.
#[must_use]
pub fn is_beginning(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
        && (cast::is_live(file) || sys::has_writer(file) == Some(true))
}

/// Why a file can't be read as a recording. `None` where it has gone, or just begins.
fn why_unread(file: &FileRef) -> Option<io::Error> {
    let opened = if file.is_named() { cast::open_file(file.path()) } else { file.open() };
    let file = match opened {
        Ok(file) if is_beginning(&file) => return None,
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return Some(error),
    };
    let read = cast::reader_of(file).map(Reader::new);
    Some(match read {
        Ok(Err(error)) => io::Error::other(format!("can't be read as a recording: {error}")),
        Ok(Ok(_)) => io::Error::other("can't be read as a recording: it has changed, or is too large"),
        Err(error) => error,
    })
}

/// The regular files below a directory, in order of their names; a file is itself. Links below the directory are not
/// followed, also not later, when the files are opened.
///
/// # Errors
///
/// When the path itself can't be read. What is wrong below it goes to `trouble`, and so does what is
/// [called a recording](is_cast) and is no file, unless it is a link to a recording that is found anyway.
pub fn files(path: &Path, trouble: &mut Vec<(PathBuf, io::Error)>) -> io::Result<Vec<FileRef>> {
    match Root::open(path)? {
        Some(root) => files_below(&root, trouble),
        None => Ok(vec![FileRef::named(path)]),
    }
}

/// As [`files`], for a directory that is open.
///
/// # Errors
///
/// When it can't be read.
pub fn files_below(root: &Arc<Root>, trouble: &mut Vec<(PathBuf, io::Error)>) -> io::Result<Vec<FileRef>> {
    let real = fs::canonicalize(root.path())?;
    let mut called = Vec::new();
    let found = root.files(&mut |path, kind| called.push((path, kind)), trouble)?;
    for (path, kind) in called {
        let is_link = kind == EntryKind::Link;
        if is_cast(&path) && !(is_link && is_found(&path, &real)) {
            let what = if is_link { "a symbolic link, which is not followed" } else { "no file" };
            trouble.push((path, io::Error::other(what)));
        }
    }
    Ok(found)
}

/// Whether a link leads to a recording below `root`, which is found by its own name.
fn is_found(link: &Path, root: &Path) -> bool {
    fs::canonicalize(link)
        .is_ok_and(|target| target.starts_with(root) && is_cast(&target) && target.is_file())
}

//! The recordings below a directory, looked at in parallel.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Entry, look};
use crate::recording::reader::Reader;
use crate::{cast, sys};

/// How deep directories are followed.
const MAX_DEPTH: usize = 64;

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
    let mut listing = Listing::default();
    let paths = files(path, &mut listing.trouble)?;
    let named = paths.first().is_some_and(|first| first == path);
    progress.files.store(paths.len(), Ordering::Relaxed);
    let looked: Vec<_> = paths
        .into_par_iter()
        .map(|path| {
            // A link that is named is followed, one that is found is not.
            let entry = match named.then(|| fs::canonicalize(&path)) {
                Some(Ok(target)) => {
                    look(&target).map(|entry| entry.map(|entry| Entry { path: path.clone(), ..entry }))
                }
                Some(Err(error)) => Err(error),
                None => look(&path),
            };
            progress.done.fetch_add(1, Ordering::Relaxed);
            (path, entry, named)
        })
        .collect();
    for (path, entry, named) in looked {
        match entry {
            Ok(Some(entry)) => listing.entries.push(entry),
            Ok(None) if named || is_cast(&path) => {
                let why = why_unread(&path);
                listing.trouble.extend(why.map(|error| (path, error)));
            }
            Ok(None) => {}
            // Retention, or a user, was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => listing.trouble.push((path, error)),
        }
    }
    Ok(listing)
}

/// The same, with one entry for each session, also where that has several files.
///
/// # Errors
///
/// Those of [`list`].
pub fn list_sessions(path: &Path, progress: &Progress) -> io::Result<Listing> {
    let mut listing = list(path, progress)?;
    listing.entries = joined(listing.entries, !path.is_dir());
    Ok(listing)
}

/// One entry for each session: of several files, that of the last one with what the others add.
fn joined(found: Vec<Entry>, named: bool) -> Vec<Entry> {
    let (mut single, mut sessions) = (BTreeMap::new(), Vec::new());
    for entry in found {
        // Any of a session's files may be named; in a directory a later one leads to the others.
        let later = entry.session.segment.is_some_and(|segment| segment > 1);
        if (named || later)
            && let Some(segments) = cast::segments(&entry.path)
        {
            sessions.push(segments);
            if named {
                continue;
            }
        }
        single.insert(entry.path.clone(), entry);
    }
    let mut entries = Vec::new();
    for segments in sessions {
        let Some(last) = segments.files.last() else { continue };
        // Its other files have led to it, too.
        let entry = single.remove(&last.path).or_else(|| {
            let led = entries.iter().any(|entry: &Entry| entry.has(&last.path));
            if led { None } else { look(&last.path).ok().flatten() }
        });
        if let Some(entry) = entry {
            segments.files.iter().for_each(|segment| drop(single.remove(&segment.path)));
            entries.push(entry.of_session(segments));
        }
    }
    entries.extend(single.into_values());
    entries
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
fn why_unread(path: &Path) -> Option<io::Error> {
    let open = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = match open {
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
/// followed.
///
/// # Errors
///
/// When the path itself can't be read. What is wrong below it goes to `trouble`, and so does what is
/// [called a recording](is_cast) and is no file, unless it is a link to a recording that is found anyway.
pub fn files(path: &Path, trouble: &mut Vec<(PathBuf, io::Error)>) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let root = fs::canonicalize(path)?;
    let mut found = Vec::new();
    walk(path, &root, 0, &mut found, trouble)?;
    Ok(found)
}

fn walk(
    dir: &Path,
    root: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    trouble: &mut Vec<(PathBuf, io::Error)>,
) -> io::Result<()> {
    let entries = fs::read_dir(dir)?.map(|entry| entry.map(|entry| (entry.file_name(), entry.file_type())));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        let path = dir.join(name);
        match kind {
            Ok(kind) if kind.is_file() => found.push(path),
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                if let Err(error) = walk(&path, root, depth + 1, found, trouble) {
                    trouble.push((path, error));
                }
            }
            Ok(kind) if kind.is_dir() => {
                trouble.push((path, io::Error::other(format!("deeper than {MAX_DEPTH} directories"))));
            }
            Ok(kind) if is_cast(&path) && !(kind.is_symlink() && is_found(&path, root)) => {
                let what =
                    if kind.is_symlink() { "a symbolic link, which is not followed" } else { "no file" };
                trouble.push((path, io::Error::other(what)));
            }
            Ok(_) => {}
            Err(error) => trouble.push((path, error)),
        }
    }
    Ok(())
}

/// Whether a link leads to a recording below `root`, which is found by its own name.
fn is_found(link: &Path, root: &Path) -> bool {
    fs::canonicalize(link)
        .is_ok_and(|target| target.starts_with(root) && is_cast(&target) && target.is_file())
}

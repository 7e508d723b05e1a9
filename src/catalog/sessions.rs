//! Which files are parts of one session, among many.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::cast::{self, Segments};
use crate::dirfd::FileRef;

/// A recording: a file, or a session of several.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The file, or the first one of its session.
    pub file: FileRef,
    /// Whether it was named, or has a recording's name, so that it should be one.
    pub named: bool,
    /// The session's files, where it has several or lacks some.
    pub segments: Option<Segments>,
}

/// The recordings that these files are, in their order, each with whether it was named by itself. Of those
/// that were not, only ones with a number in their names (`NAME.2.cast`) are looked into.
#[must_use]
pub fn sessions(files: Vec<(bool, FileRef)>) -> Vec<Recorded> {
    let mut covered = HashSet::new();
    let mut found = Vec::new();
    for (named, file) in &files {
        if covered.contains(file.path()) || !(*named || cast::has_number(file.path())) {
            continue;
        }
        if let Some(segments) = cast::segments_of(file) {
            covered.extend(segments.files.iter().map(|segment| segment.path.clone()));
            found.push((file.path().to_owned(), segments));
        }
    }
    let mut recorded = Vec::new();
    for (named, file) in files {
        // The session comes where its first file does, or where it was named.
        let first = |(by, segments): &(PathBuf, Segments)| {
            by == file.path() || segments.files.first().is_some_and(|first| first.path == file.path())
        };
        match found.iter().position(first) {
            Some(at) => {
                let (_, segments) = found.remove(at);
                let file = segments.files.first().map_or(file.clone(), |first| file.at(&first.path));
                recorded.push(Recorded { file, named, segments: Some(segments) });
            }
            None if covered.contains(file.path()) => {}
            None => recorded.push(Recorded { file, named, segments: None }),
        }
    }
    recorded
}

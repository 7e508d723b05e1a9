//! Which files are parts of one session, among many.

use std::collections::{HashMap, HashSet};
use std::io;
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
/// that were not, only ones with a number in their names (`NAME.2.cast`) are looked into. One of which
/// it can't be found out is `trouble`, and stands by itself.
pub fn sessions(files: Vec<(bool, FileRef)>, trouble: &mut Vec<(PathBuf, io::Error)>) -> Vec<Recorded> {
    let mut covered = HashSet::new();
    // Each session by its first file, and by the one that led to it.
    let (mut found, mut places) = (Vec::new(), HashMap::new());
    for (named, file) in &files {
        if covered.contains(file.path()) || !(*named || cast::has_number(file.path())) {
            continue;
        }
        let segments = cast::segments_of(file).unwrap_or_else(|error| {
            trouble.push((file.path().to_owned(), error));
            None
        });
        if let Some(segments) = segments {
            covered.extend(segments.files.iter().map(|segment| segment.path.clone()));
            places.extend(segments.files.first().map(|first| (first.path.clone(), found.len())));
            places.insert(file.path().to_owned(), found.len());
            found.push(Some(segments));
        }
    }
    let mut recorded = Vec::new();
    for (named, file) in files {
        let path = file.path();
        let segments = places.get(path).and_then(|&place| found[place].take());
        if segments.is_none() && (covered.contains(path) || places.contains_key(path)) {
            continue;
        }
        let first = segments.as_ref().and_then(|segments| segments.files.first());
        let file = first.map_or_else(|| file.clone(), |first| file.at(&first.path));
        recorded.push(Recorded { file, named, segments });
    }
    recorded
}

//! Which files are parts of one session, among many.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::cast::{self, Segments};

/// A recording: a file, or a session of several.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The file, or the first one of its session.
    pub path: PathBuf,
    /// Whether it was named, or has a recording's name, so that it should be one.
    pub named: bool,
    /// The session's files, where it has several or lacks some.
    pub segments: Option<Segments>,
}

/// The recordings that these files are, in their order; `named` says of each file whether it was named by itself. Of those
/// that were not, only ones with a number in their names (`NAME.2.cast`) are looked into.
#[must_use]
pub fn sessions(files: Vec<(PathBuf, bool)>) -> Vec<Recorded> {
    let mut covered = HashSet::new();
    let mut found = Vec::new();
    for (path, named) in &files {
        if covered.contains(path) || !(*named || cast::has_number(path)) {
            continue;
        }
        if let Some(segments) = cast::segments(path) {
            covered.extend(segments.files.iter().map(|segment| segment.path.clone()));
            found.push((path.clone(), segments));
        }
    }
    let mut recorded = Vec::new();
    for (path, named) in files {
        // The session comes where its first file does, or where it was named.
        let first = |(by, segments): &(PathBuf, Segments)| {
            *by == path || segments.files.first().is_some_and(|first| first.path == path)
        };
        match found.iter().position(first) {
            Some(at) => {
                let (_, segments) = found.remove(at);
                let path = segments.files.first().map_or(path, |first| first.path.clone());
                recorded.push(Recorded { path, named, segments: Some(segments) });
            }
            None if covered.contains(&path) => {}
            None => recorded.push(Recorded { path, named, segments: None }),
        }
    }
    recorded
}

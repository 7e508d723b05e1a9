//! Which files are parts of one session, among many.

use std::collections::{HashMap, HashSet};
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
    // Each session by its first file, and by the one that led to it.
    let (mut found, mut places) = (Vec::new(), HashMap::new());
    for (path, named) in &files {
        if covered.contains(path) || !(*named || cast::has_number(path)) {
            continue;
        }
        if let Some(segments) = cast::segments(path) {
            covered.extend(segments.files.iter().map(|segment| segment.path.clone()));
            places.extend(segments.files.first().map(|first| (first.path.clone(), found.len())));
            places.insert(path.clone(), found.len());
            found.push(Some(segments));
        }
    }
    let mut recorded = Vec::new();
    for (path, named) in files {
        let segments = places.get(&path).and_then(|&place| found[place].take());
        if segments.is_none() && (covered.contains(&path) || places.contains_key(&path)) {
            continue;
        }
        let first = segments.as_ref().and_then(|segments| segments.files.first());
        let path = first.map_or(path, |first| first.path.clone());
        recorded.push(Recorded { path, named, segments });
    }
    recorded
}

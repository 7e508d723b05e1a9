//! What there is in a directory, by owner. No date and no size is believed that a user could choose freely.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Candidate, Space};
use crate::catalog::{self, Entry, Progress, State};
use crate::dirfd::{FileRef, Root};

/// Bytes of a block in st_blocks.
const BLOCK: u64 = 512;

/// A session's recording: its files, each as it was seen.
#[derive(Debug)]
pub struct Group {
    /// The files, in order of their names.
    pub files: Vec<(FileRef, Metadata)>,
    /// What the plan needs to know of it.
    pub candidate: Candidate,
    /// The session's id, as the recording tells.
    pub session: Option<String>,
}

/// The recordings below a directory, and its disk.
#[derive(Debug)]
pub struct Survey {
    /// The recordings.
    pub groups: Vec<Group>,
    /// What is free, and what else there is.
    pub space: Space,
    /// Bytes of the disk.
    pub all: u64,
    /// What could not be looked at, and why.
    pub trouble: Vec<(PathBuf, io::Error)>,
}

/// Looks at all files below a directory; `now` is in seconds since the epoch.
///
/// # Errors
/// When the directory itself can't be read.
pub fn survey(root: &Arc<Root>, now: i64, progress: &Progress) -> io::Result<Survey> {
    let mut trouble = Vec::new();
    let files = catalog::files_below(root, &mut trouble)?;
    let listing = catalog::look_at(files.clone(), progress);
    trouble.extend(listing.trouble);
    let disk = root.device()?;
    let (free, all) = root.space()?;
    let recordings: BTreeSet<_> = listing.entries.iter().map(|entry| entry.path.clone()).collect();
    let mut space = Space { free, other: BTreeMap::new() };
    let mut seen = BTreeSet::new();
    let mut by_path = HashMap::new();
    for file in files {
        if recordings.contains(file.path()) {
            by_path.insert(file.path().to_owned(), file);
            continue;
        }
        let Ok(stat) = file.entry().and_then(|entry| entry.stat()) else { continue };
        // Root has no reason to have recordings removed.
        if stat.st_uid != 0 && stat.st_dev == disk && seen.insert(stat.st_ino) {
            let bytes = u64::try_from(stat.st_blocks).unwrap_or_default().saturating_mul(BLOCK);
            *space.other.entry(stat.st_uid).or_default() += bytes;
        }
    }
    let groups = groups(listing.entries, &mut by_path, disk, now);
    Ok(Survey { groups, space, all, trouble })
}

/// The recordings, what a session went on in being with its first file if both have the same owner and session.
fn groups(entries: Vec<Entry>, files: &mut HashMap<PathBuf, FileRef>, disk: u64, now: i64) -> Vec<Group> {
    let mut names: HashMap<(u64, u64), u64> = HashMap::new();
    for entry in &entries {
        *names.entry((entry.metadata.dev(), entry.metadata.ino())).or_default() += 1;
    }
    let mut groups: BTreeMap<(PathBuf, u32, Option<String>), Group> = BTreeMap::new();
    for entry in entries {
        let Some(file) = files.remove(&entry.path) else { continue };
        let metadata = entry.metadata;
        // A name in the same directory and nothing else: a recording may claim anything.
        let first = entry.session.first.as_deref().filter(|name| !name.contains('/'));
        let first = first.map_or_else(|| entry.path.clone(), |name| entry.path.with_file_name(name));
        let key = (first, metadata.uid(), entry.session.session.clone());
        let group = groups.entry(key).or_insert_with(|| Group {
            files: Vec::new(),
            candidate: Candidate {
                owner: metadata.uid(),
                modified: i64::MIN,
                size: 0,
                here: 0,
                freed: 0,
                live: false,
            },
            session: entry.session.session,
        });
        let known = names.get(&(metadata.dev(), metadata.ino())).copied().unwrap_or(1).max(1);
        // Each of its names has a part; what has others elsewhere brings nothing.
        let size = metadata.blocks().saturating_mul(BLOCK) / known;
        let here = if metadata.dev() == disk { size } else { 0 };
        let candidate = &mut group.candidate;
        candidate.modified = candidate.modified.max(last_written(&metadata, now));
        candidate.size += size;
        candidate.here += here;
        candidate.freed += if metadata.nlink() <= known { here } else { 0 };
        candidate.live |= entry.state == State::Live;
        group.files.push((file, metadata));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.files.sort_by(|(a, _), (b, _)| a.path().cmp(b.path()));
    }
    groups
}

/// When a file was written to last. A moment to come is one that somebody has set: then it is when that was done, which
/// nobody can set.
fn last_written(metadata: &Metadata, now: i64) -> i64 {
    if metadata.mtime() <= now { metadata.mtime() } else { metadata.ctime().min(now) }
}

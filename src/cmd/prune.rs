//! `recmode prune`: retention.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::catalog::{self, Entry, State};
use crate::cli::{InfoFormat, PruneArgs};
use crate::report::{self, Pruned, PrunedFile};
use crate::retention::{Candidate, Folder, Limits, NotRemoved, Space, Why, plan};
use crate::signature::signature_path;
use crate::{escape, exit};

/// A session's recording: its files, each as it was seen.
struct Group {
    files: Vec<(PathBuf, Metadata)>,
    live: bool,
}

/// Shows what is to go, and removes it with `--yes`. The code is 2 if something could not be looked at or removed.
///
/// # Errors
///
/// When the directory can't be read, or standard output can't be written.
pub fn run(args: &PruneArgs) -> anyhow::Result<u8> {
    let dir = super::place::to_look_in(args.dir.as_deref())?;
    let folder = Folder::open(&dir).with_context(|| escape::path(&dir))?;
    let listing = super::progress::over_recordings(|progress, _| catalog::list(&dir, progress));
    let listing = listing.with_context(|| escape::path(&dir))?;
    let mut trouble: Vec<(PathBuf, String)> =
        listing.trouble.into_iter().map(|(path, error)| (path, error.to_string())).collect();
    let groups = groups(listing.entries, &mut trouble);
    let candidates: Vec<Candidate> = groups.iter().map(Group::candidate).collect();
    let (free, all) = folder.space().with_context(|| escape::path(&dir))?;
    let now = Zoned::now();
    let before = args.older_than.map(|age| now.checked_sub(age).map(|zoned| zoned.timestamp().as_second()));
    let limits = Limits {
        modified_before: before.transpose().context("--older-than")?,
        max_total: args.max_total,
        keep_free: args.keep_free.map(|share| share.of(all)),
    };

    let mut gone = Vec::new();
    for (n, why) in plan(&candidates, &limits, Space { free }) {
        for (path, seen) in &groups[n].files {
            let beside = || folder.remove_beside(&signature_path(path));
            let removed = if args.yes { folder.remove(path, seen).and_then(|()| beside()) } else { Ok(()) };
            match removed {
                Ok(()) => {}
                // Its recorder is at work after all.
                Err(NotRemoved::Live) => continue,
                Err(error) => {
                    trouble.push((path.clone(), error.to_string()));
                    continue;
                }
            }
            gone.push(PrunedFile::new(path, seen.len(), seen.mtime(), reason(why)));
        }
    }
    let kept = groups.iter().map(|group| group.files.len()).sum::<usize>() - gone.len();
    let pruned = Pruned::new(args.yes, gone, kept);
    let text = match args.format {
        InfoFormat::Json => pruned.json()?,
        InfoFormat::Human => {
            report::pruned_text(&pruned, &if args.utc { TimeZone::UTC } else { TimeZone::system() })
        }
    };
    super::print(text.as_bytes())?;
    for (path, error) in &trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    Ok(if trouble.is_empty() { exit::OK } else { exit::TROUBLE })
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Age => "age",
        Why::Total => "total",
        Why::Free => "free",
    }
}

/// The recordings, what a session went on in being with its first file.
fn groups(entries: Vec<Entry>, trouble: &mut Vec<(PathBuf, String)>) -> Vec<Group> {
    let mut groups: BTreeMap<PathBuf, Group> = BTreeMap::new();
    for entry in entries {
        let metadata = match fs::symlink_metadata(&entry.path) {
            Ok(metadata) if metadata.is_file() => metadata,
            // Someone was faster.
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                trouble.push((entry.path, error.to_string()));
                continue;
            }
        };
        // A name in the same directory and nothing else: a recording may say anything.
        let first = entry.session.first.as_deref().filter(|name| !name.contains('/'));
        let key = first.map_or_else(|| entry.path.clone(), |name| entry.path.with_file_name(name));
        let group = groups.entry(key).or_insert_with(|| Group { files: Vec::new(), live: false });
        group.live |= entry.state == State::Live;
        group.files.push((entry.path, metadata));
    }
    groups.into_values().collect()
}

impl Group {
    fn candidate(&self) -> Candidate {
        let sum = |of: fn(&Metadata) -> u64| self.files.iter().map(|(_, metadata)| of(metadata)).sum();
        Candidate {
            modified: self.files.iter().map(|(_, metadata)| metadata.mtime()).max().unwrap_or_default(),
            size: sum(Metadata::len),
            allocated: sum(|metadata| metadata.blocks().saturating_mul(512)),
            live: self.live,
        }
    }
}

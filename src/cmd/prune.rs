//! `recmode prune`: retention.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use nix::unistd::{Uid, User};

use crate::cli::{InfoFormat, PruneArgs};
use crate::dirfd::{FileRef, Root};
use crate::oplog::{Removal, RemovalLog};
use crate::report::{self, Pruned, PrunedFile, Refused};
use crate::retention::{Candidate, Group, Limits, NotRemoved, Unreachable, Why, plan, remove, survey};
use crate::{escape, exit};

/// Shows what is to go, and removes it with `--yes`. The code is 1 if a limit can't be met, so that nothing is
/// removed, else 2 if something could not be looked at, removed or logged.
///
/// # Errors
///
/// When the directory can't be read, the log can't be opened, or standard output can't be written.
pub fn run(args: &PruneArgs) -> anyhow::Result<u8> {
    let dir = super::place::to_look_in(args.dir.as_deref())?;
    let root = Root::open(&dir).and_then(|root| root.ok_or_else(|| nix::errno::Errno::ENOTDIR.into()));
    let root = root.with_context(|| escape::path(&dir))?;
    let now = Zoned::now();
    let back = |age: Span| now.checked_sub(age).map(|zoned| zoned.timestamp().as_second());
    let before = args.older_than.map(back).transpose().context("--older-than")?;
    let keep_since =
        if args.min_age.is_zero() { i64::MAX } else { back(args.min_age).context("--min-age")? };
    let log = args.yes.then(|| RemovalLog::open(args.log.as_deref())).transpose();
    let log = log.with_context(|| args.log.as_deref().map(escape::path).unwrap_or_default())?;

    let surveyed =
        super::progress::over_recordings(|progress, _| survey(&root, now.timestamp().as_second(), progress));
    let surveyed = surveyed.with_context(|| escape::path(&dir))?;
    let limits = Limits {
        keep_since,
        modified_before: before,
        max_total: args.max_total,
        keep_free: args.keep_free.map(|share| share.of(surveyed.all)),
    };
    let groups = &surveyed.groups;
    let candidates: Vec<Candidate> = groups.iter().map(|group| group.candidate).collect();
    let mut work = Work {
        log,
        gone: Vec::new(),
        trouble: surveyed.trouble.into_iter().map(|(path, error)| (path, error.to_string())).collect(),
        names: HashMap::new(),
        unlogged: false,
    };
    let refused = match plan(&candidates, &limits, &surveyed.space) {
        Ok(planned) => {
            for (n, why) in planned {
                work.take(&groups[n], why);
            }
            None
        }
        Err(unreachable) => Some(work.refused(&unreachable)),
    };

    let kept = groups.iter().map(|group| group.files.len()).sum::<usize>() - work.gone.len();
    let pruned = Pruned::new(args.yes && refused.is_none(), work.gone, kept, refused);
    let text = match args.format {
        InfoFormat::Json => pruned.json()?,
        InfoFormat::Human => {
            report::pruned_text(&pruned, &if args.utc { TimeZone::UTC } else { TimeZone::system() })
        }
    };
    super::print(text.as_bytes())?;
    for (path, error) in &work.trouble {
        super::say(&format!("recmode: {}: {error}\n", escape::path(path)));
    }
    if let Some(refused) = &pruned.refused {
        super::say(&format!("recmode: {}: {}\n", escape::path(&dir), why_refused(refused)));
        return Ok(exit::NO);
    }
    Ok(if work.trouble.is_empty() { exit::OK } else { exit::TROUBLE })
}

/// What is done, and what went wrong.
struct Work {
    /// Where removals are logged; `None` where they are only shown.
    log: Option<RemovalLog>,
    gone: Vec<PrunedFile>,
    trouble: Vec<(PathBuf, String)>,
    /// Names of users that were looked up.
    names: HashMap<u32, Option<String>>,
    /// A removal could not be logged: there are no more.
    unlogged: bool,
}

impl Work {
    /// Removes a recording, or shows that it would be.
    fn take(&mut self, group: &Group, why: Why) {
        if self.unlogged {
            return;
        }
        let owner = self.name(group.candidate.owner);
        let Some(log) = &self.log else {
            let shown = group.files.iter().map(|(file, seen)| pruned_file(file, seen, owner.as_deref(), why));
            self.gone.extend(shown);
            return;
        };
        let (gone, trouble, unlogged) = (&mut self.gone, &mut self.trouble, &mut self.unlogged);
        let mut removed = |file: &FileRef, seen: &Metadata| {
            let shown = pruned_file(file, seen, owner.as_deref(), why);
            let removal = Removal {
                session: group.session.clone(),
                owner: owner.clone().unwrap_or_else(|| seen.uid().to_string()),
                uid: seen.uid(),
                bytes: shown.allocated,
                modified: shown.modified.clone(),
                reason: why.name(),
                recording: file.path().to_owned(),
            };
            gone.push(shown);
            if let Err(error) = log.write(&removal) {
                *unlogged = true;
                let text = format!("removed, which could not be logged, so nothing more is removed: {error}");
                trouble.push((file.path().to_owned(), text));
            }
        };
        match remove(&group.files, &mut removed) {
            // Its recorder is at work after all.
            Ok(()) | Err((_, NotRemoved::Live)) => {}
            Err((file, error)) => self.trouble.push((file.path().to_owned(), error.to_string())),
        }
    }

    fn refused(&mut self, unreachable: &Unreachable) -> Refused {
        let Unreachable { limit, missing, largest } = *unreachable;
        let owner = largest.and_then(|(uid, _)| self.name(uid));
        Refused {
            limit: limit.name(),
            missing,
            owner,
            uid: largest.map(|(uid, _)| uid),
            held: largest.map(|(_, held)| held),
        }
    }

    fn name(&mut self, uid: u32) -> Option<String> {
        let look_up = || User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
        self.names.entry(uid).or_insert_with(look_up).clone()
    }
}

fn pruned_file(file: &FileRef, seen: &Metadata, owner: Option<&str>, why: Why) -> PrunedFile {
    PrunedFile::new(file.path(), seen, owner, why.name())
}

fn why_refused(refused: &Refused) -> String {
    let option = if refused.limit == "free" { "--keep-free" } else { "--max-total" };
    let missing = HumanBytes(refused.missing);
    let largest = match (refused.uid, refused.held) {
        (Some(uid), Some(held)) => {
            let owner =
                refused.owner.as_ref().map_or(format!("user id {uid}"), |name| escape::controls(name));
            format!("{owner}, who holds most ({}), has no recording that may go", HumanBytes(held))
        }
        _ => "there is no recording that may go".to_owned(),
    };
    format!("{option} can't be met: {missing} are missing, and {largest}; nothing is removed")
}

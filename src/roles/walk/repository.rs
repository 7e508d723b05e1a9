//! Finds role files as a linter does: in folders what git ignores and what is hidden is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;

use super::{Entry, Walk, is_role_file_name};
use crate::roles::limits::MAX_FOLDER_DEPTH;
use crate::roles::problem::ProblemKind;
use crate::roles::signs::may_hold_signs;
use crate::roles::source::{self, Source};

/// The files under these paths, each once; a file that is named is read whatever git says of it.
/// `stdin`: what the text from standard input is called.
pub(in crate::roles) fn walk(paths: &[PathBuf], stdin: Option<&str>) -> Vec<Entry> {
    let mut walk = Walk::default();
    for path in paths {
        let path = path.strip_prefix(".").ok().filter(|rest| *rest != Path::new("")).unwrap_or(path);
        match fs::metadata(path) {
            Ok(metadata) if source::stream(path).is_none() && metadata.is_dir() => folder(&mut walk, path),
            _ => walk.named(path),
        }
    }
    let name: Option<Arc<str>> = stdin.map(Into::into);
    for entry in &mut walk.entries {
        if let (Entry::File(input), Some(name)) = (entry, &name)
            && input.source == Source::Stdin
        {
            input.file = Arc::clone(name);
        }
    }
    walk.entries
}

fn folder(walk: &mut Walk, path: &Path) {
    let mut builder = WalkBuilder::new(path);
    builder
        .follow_links(true)
        .max_depth(Some(MAX_FOLDER_DEPTH))
        // What a user's own settings ignore is for nobody else to miss.
        .git_global(false)
        .git_exclude(false)
        .ignore(false)
        // An export of a repository is judged like the repository.
        .require_git(false)
        .sort_by_file_name(std::ffi::OsStr::cmp);
    for entry in builder.build() {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads nowhere or back is nobody's role file, a folder that is closed may hold one.
            Err(error)
                if error.io_error().is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied) =>
            {
                let kind = ProblemKind::Io(error.to_string().to_lowercase());
                walk.problem(kind, path);
                continue;
            }
            Err(_) => continue,
        };
        let found = entry.path();
        if !(is_role_file_name(found) || may_hold_signs(found))
            || entry.file_type().is_none_or(|kind| !kind.is_file())
        {
            continue;
        }
        let found = found.strip_prefix(".").unwrap_or(found);
        match fs::metadata(found) {
            Ok(metadata) => walk.regular(found, Source::File, &metadata, false),
            Err(error) => walk.problem(source::io_problem(&error), found),
        }
    }
}

//! Finds the configuration: in the current directory or, in a repository, above it up to its root.

use std::io;
use std::path::{Path, PathBuf};

use crate::git;

/// The names it may have. In a folder the first pair of which one is there wins; both of a pair are one too many.
const NAMES: [[&str; 2]; 2] =
    [[".recmode.yaml", ".recmode.yml"], [".github/recmode.yaml", ".github/recmode.yml"]];

/// Where the configuration is, and the folder that its paths are relative to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The configuration, if there is one. It may be a link to nothing, which reading it tells.
    pub file: Option<PathBuf>,
    /// A second one beside it, so that nobody knows which holds.
    pub second: Option<PathBuf>,
    /// The folder that it is about; without one the repository's root, else `from`.
    pub root: PathBuf,
}

/// The root of the repository that this folder is in.
#[must_use]
pub fn repository(from: &Path) -> Option<&Path> {
    git::root(from)
}

/// Looks for it in `from` and the folders above, up to the one that holds `.git`. Outside of a
/// repository only `from` itself is looked at, so that nobody else's file is found by chance.
#[must_use]
pub fn find(from: &Path) -> Found {
    let root = repository(from).unwrap_or(from);
    for folder in from.ancestors() {
        for names in NAMES {
            let mut files = names.iter().map(|name| folder.join(name)).filter(|file| is_there(file));
            if let Some(file) = files.next() {
                return Found { file: Some(file), second: files.next(), root: folder.to_owned() };
            }
        }
        if folder == root {
            break;
        }
    }
    Found { file: None, second: None, root: root.to_owned() }
}

/// Whether something has this name, be it a link to nothing or a folder: what was meant to be a configuration is
/// never passed over.
fn is_there(file: &Path) -> bool {
    match file.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

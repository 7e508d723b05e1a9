//! Finds the configuration: in the current directory or above it, up to the repository's root.

use std::path::{Path, PathBuf};

/// The names it may have, the first that is there wins.
const NAMES: [&str; 2] = [".recmode.yaml", ".github/recmode.yaml"];

/// Where the configuration is, and the folder that its paths are relative to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The configuration, if there is one.
    pub file: Option<PathBuf>,
    /// The folder that it is about; without one the repository's root, else `from`.
    pub root: PathBuf,
}

/// The root of the repository that this folder is in.
#[must_use]
pub fn repository(from: &Path) -> Option<&Path> {
    from.ancestors().find(|folder| folder.join(".git").exists())
}

/// Looks for it in `from` and the folders above, up to the one that holds `.git`. Outside of a
/// repository only `from` itself is looked at, so that nobody else's file is found by chance.
#[must_use]
pub fn find(from: &Path) -> Found {
    let root = repository(from).unwrap_or(from);
    for folder in from.ancestors() {
        for name in NAMES {
            let file = folder.join(name);
            if file.is_file() {
                return Found { file: Some(file), root: folder.to_owned() };
            }
        }
        if folder == root {
            break;
        }
    }
    Found { file: None, root: root.to_owned() }
}

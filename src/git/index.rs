//! What git lists of a folder of the working tree: which files it ignores, which folders are submodules,
//! and which files a sparse checkout leaves out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::GitError;
use super::repository::Repository;

/// The answers, with absolute paths.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Files and folders that are ignored and not tracked. A folder stands for all that is in it.
    pub(crate) ignored: Vec<PathBuf>,
    /// Submodules, checked out or not.
    pub(crate) submodules: Vec<PathBuf>,
    /// Files that are tracked and not in the sparse checkout, each with the id of its content.
    pub(crate) sparse: Vec<(PathBuf, String)>,
}

impl Index {
    /// What git lists of `folder`, an absolute path without links in the repository. Asks git twice.
    ///
    /// # Errors
    ///
    /// If git fails.
    pub(crate) fn read(repository: &Repository, folder: &Path) -> Result<Self, GitError> {
        let root = repository.root();
        let below = folder.strip_prefix(root).unwrap_or(Path::new("")).as_os_str();
        let list = |options: &[&str]| {
            let mut args: Vec<&OsStr> = vec![OsStr::new("ls-files"), OsStr::new("-z")];
            args.extend(options.iter().map(OsStr::new));
            if !below.is_empty() {
                args.extend([OsStr::new("--"), below]);
            }
            repository.run(&args)
        };
        let path = |name: &[u8]| {
            let name = name.strip_suffix(b"/").unwrap_or(name);
            root.join(OsStr::from_bytes(name))
        };
        let ignored = list(&["--others", "--ignored", "--exclude-standard", "--directory"])?;
        let mut index = Self { ignored: records(&ignored).map(path).collect(), ..Self::default() };
        // `TAG MODE ID STAGE<TAB>PATH`
        for record in records(&list(&["--cached", "--stage", "-t"])?) {
            let tab = memchr::memchr(b'\t', record).ok_or(GitError::Protocol)?;
            let heading = std::str::from_utf8(&record[..tab]).map_err(|_| GitError::Protocol)?;
            let mut words = heading.split(' ');
            let (Some(tag), Some(mode), Some(id)) = (words.next(), words.next(), words.next()) else {
                return Err(GitError::Protocol);
            };
            let name = &record[tab + 1..];
            if mode == "160000" {
                index.submodules.push(path(name));
            } else if tag == "S" {
                index.sparse.push((path(name), id.to_owned()));
            }
        }
        index.sparse.retain(|(path, _)| path.symlink_metadata().is_err());
        Ok(index)
    }
}

/// The records of a listing that ends each with NUL.
pub(super) fn records(listing: &[u8]) -> impl Iterator<Item = &[u8]> {
    listing.split(|&byte| byte == 0).filter(|record| !record.is_empty())
}

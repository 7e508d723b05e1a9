//! The files below a directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statvfs::fstatvfs;

use super::entry::{DirEntry, EntryKind, SAFE, link_error, read_directory};

/// How deep directories are searched.
const MAX_DEPTH: usize = 64;

/// A directory that was named, and so reached through links also.
#[derive(Debug)]
pub struct Root {
    directory: OwnedFd,
    path: PathBuf,
}

/// A regular file that was named, or that was found below a [`Root`].
#[derive(Debug, Clone)]
pub struct FileRef {
    path: PathBuf,
    root: Option<Arc<Root>>,
}

impl Root {
    /// Opens a directory. `None` where the path is not one.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path) -> io::Result<Option<Arc<Self>>> {
        match OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(path) {
            Ok(directory) => Ok(Some(Arc::new(Self { directory: directory.into(), path: path.to_owned() }))),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The device of its file system.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn device(&self) -> io::Result<u64> {
        Ok(fstat(&self.directory)?.st_dev)
    }

    /// Bytes of its file system: those that are free for users, and all.
    ///
    /// # Errors
    /// Those of fstatvfs(3).
    pub fn space(&self) -> io::Result<(u64, u64)> {
        let stat = fstatvfs(&self.directory)?;
        let unit = stat.fragment_size();
        Ok((stat.blocks_available() * unit, stat.blocks() * unit))
    }

    /// The regular files below it, in order of their names. What else there is goes to `other`, with its path; what
    /// could not be read goes to `trouble`.
    ///
    /// # Errors
    /// When the directory itself can't be read.
    pub fn files(
        self: &Arc<Self>,
        other: &mut dyn FnMut(PathBuf, EntryKind),
        trouble: &mut Vec<(PathBuf, io::Error)>,
    ) -> io::Result<Vec<FileRef>> {
        let mut paths = Vec::new();
        walk(self.directory.as_fd(), &self.path, 0, &mut paths, other, trouble)?;
        Ok(paths.into_iter().map(|path| FileRef { path, root: Some(Arc::clone(self)) }).collect())
    }

    /// A name below the directory, in a directory that is reached without a link.
    fn entry(&self, path: &Path) -> io::Result<DirEntry> {
        let below = path.strip_prefix(&self.path).map_err(io::Error::other)?;
        let name = below.file_name().ok_or_else(|| io::Error::other("no file name"))?;
        let mut at = self.directory.try_clone()?;
        for step in below.parent().unwrap_or(Path::new("")) {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            at = openat(&at, step, flags, Mode::empty()).map_err(|errno| match errno {
                Errno::ENOTDIR | Errno::ELOOP => io::Error::other("its directory has been replaced"),
                errno => errno.into(),
            })?;
        }
        Ok(DirEntry::new(at, name))
    }
}

fn walk(
    directory: impl AsFd,
    path: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    other: &mut dyn FnMut(PathBuf, EntryKind),
    trouble: &mut Vec<(PathBuf, io::Error)>,
) -> io::Result<()> {
    for (name, kind) in read_directory(directory.as_fd())? {
        let path = path.join(&name);
        match kind {
            EntryKind::File => found.push(path),
            EntryKind::Directory if depth < MAX_DEPTH => {
                let below = openat(&directory, name.as_os_str(), OFlag::O_DIRECTORY | SAFE, Mode::empty());
                let walked = match below {
                    Ok(below) => walk(below, &path, depth + 1, found, other, trouble),
                    // Replaced since it was listed.
                    Err(Errno::ENOTDIR | Errno::ELOOP) => Err(link_error()),
                    Err(errno) => Err(errno.into()),
                };
                if let Err(error) = walked {
                    trouble.push((path, error));
                }
            }
            EntryKind::Directory => {
                trouble.push((path, io::Error::other(format!("deeper than {MAX_DEPTH} directories"))));
            }
            kind => other(path, kind),
        }
    }
    Ok(())
}

impl FileRef {
    /// A file that was named: links lead to it.
    #[must_use]
    pub fn named(path: &Path) -> Self {
        Self { path: path.to_owned(), root: None }
    }

    /// Whether it was named, and not found below a directory.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.root.is_none()
    }

    /// The file at another path, below the same directory or named like this one.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), root: self.root.clone() }
    }

    /// The path to show.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name in its directory, which is open from now on. The directory of a named file is the one that its
    /// path leads to.
    ///
    /// # Errors
    /// Those of opening the directory, and that it has been replaced by a link.
    pub fn entry(&self) -> io::Result<DirEntry> {
        if let Some(root) = &self.root {
            return root.entry(&self.path);
        }
        let name = self.path.file_name().ok_or_else(|| io::Error::other("no file name"))?;
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let directory = OpenOptions::new().read(true).custom_flags(flags).open(parent)?;
        Ok(DirEntry::new(directory.into(), name))
    }

    /// Opens the file for reading. One that was named may be anything that a link leads to.
    ///
    /// # Errors
    /// Those of openat(2), and for one that was found that it is not a regular file any more.
    pub fn open(&self) -> io::Result<File> {
        match &self.root {
            Some(root) => root.entry(&self.path)?.open(),
            None => OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.path),
        }
    }

    /// Opens another file in the same way: one beside it, at this path.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_beside(&self, path: &Path) -> io::Result<File> {
        match &self.root {
            Some(root) => root.entry(path)?.open(),
            None => OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path),
        }
    }
}

impl AsRef<Path> for FileRef {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(dir: &Path) -> Vec<FileRef> {
        let mut trouble = Vec::new();
        let root = Root::open(dir).expect("opened").expect("a directory");
        let files = root.files(&mut |_, _| {}, &mut trouble).expect("read");
        assert!(trouble.is_empty(), "{trouble:?}");
        files
    }

    #[test]
    fn a_directory_or_file_that_is_replaced_by_a_link_after_it_was_listed_is_not_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        let (below, outside) = (dir.path().join("below"), dir.path().join("outside"));
        for path in [below.join("a"), outside.clone()] {
            fs::create_dir_all(&path).expect("mkdir");
            fs::write(path.join("x.cast"), "text").expect("written");
        }
        fs::write(below.join("y.cast"), "text").expect("written");
        let files = found(&below);
        let names: Vec<_> =
            files.iter().map(|file| file.path().strip_prefix(&below).expect("below")).collect();
        assert_eq!(names, [Path::new("a/x.cast"), Path::new("y.cast")]);
        let opened = |file: &FileRef| {
            file.open().is_ok() || file.entry().and_then(|entry| entry.open_to_write()).is_ok()
        };
        assert!(files.iter().all(opened));
        fs::rename(below.join("a"), dir.path().join("was")).expect("renamed");
        symlink(&outside, below.join("a")).expect("a link");
        fs::remove_file(below.join("y.cast")).expect("removed");
        symlink(outside.join("x.cast"), below.join("y.cast")).expect("a link");
        assert!(!files.iter().any(opened));
        assert_eq!(found(&below).len(), 0);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("x.cast"), "text").expect("written");
        let files = found(dir.path());
        fs::remove_file(dir.path().join("x.cast")).expect("removed");
        nix::unistd::mkfifo(&dir.path().join("x.cast"), Mode::S_IRWXU).expect("a pipe");
        assert!(files[0].open().is_err());
        assert!(files[0].entry().expect("a directory").open_to_write().is_err());
    }
}

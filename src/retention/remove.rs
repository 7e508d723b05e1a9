//! Removing recordings from a folder whose parts may belong to others, who must not be able to have
//! anything else removed: no link is followed, and what was judged is what goes.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{Mode, fstatat};
use nix::sys::statvfs::fstatvfs;
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::sys;

/// Why a recording is still there.
#[derive(Debug, thiserror::Error)]
pub enum NotRemoved {
    /// It is being written.
    #[error("it is being written")]
    Live,
    /// It is not what was judged: another file has its place.
    #[error("it has changed meanwhile")]
    Changed,
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Errno> for NotRemoved {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// A folder of recordings.
#[derive(Debug)]
pub struct Folder {
    directory: File,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let directory = options.read(true).custom_flags(libc::O_DIRECTORY).open(path)?;
        Ok(Self { directory, path: path.to_owned() })
    }

    /// Bytes of its disk: those that are free for its users, and all.
    ///
    /// # Errors
    /// Those of fstatvfs(3).
    pub fn space(&self) -> io::Result<(u64, u64)> {
        let stat = fstatvfs(&self.directory)?;
        let unit = stat.fragment_size();
        Ok((stat.blocks_available() * unit, stat.blocks() * unit))
    }

    /// Removes a recording below the folder that was seen as `seen`.
    ///
    /// # Errors
    /// Why it is still there.
    pub fn remove(&self, path: &Path, seen: &Metadata) -> Result<(), NotRemoved> {
        let (directory, name) = self.place(path)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = File::from(openat(&directory, name.as_path(), flags, Mode::empty())?);
        // The recorder holds the lock as long as it lives, and none can begin with a file that exists.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotRemoved::Live),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Other recorders hold no lock.
        if sys::has_writer(&file) == Some(true) {
            return Err(NotRemoved::Live);
        }
        let now = file.metadata()?;
        let same = |metadata: &Metadata| (metadata.dev(), metadata.ino(), metadata.mtime(), metadata.len());
        if same(&now) != same(seen) {
            return Err(NotRemoved::Changed);
        }
        let there = fstatat(&directory, name.as_path(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
        if (there.st_dev, there.st_ino) != (now.dev(), now.ino()) {
            return Err(NotRemoved::Changed);
        }
        Ok(unlinkat(&directory, name.as_path(), UnlinkatFlags::NoRemoveDir)?)
    }

    /// Removes what belongs to a recording, such as its signature, if it is there and a file.
    ///
    /// # Errors
    /// Those of unlink(2).
    pub fn remove_beside(&self, path: &Path) -> Result<(), NotRemoved> {
        let (directory, name) = self.place(path)?;
        match unlinkat(&directory, name.as_path(), UnlinkatFlags::NoRemoveDir) {
            Err(Errno::ENOENT) => Ok(()),
            removed => Ok(removed?),
        }
    }

    /// The directory that a path below the folder is in, reached without a link, and the path's name.
    fn place(&self, path: &Path) -> Result<(OwnedFd, PathBuf), NotRemoved> {
        let below = path.strip_prefix(&self.path).map_err(|_| NotRemoved::Changed)?;
        let name = below.file_name().ok_or(NotRemoved::Changed)?;
        let parent = below.parent().filter(|parent| !parent.as_os_str().is_empty());
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let how = OpenHow::new()
            .flags(flags)
            .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_BENEATH);
        let directory = openat2(&self.directory, parent.unwrap_or(Path::new(".")), how)?;
        Ok((directory, name.into()))
    }
}

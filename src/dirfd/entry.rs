//! A name in a directory that is held open.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::libc::stat as Stat;
use nix::sys::stat::{Mode, SFlag, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Flags of every open: no link is followed, no pipe or lease is waited for, no terminal is acquired.
pub(super) const SAFE: OFlag =
    OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// What a name in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe or a socket.
    Pipe,
    /// A device.
    Device,
}

impl EntryKind {
    /// By the type bits of a mode.
    #[must_use]
    pub fn of(mode: libc::mode_t) -> Self {
        match SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFREG => Self::File,
            SFlag::S_IFDIR => Self::Directory,
            SFlag::S_IFLNK => Self::Link,
            SFlag::S_IFIFO | SFlag::S_IFSOCK => Self::Pipe,
            _ => Self::Device,
        }
    }
}

/// A name in a directory.
#[derive(Debug)]
pub struct DirEntry {
    directory: OwnedFd,
    name: OsString,
}

impl DirEntry {
    pub(super) fn new(directory: OwnedFd, name: &OsStr) -> Self {
        Self { directory, name: name.to_owned() }
    }

    /// The directory, for the system calls that take a descriptor and a name.
    #[must_use]
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The name with `suffix` added, in the same directory.
    ///
    /// # Errors
    /// Those of dup(2).
    pub fn with_suffix(&self, suffix: &str) -> io::Result<Self> {
        let mut name = self.name.clone();
        name.push(suffix);
        Ok(Self { directory: self.directory.try_clone()?, name })
    }

    /// The name without `suffix`, in the same directory; `None` where it doesn't end with it, or is nothing else.
    #[must_use]
    pub fn without_suffix(&self, suffix: &str) -> Option<io::Result<Self>> {
        let name = self.name.as_bytes().strip_suffix(suffix.as_bytes()).filter(|name| !name.is_empty())?;
        let directory = self.directory.try_clone();
        Some(directory.map(|directory| Self::new(directory, OsStr::from_bytes(name))))
    }

    /// What the name is, without following a link.
    ///
    /// # Errors
    /// Those of fstatat(2).
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(fstatat(&self.directory, self.name(), AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// Opens the file for reading.
    ///
    /// # Errors
    /// Those of openat(2), and that it is not a regular file.
    pub fn open(&self) -> io::Result<File> {
        self.open_with(OFlag::O_RDONLY)
    }

    /// Opens the file for reading and writing.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_to_write(&self) -> io::Result<File> {
        self.open_with(OFlag::O_RDWR)
    }

    fn open_with(&self, access: OFlag) -> io::Result<File> {
        let opened = openat(&self.directory, self.name(), access | SAFE, Mode::empty());
        let file = File::from(opened.map_err(|errno| match errno {
            Errno::ELOOP => link_error(),
            // A socket, or a pipe that nobody reads.
            Errno::ENXIO => special_error(),
            errno => errno.into(),
        })?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(special_error()) }
    }

    /// Creates the file, which must not exist, with these permission bits less the umask's.
    ///
    /// # Errors
    /// Those of openat(2).
    pub fn create_new(&self, mode: u32) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | SAFE;
        Ok(openat(&self.directory, self.name(), flags, Mode::from_bits_truncate(mode))?.into())
    }

    /// Removes the name, unless it is a directory's.
    ///
    /// # Errors
    /// Those of unlinkat(2).
    pub fn unlink(&self) -> io::Result<()> {
        Ok(unlinkat(&self.directory, self.name(), UnlinkatFlags::NoRemoveDir)?)
    }
}

/// The names in a directory with what they are, sorted by name.
pub(super) fn read_directory(directory: BorrowedFd<'_>) -> io::Result<Vec<(OsString, EntryKind)>> {
    let again = openat(directory, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | SAFE, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::from_fd(again)?.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            Some(Type::File) => EntryKind::File,
            Some(Type::Directory) => EntryKind::Directory,
            Some(Type::Symlink) => EntryKind::Link,
            Some(Type::Fifo | Type::Socket) => EntryKind::Pipe,
            Some(_) => EntryKind::Device,
            // Not every file system tells.
            None => match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(stat) => EntryKind::of(stat.st_mode),
                Err(Errno::ENOENT) => continue,
                Err(errno) => return Err(errno.into()),
            },
        };
        names.push((name.to_owned(), kind));
    }
    names.sort_unstable();
    Ok(names)
}

pub(super) fn link_error() -> io::Error {
    io::Error::other("a symbolic link, which is not followed")
}

pub(super) fn special_error() -> io::Error {
    io::Error::other("not a regular file")
}

//! Opening what a login relies on, step by step from the root and never through a link, so that
//! what was checked is what is used: each directory is opened from the one above it, and owner
//! and mode are those of the opened descriptor.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::Uid;

/// Who may own what is on the way to a file, and so could change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// Root alone.
    Root,
    /// Root, or this user.
    RootOr(Uid),
}

impl Owners {
    fn include(self, uid: Uid) -> bool {
        uid.is_root() || self == Self::RootOr(uid)
    }
}

/// Why something can't be relied on.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    /// A path that does not begin at the root, or goes back up.
    #[error("not an absolute path without \"..\"")]
    Path,
    /// It could not be opened or read.
    #[error("{path}: {source}", path = crate::escape::path(.path), source = .errno.desc())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// Something on the way is a link.
    #[error("{path}: is a symbolic link", path = crate::escape::path(.0))]
    Link(PathBuf),
    /// It is neither a file nor a directory.
    #[error("{path}: is no regular file", path = crate::escape::path(.0))]
    NoFile(PathBuf),
    /// It belongs to someone who could change it.
    #[error("{path}: belongs to user id {uid}, not to {owners}", path = crate::escape::path(.path))]
    Owner {
        /// What.
        path: PathBuf,
        /// To whom.
        uid: u32,
        /// To whom it should.
        owners: &'static str,
    },
    /// Its mode lets others change it.
    #[error("{path}: can be written by group or others (mode {mode:04o})", path = crate::escape::path(.path))]
    Writable {
        /// What.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is larger than it may be.
    #[error("{path}: is larger than {limit} bytes", path = crate::escape::path(.path))]
    TooLarge {
        /// What.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
}

impl Distrust {
    fn io(path: &Path, errno: Errno) -> Self {
        match errno {
            Errno::ELOOP => Self::Link(path.to_owned()),
            _ => Self::Io { path: path.to_owned(), errno },
        }
    }

    /// The errno, where a system call failed.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Io { errno, .. } => Some(*errno),
            _ => None,
        }
    }
}

/// Flags of every open here.
const SAFE: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_CLOEXEC);

/// Refuses what is not its owners' alone; gives its type.
fn check(fd: impl AsFd, path: &Path, owners: Owners) -> Result<SFlag, Distrust> {
    let stat = fstat(fd).map_err(|errno| Distrust::io(path, errno))?;
    if !owners.include(Uid::from_raw(stat.st_uid)) {
        let owners = if owners == Owners::Root { "root" } else { "root or the user" };
        return Err(Distrust::Owner { path: path.to_owned(), uid: stat.st_uid, owners });
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(Distrust::Writable { path: path.to_owned(), mode: stat.st_mode & 0o7777 });
    }
    Ok(SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()))
}

/// The names that lead from the root to `path`.
fn steps(path: &Path) -> Result<Vec<&OsStr>, Distrust> {
    let mut components = path.components();
    if components.next() != Some(Component::RootDir) {
        return Err(Distrust::Path);
    }
    components
        .map(|component| match component {
            Component::Normal(name) => Ok(name),
            _ => Err(Distrust::Path),
        })
        .collect()
}

/// The directory that `steps` lead to from the root, each on the way checked, and made (mode 0700)
/// where `make` says so and it is missing. For looking things up in it only.
fn descend(steps: &[&OsStr], owners: Owners, make: bool) -> Result<(OwnedFd, PathBuf), Distrust> {
    let flags = SAFE | OFlag::O_DIRECTORY | OFlag::O_PATH;
    let mut path = PathBuf::from("/");
    let mut at = open("/", flags, Mode::empty()).map_err(|errno| Distrust::io(&path, errno))?;
    check(&at, &path, owners)?;
    for &step in steps {
        path.push(step);
        let next = match openat(&at, step, flags, Mode::empty()) {
            Err(Errno::ENOENT) if make => {
                match mkdirat(&at, step, Mode::S_IRWXU) {
                    // Someone else was faster.
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(Distrust::io(&path, errno)),
                }
                openat(&at, step, flags, Mode::empty())
            }
            opened => opened,
        };
        at = next.map_err(|errno| match errno {
            // O_DIRECTORY and O_PATH say so of a link.
            Errno::ENOTDIR if is_link(&at, step) => Distrust::Link(path.clone()),
            errno => Distrust::io(&path, errno),
        })?;
        check(&at, &path, owners)?;
    }
    Ok((at, path))
}

fn is_link(at: impl AsFd, name: &OsStr) -> bool {
    fstatat(at, name, AtFlags::AT_SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFLNK.bits())
}

/// Opens a directory to create files in it, checked with all above it; those that are missing are
/// made (mode 0700) where `make` says so.
///
/// # Errors
/// What can't be relied on.
pub fn directory(path: &Path, owners: Owners, make: bool) -> Result<OwnedFd, Distrust> {
    Ok(descend(&steps(path)?, owners, make)?.0)
}

/// Reads a file that it and all above it let be relied on, up to `limit` bytes.
///
/// # Errors
/// What can't be relied on.
pub fn read(path: &Path, owners: Owners, limit: u64) -> Result<Vec<u8>, Distrust> {
    let steps = steps(path)?;
    let Some((name, above)) = steps.split_last() else { return Err(Distrust::NoFile(path.to_owned())) };
    let (at, _) = descend(above, owners, false)?;
    let file = open_entry(&at, name, path, owners)?;
    content(file, path, limit)
}

/// Reads all files below `path` whose names `wanted` takes, or the file that `path` is; each with its path,
/// sorted. Hidden files and directories are left out.
///
/// # Errors
/// What can't be relied on, any link among it.
pub fn read_all(
    path: &Path,
    owners: Owners,
    limit: u64,
    wanted: fn(&OsStr) -> bool,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Distrust> {
    let steps = steps(path)?;
    let Some((name, above)) = steps.split_last() else { return Err(Distrust::NoFile(path.to_owned())) };
    let (at, _) = descend(above, owners, false)?;
    let mut found = Vec::new();
    let mut queue = vec![(at, (*name).to_owned(), path.to_owned(), true)];
    while let Some((at, name, path, named)) = queue.pop() {
        let opened = open_entry(&at, &name, &path, owners)?;
        if check(&opened, &path, owners)? != SFlag::S_IFDIR {
            if named || wanted(&name) {
                found.push((path.clone(), content(opened, &path, limit)?));
            }
            continue;
        }
        for entry in entries(&opened, &path)? {
            let (name, kind) = entry?;
            let path = path.join(&name);
            match kind {
                Some(Type::Symlink) => return Err(Distrust::Link(path)),
                // What is neither role file nor directory is nobody's concern.
                Some(Type::Directory) | None => {}
                Some(_) if wanted(&name) => {}
                Some(_) => continue,
            }
            let at = opened.try_clone().map_err(|error| io_error(&path, &error))?;
            queue.push((at.into(), name, path, false));
        }
    }
    found.sort();
    Ok(found)
}

type Entry = Result<(std::ffi::OsString, Option<Type>), Distrust>;

/// The names in a directory that are not hidden, with their types where the file system tells.
fn entries(directory: &File, path: &Path) -> Result<Vec<Entry>, Distrust> {
    let own = directory.try_clone().map_err(|error| io_error(path, &error))?;
    let mut listing = Dir::from_fd(own.into()).map_err(|errno| Distrust::io(path, errno))?;
    Ok(listing
        .iter()
        .map(|entry| {
            let entry = entry.map_err(|errno| Distrust::io(path, errno))?;
            Ok((OsStr::from_bytes(entry.file_name().to_bytes()).to_owned(), entry.file_type()))
        })
        .filter(|entry: &Entry| entry.as_ref().map_or(true, |(name, _)| !name.as_bytes().starts_with(b".")))
        .collect())
}

/// Opens a file or directory in `at` for reading, checked. A device or a pipe is refused, and never waited for.
fn open_entry(at: impl AsFd, name: &OsStr, path: &Path, owners: Owners) -> Result<File, Distrust> {
    let flags = SAFE | OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let opened = openat(at, name, flags, Mode::empty()).map_err(|errno| Distrust::io(path, errno))?;
    match check(&opened, path, owners)? {
        SFlag::S_IFREG | SFlag::S_IFDIR => Ok(opened.into()),
        _ => Err(Distrust::NoFile(path.to_owned())),
    }
}

fn content(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, Distrust> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| io_error(path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(Distrust::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

fn io_error(path: &Path, error: &io::Error) -> Distrust {
    Distrust::io(path, error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

//! Where output goes: a path that another user must not be able to lead elsewhere.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat};
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::geteuid;

use super::entry::{DirEntry, EntryKind};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

/// The directory and the name that `path` leads to; there may be nothing of this name yet. For root, links of other
/// users are refused, as root would write where they choose. A link of /proc that names no path, such as
/// `/proc/self/fd/1` for a pipe, is given as it is.
///
/// # Errors
/// Those of opening the directories, and that a link belongs to another user.
pub fn output_entry(path: &Path) -> io::Result<DirEntry> {
    let own = geteuid();
    let mut at = directory(None, OsStr::new("."))?;
    let mut todo = steps(path);
    let mut links = 0;
    while let Some(step) = todo.pop() {
        if step == "/" || step == ".." {
            at = directory(Some(&at), &step)?;
            continue;
        }
        let stat = match fstatat(&at, step.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::ENOENT) if todo.is_empty() => return Ok(DirEntry::new(at, &step)),
            Err(errno) => return Err(errno.into()),
        };
        if EntryKind::of(stat.st_mode) == EntryKind::Link {
            if own.is_root() && stat.st_uid != 0 {
                let step = crate::escape::controls(&step.to_string_lossy());
                return Err(io::Error::other(format!(
                    "{step} is a symbolic link of user id {}, which root does not follow to write",
                    stat.st_uid
                )));
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(Errno::ELOOP.into());
            }
            if fstatfs(&at)?.filesystem_type() == PROC_SUPER_MAGIC && has_no_path(&at, &step)? {
                return Ok(DirEntry::new(at, &step));
            }
            let target = PathBuf::from(readlinkat(&at, step.as_os_str())?);
            todo.extend(steps(&target));
            continue;
        }
        if todo.is_empty() {
            return Ok(DirEntry::new(at, &step));
        }
        at = directory(Some(&at), &step)?;
    }
    Err(Errno::EISDIR.into())
}

/// Whether a link of /proc leads to what has no path: a pipe, a socket, a file that was removed.
fn has_no_path(at: &OwnedFd, link: &OsStr) -> nix::Result<bool> {
    let stat = fstatat(at, link, AtFlags::empty())?;
    Ok(match EntryKind::of(stat.st_mode) {
        EntryKind::File => stat.st_nlink == 0,
        kind => kind != EntryKind::Directory,
    })
}

fn directory(at: Option<&OwnedFd>, name: &OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match at {
        Some(at) => openat(at, name, flags, Mode::empty()),
        None => open(name, flags, Mode::empty()),
    }
}

/// The steps of a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let step = |component: Component<'_>| match component {
        Component::CurDir => None,
        component => Some(component.as_os_str().to_owned()),
    };
    path.components().rev().filter_map(step).collect()
}

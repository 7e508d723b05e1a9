//! A control group for the session's processes, where one can be had: all that is in it is killed
//! at once, also what forks faster than it can be found and what runs as another user.
//!
//! Nothing here is on a disk, and nothing here may fail a session.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What the groups' names begin with.
const PREFIX: &str = "recmode-";

/// How often a group is made or locked before the session goes without one: some milliseconds.
const ATTEMPTS: usize = 1000;

/// A child of this process's own group (version 2); removed with this, once it is empty.
#[derive(Debug)]
pub(super) struct Cgroup {
    path: PathBuf,
    directory: File,
}

impl Cgroup {
    /// Makes the session's group, if this process may.
    pub(super) fn create(session: &str) -> Option<Self> {
        let own = read_whole("/proc/self/cgroup").ok()?;
        let mounts = read_whole("/proc/self/mountinfo").ok()?;
        Self::claim(directory_of(&own, &mounts)?.join(format!("{PREFIX}{session}")))
    }

    /// Makes this directory, and locks it: the lock says that it is in use while nothing runs in it yet, or any more.
    fn claim(path: PathBuf) -> Option<Self> {
        // Before it is locked, the end of another session may take it for one that was left, and remove it.
        for attempt in 0..ATTEMPTS {
            match DirBuilder::new().mode(0o755).create(&path) {
                Err(error) if attempt == 0 || error.kind() != io::ErrorKind::AlreadyExists => return None,
                _ => {}
            }
            let Ok(directory) = File::open(&path) else { continue };
            match directory.try_lock_shared() {
                Ok(()) if is_at(&directory, &path) => return Some(Self { path, directory }),
                Ok(()) => {}
                // Whoever removes it is done at once, but may be stopped, or no recmode at all.
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(_)) => break,
            }
        }
        let _ = fs::remove_dir(&path);
        None
    }

    /// Removes it, unless a living process is in it; whether it is gone.
    pub(super) fn remove(&self) -> bool {
        remove_with_nested(&self.path)
    }

    /// Whether a living process is in it.
    pub(super) fn is_populated(&self) -> bool {
        let events = fs::read_to_string(self.path.join("cgroup.events")).unwrap_or_default();
        events.lines().any(|line| line == "populated 1")
    }

    /// Kills all that is in it, since Linux 5.14.
    ///
    /// # Errors
    /// Those of open(2) and write(2).
    pub(super) fn kill(&self) -> io::Result<()> {
        fs::write(self.path.join("cgroup.kill"), "1")
    }
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

impl Drop for Cgroup {
    /// Removes the group, unless a background job lives on in it, and such as were left by sessions
    /// whose jobs have ended since, or that were killed.
    fn drop(&mut self) {
        self.remove();
        if let Some(own) = self.path.parent() {
            remove_unused(own);
        }
    }
}

/// Removes the groups below this one that no recmode holds and nothing runs in.
fn remove_unused(own: &Path) {
    for entry in fs::read_dir(own).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && let Ok(unused) = File::open(&path)
            && unused.try_lock().is_ok()
            && is_at(&unused, &path)
        {
            // With the lock held, so that nobody claims it meanwhile. The kernel refuses where something runs in it.
            remove_with_nested(&path);
        }
    }
}

/// Removes a group, and before it those of sessions inside the session, such as were killed; whether it is gone.
fn remove_with_nested(path: &Path) -> bool {
    fs::remove_dir(path).is_ok() || {
        remove_unused(path);
        fs::remove_dir(path).is_ok()
    }
}

/// Whether this directory still is what the path names: it may have been removed, and made anew.
fn is_at(directory: &File, path: &Path) -> bool {
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    let (Ok(opened), Ok(named)) = (directory.metadata(), path.symlink_metadata()) else { return false };
    place(opened) == place(named)
}

/// Reads a file of /proc in few pieces: it tells no size beforehand, and for each piece the kernel goes through it again.
fn read_whole(path: &str) -> io::Result<String> {
    let mut text = String::with_capacity(8 * 1024);
    File::open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The directory of the group that /proc/self/cgroup names, by /proc/self/mountinfo.
fn directory_of(own: &str, mounts: &str) -> Option<PathBuf> {
    let group = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mounted = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut fields = place.split(' ').skip(3);
        kind.starts_with("cgroup2 ").then_some((fields.next()?, fields.next()?))
    });
    let (root, mounted) = mounted?;
    let below = Path::new(group).strip_prefix(root).ok()?;
    // A group outside of what is mounted is shown with dots.
    let is_below = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    is_below.then(|| Path::new(mounted).join(below))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_directory_is_found_below_the_mount_and_never_outside() {
        let mounts = "22 1 0:20 / /proc rw - proc proc rw\n\
                      30 24 0:26 /box /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let find = |own| directory_of(own, mounts);
        assert_eq!(find("4:memory:/m\n0::/box/user.slice\n"), Some("/sys/fs/cgroup/user.slice".into()));
        assert_eq!(find("0::/box\n"), Some("/sys/fs/cgroup/".into()));
        assert_eq!(find("0::/other\n"), None);
        assert_eq!(find("0::/box/../other\n"), None);
        assert_eq!(find("4:memory:/m\n"), None);
        assert_eq!(directory_of("0::/\n", ""), None);
    }

    #[test]
    fn a_group_that_is_claimed_while_others_are_removed_is_there() {
        let own = tempfile::tempdir().expect("a directory");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        remove_unused(own.path());
                    }
                });
            }
            let lost = (0..2000).find(|number| {
                let group = Cgroup::claim(own.path().join(format!("{PREFIX}{number}")));
                !group.is_some_and(|group| is_at(&group.directory, &group.path) && group.remove())
            });
            over.store(true, Ordering::Relaxed);
            assert_eq!(lost, None);
        });
        assert_eq!(
            fs::read_dir(own.path()).expect("the directory").count(),
            0,
            "what was claimed was removed"
        );
    }
}

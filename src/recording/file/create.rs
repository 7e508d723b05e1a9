//! A recording's file and the directories above it: made safely and never over another one, locked, and taken back.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::recording::{Cause, Fault, Operation};
use crate::trust::{self, Owners};

/// How often the lock is tried that others may hold for a moment, and how long after each time.
const LOCK_ATTEMPTS: u32 = 200;
pub(super) const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// Locks a recording as long as its session lives: nobody takes it for one that was cut off. Whoever looks at it in this
/// moment holds the lock for a moment only.
pub(super) fn lock(file: &File) -> Result<(), Fault> {
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // Locked; or there are no locks on this file system, for nobody.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
    Err(Fault { during: Operation::Lock, cause: Cause::Errno(libc::EWOULDBLOCK) })
}

/// Creates a file that is not there yet, and the directories above it.
pub(super) fn create_new(path: &Path, owners: Option<Owners>) -> Result<File, Fault> {
    if let Some(owners) = owners {
        return create_below(path, owners);
    }
    create_directories(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path).map_err(|error| Fault::io(Operation::Create, &error))
}

/// The directories above a file that are not there, the deepest first.
pub(super) fn missing_directories(path: &Path) -> Vec<PathBuf> {
    let above = path.ancestors().skip(1);
    above.take_while(|directory| directory.symlink_metadata().is_err()).map(Path::to_owned).collect()
}

/// Removes directories, the deepest first, as far as they are empty.
pub(super) fn remove_directories(directories: &[PathBuf]) {
    for directory in directories {
        if std::fs::remove_dir(directory).is_err() {
            break;
        }
    }
}

/// Makes the directories above a file.
fn create_directories(path: &Path) -> Result<(), Fault> {
    let Some(parent) = path.parent() else { return Ok(()) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|error| Fault::io(Operation::CreateDirectory, &error))
}

/// Creates a file in a directory that was reached step by step and is its owners' alone.
fn create_below(path: &Path, owners: Owners) -> Result<File, Fault> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Fault { during: Operation::Create, cause: Cause::Errno(libc::EINVAL) });
    };
    let directory = trust::directory(parent, owners, true).map_err(|distrust| Fault {
        during: Operation::CreateDirectory,
        cause: distrust.errno().map_or(Cause::Untrusted, |errno| Cause::Errno(errno as i32)),
    })?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(&directory, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)
        .map(File::from)
        .map_err(|errno| Fault { during: Operation::Create, cause: Cause::Errno(errno as i32) })
}

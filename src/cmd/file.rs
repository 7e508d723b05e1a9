//! Replacing a file: the new text is written beside it and then takes its name, so that nobody ever
//! sees half of it. It goes to the directory that was opened first, whatever is renamed meanwhile.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, geteuid, linkat, unlinkat};

use crate::dirfd::{DirEntry, EntryKind, output_entry};
use crate::sys::Unfinished;

/// Writes `bytes` to `path`, as a [`Replacement`].
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = Replacement::new(path)?;
    file.write_all(bytes)?;
    file.finish()
}

/// A file that is being written, and takes its name when it is finished. It has none before, where the
/// file system can do that, so that nothing is left of one that is not. An existing file keeps its permissions, and a
/// link stays a link. What is no regular file, such as /dev/stdout, is written to as it is.
pub(super) struct Replacement {
    out: BufWriter<File>,
    target: DirEntry,
    /// Its name until then, where it needs one.
    beside: Option<(OsString, Unfinished)>,
    /// What takes writes as it is: no regular file.
    in_place: bool,
}

impl Replacement {
    /// Begins to replace `path`, or to create it.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let target = output_entry(path)?;
        let existing = match target.stat() {
            Ok(stat) => Some(stat),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let buffered = |file| BufWriter::with_capacity(1 << 16, file);
        let kind = existing.as_ref().map(|stat| EntryKind::of(stat.st_mode));
        if let (Some(stat), Some(kind)) = (&existing, kind.filter(|&kind| kind != EntryKind::File)) {
            if kind == EntryKind::Pipe && geteuid().is_root() && stat.st_uid != 0 {
                let uid = stat.st_uid;
                return Err(io::Error::other(format!(
                    "a pipe of user id {uid}, which root does not write to"
                )));
            }
            // Of links only those of /proc are left.
            let follow = if kind == EntryKind::Link { OFlag::empty() } else { OFlag::O_NOFOLLOW };
            let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC | follow;
            let file = openat(target.directory(), target.name(), flags, Mode::empty())?.into();
            return Ok(Self { out: buffered(file), target, beside: None, in_place: true });
        }
        let new = Mode::from_bits_truncate(0o666);
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let nameless = openat(target.directory(), ".", flags | OFlag::O_TMPFILE, new);
        let (file, beside) = match nameless {
            Ok(file) => (file, None),
            // Not on every file system.
            Err(Errno::EOPNOTSUPP) => {
                let beside = beside(&target);
                let exclusive = flags | OFlag::O_CREAT | OFlag::O_EXCL;
                (openat(target.directory(), beside.0.as_os_str(), exclusive, new)?, Some(beside))
            }
            Err(errno) => return Err(errno.into()),
        };
        let file = File::from(file);
        if let Some(existing) = existing {
            file.set_permissions(Permissions::from_mode(existing.st_mode & 0o777))?;
        }
        Ok(Self { out: buffered(file), target, beside, in_place: false })
    }

    /// Gives the file its name.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        if self.in_place {
            return Ok(());
        }
        self.out.get_ref().sync_all()?;
        if self.beside.is_none() {
            let (name, unfinished) = beside(&self.target);
            let own = format!("/proc/self/fd/{}", self.out.get_ref().as_raw_fd());
            let follow = AtFlags::AT_SYMLINK_FOLLOW;
            linkat(AT_FDCWD, own.as_str(), self.target.directory(), name.as_os_str(), follow)?;
            self.beside = Some((name, unfinished));
        }
        if let Some((beside, _)) = &self.beside {
            let directory = self.target.directory();
            renameat(directory, beside.as_os_str(), directory, self.target.name())?;
        }
        self.beside = None;
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.beside {
            let _ = unlinkat(self.target.directory(), beside.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// A name in the same directory that nobody else uses, for a file that is not to stay if a signal ends the process.
fn beside(target: &DirEntry) -> (OsString, Unfinished) {
    let id = uuid::Uuid::new_v4().simple();
    let name = OsString::from(format!(".{}.{id}.new", target.name().to_string_lossy()));
    let directory = target.directory().as_raw_fd();
    let unfinished = Unfinished::new(&Path::new("/proc/self/fd").join(directory.to_string()).join(&name));
    (name, unfinished)
}

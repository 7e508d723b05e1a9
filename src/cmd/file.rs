//! Replacing a file: the new text is written beside it and then takes its name, so that nobody ever
//! sees half of it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::linkat;

use crate::sys::Unfinished;

/// Writes `bytes` to `path`; an existing file keeps its permissions, and a link stays a link. What is
/// no regular file, such as /dev/stdout, is written to as it is.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let existing = fs::metadata(path).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let target = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let beside = beside(&target);
    let written = (|| {
        let mut file = File::options().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        if let Some(existing) = &existing {
            file.set_permissions(existing.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A file that is being written, and takes its name when it is finished. It has none before, where the
/// file system can do that, so that nothing is left of one that is not.
pub(super) struct Replacement {
    out: BufWriter<File>,
    target: PathBuf,
    /// Its name until then, where it needs one.
    beside: Option<(PathBuf, Unfinished)>,
    /// What takes writes as it is: no regular file.
    in_place: bool,
}

impl Replacement {
    /// Begins to replace `path`, or to create it.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let existing = fs::metadata(path).ok();
        let buffered = |file| BufWriter::with_capacity(1 << 16, file);
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            let file = File::options().write(true).open(path)?;
            return Ok(Self { out: buffered(file), target: path.to_owned(), beside: None, in_place: true });
        }
        let target = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let nameless = File::options().write(true).custom_flags(libc::O_TMPFILE).mode(0o666).open(folder);
        let (file, beside) = match nameless {
            Ok(file) => (file, None),
            // Not on every file system.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                let beside = named_beside(&target);
                (File::options().write(true).create_new(true).open(&beside.0)?, Some(beside))
            }
            Err(error) => return Err(error),
        };
        if let Some(existing) = existing {
            file.set_permissions(existing.permissions())?;
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
            let (name, unfinished) = named_beside(&self.target);
            let own = format!("/proc/self/fd/{}", self.out.get_ref().as_raw_fd());
            linkat(AT_FDCWD, own.as_str(), AT_FDCWD, &name, AtFlags::AT_SYMLINK_FOLLOW)?;
            self.beside = Some((name, unfinished));
        }
        if let Some((beside, _)) = &self.beside {
            fs::rename(beside, &self.target)?;
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
            let _ = fs::remove_file(beside);
        }
    }
}

/// The same for a file that is not to stay if a signal ends the process.
fn named_beside(path: &Path) -> (PathBuf, Unfinished) {
    let beside = beside(path);
    let unfinished = Unfinished::new(&beside);
    (beside, unfinished)
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", uuid::Uuid::new_v4().simple()))
}

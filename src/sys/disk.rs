//! Disk calls that nix has no function for.

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

/// Asks the kernel to begin writing a part of a file to the disk, without waiting for it, so that a
/// later sync has little left to do. Only a hint: where it is not possible nothing happens.
pub fn start_writeback(fd: impl AsFd, offset: u64, len: u64) {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
    // SAFETY: numbers only.
    unsafe { libc::sync_file_range(fd.as_fd().as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
}

/// Whether anyone has this regular file open for writing; the descriptor is one for reading. `None` where the
/// kernel does not say: it does to the file's owner and to those with CAP_LEASE, on local file systems.
///
/// It tells by granting a read lease, which is given back at once. Who opens the file for writing in between
/// waits for that moment, and notices nothing.
#[must_use]
pub fn has_writer(fd: impl AsFd) -> Option<bool> {
    // The same on every architecture of Linux.
    const F_SETSIG: libc::c_int = 10;
    let fd = fd.as_fd().as_raw_fd();
    // The word of someone who waits comes as a signal that does nothing by default.
    // SAFETY: numbers only.
    let quiet = unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGURG) };
    // SAFETY: numbers only.
    if quiet != 0 || unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) } != 0 {
        return (quiet == 0 && Errno::last() == Errno::EAGAIN).then_some(true);
    }
    // SAFETY: numbers only.
    unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) };
    Some(false)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::has_writer;

    #[test]
    fn a_writer_is_seen_as_long_as_it_has_the_file_open() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let writer = File::create(&path).expect("a file");
        let reader = File::open(&path).expect("the file");
        if has_writer(&reader).is_none() {
            return;
        }
        assert_eq!(has_writer(&reader), Some(true));
        drop(writer);
        assert_eq!(has_writer(&reader), Some(false));
        assert!(File::options().append(true).open(&path).is_ok(), "nothing is kept");
    }
}

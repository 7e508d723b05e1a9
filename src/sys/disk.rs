//! Disk calls that nix has no function for.

use std::os::fd::{AsFd, AsRawFd};

/// Asks the kernel to begin writing a part of a file to the disk, without waiting for it, so that a
/// later sync has little left to do. Only a hint: where it is not possible nothing happens.
pub fn start_writeback(fd: impl AsFd, offset: u64, len: u64) {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else { return };
    // SAFETY: numbers only.
    unsafe { libc::sync_file_range(fd.as_fd().as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
}

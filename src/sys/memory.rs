//! Memory shared between a process and what it forks.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A zeroed memory region that a forked process keeps sharing.
///
/// Bytes are copied in and out, never borrowed, as the other process may write at any time; which
/// process may touch which bytes when is the caller's protocol.
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the region has no owner thread; cells are atomic, and bytes are only ever copied.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// A new region of `len` bytes; pages cost nothing until they are touched.
    ///
    /// # Errors
    /// What mmap(2) gives; `len` 0 is EINVAL.
    pub fn new(len: usize) -> io::Result<Self> {
        let size = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        // Not a memfd: a limit on file sizes would be one on it, too.
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing.
        let start = unsafe {
            mmap_anonymous(None, size, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED)?
        };
        Ok(Self { start: start.cast(), len })
    }

    /// The 64-bit cell at `offset` (bytes, a multiple of 8).
    #[must_use]
    pub fn u64_at(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.len, "cell outside the shared memory");
        // SAFETY: in bounds and aligned (the mapping starts on a page); it lives as long as `self`,
        // and every access to a cell, on both sides, is atomic.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// The 32-bit cell at `offset` (bytes, a multiple of 4).
    #[must_use]
    pub fn u32_at(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.len, "cell outside the shared memory");
        // SAFETY: as in `u64_at`.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// Copies `bytes` to `offset`.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset <= self.len && bytes.len() <= self.len - offset, "copy outside the shared memory");
        // SAFETY: in bounds; `bytes` is private memory and can't overlap; plain bytes have no
        // invalid values, so that a racing reader sees at worst mixed bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(offset), bytes.len());
        }
    }

    /// Reads once from `fd`, at most `len` bytes, to `offset`.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn read_from(&self, fd: BorrowedFd<'_>, offset: usize, len: usize) -> nix::Result<usize> {
        assert!(offset <= self.len && len <= self.len - offset, "read outside the shared memory");
        // SAFETY: in bounds; the kernel copies plain bytes, as in `copy_in`.
        let n = unsafe { libc::read(fd.as_raw_fd(), self.start.as_ptr().add(offset).cast(), len) };
        Errno::result(n).map(isize::cast_unsigned)
    }

    /// Copies from `offset` into all of `bytes`.
    pub fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset <= self.len && bytes.len() <= self.len - offset, "copy outside the shared memory");
        // SAFETY: as in `copy_in`.
        unsafe {
            std::ptr::copy_nonoverlapping(self.start.as_ptr().add(offset), bytes.as_mut_ptr(), bytes.len());
        }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this length, and no reference outlives `self`.
        let _ = unsafe { munmap(self.start.cast::<c_void>(), self.len) };
    }
}

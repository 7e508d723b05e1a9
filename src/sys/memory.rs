//! Memory shared between a process and what it forks.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A zeroed memory region that a forked process keeps sharing: cells, which both may read and write, and bytes after
/// them, which one of the two writes.
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    /// Bytes of cells.
    cells: usize,
    len: usize,
}

/// The right to write a region's bytes, and to look at them in place, which is one: after a fork one of the two processes
/// goes on with it. The other copies bytes out; which of them may be written when is the caller's protocol.
#[derive(Debug)]
pub struct SharedBytes(Arc<SharedMemory>);

// SAFETY: the region has no owner thread; cells are atomic, and bytes are only copied out, but for what `SharedBytes` does,
// which is one.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// A new region of `cells` bytes of cells (a multiple of 8) and `bytes` bytes; pages cost nothing until they are
    /// touched.
    ///
    /// # Errors
    /// What mmap(2) gives; a region of no bytes at all is EINVAL.
    pub fn new(cells: usize, bytes: usize) -> io::Result<(Arc<Self>, SharedBytes)> {
        let len = cells.checked_add(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let size = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        // Not a memfd: a limit on file sizes would be one on it, too.
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing.
        let start = unsafe {
            mmap_anonymous(None, size, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED)?
        };
        let memory = Arc::new(Self { start: start.cast(), cells, len });
        Ok((Arc::clone(&memory), SharedBytes(memory)))
    }

    /// The 64-bit cell at `offset` (bytes, a multiple of 8).
    #[must_use]
    pub fn u64_at(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.cells, "cell outside the shared memory");
        // SAFETY: in bounds and aligned (the mapping starts on a page); it lives as long as `self`,
        // and every access to a cell, on both sides, is atomic.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// The 32-bit cell at `offset` (bytes, a multiple of 4).
    #[must_use]
    pub fn u32_at(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.cells, "cell outside the shared memory");
        // SAFETY: as in `u64_at`.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(offset).cast()) }
    }

    /// Copies bytes out, from their `offset` on, into all of `to`.
    pub fn copy_out(&self, offset: usize, to: &mut [u8]) {
        let from = self.bytes(offset, to.len());
        // SAFETY: in bounds; `to` is private memory and can't overlap; plain bytes have no invalid values, so that who
        // reads while another process writes sees at worst mixed bytes.
        unsafe { std::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
    }

    /// Where `len` bytes from their `offset` on are.
    fn bytes(&self, offset: usize, len: usize) -> *mut u8 {
        let all = self.len - self.cells;
        assert!(offset <= all && len <= all - offset, "bytes outside the shared memory");
        // SAFETY: in bounds.
        unsafe { self.start.as_ptr().add(self.cells + offset) }
    }
}

impl SharedBytes {
    /// The `len` bytes from `offset` on.
    #[must_use]
    pub fn get(&self, offset: usize, len: usize) -> &[u8] {
        // SAFETY: in bounds and initialised; they are written by this alone, which is borrowed.
        unsafe { std::slice::from_raw_parts(self.0.bytes(offset, len), len) }
    }

    /// Copies `bytes` to `offset`.
    pub fn copy_in(&mut self, offset: usize, bytes: &[u8]) {
        let to = self.0.bytes(offset, bytes.len());
        // SAFETY: in bounds; `bytes` is none of it, as this is borrowed, and only copied out elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Reads once from `fd`, at most `len` bytes, to `offset`.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn read_from(&mut self, fd: BorrowedFd<'_>, offset: usize, len: usize) -> nix::Result<usize> {
        let to = self.0.bytes(offset, len);
        // SAFETY: in bounds; the kernel copies plain bytes, as in `copy_in`.
        let n = unsafe { libc::read(fd.as_raw_fd(), to.cast(), len) };
        Errno::result(n).map(isize::cast_unsigned)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this length, and no reference outlives `self`.
        let _ = unsafe { munmap(self.start.cast::<c_void>(), self.len) };
    }
}

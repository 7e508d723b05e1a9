//! Waking the other process, without a system call when it is awake.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::sys::SharedMemory;

/// One direction of wake-ups: a flag that says that the sleeper sleeps, and an eventfd to poll.
#[derive(Debug)]
pub struct Wake {
    event: EventFd,
    flag: usize,
}

impl Wake {
    /// A wake-up whose flag is the 32-bit cell at `flag`.
    pub(super) fn new(flag: usize) -> io::Result<Self> {
        Ok(Self { event: EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?, flag })
    }

    /// Says that the caller is about to sleep. It must look at the ring once more before it does:
    /// what was published before this call wakes nobody.
    pub(super) fn announce(&self, memory: &SharedMemory) {
        memory.u32_at(self.flag).swap(1, Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
    }

    /// Takes the announcement back and forgets wake-ups that came; `readable` is what poll said.
    pub(super) fn settle(&self, memory: &SharedMemory, readable: bool) {
        // Where the other side saw us asleep it has written, or is about to: then the next poll says so.
        if memory.u32_at(self.flag).swap(0, Ordering::SeqCst) == 0 || readable {
            let _ = self.event.read();
        }
    }

    /// Wakes the sleeper, if it sleeps.
    pub(super) fn wake(&self, memory: &SharedMemory) {
        std::sync::atomic::fence(Ordering::SeqCst);
        let flag = memory.u32_at(self.flag);
        if flag.load(Ordering::Relaxed) == 1 && flag.swap(0, Ordering::SeqCst) == 1 {
            // EAGAIN needs 2^64 - 2 unread wake-ups.
            let _ = self.event.write(1);
        }
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

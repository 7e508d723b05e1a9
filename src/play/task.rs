//! Work beside the player: a thread that hands over its result and wakes the player's loop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, SigmaskHow};

/// Wakes who polls it.
#[derive(Debug, Clone)]
pub(super) struct Wake(Arc<EventFd>);

impl Wake {
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(Arc::new(EventFd::from_flags(flags)?)))
    }

    pub(super) fn wake(&self) {
        let _ = self.0.write(1);
    }

    /// Forgets that it was woken.
    pub(super) fn clear(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Runs a thread that gets no signals: one that it took would end the program before the terminal is put back.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let spawned = thread::Builder::new().spawn(work);
    before.thread_set_mask()?;
    spawned.map(drop)
}

/// Whether somebody still wants the result.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    pub(super) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Work that goes on; it is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Task<T> {
    result: Receiver<T>,
    wanted: Wanted,
}

impl<T: Default + Send + 'static> Task<T> {
    pub(super) fn start(wake: &Wake, work: impl FnOnce(&Wanted) -> T + Send + 'static) -> io::Result<Self> {
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let (sender, result) = sync_channel(1);
        let (wake, asked) = (wake.clone(), wanted.clone());
        spawn(move || {
            let _ = sender.send(work(&asked));
            drop(sender);
            wake.wake();
        })?;
        Ok(Self { result, wanted })
    }

    /// The result, once it is there; nothing of it where the thread died.
    pub(super) fn take(&self) -> Option<T> {
        match self.result.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(T::default()),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.wanted.0.store(false, Ordering::Relaxed);
    }
}

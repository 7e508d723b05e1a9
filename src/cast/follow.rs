//! A recording that is still being written, as an input that ends when its recorder does.
//!
//! At the end of what there is, it waits for the kernel's word that the file has changed.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::is_live;
use crate::sys;

/// Reads on as the file grows.
pub struct Following {
    file: File,
    inotify: Inotify,
    /// Whether the recorder holds a lock while it lives, as recmode's does.
    locks: bool,
    closed: bool,
    caught_up: Box<dyn Fn() + Send>,
}

impl Following {
    /// Opens the file. Where its recorder holds no lock (`locks`), the end is when somebody closes the file
    /// after writing, and has come already where nobody has it open for that. `caught_up` is called whenever all that there
    /// is has been read and more may come.
    ///
    /// # Errors
    ///
    /// When it can't be opened or watched.
    pub fn open(path: &Path, locks: bool, caught_up: impl Fn() + Send + 'static) -> io::Result<Self> {
        let file = File::open(path)?;
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let changes = AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ATTRIB;
        inotify.add_watch(path, changes)?;
        // Asked after the watch began: who closes it later is heard.
        let closed = !locks && sys::has_writer(&file) == Some(false);
        Ok(Self { file, inotify, locks, closed, caught_up: Box::new(caught_up) })
    }
}

impl AsFd for Following {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Read for Following {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Asked before the reading: what a recorder wrote before it went is read.
            // The lock goes after the word that the file was closed.
            let live = !self.closed && (!self.locks || is_live(&self.file));
            let read = self.file.read(buffer)?;
            if read > 0 || !live {
                return Ok(read);
            }
            (self.caught_up)();
            let mut fds = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let gone = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE_SELF;
            let events = self.inotify.read_events().unwrap_or_default();
            self.closed |= events.iter().any(|event| event.mask.intersects(gone));
        }
    }
}

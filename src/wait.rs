//! Waiting for descriptors, also where their number is over the limit that someone has set since they
//! were opened: poll(2) refuses them all then.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How often the descriptors are looked at one by one, milliseconds.
const PAUSE: u8 = 10;

/// poll(2). Where the limit on descriptors is below their number they are looked at one by one, now and then.
///
/// # Errors
/// Those of poll(2); EINVAL only where not even one may be polled.
pub fn wait(fds: &mut [PollFd<'_>], timeout: PollTimeout) -> nix::Result<i32> {
    match poll(fds, timeout) {
        Err(Errno::EINVAL) => {}
        polled => return polled,
    }
    let shorter = (0..i32::from(PAUSE)).contains(&i32::from(timeout));
    poll(&mut [], if shorter { timeout } else { PollTimeout::from(PAUSE) })?;
    let mut ready = 0;
    for fd in fds.chunks_mut(1) {
        ready += poll(fd, PollTimeout::ZERO)?;
    }
    Ok(ready)
}

/// Where a descriptor stands in a [`PollList`]; nowhere, if it isn't waited for.
#[derive(Debug, Clone, Copy)]
pub struct Slot(Option<usize>);

impl Slot {
    /// Nowhere.
    pub const NONE: Self = Self(None);
}

/// At most `N` descriptors to wait for, without memory of its own. Only what is wanted of is in it: each one
/// costs time in the kernel, and poll tells a hang-up of what nothing is wanted of for ever.
#[derive(Debug)]
pub struct PollList<'fd, const N: usize> {
    fds: [PollFd<'fd>; N],
    len: usize,
}

impl<'fd, const N: usize> PollList<'fd, N> {
    /// An empty list. `any` is any descriptor: it fills the memory, and is not waited for.
    #[must_use]
    pub fn new(any: BorrowedFd<'fd>) -> Self {
        Self { fds: std::array::from_fn(|_| PollFd::new(any, PollFlags::empty())), len: 0 }
    }

    /// Adds a descriptor, if there is one.
    ///
    /// # Panics
    /// Where it is one too many.
    pub fn add(&mut self, fd: Option<BorrowedFd<'fd>>, events: PollFlags) -> Slot {
        let Some(fd) = fd else { return Slot::NONE };
        self.fds[self.len] = PollFd::new(fd, events);
        self.len += 1;
        Slot(Some(self.len - 1))
    }

    /// See [`wait`].
    ///
    /// # Errors
    /// See [`wait`].
    pub fn wait(&mut self, timeout: PollTimeout) -> nix::Result<i32> {
        wait(&mut self.fds[..self.len], timeout)
    }

    /// What happened to a descriptor.
    #[must_use]
    pub fn events(&self, slot: Slot) -> PollFlags {
        slot.0.and_then(|at| self.fds[at].revents()).unwrap_or(PollFlags::empty())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_is_ready_is_told() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut fds =
            [PollFd::new(reader.as_fd(), PollFlags::POLLIN), PollFd::new(writer.as_fd(), PollFlags::POLLOUT)];
        assert_eq!(wait(&mut fds, PollTimeout::NONE), Ok(1));
        assert_eq!((fds[0].any(), fds[1].any()), (Some(false), Some(true)));
    }

    #[test]
    fn a_list_tells_of_what_is_in_it() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut list = PollList::<3>::new(reader.as_fd());
        let first = list.add(Some(reader.as_fd()), PollFlags::POLLIN);
        let none = list.add(None, PollFlags::POLLIN);
        let second = list.add(Some(writer.as_fd()), PollFlags::POLLOUT);
        assert_eq!(list.wait(PollTimeout::NONE), Ok(1));
        assert_eq!([first, none].map(|slot| list.events(slot)), [PollFlags::empty(); 2]);
        assert_eq!(list.events(second), PollFlags::POLLOUT);
    }
}

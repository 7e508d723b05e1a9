//! Process file descriptors: a process that is held can't be mistaken for a later one of its number.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// A process, held by a descriptor.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Holds the process that has this id now.
    ///
    /// # Errors
    /// Those of pidfd_open(2): ESRCH where there is no such process, ENOSYS before Linux 5.3.
    pub fn open(pid: Pid) -> nix::Result<Self> {
        // SAFETY: numbers only; the kernel makes a descriptor, which closes on exec.
        let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
        let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
        // SAFETY: the descriptor was just made, and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Sends a signal to the process.
    ///
    /// # Errors
    /// Those of pidfd_send_signal(2): ESRCH where it has ended and been waited for.
    pub fn signal(&self, signal: Signal) -> nix::Result<()> {
        let none = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: the descriptor is open, and no further information is passed.
        let sent = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal as libc::c_int, none, 0)
        };
        Errno::result(sent).map(drop)
    }
}

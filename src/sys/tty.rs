//! Terminal ioctls that nix has no function for.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::pty::Winsize;

nix::ioctl_read_bad!(tiocgwinsz, libc::TIOCGWINSZ, Winsize);
nix::ioctl_write_ptr_bad!(tiocswinsz, libc::TIOCSWINSZ, Winsize);
nix::ioctl_none_bad!(tiocexcl, libc::TIOCEXCL);
nix::ioctl_none_bad!(tiocnxcl, libc::TIOCNXCL);
// _IOR('T', 0x32, unsigned int): the device number behind /dev/tty too.
nix::ioctl_read!(tiocgdev, b'T', 0x32, libc::c_uint);

/// The window size of a terminal.
///
/// # Errors
/// ENOTTY when `fd` is none.
pub fn window_size(fd: impl AsFd) -> io::Result<Winsize> {
    let mut size = Winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel writes one winsize behind the pointer.
    unsafe { tiocgwinsz(fd.as_fd().as_raw_fd(), &raw mut size)? };
    Ok(size)
}

/// Sets the window size of a terminal; its foreground process group gets SIGWINCH if it changed.
///
/// # Errors
/// ENOTTY when `fd` is none.
pub fn set_window_size(fd: impl AsFd, size: Winsize) -> io::Result<()> {
    // SAFETY: the kernel reads one winsize behind the pointer.
    unsafe { tiocswinsz(fd.as_fd().as_raw_fd(), &raw const size)? };
    Ok(())
}

/// Lets nobody but root open a terminal any more, or everyone again whom its mode lets.
///
/// # Errors
/// ENOTTY when `fd` is none.
pub fn set_exclusive(fd: impl AsFd, exclusive: bool) -> io::Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: ioctls without an argument.
    unsafe { if exclusive { tiocexcl(fd)? } else { tiocnxcl(fd)? } };
    Ok(())
}

/// Whether two descriptors are the same terminal device, also where one was opened as /dev/tty.
#[must_use]
pub fn is_terminal_same(a: impl AsFd, b: impl AsFd) -> bool {
    let device = |fd: i32| {
        let mut device = 0;
        // SAFETY: the kernel writes one unsigned int behind the pointer.
        unsafe { tiocgdev(fd, &raw mut device) }.ok().map(|_| device)
    };
    let a = device(a.as_fd().as_raw_fd());
    a.is_some() && a == device(b.as_fd().as_raw_fd())
}

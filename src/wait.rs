//! Waiting for descriptors, also where their number is over the limit that someone has set since they
//! were opened: poll(2) refuses them all then.

use nix::errno::Errno;
use nix::poll::{PollFd, PollTimeout, poll};

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

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::poll::PollFlags;

    use super::*;

    #[test]
    fn what_is_ready_is_told() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut fds =
            [PollFd::new(reader.as_fd(), PollFlags::POLLIN), PollFd::new(writer.as_fd(), PollFlags::POLLOUT)];
        assert_eq!(wait(&mut fds, PollTimeout::NONE), Ok(1));
        assert_eq!((fds[0].any(), fds[1].any()), (Some(false), Some(true)));
    }
}

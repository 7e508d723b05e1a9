//! What the two processes of a session say to each other beside the ring, rarely: a packet each.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Ending, Fault};

/// From the recording side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// A file was created and has its header: the session's first, second, …
    Started(u32),
    /// The recording failed; it is tried again where the mode allows.
    Failed(Fault),
    /// The recording goes on after a failure.
    Recovered {
        /// Bytes of output that came while it failed.
        bytes: u64,
        /// How many of them are lost.
        lost: u64,
        /// How long it failed, microseconds.
        micros: u64,
    },
    /// So many bytes of output were dropped without a failure, as the disk was slow.
    Dropped(u64),
    /// The recording was closed; `lost` bytes of output are not in it.
    Closed {
        /// Bytes of output that no file holds.
        lost: u64,
        /// What went wrong at the end, if anything did that was not told before.
        fault: Option<Fault>,
    },
}

/// From the terminal side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The session was refused: leave no file.
    Abort,
    /// No progress was seen for the stall timeout: it counts as a failure from then on.
    Stalled,
    /// The session is over and the ring holds its last frame: record what it holds, then close.
    Finish(Ending),
    /// Close the recording now, in the room set aside, and drop what was not written.
    Terminate(Ending),
}

/// One end of the connection: sends `S`, receives `R`, and hangs up when its process ends.
#[derive(Debug)]
pub struct Channel<S, R> {
    socket: OwnedFd,
    types: PhantomData<fn(S) -> R>,
}

/// What a receive gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<R> {
    /// A message.
    Message(R),
    /// None at the moment.
    Nothing,
    /// None ever again.
    HungUp,
}

/// The two ends: the terminal side's, and the recording side's.
///
/// # Errors
/// Those of socketpair(2).
pub fn channel() -> io::Result<(Channel<Order, Report>, Channel<Report, Order>)> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (a, b) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    Ok((Channel { socket: a, types: PhantomData }, Channel { socket: b, types: PhantomData }))
}

impl<S: Serialize, R: DeserializeOwned> Channel<S, R> {
    /// Sends a message without ever waiting. One that finds no room or no reader is lost: whoever
    /// stopped reading is gone or will see the hang-up.
    pub fn send(&self, message: &S) {
        if let Ok(bytes) = serde_json::to_vec(message) {
            let _ = send(self.socket.as_raw_fd(), &bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        }
    }

    /// The next message, without waiting.
    pub fn receive(&self) -> Received<R> {
        let mut buffer = [0; 8192];
        loop {
            return match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => Received::HungUp,
                Ok(n) => serde_json::from_slice(&buffer[..n]).map_or(Received::Nothing, Received::Message),
                Err(Errno::EAGAIN) => Received::Nothing,
                // The other side has ended with messages unread. What it sent before is still there.
                Err(Errno::EINTR | Errno::ECONNRESET) => continue,
                Err(_) => Received::HungUp,
            };
        }
    }
}

impl<S, R> AsFd for Channel<S, R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<S, R> AsRawFd for Channel<S, R> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_arrives_though_the_sender_has_ended_without_reading() {
        let (ours, theirs) = channel().expect("a channel");
        theirs.send(&Report::Started(1));
        ours.send(&Order::Abort);
        drop(ours);
        assert_eq!(theirs.receive(), Received::Message(Order::Abort));
        assert_eq!(theirs.receive(), Received::HungUp);
    }
}

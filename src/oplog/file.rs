//! A log file of JSON lines, written by a process of its own: its disk may hang, the recording's may, and
//! the recorder may be killed, which is when an operator wants to know.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use nix::unistd::Pid;

use super::{Happening, Identity, json};
use crate::apart;
use crate::sys::{self, Forked};

/// The most bytes of a line; one that is longer is lost.
const MOST: usize = 128 * 1024;

/// What an event means for the session, as a packet's first byte says.
const BEGINS: u8 = b'+';
const GOES_ON: u8 = b'=';
const ENDS: u8 = b'-';

/// The terminal side's end of the connection to the process.
#[derive(Debug)]
pub struct LogFile {
    socket: OwnedFd,
    pid: Pid,
}

impl LogFile {
    /// Starts the process that appends to the log at this path, which is absolute. For a process that has
    /// a single thread. When this process dies in a session, the other one tells that.
    ///
    /// # Errors
    /// Those of socketpair(2) and fork(2).
    pub fn start(path: &Path, identity: &Identity) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        match sys::fork()? {
            Forked::Parent(pid) => Ok(Self { socket: ours, pid }),
            Forked::Child => {
                apart::live_apart(&[theirs.as_raw_fd()], c"recmode-log");
                keep(path, &theirs, identity);
                sys::exit_now(0)
            }
        }
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Has an event appended, without waiting: one that finds no room is lost.
    pub fn tell(&self, time: &str, identity: &Identity, happening: &Happening) {
        let meaning = match happening {
            Happening::Start => BEGINS,
            Happening::End { .. } | Happening::Refused => ENDS,
            _ => GOES_ON,
        };
        let mut packet = vec![meaning];
        packet.extend_from_slice(json(time, identity, happening).as_bytes());
        if packet.len() <= MOST {
            let _ = send(self.socket.as_raw_fd(), &packet, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        }
    }
}

/// Appends what comes, until the other side is gone.
fn keep(path: &Path, socket: &OwnedFd, identity: &Identity) {
    let mut buffer = vec![0; MOST];
    let mut in_session = false;
    loop {
        match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(n @ 1..) => {
                match buffer[0] {
                    BEGINS => in_session = true,
                    ENDS => in_session = false,
                    _ => {}
                }
                append(path, &buffer[1..n]);
            }
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => break,
        }
    }
    if in_session {
        let now = jiff::Timestamp::now().to_string();
        append(path, json(&now, identity, &Happening::terminal_side_died()).as_bytes());
    }
}

fn append(path: &Path, line: &[u8]) {
    // Whether it can be written never matters to the session.
    let _ = append_line(path, line);
}

/// Appends to a log, which is opened anew for each line, as the file may be rotated.
pub(super) fn append_line(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)?.write_all(line)
}

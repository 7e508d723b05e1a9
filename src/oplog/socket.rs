//! journald's native socket, or syslog's: datagrams that nobody waits for.

use std::os::unix::net::UnixDatagram;

use super::{Happening, Identity, message};

/// journald's own, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.
const JOURNALD: &str = "/run/systemd/journal/socket";
/// syslog(3)'s.
const SYSLOG: &str = "/dev/log";
/// LOG_AUTHPRIV.
const FACILITY: u8 = 10;

/// A connection to the machine's log, if it has one.
#[derive(Debug)]
pub struct LogSocket {
    socket: UnixDatagram,
    native: bool,
}

impl LogSocket {
    /// Connects to journald, else to syslog.
    #[must_use]
    pub fn connect() -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        let native = socket.connect(JOURNALD).is_ok();
        if !native {
            socket.connect(SYSLOG).ok()?;
        }
        Some(Self { socket, native })
    }

    /// Sends an event; `time` is seconds since the epoch. One that finds no room is lost.
    pub fn send(&self, time: i64, identity: &Identity, happening: &Happening) {
        let text = message(identity, happening);
        let severity = happening.severity() as u8;
        let datagram =
            if self.native { native(&text, severity, identity) } else { syslog(&text, severity, time) };
        let _ = self.socket.send(datagram.as_bytes());
    }
}

fn native(text: &str, severity: u8, identity: &Identity) -> String {
    let pid = std::process::id();
    // No value has a newline: the text is escaped, an id is hexadecimal.
    format!(
        "MESSAGE={text}\nPRIORITY={severity}\nSYSLOG_FACILITY={FACILITY}\nSYSLOG_IDENTIFIER=recmode\nSYSLOG_PID={pid}\n\
         RECMODE_SESSION={}\nRECMODE_MODE={}\n",
        identity.session, identity.mode
    )
}

/// The local format of syslog(3), the time in UTC as this program knows no time zones.
fn syslog(text: &str, severity: u8, time: i64) -> String {
    let time = jiff::Timestamp::from_second(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let priority = FACILITY << 3 | severity;
    format!("<{priority}>{} recmode[{}]: {text}", time.strftime("%b %e %H:%M:%S"), std::process::id())
}

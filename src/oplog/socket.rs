//! journald's native socket, or syslog's: datagrams that nobody waits for.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::{Happening, Identity, Severity, message};

/// journald's own, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.
const JOURNALD: &str = "/run/systemd/journal/socket";
/// syslog(3)'s.
const SYSLOG: &str = "/dev/log";
/// LOG_AUTHPRIV.
const FACILITY: u8 = 10;

/// How long the log is waited for where that is wanted.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the machine's log, if it has one.
#[derive(Debug)]
pub struct LogSocket {
    socket: UnixDatagram,
    native: bool,
}

impl LogSocket {
    /// Connects to journald, else to syslog. Nothing that is sent is waited for.
    #[must_use]
    pub fn connect() -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        Self::connected(socket)
    }

    /// As [`connect`](Self::connect), for what is to be logged in any case: it waits for room.
    #[must_use]
    pub fn connect_waiting() -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_write_timeout(Some(PATIENCE)).ok()?;
        Self::connected(socket)
    }

    fn connected(socket: UnixDatagram) -> Option<Self> {
        let native = socket.connect(JOURNALD).is_ok();
        if !native {
            socket.connect(SYSLOG).ok()?;
        }
        Some(Self { socket, native })
    }

    /// Sends an event; `time` is seconds since the epoch. One that finds no room is lost.
    pub fn send(&self, time: i64, identity: &Identity, happening: &Happening) {
        // No value has a newline: an id is hexadecimal.
        let fields = format!("RECMODE_SESSION={}\nRECMODE_MODE={}\n", identity.session, identity.mode);
        let text = message(identity, happening);
        let _ = self.send_text(time, &text, happening.severity(), &fields);
    }

    /// Sends a line of text; `fields` are further lines for journald.
    ///
    /// # Errors
    /// Those of send(2).
    pub(super) fn send_text(
        &self,
        time: i64,
        text: &str,
        severity: Severity,
        fields: &str,
    ) -> io::Result<()> {
        let severity = severity as u8;
        let datagram =
            if self.native { native(text, severity, fields) } else { syslog(text, severity, time) };
        self.socket.send(datagram.as_bytes()).map(drop)
    }
}

fn native(text: &str, severity: u8, fields: &str) -> String {
    let pid = std::process::id();
    format!(
        "MESSAGE={text}\nPRIORITY={severity}\nSYSLOG_FACILITY={FACILITY}\nSYSLOG_IDENTIFIER=recmode\nSYSLOG_PID={pid}\n{fields}"
    )
}

/// The local format of syslog(3), the time in UTC as this program knows no time zones.
fn syslog(text: &str, severity: u8, time: i64) -> String {
    let time = jiff::Timestamp::from_second(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let priority = FACILITY << 3 | severity;
    format!("<{priority}>{} recmode[{}]: {text}", time.strftime("%b %e %H:%M:%S"), std::process::id())
}

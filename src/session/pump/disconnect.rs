//! The user's terminal is gone: the command hears of it and is recorded for a while, then nobody has a terminal.

use std::time::{Duration, Instant};

use super::Pump;
use crate::clock::boottime_micros;
use crate::exit;
use crate::oplog::Happening;
use crate::recording::{Ending, Reason};
use crate::ring::FrameCode;
use crate::session::AfterSession;
use crate::session::command::Running;

/// What the recording shows where the terminal went away.
const MARKER: &str = "disconnected";
/// How long a command that prints nothing is recorded after that.
const SILENCE: Duration = Duration::from_secs(5);
/// How long one that does is, at most.
const LONGEST: Duration = Duration::from_secs(60);
/// And how much of what it prints, bytes.
const MOST: u64 = 16 * 1024 * 1024;

/// A session without its user's terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disconnect {
    since: Instant,
    /// When the command printed last.
    printed: Instant,
    /// Bytes that it has printed since.
    bytes: u64,
}

impl Disconnect {
    /// How long the command has its terminal still, if it prints nothing.
    pub(super) fn left(&self) -> Duration {
        if self.bytes >= MOST {
            return Duration::ZERO;
        }
        SILENCE.saturating_sub(self.printed.elapsed()).min(LONGEST.saturating_sub(self.since.elapsed()))
    }
}

impl Pump {
    /// The user's terminal went away, or recmode was told so by SIGHUP.
    pub(super) fn disconnected(&mut self) {
        // One hang-up may be told twice.
        if self.disconnect.is_some() || self.ended_by.is_some() || self.finishing.is_some() {
            return;
        }
        let now = Instant::now();
        self.disconnect = Some(Disconnect { since: now, printed: now, bytes: 0 });
        self.log.tell(&Happening::Disconnected);
        let time = boottime_micros().saturating_sub(self.started);
        self.append(FrameCode::Marker, time, MARKER.as_bytes());
        (self.keys.open, self.stream.open) = (false, false);
        if let Some(relay) = &mut self.relay {
            relay.close_input();
        }
        if let Some(running) = &mut self.running {
            running.stdin = None;
            running.hang_up();
        }
    }

    /// Notes that the command printed.
    pub(super) fn printed(&mut self, bytes: u64) {
        if let Some(disconnect) = self.disconnect.as_mut().filter(|_| bytes > 0) {
            disconnect.bytes += bytes;
            disconnect.printed = Instant::now();
        }
    }

    /// Whether the command has had its terminal for long enough after a disconnect.
    pub(super) fn gives_up_terminal(&self) -> bool {
        self.disconnect.is_some_and(|disconnect| disconnect.left().is_zero())
    }

    /// Whether the session is over but for the command, which runs on without a terminal until it ends by itself.
    pub(super) fn awaits_command(&self) -> bool {
        self.after_session == AfterSession::End
            && self.disconnect.is_some()
            && self.ended_by.is_none()
            && self.running.as_ref().is_some_and(|running| running.status().is_none())
    }

    /// How a session ends whose terminal went away.
    pub(super) fn hung_up(&self) -> Option<Ending> {
        let status = exit::signal_status(libc::SIGHUP);
        self.disconnect.map(|_| Ending { reason: Reason::Hangup, status })
    }

    /// Tells the operator who lives on after a disconnect.
    pub(super) fn log_who_lives_on(&self) {
        if self.disconnect.is_none() || self.after_session == AfterSession::End {
            return;
        }
        let left = self.running.as_ref().map(Running::survivors).unwrap_or_default();
        self.log_survivors(&left, Reason::Hangup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_is_kept_for_5_s_of_silence_60_s_in_all_and_16_mib() {
        let now = Instant::now();
        let ago =
            |seconds| now.checked_sub(Duration::from_secs(seconds)).expect("a machine that runs so long");
        let left =
            |since, printed, bytes| Disconnect { since: ago(since), printed: ago(printed), bytes }.left();
        assert!(left(0, 0, 0) > Duration::from_secs(4));
        assert!(left(50, 1, 0) > Duration::from_secs(3));
        assert!(left(58, 0, 0) <= Duration::from_secs(2), "the whole is nearly over");
        for (since, printed, bytes) in [(5, 5, 0), (60, 0, 0), (1, 0, MOST)] {
            assert_eq!(left(since, printed, bytes), Duration::ZERO, "{since} {printed} {bytes}");
        }
        assert!(left(1, 0, MOST - 1) > Duration::ZERO);
    }
}

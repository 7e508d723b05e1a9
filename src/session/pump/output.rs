//! Output: from the command into the ring, and from the ring to the terminal as far as the mode lets it be seen.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::read;

use super::{Pump, WINDOW};
use crate::clock::boottime_micros;
use crate::exit;
use crate::policy::Mode;
use crate::recording::{Ending, Reason};
use crate::ring::{FrameCode, MAX_PAYLOAD};
use crate::session::messages::{LineEnd, warning};
use crate::session::say;

/// How long a full buffer waits for a recorder that is making progress.
pub(super) const FULL_PATIENCE: Duration = Duration::from_millis(50);

/// How many frames a turn shows in a flood.
const SHOWN_AT_ONCE: usize = 2;

impl Pump {
    /// Writes to the terminal what the mode lets be seen.
    pub(super) fn show(&mut self) {
        if self.output_blocked && self.output_open {
            return;
        }
        self.output_blocked = false;
        // Not more at once than a terminal takes: as much as comes, and what strict has held back.
        let most = if self.tempo.is_flood() && self.drain.is_none() { SHOWN_AT_ONCE } else { usize::MAX };
        for _ in 0..most {
            let ring = &mut self.recorder.ring;
            let limit = self.enforcer.may_show(ring.head(), ring.accepted());
            let output = ring.unshown_output(limit);
            let n = output.len();
            if n == 0 {
                return;
            }
            let written = if self.output_open { self.outer.write(output) } else { Ok(n) };
            match written {
                Ok(written) => {
                    self.modes.feed(&output[..written]);
                    ring.advance_shown(written);
                    if written < n {
                        // It is full: more is for when it says that there is room.
                        self.output_blocked = true;
                        return;
                    }
                }
                Err(Errno::EAGAIN) => {
                    self.output_blocked = true;
                    return;
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    self.output_open = false;
                    if self.outer.output_is_terminal() {
                        self.disconnected();
                    } else if errno == Errno::EPIPE {
                        self.end_by(libc::SIGPIPE);
                    } else {
                        self.outcome.output_error = Some(errno.into());
                        self.end_with(Ending { reason: Reason::OutputFailed, status: exit::RECORD_TROUBLE });
                    }
                }
            }
        }
    }

    /// Whether there is something to write to the terminal, and it takes more.
    pub(super) fn has_more_to_show(&mut self) -> bool {
        let limit = self.enforcer.may_show(self.recorder.ring.head(), self.recorder.ring.accepted());
        !self.output_blocked && self.recorder.ring.has_unshown(limit)
    }

    /// Message C, on a line of its own, where it is due and can stand.
    pub(super) fn show_warning(&mut self, now: Duration) {
        if self.enforcer.warning_at(now).is_none_or(|at| at > now) {
            return;
        }
        if self.outer.output_is_terminal() {
            let behind = self.recorder.ring.unshown() > 0 && self.output_open;
            if self.modes.alternate_screen() || !self.modes.between_sequences() || behind {
                return;
            }
        }
        self.say_on_own_line("", warning);
        self.enforcer.warned(now);
    }

    /// Shows a message of recmode's own on lines of its own, or on stderr where output goes to no terminal; `resets`
    /// comes before it.
    pub(super) fn say_on_own_line(&mut self, resets: &str, message: fn(LineEnd) -> String) {
        let end = if self.outer.is_raw() { LineEnd::CrLf } else { LineEnd::Lf };
        let mut text = message(end);
        if self.outer.output_is_terminal() && !self.modes.at_line_start() {
            text.insert_str(0, if end == LineEnd::CrLf { "\r\n" } else { "\n" });
        }
        text.insert_str(0, resets);
        say(&self.outer, &text);
        self.modes.line_was_ended();
    }

    /// Whether more output may be read: the terminal keeps up, and the ring has room or gets it.
    pub(super) fn may_read(&mut self) -> bool {
        self.recorder.ring.unshown() < WINDOW && self.has_room()
    }

    /// Whether the ring has room, or gets it as the mode wants it: strict waits, best effort drops.
    pub(super) fn has_room(&mut self) -> bool {
        if self.recorder.ring.has_room() {
            // Room that a drop made is none that the recorder made: its patience is not renewed.
            if self.full.is_some() && self.recorder.ring.released() == self.recorder.ring.head() {
                self.full = None;
            }
            return true;
        }
        if self.enforcer.mode() == Mode::Strict {
            return false;
        }
        // A recorder that is only slow gets a moment, one that fails or makes no progress doesn't.
        let released = self.recorder.ring.released();
        let since = match self.full {
            Some((since, seen)) if seen == released => since,
            _ => Instant::now(),
        };
        self.full = Some((since, released));
        let hopeless = self.enforcer.is_failing() || self.recorder.gone;
        if !hopeless && since.elapsed() < FULL_PATIENCE {
            return false;
        }
        self.recorder.ring.drop_oldest()
    }

    pub(super) fn read_output(&mut self) {
        let Some(master) = self.running.as_ref().and_then(|running| running.master.as_ref()) else { return };
        let started = self.started;
        let now = || boottime_micros().saturating_sub(started);
        let read = match &mut self.mask {
            // What is typed goes before what answers it.
            Some(mask) => {
                let mut buffer = [0; MAX_PAYLOAD];
                let read = read(master, &mut buffer);
                if let Ok(n @ 1..) = read {
                    let (time, shown) = (now(), mask.printed(&buffer[..n]));
                    self.record_input(&shown);
                    self.append(FrameCode::Output, time, &buffer[..n]);
                }
                read
            }
            None => match self.recorder.ring.push_read(master.as_fd(), now) {
                Ok(Some(n)) => Ok(n),
                Ok(None) => return,
                Err(errno) => Err(errno),
            },
        };
        match read {
            Ok(n @ 1..) => {
                self.tempo.read(n);
                self.printed(n as u64);
                if let Some(left) = &mut self.drain {
                    *left = left.saturating_sub(n);
                }
            }
            Err(Errno::EINTR) => {}
            // Nothing there; after the command ended that means that it was all.
            Ok(_) | Err(_) => {
                self.tempo.dry();
                if let Some(left) = &mut self.drain {
                    *left = 0;
                }
            }
        }
    }

    /// Appends a frame; in best effort the oldest make way. What finds no room all the same is counted, and fails a strict
    /// session.
    pub(super) fn append(&mut self, code: FrameCode, time: u64, payload: &[u8]) {
        let strict = self.enforcer.mode() == Mode::Strict;
        while !self.recorder.ring.push(code, time, payload) {
            // Past what is not shown: only what still is to be must not make way.
            let _ = self.recorder.ring.has_unshown(self.enforcer.may_show(self.recorder.ring.head(), 0));
            if strict || !self.recorder.ring.drop_oldest() {
                self.recorder.ring.refuse(code, payload.len());
                self.refused |= strict;
                return;
            }
        }
    }
}

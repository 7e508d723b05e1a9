//! A command that stops itself: recmode stops with it, so that whoever waits for recmode has the terminal back, and
//! comes back with it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::Pump;
use crate::session::command::Running;
use crate::sys;

/// How long what was printed before the stop may take to be shown.
const PATIENCE: Duration = Duration::from_millis(500);

impl Pump {
    /// Notes that the command was stopped, where it has a terminal to hold up.
    pub(super) fn note_stop(&mut self) {
        let stopped = self.running.as_mut().is_some_and(Running::take_stop);
        if stopped && self.relay.is_none() && self.disconnect.is_none() && self.ended_by.is_none() {
            self.suspends = Some(Instant::now());
        }
    }

    /// Stops with a command that is stopped, once what it has printed is shown.
    pub(super) fn suspend_when_due(&mut self) {
        let Some(since) = self.suspends else { return };
        if since.elapsed() < PATIENCE && (self.recorder.ring.unshown() > 0 || self.has_output()) {
            return;
        }
        self.suspends = None;
        // Somebody may have continued it meanwhile.
        if !self.running.as_ref().is_some_and(Running::is_stopped) {
            return;
        }
        self.recorder.ring.tell();
        self.outer.leave_raw();
        // A shell sees a job stop only where all of it does.
        let _ = if self.outer.is_own() { sys::stop_group() } else { sys::stop_self(Signal::SIGSTOP) };
        self.continued();
        if let Some(running) = &mut self.running {
            running.pass_on(Signal::SIGCONT);
        }
    }

    /// When recmode is to stop at the latest, if it is.
    pub(super) fn suspends_in(&self) -> Option<Duration> {
        self.suspends.map(|since| PATIENCE.saturating_sub(since.elapsed()))
    }

    /// Whether the command has printed what was not read yet.
    fn has_output(&self) -> bool {
        let Some(master) = self.running.as_ref().and_then(|running| running.master.as_ref()) else {
            return false;
        };
        let mut fds = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }
}

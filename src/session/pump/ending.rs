//! Signals, and the session's end: by the command, by a signal, or by strict mode.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::Signal;

use super::{DRAIN, Pump, Step, timeout_of};
use crate::clock::boottime_micros;
use crate::exit;
use crate::oplog::Happening;
use crate::policy::Mode;
use crate::recording::control::{Order, Received, Report};
use crate::recording::{Cause, Ending, Fault, Operation, Reason};
use crate::ring::FrameCode;
use crate::session::command::{PATIENCE, Remains, Running};
use crate::session::messages::{terminating, warning};
use crate::session::signals::Signalled;
use crate::session::{AfterSession, Survivor, say};
use crate::sys;

/// How long a best-effort session's end waits for the disk.
pub(super) const END_PATIENCE: Duration = Duration::from_secs(2);
/// How long strict's last message and the end of all processes may take together.
const TERMINATION: Duration = Duration::from_millis(3300);
/// How long the command has before it is killed, where a signal ends the session.
pub(super) const HANG_UP_PATIENCE: Duration = Duration::from_secs(2);
/// A second signal within this time ends the session.
const AGAIN: Duration = Duration::from_secs(2);

impl Pump {
    pub(super) fn signalled(&mut self) {
        while let Some(signalled) = self.signals.next() {
            match signalled {
                Signalled::Child => {
                    if let Some(running) = &mut self.running {
                        running.reap();
                        self.command_ended();
                        self.note_stop();
                    }
                }
                Signalled::Resized => self.resized(),
                Signalled::Stop(signal) => {
                    // It may be for hours.
                    self.recorder.ring.tell();
                    self.outer.leave_raw();
                    let _ = sys::stop_self(signal);
                    self.continued();
                }
                Signalled::Continued => self.continued(),
                Signalled::End(libc::SIGHUP) => self.disconnected(),
                Signalled::End(signal) => {
                    if let Some((_, since)) = &mut self.ended_by {
                        // The second time it is by force.
                        *since = since.checked_sub(HANG_UP_PATIENCE).unwrap_or(*since);
                    } else if !self.passes_on(signal) {
                        self.end_by(signal);
                    }
                }
            }
        }
    }

    /// Passes a signal on to the command, if it is one that is the command's to act on: so that recmode waits for what
    /// that does. Not a second one that ends most programs within a moment.
    fn passes_on(&mut self, signal: i32) -> bool {
        let passed = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
        let Some(&known) = passed.iter().find(|&&passed| passed as i32 == signal) else { return false };
        let Some(running) = self.running.as_mut().filter(|running| running.status().is_none()) else {
            return false;
        };
        if !matches!(known, Signal::SIGUSR1 | Signal::SIGUSR2) {
            if self.passed_on.is_some_and(|(_, at)| at.elapsed() < AGAIN) {
                return false;
            }
            self.passed_on = Some((signal, Instant::now()));
        }
        running.pass_on(known);
        true
    }

    pub(super) fn continued(&mut self) {
        self.foreground = self.outer.in_foreground();
        if self.foreground {
            // Whoever stopped us may have set the terminal up for itself.
            self.outer.enter_raw_again();
            self.resized();
        } else {
            self.outer.leave_raw();
        }
    }

    pub(super) fn resized(&mut self) {
        let size = self.outer.window_size().filter(|_| !self.fixed_size);
        let Some((size, master)) =
            size.zip(self.running.as_ref().and_then(|running| running.master.as_ref()))
        else {
            return;
        };
        if sys::window_size(master).is_ok_and(|old| old == size) {
            return;
        }
        let _ = sys::set_window_size(master, size);
        self.recorder.ring.set_window_size(size.ws_col, size.ws_row);
        let ([c0, c1], [r0, r1]) = (size.ws_col.to_le_bytes(), size.ws_row.to_le_bytes());
        let time = boottime_micros().saturating_sub(self.started);
        self.append(FrameCode::Resize, time, &[c0, c1, r0, r1]);
    }

    /// Ends the session by a signal to recmode: with a hang-up, and by force after a while.
    pub(super) fn end_by(&mut self, signal: i32) {
        self.end_with(Ending { reason: Reason::Signal, status: exit::signal_status(signal) });
    }

    pub(super) fn end_with(&mut self, ending: Ending) {
        if self.ended_by.is_some() {
            return;
        }
        self.ended_by = Some((ending, Instant::now()));
        (self.keys.open, self.stream.open) = (false, false);
        if let Some(running) = &mut self.running {
            running.stdin = None;
            running.hang_up();
        }
    }

    /// Where the command has ended, and a hang-up has reached all that it is for: the rest of the output is read.
    fn command_ended(&mut self) {
        let Some(running) = &mut self.running else { return };
        if running.status().is_some() {
            self.over_since.get_or_insert_with(Instant::now);
        }
        let over = running.status().is_some() && !running.hangs_up();
        let streams = self.relay.is_some() && self.disconnect.is_none() && self.ended_by.is_none();
        if over && self.drain.is_none() && !streams {
            self.drain = Some(DRAIN);
        }
    }

    /// Since when the end is waited for that recmode was told of: the session's, or that of what is still to be shown of
    /// a command that has ended after it was told.
    pub(super) fn told_to_end(&self) -> Option<Instant> {
        let passed_on = self.passed_on.and(self.over_since);
        self.ended_by.map(|(_, since)| since).or(passed_on)
    }

    pub(super) fn end_when_told(&mut self) {
        let told = self.told_to_end();
        if told.is_none() && self.disconnect.is_none() {
            return;
        }
        self.command_ended();
        let forced = told.is_some_and(|since| since.elapsed() >= HANG_UP_PATIENCE);
        // A terminal that takes nothing must not keep its caller waiting, nor the recording of one that is gone.
        if self.output_blocked && (forced || self.disconnect.is_some()) {
            self.output_open = false;
            // Nobody sees it, but it counts as shown: so the rest can be read.
            self.show();
        }
        if !forced && !self.gives_up_terminal() {
            return;
        }
        if forced && self.drain.is_none_or(|left| left == 0) {
            // A command that can't die must not keep its caller waiting either.
            if let Some(running) = &self.running {
                running.signal(Signal::SIGKILL);
            }
        }
        if self.drain.is_none() {
            self.drain = Some(DRAIN);
        }
    }

    /// Without a terminal the session is over when the command is and nobody can write to its streams any
    /// more, as it is for sshd.
    pub(super) fn end_of_streams(&mut self) {
        let Some(relay) = &mut self.relay else { return };
        let over = if let Some(left) = self.drain {
            left == 0 || !relay.has_more()
        } else {
            let running = self.running.as_ref();
            relay.output_is_over()
                && running.is_none_or(|running| running.status().is_some() && !running.is_hanging_up())
        };
        if over {
            relay.close();
            self.drain = Some(0);
        }
    }

    /// Once the command's output is all read: tells the recording side, and waits for it as long
    /// as the mode says.
    pub(super) fn finish(&mut self) -> Option<Step> {
        if self.drain != Some(0) {
            return None;
        }
        if self.finishing.is_none() && self.awaits_command() {
            if let Some(running) = &mut self.running {
                running.give_up_terminal();
            }
            return None;
        }
        let Some(since) = self.finishing else {
            if !self.record_last_files() {
                return None;
            }
            let ending = self.ending();
            self.outcome.status = ending.status;
            if let Some(mask) = &mut self.mask {
                let rest = mask.give_up();
                self.record_input(&rest);
            }
            self.recorder.channel.send(&Order::Finish(ending));
            self.finishing = Some(Instant::now());
            // While the recording is closed.
            if self.after_session == AfterSession::End {
                self.end_all(ending.reason, PATIENCE);
            }
            if let Some(running) = &mut self.running {
                running.tidy_up();
            }
            return None;
        };
        let shown = !self.output_open || self.recorder.ring.unshown() == 0;
        let best_effort = self.enforcer.mode() == Mode::BestEffort;
        if best_effort && !self.closed && !self.recorder.gone && since.elapsed() >= END_PATIENCE {
            // The recording side goes on alone, and tells the gap where it is one.
            self.recorder.channel.send(&Order::Stalled);
            let fault = Fault { during: Operation::Close, cause: Cause::Stalled };
            let _ = self.failed(fault);
            self.closed = true;
        }
        if !shown || !(self.closed || self.recorder.gone) {
            return None;
        }
        // A failure at the end is told at once, whatever the screen is.
        let now = self.begun.elapsed();
        if self.enforcer.warning_at(now).is_some_and(|at| at <= now) {
            self.cut_short();
            self.say_on_own_line("", warning);
            self.enforcer.warned(now);
        }
        if self.is_cut_short() {
            self.cut_short();
        }
        self.log_who_lives_on();
        Some(Step::Over)
    }

    /// Whether programs may have been ended before they could put the terminal back.
    fn is_cut_short(&self) -> bool {
        let killed = self.running.as_ref().is_some_and(|running| running.ended_by().is_some());
        killed || self.ended_by.is_some() || self.disconnect.is_some()
    }

    /// Ends all that the session has started, and tells who could not be ended.
    fn end_all(&mut self, reason: Reason, patience: Duration) {
        let Some(running) = &mut self.running else { return };
        let Remains { survivors, unseen } = running.end_all(self.signals.as_fd(), patience);
        self.log_survivors(&survivors, reason);
        if unseen {
            self.log.tell(&Happening::Unseen);
        }
        self.outcome.survivors = survivors;
    }

    pub(super) fn log_survivors(&self, survivors: &[Survivor], reason: Reason) {
        for Survivor { pid, name } in survivors {
            self.log.tell(&Happening::Survivor { pid: pid.as_raw(), program: name.clone(), reason });
        }
    }

    pub(super) fn log_end(&self, reason: Reason) {
        let (status, lost) = (self.outcome.status, self.outcome.lost);
        let seconds = self.failing_since.map(|since| since.elapsed().as_secs_f64());
        self.log.tell(&Happening::End { reason, status, lost, seconds });
    }

    pub(super) fn ending(&self) -> Ending {
        if let Some(ending) = self.ended_by.map(|(ending, _)| ending).or_else(|| self.hung_up()) {
            return ending;
        }
        if let Some((running, status)) =
            self.running.as_ref().zip(self.running.as_ref().and_then(Running::status))
        {
            // A signal that was passed on may have ended it.
            let passed_on = self.passed_on.map(|(signal, _)| signal);
            let signalled = passed_on.is_some() && running.ended_by() == passed_on;
            return Ending { reason: if signalled { Reason::Signal } else { Reason::Exit }, status };
        }
        let status = match self.outcome.not_executed.as_ref().and_then(std::io::Error::raw_os_error) {
            Some(libc::ENOENT) => exit::NOT_FOUND,
            // The command may be fine: there are no means to start any.
            Some(libc::EAGAIN | libc::ENOMEM) => exit::RECORD_TROUBLE,
            _ => exit::CANNOT_EXECUTE,
        };
        Ending { reason: Reason::NotStarted, status }
    }

    /// Puts back what programs that were cut short have set.
    pub(super) fn cut_short(&mut self) {
        say(&self.outer, &self.resets());
    }

    /// What puts the terminal back from what programs that were cut short have set.
    fn resets(&self) -> String {
        let shown = self.outer.output_is_terminal() && self.output_open;
        if shown { self.modes.reset_sequence() } else { String::new() }
    }

    /// Strict mode ends the session: nothing more is shown, message B, the terminal, the processes.
    pub(super) fn terminate(&mut self) {
        let ending = Ending { reason: Reason::Strict, status: exit::ENDED_BY_STRICT };
        self.outcome.status = ending.status;
        self.log.tell(&Happening::Terminated);
        if !self.closed {
            self.recorder.channel.send(&Order::Terminate(ending));
        }
        let told = Instant::now();
        // At once, so that a terminal that takes nothing is waited for once.
        self.say_on_own_line(&self.resets(), terminating);
        self.outer.leave_raw();
        self.relay = None;
        let begun = Instant::now();
        self.end_all(Reason::Strict, PATIENCE.min(TERMINATION.saturating_sub(told.elapsed())));
        // What the recording side can still write it has written by now, or a moment later.
        while !self.closed && !self.recorder.gone {
            let left = Duration::from_secs(1).saturating_sub(begun.elapsed());
            let mut fds = [PollFd::new(self.recorder.channel.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, timeout_of(left)).is_ok_and(|n| n == 0) {
                break;
            }
            match self.recorder.channel.receive() {
                Received::Message(Report::Closed { lost, .. }) => {
                    self.closed = true;
                    self.outcome.lost = Some(lost);
                }
                Received::HungUp => self.recorder.gone = true,
                Received::Message(_) | Received::Nothing => {}
            }
        }
        self.log_end(Reason::Strict);
    }
}

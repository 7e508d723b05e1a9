//! A signal that is passed on reaches what the command is about to run, too.
//!
//! A shell's child has the shell's handlers until it executes its program: a signal that comes between is noted by a
//! handler, and the program never hears of it. The shell waits for it then, as if there had been no signal.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::getpgrp;

use super::Running;
use crate::session::hang_up::LOOK;
use crate::session::processes::{Action, Process};

/// How long a child may take to execute its program.
const PATIENCE: Duration = Duration::from_secs(2);

/// A signal, and the command's children that may have missed it.
#[derive(Debug)]
pub(super) struct PassedOn {
    signal: Signal,
    unsettled: Vec<Process>,
    since: Instant,
    looked: Instant,
}

impl Running {
    /// Sends a signal to the command and to its process group.
    pub fn pass_on(&mut self, signal: Signal) {
        if self.status.is_some() {
            return;
        }
        let unsettled = self.unsettled(signal);
        let now = Instant::now();
        self.passed_on =
            (!unsettled.is_empty()).then_some(PassedOn { signal, unsettled, since: now, looked: now });
        if self.leads() {
            // It has not been waited for, so that the number is its own.
            let _ = killpg(self.pid, signal);
            return;
        }
        // It is in the group of this process.
        let _ = kill(self.pid, signal);
        for process in self.members() {
            if process.pid != self.pid && process.group == getpgrp() {
                let _ = process.signal(&[signal]);
            }
        }
    }

    /// Tells those again that have missed a signal by executing their program.
    pub fn tell_again(&mut self) {
        let Some(passed_on) = self.passed_on.as_mut().filter(|passed_on| passed_on.looked.elapsed() >= LOOK)
        else {
            return;
        };
        passed_on.looked = Instant::now();
        let signal = passed_on.signal;
        passed_on.unsettled.retain(|before| {
            let Some(now) = Process::read(before.pid.as_raw()).filter(|now| now.started == before.started)
            else {
                return false;
            };
            let executed = now.name != before.name;
            if executed && now.action(signal as i32) == Some(Action::Default) {
                let _ = now.signal(&[signal]);
            }
            !executed
        });
        if passed_on.unsettled.is_empty() || passed_on.since.elapsed() >= PATIENCE {
            self.passed_on = None;
        }
    }

    /// Whether somebody may have to be told again.
    #[must_use]
    pub fn tells_again(&self) -> bool {
        self.passed_on.is_some()
    }

    /// The command's children that have its handler for a signal: they are about to become other programs.
    fn unsettled(&self, signal: Signal) -> Vec<Process> {
        let Some(command) = Process::read(self.pid.as_raw()) else { return Vec::new() };
        // Not all of /proc: a child would have executed its program by then.
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| Process::read(pid.parse().ok()?));
        let alike = children.filter(|child| child.parent == self.pid && child.name == command.name);
        alike.filter(|child| child.action(signal as i32) == Some(Action::Caught)).collect()
    }

    /// Whether the command leads a session of its own.
    pub(super) fn leads(&self) -> bool {
        self.session == self.pid
    }
}

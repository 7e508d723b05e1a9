//! The end of a command with all that it started: what is left is found by control group and descent, and signalled
//! by what can't be mistaken for a later process.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getsid, tcgetpgrp};

use super::Running;
use crate::session::cgroup::Cgroup;
use crate::session::processes::{Process, Survivor, descendants};

/// What ending a session's processes may take at most.
pub const PATIENCE: Duration = Duration::from_millis(2900);

/// Which signals everybody gets, and from when on.
const STEPS: [(Duration, &[Signal]); 3] = [
    (Duration::ZERO, &[Signal::SIGHUP, Signal::SIGCONT]),
    (Duration::from_millis(250), &[Signal::SIGTERM]),
    (Duration::from_secs(1), &[Signal::SIGKILL]),
];

/// What there is after the end of a session's processes.
#[derive(Debug, Default)]
pub struct Remains {
    /// Who could not be ended.
    pub survivors: Vec<Survivor>,
    /// Whether there may be others: neither /proc nor a control group shows what has left the session.
    pub unseen: bool,
}

impl Running {
    /// Signals the command itself.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            let _ = kill(self.pid, signal);
        }
    }

    /// Ends every process of the session that may be signalled, within `patience`: what stayed in
    /// the session, and what left it, as those are this process's to inherit.
    pub fn end_all(&mut self, signals: BorrowedFd<'_>, patience: Duration) -> Remains {
        let foreground = self.master.as_ref().and_then(|master| tcgetpgrp(master).ok());
        // Who may not be signalled loses the terminal at least.
        self.give_up_terminal();
        let begun = Instant::now();
        let mut step = 0;
        loop {
            let ended = self.reap();
            let left = self.left();
            // What forks and ends all the time is easily missed where processes are listed; but the
            // ended ones are ours to collect.
            let restless = ended || self.cgroup.as_ref().is_some_and(Cgroup::is_populated);
            let none = self.status.is_some() && left.as_ref().is_none_or(Vec::is_empty);
            if (none && !restless) || begun.elapsed() > patience {
                return self.remains(left);
            }
            // Whoever is new gets the signals of the step again; KILL is repeated until nobody is left.
            while step + 1 < STEPS.len() && begun.elapsed() >= STEPS[step + 1].0 {
                step += 1;
            }
            let (_, signals_now) = STEPS[step];
            if let (true, Some(cgroup)) = (step + 1 == STEPS.len(), &self.cgroup) {
                let _ = cgroup.kill();
            }
            // The groups first: they are known even where the list of processes is not to be had.
            let group = foreground.filter(|&group| self.has_group(group, left.as_deref()));
            let own = (self.status.is_none() && self.leads()).then_some(self.pid);
            for group in [group, own].into_iter().flatten() {
                for &signal in signals_now {
                    let _ = killpg(group, signal);
                }
            }
            if left.is_none() {
                for &signal in signals_now {
                    self.signal(signal);
                }
            }
            for process in left.iter().flatten() {
                let _ = process.signal(signals_now);
            }
            let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::from(20_u8));
            if fds[0].any() == Some(true) {
                // Only children's ends are of interest now; reap() looks at those itself.
                let mut buffer = [0; 4096];
                let _ = nix::unistd::read(signals, &mut buffer);
            }
        }
    }

    /// Who of the session lives.
    pub fn survivors(&self) -> Vec<Survivor> {
        self.left().unwrap_or_default().iter().map(Process::survivor).collect()
    }

    /// The processes of the command's own session: those that did not leave it.
    pub(super) fn members(&self) -> Vec<Process> {
        let mut members = self.left().unwrap_or_default();
        members.retain(|process| process.session == self.session);
        members
    }

    /// The living processes that descend from this one, but for those that were there before the
    /// session and the recorder; nothing where /proc can't be read.
    fn left(&self) -> Option<Vec<Process>> {
        descendants(&self.spared)
    }

    fn remains(&self, left: Option<Vec<Process>>) -> Remains {
        let unseen = left.is_none() && self.cgroup.is_none();
        let command = || Survivor { pid: self.pid, name: String::new() };
        let survivors = match left {
            Some(left) => left.iter().map(Process::survivor).collect(),
            None => self.status.is_none().then(command).into_iter().collect(),
        };
        Remains { survivors, unseen }
    }

    /// Whether this is a process group of the session's: what was one may be gone, and its number another's.
    fn has_group(&self, group: Pid, left: Option<&[Process]>) -> bool {
        match left {
            Some(left) => {
                left.iter().any(|process| process.session == self.session && process.group == group)
            }
            // While the command has not been waited for, its session is its own.
            None => self.status.is_none() && getsid(Some(group)) == Ok(self.session),
        }
    }
}

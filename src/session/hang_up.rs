//! A hang-up that reaches whom it is for: the command, and what runs in the foreground.
//!
//! A shell's child has the shell's handlers until it executes its program. A signal that comes between
//! is taken by a handler that notes it for later, and the program never hears of it. As the shell
//! is gone by then, nobody else would tell it again.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};

use super::processes::{Action, Process};

/// How often is looked for who has missed it.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// A hang-up under way.
#[derive(Debug)]
pub(super) struct HangUp {
    /// What ran in the background: that is the shell's to end or to let live.
    spared: Vec<Pid>,
    /// The command's name, which a child of it has until it executes something else.
    shell: Vec<u8>,
    /// When it was looked last.
    looked: Option<Instant>,
}

/// What to do about a process that is left when the command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It has missed the signal.
    Tell,
    /// It is about to become another program.
    Await,
    /// It lives on, as it wants or as the shell let it.
    Leave,
}

impl HangUp {
    /// Tells the command and the foreground group. `members` are the session's processes, `terminal` is the master
    /// side of its terminal; without one all is in the group of this process.
    pub(super) fn begin(command: Pid, terminal: Option<BorrowedFd<'_>>, members: &[Process]) -> Self {
        let shell = members.iter().find(|process| process.pid == command);
        let shell = shell.map_or_else(Vec::new, |process| process.name.clone());
        // Who catches the signal may be about to become a program that does not.
        let settled = members.iter().filter(|process| process.action(libc::SIGHUP) != Some(Action::Caught));
        let settled: Vec<_> = settled.filter(|process| process.pid != command).collect();
        // Only now: what has become a program has taken the foreground before.
        let foreground = terminal.map_or_else(|| Some(getpgrp()), |terminal| tcgetpgrp(terminal).ok());
        let in_foreground = |process: &&Process| Some(process.group) == foreground;
        let background = settled.iter().filter(|process| !in_foreground(process));
        let spared = background.map(|process| process.pid).collect();
        if let Some(group) = foreground.filter(|group| terminal.is_some() && group.as_raw() > 1) {
            // The command first, as the kernel does it: else a shell could go on to its next line
            // before it hears.
            if group != command {
                tell(command);
            }
            for signal in [Signal::SIGHUP, Signal::SIGCONT] {
                let _ = killpg(group, signal);
            }
        } else {
            tell(command);
            let others = members.iter().filter(|process| process.pid != command);
            others.filter(in_foreground).for_each(|process| {
                let _ = tell(process.pid);
            });
        }
        Self { spared, shell, looked: None }
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        self.looked.is_none_or(|at| at.elapsed() >= LOOK)
    }

    /// Once the command has ended: tells those of its session again who have missed it. Whether that is not over.
    pub(super) fn go_on(&mut self, members: &[Process]) -> bool {
        self.looked = Some(Instant::now());
        let mut goes_on = false;
        for process in members {
            match self.judge(process, process.action(libc::SIGHUP)) {
                Left::Tell if tell(process.pid) => goes_on = true,
                Left::Tell => self.spared.push(process.pid),
                Left::Await => goes_on = true,
                Left::Leave => {}
            }
        }
        goes_on
    }

    fn judge(&self, process: &Process, action: Option<Action>) -> Left {
        // What others started is theirs to end: cleaning up takes programs, too.
        let orphan = process.parent == Pid::this();
        if !orphan || self.spared.contains(&process.pid) {
            return Left::Leave;
        }
        match action {
            Some(Action::Default) => Left::Tell,
            Some(Action::Caught) if process.name == self.shell => Left::Await,
            _ => Left::Leave,
        }
    }
}

/// Whether the process could be told.
fn tell(pid: Pid) -> bool {
    let told = kill(pid, Signal::SIGHUP).is_ok();
    let _ = kill(pid, Signal::SIGCONT);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: Pid, name: &str) -> Process {
        let (pid, session) = (Pid::from_raw(pid), Pid::from_raw(100));
        Process { pid, name: name.into(), state: b'S', parent, group: pid, session }
    }

    #[test]
    fn only_an_orphan_that_missed_it_is_told_again() {
        let hang_up = HangUp { spared: vec![Pid::from_raw(7)], shell: b"bash".to_vec(), looked: None };
        let judge = |process: &Process, action| hang_up.judge(process, Some(action));
        let (orphaned, owned) = (Pid::this(), Pid::from_raw(101));
        let sleep = process(102, orphaned, "sleep");
        assert_eq!(judge(&sleep, Action::Default), Left::Tell);
        assert_eq!(judge(&sleep, Action::Ignored), Left::Leave, "nohup");
        assert_eq!(judge(&sleep, Action::Caught), Left::Leave, "it was told, and does what it does");
        assert_eq!(judge(&process(102, orphaned, "bash"), Action::Caught), Left::Await);
        assert_eq!(judge(&process(7, orphaned, "sleep"), Action::Default), Left::Leave, "disowned");
        assert_eq!(judge(&process(102, owned, "cp"), Action::Default), Left::Leave, "cleans up for another");
        assert_eq!(hang_up.judge(&sleep, None), Left::Leave, "gone");
    }
}

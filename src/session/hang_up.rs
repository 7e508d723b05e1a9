//! A hang-up that reaches whom it is for: the command, and what runs in the foreground.
//!
//! A shell's child has the shell's handlers until it executes its program. A signal that comes between
//! is taken by a handler that notes it for later, and the program never hears of it. As the shell
//! is gone by then, nobody else would tell it again.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgrp, getsid, tcgetpgrp};

use super::processes::{Action, Process};

/// How often is looked for who has missed it.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// How long after the command's end at most.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a terminal that goes away sends.
const HANG_UP: [Signal; 2] = [Signal::SIGHUP, Signal::SIGCONT];

/// A hang-up under way.
#[derive(Debug)]
pub(super) struct HangUp {
    /// What ran in the background: that is the shell's to end or to let live.
    spared: Vec<Process>,
    /// The command's name, which a child of it has until it executes something else.
    shell: Vec<u8>,
    /// When it was looked first and last, the command having ended.
    looked: Option<(Instant, Instant)>,
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
        let background = settled.into_iter().filter(|process| !in_foreground(process));
        let spared = background.cloned().collect();
        // The command first, as the kernel does it: else a shell could go on to its next line before it hears.
        if foreground != Some(command) || terminal.is_none() {
            for signal in HANG_UP {
                let _ = kill(command, signal);
            }
        }
        if let Some(group) =
            foreground.filter(|&group| terminal.is_some() && is_of_session(group, command, members))
        {
            for signal in HANG_UP {
                let _ = killpg(group, signal);
            }
        } else {
            for other in members.iter().filter(|process| process.pid != command).filter(in_foreground) {
                let _ = other.signal(&HANG_UP);
            }
        }
        Self { spared, shell, looked: None }
    }

    /// Whether it is time to look again.
    pub(super) fn is_due(&self) -> bool {
        self.looked.is_none_or(|(_, at)| at.elapsed() >= LOOK)
    }

    /// Once the command has ended: tells those of its session again who have missed it. Whether that is not over.
    pub(super) fn go_on(&mut self, members: &[Process]) -> bool {
        let now = Instant::now();
        let (first, _) = *self.looked.get_or_insert((now, now));
        self.looked = Some((first, now));
        let mut goes_on = false;
        for process in members {
            match self.judge(process, process.action(libc::SIGHUP)) {
                Left::Tell if process.signal(&HANG_UP).is_ok() => goes_on = true,
                Left::Tell => self.spared.push(process.clone()),
                Left::Await => goes_on = true,
                Left::Leave => {}
            }
        }
        goes_on && first.elapsed() < PATIENCE
    }

    fn judge(&self, process: &Process, action: Option<Action>) -> Left {
        // What others started is theirs to end: cleaning up takes programs, too.
        let orphan = process.parent == Pid::this();
        let is_it = |spared: &Process| (spared.pid, spared.started) == (process.pid, process.started);
        if !orphan || self.spared.iter().any(is_it) {
            return Left::Leave;
        }
        match action {
            Some(Action::Default) => Left::Tell,
            Some(Action::Caught) if process.name == self.shell => Left::Await,
            _ => Left::Leave,
        }
    }
}

/// Whether a terminal's foreground group is one of the session's: the terminal keeps its number when the group is gone,
/// and another may have it by then. `command` leads the session, and has not been waited for.
fn is_of_session(group: Pid, command: Pid, members: &[Process]) -> bool {
    group == command
        || group.as_raw() > 1
            && (members.iter().any(|process| process.group == group) || getsid(Some(group)) == Ok(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: Pid, name: &str) -> Process {
        let (pid, session) = (Pid::from_raw(pid), Pid::from_raw(100));
        Process { pid, name: name.into(), state: b'S', parent, group: pid, session, started: 1 }
    }

    #[test]
    fn only_an_orphan_that_missed_it_is_told_again() {
        let hang_up =
            HangUp { spared: vec![process(7, Pid::this(), "sleep")], shell: b"bash".to_vec(), looked: None };
        let judge = |process: &Process, action| hang_up.judge(process, Some(action));
        let (orphaned, owned) = (Pid::this(), Pid::from_raw(101));
        let sleep = process(102, orphaned, "sleep");
        assert_eq!(judge(&sleep, Action::Default), Left::Tell);
        assert_eq!(judge(&sleep, Action::Ignored), Left::Leave, "nohup");
        assert_eq!(judge(&sleep, Action::Caught), Left::Leave, "it was told, and does what it does");
        assert_eq!(judge(&process(102, orphaned, "bash"), Action::Caught), Left::Await);
        assert_eq!(judge(&process(7, orphaned, "sleep"), Action::Default), Left::Leave, "disowned");
        let later = Process { started: 2, ..process(7, orphaned, "sleep") };
        assert_eq!(judge(&later, Action::Default), Left::Tell, "another one with the id of the disowned");
        assert_eq!(judge(&process(102, owned, "cp"), Action::Default), Left::Leave, "cleans up for another");
        assert_eq!(hang_up.judge(&sleep, None), Left::Leave, "gone");
    }
}

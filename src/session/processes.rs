//! The processes of a session, as /proc shows them.

use std::collections::BTreeMap;
use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sys::PidFd;

/// The fields of proc_pid_stat(5) between a process's session and its start.
const BETWEEN_SESSION_AND_START: usize = 15;

/// One process, from proc_pid_stat(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    /// The first bytes of its program's name.
    pub(super) name: Vec<u8>,
    /// `R`, `S`, `T`, `Z`, …
    pub(super) state: u8,
    pub(super) parent: Pid,
    pub(super) group: Pid,
    pub(super) session: Pid,
    /// When it started, in clock ticks since the boot: no later process of its id has the same.
    pub(super) started: u64,
}

/// A process that a session has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// Its id.
    pub pid: Pid,
    /// The first bytes of its program's name.
    pub name: String,
}

/// What a signal does to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Default,
    Ignored,
    /// By a handler, or by being held back until the process asks for it.
    Caught,
}

impl Process {
    /// The process of this id, if there is one.
    pub(super) fn read(pid: i32) -> Option<Self> {
        Self::parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(pid: i32, stat: &[u8]) -> Option<Self> {
        // The name may hold anything, parentheses too.
        let (begin, end) = (memchr::memchr(b'(', stat)?, memchr::memrchr(b')', stat)?);
        let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let mut number = || fields.next()?.parse().ok().map(Pid::from_raw);
        let [parent, group, session] = [number()?, number()?, number()?];
        Some(Self {
            pid: Pid::from_raw(pid),
            name: stat.get(begin + 1..end)?.to_vec(),
            state,
            parent,
            group,
            session,
            started: fields.nth(BETWEEN_SESSION_AND_START)?.parse().ok()?,
        })
    }

    /// Sends it these signals, one after the other, and never to a later process of its id.
    ///
    /// # Errors
    /// ESRCH where it has ended, EPERM where this user may not.
    pub(super) fn signal(&self, signals: &[Signal]) -> nix::Result<()> {
        let held = match PidFd::open(self.pid) {
            Ok(held) => Some(held),
            Err(Errno::ESRCH) => return Err(Errno::ESRCH),
            // An old kernel, or no descriptor to be had: the look before each signal has to do.
            Err(_) => None,
        };
        for &signal in signals {
            // After it was opened: what has the id and the start now is what is held.
            if Self::read(self.pid.as_raw()).is_none_or(|now| now.started != self.started) {
                return Err(Errno::ESRCH);
            }
            match &held {
                Some(held) => held.signal(signal)?,
                None => kill(self.pid, signal)?,
            }
        }
        Ok(())
    }

    /// How it is named where it lives on.
    pub(super) fn survivor(&self) -> Survivor {
        Survivor { pid: self.pid, name: String::from_utf8_lossy(&self.name).into_owned() }
    }

    /// Whether it is stopped by a signal.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// What it does about a signal, from proc_pid_status(5); nothing where it is gone.
    pub(super) fn action(&self, signal: i32) -> Option<Action> {
        action(&fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?, signal)
    }
}

fn action(status: &str, signal: i32) -> Option<Action> {
    let is_in = |name: &str| {
        let set = status.lines().find_map(|line| line.strip_prefix(name))?;
        let set = u64::from_str_radix(set.trim(), 16).ok()?;
        Some(set >> (signal - 1) & 1 == 1)
    };
    Some(match (is_in("SigIgn:")?, is_in("SigCgt:")? || is_in("SigBlk:")?) {
        (true, _) => Action::Ignored,
        (false, true) => Action::Caught,
        (false, false) => Action::Default,
    })
}

/// The children that this process has by now, as far as the kernel tells.
pub(super) fn own_children() -> Vec<i32> {
    let listed = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether /proc shows this process's descendants. Where it does not, and there is no control group either, a strict end
/// reaches only what has stayed in the session's process groups.
#[must_use]
pub fn can_be_listed() -> bool {
    descendants(&[]).is_some()
}

/// The living processes that descend from this one, but for `spared` and theirs; nothing where /proc
/// can't be read.
pub(super) fn descendants(spared: &[i32]) -> Option<Vec<Process>> {
    let own = Pid::this();
    let mut children: BTreeMap<Pid, Vec<Process>> = BTreeMap::new();
    let mut listed = false;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(process) = pid.and_then(Process::read) else { continue };
        listed |= process.pid == own;
        if process.state != b'Z' {
            children.entry(process.parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut queue = vec![own];
    while let Some(parent) = queue.pop() {
        let born = children.remove(&parent).unwrap_or_default();
        let born = born.into_iter().filter(|process| !spared.contains(&process.pid.as_raw()));
        for process in born {
            queue.push(process.pid);
            found.push(process);
        }
    }
    listed.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let process = Process::parse(7, b"7 (a) R (b\xff) S 3 4 5 34816 4 0 1 2 3 4 5 6 7 8 20 0 1 0 987 1")
            .expect("a process");
        assert_eq!((process.name.as_slice(), process.state), (&b"a) R (b\xff"[..], b'S'));
        let numbers = [process.parent, process.group, process.session].map(Pid::as_raw);
        assert_eq!(numbers, [3, 4, 5]);
        assert_eq!(process.started, 987);
        assert_eq!(Process::parse(7, b"7 (a"), None);
        assert_eq!(Process::parse(7, b"7 )a("), None);
        assert_eq!(Process::parse(7, b"7 (a) S 3"), None);
    }

    #[test]
    fn the_first_bit_is_the_hang_ups() {
        let of = |blocked: &str, ignored: &str, caught: &str| {
            let status = format!("Name:\tx\nSigBlk:\t{blocked}\nSigIgn:\t{ignored}\nSigCgt:\t{caught}\n");
            action(&status, libc::SIGHUP)
        };
        assert_eq!(of("0000000000010000", "0000000000001000", "0000000000004002"), Some(Action::Default));
        assert_eq!(of("0000000000010000", "0000000000001001", "0000000000004002"), Some(Action::Ignored));
        assert_eq!(of("0000000000010000", "0000000000001000", "0000000000004003"), Some(Action::Caught));
        assert_eq!(of("0000000000010001", "0000000000001000", "0000000000004002"), Some(Action::Caught));
        assert_eq!(action("Name:\tx\n", libc::SIGHUP), None);
    }
}

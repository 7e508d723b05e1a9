//! Processes as /proc shows them.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{self, Signal};

use super::{SOON, until};

pub(crate) type Pid = i32;

/// The fields of /proc/PID/stat that follow the name: state, parent, …
fn stat(pid: Pid) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Whether the process exists and is no zombie.
pub(crate) fn alive(pid: Pid) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z" && fields[0] != "X")
}

/// Whether every thread of the process waits for something.
pub(crate) fn waits(pid: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    let mut ids = threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok());
    ids.all(|id| stat(id).is_some_and(|fields| fields[0] == "S"))
}

/// The living children of a process.
pub(crate) fn children(pid: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&child: &Pid| {
        stat(child).is_some_and(|fields| fields[1] == pid.to_string() && fields[0] != "Z")
    })
    .collect()
}

/// All living descendants of a process.
pub(crate) fn descendants(pid: Pid) -> Vec<Pid> {
    let mut all = children(pid);
    let mut next = 0;
    while next < all.len() {
        let more = children(all[next]);
        all.extend(more);
        next += 1;
    }
    all
}

/// The living processes whose working directory this is.
pub(crate) fn working_in(directory: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let here =
        entries.filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == directory));
    here.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|&pid| alive(pid)).collect()
}

/// The child that runs the same program: recmode's recording side.
pub(crate) fn recording_side(recmode: Pid) -> Pid {
    // The link to the program itself can't be read of a process that may not be traced.
    let program = |pid: Pid| fs::read(format!("/proc/{pid}/cmdline")).ok();
    let mut found = None;
    until(SOON, "a recording side", || {
        let own = program(recmode);
        // A child that is about to become the command has the same program for a moment, but
        // is a session leader already or has the recording side as its elder.
        found = children(recmode).into_iter().filter(|&pid| own.is_some() && program(pid) == own).min();
        found.is_some()
    });
    found.unwrap()
}

pub(crate) fn kill(pid: Pid, signal: Signal) {
    signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("kill");
}

/// The process id that a command of the test's wrote into a file, once it has.
pub(crate) fn named_pid(file: &Path) -> Pid {
    let mut pid = None;
    until(SOON, &format!("a pid in {}", PathBuf::from(file).display()), || {
        pid = fs::read_to_string(file)
            .ok()
            .filter(|text| text.ends_with('\n'))
            .and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// CPU time used, in clock ticks (10 ms).
pub(crate) fn cpu_ticks(pid: Pid) -> u64 {
    stat(pid).map_or(0, |fields| fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum())
}

/// Resident memory that is the process's own (shared pages of the ring count too).
pub(crate) fn resident_kib(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Whether a signal that was sent to the process waits to be taken.
pub(crate) fn has_pending(pid: Pid, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    pending.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() >> (signal as i32 - 1) & 1 == 1)
}

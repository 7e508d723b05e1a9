//! A process that was forked to touch disks: it leaves the user's session, terminal, descriptors and directory
//! behind, so that nobody waits for it and nothing that ends the session ends it.

use std::ffi::CStr;
use std::os::fd::RawFd;

use nix::sys::signal::Signal;

use crate::sys;

/// Leaves all behind but the descriptors to `keep`, in a process that was just forked. `name` is what it is listed as.
pub fn live_apart(keep: &[RawFd], name: &CStr) {
    sys::close_other_descriptors(keep);
    // None of these can fail for a freshly forked process that is no group leader, and none would
    // keep it from writing.
    let _ = sys::null_streams(0..=2);
    let _ = nix::unistd::setsid();
    let _ = std::env::set_current_dir("/");
    // What is created is private whatever the user's mask says, and never less than usable.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let _ = nix::sys::prctl::set_name(name);
    // What ends a session is for the terminal side to hear; this side sees it hang up. SIGXFSZ
    // must not kill: the write then fails with EFBIG.
    for signal in Signal::iterator() {
        if !matches!(
            signal,
            Signal::SIGKILL
                | Signal::SIGSTOP
                | Signal::SIGCHLD
                | Signal::SIGSEGV
                | Signal::SIGBUS
                | Signal::SIGILL
                | Signal::SIGFPE
                | Signal::SIGABRT
        ) {
            let _ = sys::ignore_signal(signal);
        }
    }
}

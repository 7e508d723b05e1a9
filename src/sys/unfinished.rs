//! Files that are not finished: a signal that ends the process removes them first.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::is_ignored;

/// As many files as are written at a time.
static NAMES: [AtomicPtr<libc::c_char>; 2] = [const { AtomicPtr::new(null_mut()) }; 2];

const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// A file that goes when a signal ends the process, as long as this lives.
#[derive(Debug)]
pub struct Unfinished(Option<&'static AtomicPtr<libc::c_char>>);

impl Unfinished {
    /// Removes `path` if SIGINT, SIGTERM or SIGHUP end the process. Where too many are unfinished, or the path is
    /// none, nothing is done.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return Self(None) };
        let name = name.into_raw();
        let slot = NAMES
            .iter()
            .find(|slot| slot.compare_exchange(null_mut(), name, Ordering::SeqCst, Ordering::SeqCst).is_ok());
        if slot.is_none() {
            // SAFETY: made by into_raw above, and nobody else has it.
            drop(unsafe { CString::from_raw(name) });
        }
        let action = SigAction::new(SigHandler::Handler(remove_and_end), SaFlags::empty(), SigSet::all());
        for signal in ENDING {
            if !is_ignored(signal as i32) {
                // SAFETY: the handler calls what is safe in one, and nothing else.
                let _ = unsafe { sigaction(signal, &action) };
            }
        }
        Self(slot)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let name = self.0.map_or(null_mut(), |slot| slot.swap(null_mut(), Ordering::SeqCst));
        if !name.is_null() {
            // SAFETY: made by into_raw, and who takes it out of its place is the only one that has it.
            drop(unsafe { CString::from_raw(name) });
        }
    }
}

extern "C" fn remove_and_end(signal: libc::c_int) {
    for slot in &NAMES {
        let name = slot.swap(null_mut(), Ordering::SeqCst);
        if !name.is_null() {
            // SAFETY: a C string that nobody frees: who takes it out of its place is the only one that has it.
            unsafe { libc::unlink(name) };
        }
    }
    // SAFETY: numbers only; the signal comes again, and ends the process, when this returns.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

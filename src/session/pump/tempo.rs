//! How fast output comes, and what that is worth: in a flood system calls are saved, at a prompt time is. Pure, but
//! for the clock that a short spin needs.

use crate::spin::{self, Spin};

/// A read of so many bytes was likely not the last one.
const FULL: usize = 1024;
/// How many reads a flood has between two looks at everything else, where there is always something to read.
const READS: u8 = 8;
/// How many looks come after a read that found nothing before the next one without a look.
const LOOKS: u8 = 32;
/// How much a flood appends before the recording side is woken: it does its work in larger pieces then.
pub(super) const TELL_AFTER: u64 = 64 * 1024;
/// A flood is over when nothing came for so long, milliseconds; strict shows its end so much later.
pub(super) const PAUSE: u8 = 1;

/// The pace of a session's output.
#[derive(Debug)]
pub(super) struct Tempo {
    flood: bool,
    reads: u8,
    looks: u8,
    spin: Spin,
}

impl Tempo {
    pub(super) fn new() -> Self {
        Self { flood: false, reads: 0, looks: 0, spin: Spin::new() }
    }

    /// So many bytes were read at once.
    pub(super) fn read(&mut self, bytes: usize) {
        self.flood = bytes >= FULL;
    }

    /// There was nothing to read.
    pub(super) fn dry(&mut self) {
        self.looks = LOOKS;
    }

    /// Nothing came for a while.
    pub(super) fn ends(&mut self) {
        self.flood = false;
    }

    /// Whether there is likely more to come at once.
    pub(super) fn is_flood(&self) -> bool {
        self.flood
    }

    /// Whether the next read is made without a look at everything else first.
    pub(super) fn reads_on(&mut self) -> bool {
        if self.looks > 0 {
            // The command is slower than we are.
            self.looks -= 1;
            return false;
        }
        self.reads = (self.reads + 1) % READS;
        self.reads != 0
    }

    /// Whether there is a processor to spare for a spin.
    pub(super) fn may_spin(&self) -> bool {
        self.spin.may()
    }

    /// Waits a moment for `condition` without going to sleep, where that is likely to be enough.
    pub(super) fn spin(&mut self, condition: impl FnMut() -> bool) -> bool {
        self.spin.until(spin::ANSWER, condition)
    }
}

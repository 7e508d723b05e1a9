//! A short spin before a sleep: where the other side is about to answer, being woken would take longer than the answer.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_yield};
use nix::unistd::Pid;

/// How long the recording of a few bytes is waited for, that is as long as it takes where nothing is in its way.
pub const ANSWER: Duration = Duration::from_micros(60);
/// How long a program's answer to a key is waited for.
pub const ECHO: Duration = Duration::from_micros(150);
/// How long is waited once in a session, each: for the recording's start, for what the command does first, which may be to
/// end, and for the recording's end, which takes a sync.
const ONCE: Duration = Duration::from_millis(2);

/// How many pauses of the processor there are before others get it: together a microsecond or less, by the processor.
const PAUSES: u32 = 16;

/// How many spins in vain in a row are enough.
const IN_VAIN: u32 = 4;
/// Every how many times is tried again after that.
const AGAIN: u32 = 32;

/// Decides whether a spin is worth it: not where there is one processor, which the other side needs, nor
/// where spins are in vain, as the other side is slow.
#[derive(Debug)]
pub struct Spin {
    processors: bool,
    in_vain: u32,
}

impl Spin {
    /// For this process, which has not spun yet.
    #[must_use]
    pub fn new() -> Self {
        let several =
            |set: CpuSet| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).nth(1).is_some();
        Self { processors: sched_getaffinity(Pid::from_raw(0)).is_ok_and(several), in_vain: 0 }
    }

    /// Whether there is a processor to spare.
    #[must_use]
    pub fn may(&self) -> bool {
        self.processors
    }

    /// Waits for a `condition`, which may ask the system, that comes once in a session, `since` which it may take a little longer.
    pub fn once(&mut self, since: Duration, condition: impl FnMut() -> bool) {
        if let Some(left) = ONCE.checked_sub(since) {
            self.wait(left, 1, condition);
        }
    }

    /// Waits for `condition`, which costs nothing, for at most `patience`. Returns whether it has come true.
    pub fn until(&mut self, patience: Duration, condition: impl FnMut() -> bool) -> bool {
        self.wait(patience, PAUSES, condition)
    }

    /// `looks` is how often is looked between two yields.
    fn wait(&mut self, patience: Duration, looks: u32, mut condition: impl FnMut() -> bool) -> bool {
        if !self.processors {
            return false;
        }
        if self.in_vain >= IN_VAIN {
            self.in_vain += 1;
            if !self.in_vain.is_multiple_of(AGAIN) {
                return false;
            }
        }
        let begun = Instant::now();
        loop {
            for _ in 0..looks {
                if condition() {
                    self.in_vain = 0;
                    return true;
                }
                (0..PAUSES / looks).for_each(|_| spin_loop());
            }
            if begun.elapsed() >= patience {
                self.in_vain += u32::from(self.in_vain < IN_VAIN);
                return false;
            }
            // Whoever is to run on this processor may be who is waited for.
            let _ = sched_yield();
        }
    }
}

impl Default for Spin {
    fn default() -> Self {
        Self::new()
    }
}

//! The session's clock: it neither jumps nor stops in suspend.

use nix::time::{ClockId, clock_gettime};

/// Microseconds of CLOCK_BOOTTIME.
#[must_use]
pub fn boottime_micros() -> u64 {
    // The clock exists on every Linux since 2.6.39.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        seconds * 1_000_000 + u64::try_from(time.tv_nsec()).unwrap_or(0) / 1_000
    })
}

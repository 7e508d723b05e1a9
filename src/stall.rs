//! Noticing that the recording makes no progress. Pure: the caller brings the time.

use std::time::Duration;

/// How long the disk may make no progress, where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How often the caller must look while something is outstanding.
pub const TICK: Duration = Duration::from_millis(500);

/// Time without progress. Only time in which the caller looked counts: where it was stopped, or
/// the machine suspended, one look counts for little more than a tick.
#[derive(Debug)]
pub struct StallWatch {
    seen: u64,
    last: Duration,
    stalled: Duration,
}

impl StallWatch {
    /// A watch that starts now.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        Self { seen: 0, last: now, stalled: Duration::ZERO }
    }

    /// Looks at `progress`, any number that changes when there is some; `outstanding` is whether any is
    /// due. Returns for how long there has been none.
    pub fn look(&mut self, now: Duration, outstanding: bool, progress: u64) -> Duration {
        let passed = now.saturating_sub(self.last).min(TICK * 2);
        self.last = now;
        if !outstanding || progress != self.seen {
            self.seen = progress;
            self.stalled = Duration::ZERO;
        } else {
            self.stalled += passed;
        }
        self.stalled
    }

    /// Begins anew.
    pub fn forgive(&mut self) {
        self.stalled = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_watched_time_without_progress_counts() {
        let mut watch = StallWatch::new(Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut look = |step: Duration, outstanding, progress| {
            now += step;
            watch.look(now, outstanding, progress)
        };
        look(TICK, true, 1);
        assert_eq!(look(TICK, true, 1), TICK);
        assert_eq!(look(TICK, true, 1), TICK * 2);
        assert_eq!(look(Duration::from_secs(3600), true, 1), TICK * 4, "stopped for an hour");
        assert_eq!(look(TICK, true, 2), Duration::ZERO, "progress");
        assert_eq!(look(TICK, false, 2), Duration::ZERO, "nothing due");
        assert_eq!(look(TICK, true, 2), TICK);
    }
}

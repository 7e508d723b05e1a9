//! Noticing that the recording makes no progress. Pure: the caller brings the time.

use std::time::Duration;

/// How long the disk may make no progress, where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How often the caller looks at most while something is outstanding.
const TICK: Duration = Duration::from_millis(500);

/// No timeout is so short that looking takes all the time.
const LEAST_TICK: Duration = Duration::from_millis(2);

/// Time without progress. Only time in which the caller looked counts: where it was stopped, or
/// the machine suspended, one look counts for a tick.
#[derive(Debug)]
pub struct StallWatch {
    seen: u64,
    last: Duration,
    stalled: Duration,
    tick: Duration,
}

impl StallWatch {
    /// A watch that starts now, for someone whose patience is `timeout`: no single look makes that up.
    #[must_use]
    pub fn new(now: Duration, timeout: Duration) -> Self {
        Self { seen: 0, last: now, stalled: Duration::ZERO, tick: TICK.min(timeout / 4).max(LEAST_TICK) }
    }

    /// How often the caller must look while something is outstanding.
    #[must_use]
    pub fn tick(&self) -> Duration {
        self.tick
    }

    /// Looks at `progress`, any number that changes when there is some; `outstanding` is whether any is
    /// due. Returns for how long there has been none.
    pub fn look(&mut self, now: Duration, outstanding: bool, progress: u64) -> Duration {
        let passed = now.saturating_sub(self.last).min(self.tick);
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
        let mut watch = StallWatch::new(Duration::ZERO, Duration::from_secs(10));
        let mut now = Duration::ZERO;
        let mut look = |step: Duration, outstanding, progress| {
            now += step;
            watch.look(now, outstanding, progress)
        };
        look(TICK, true, 1);
        assert_eq!(look(TICK, true, 1), TICK);
        assert_eq!(look(TICK, true, 1), TICK * 2);
        assert_eq!(look(Duration::from_secs(3600), true, 1), TICK * 3, "stopped for an hour");
        assert_eq!(look(TICK, true, 2), Duration::ZERO, "progress");
        assert_eq!(look(TICK, false, 2), Duration::ZERO, "nothing due");
        assert_eq!(look(TICK, true, 2), TICK);
    }
    #[test]
    fn a_single_look_never_makes_up_a_short_timeout() {
        let timeout = Duration::from_secs(1);
        let mut watch = StallWatch::new(Duration::ZERO, timeout);
        assert!(watch.look(Duration::from_secs(60), true, 0) <= timeout / 4);
        assert!(watch.tick() <= timeout / 4);
    }
}

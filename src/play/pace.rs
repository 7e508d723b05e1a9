//! When the next event is due. Pure: the caller brings the time that has passed.

use std::time::Duration;

/// How many times as fast as it was.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// As fast as it was.
    pub const REAL: Self = Self(1.0);

    /// A speed from a hundredth to ten thousand times.
    #[must_use]
    pub fn new(times: f64) -> Option<Self> {
        (0.01..=10_000.0).contains(&times).then_some(Self(times))
    }
}

/// The wait for the next event.
#[derive(Debug, Clone)]
pub struct Pace {
    speed: Speed,
    limit: Duration,
    /// What is left to wait, in the recording's time.
    left: Duration,
    paused: bool,
}

impl Pace {
    /// A pace at this speed, that cuts pauses to `limit`.
    #[must_use]
    pub fn new(speed: Speed, limit: Option<Duration>) -> Self {
        Self { speed, limit: limit.unwrap_or(Duration::MAX), left: Duration::ZERO, paused: false }
    }

    /// The next event comes so long after the last one.
    pub fn next(&mut self, interval: Duration) {
        self.left = interval.min(self.limit);
    }

    /// So much time has passed.
    pub fn passed(&mut self, time: Duration) {
        if !self.paused {
            self.left = self.left.saturating_sub(time.mul_f64(self.speed.0));
        }
    }

    /// How long to wait; `None` while it is paused.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        (!self.paused).then(|| self.left.div_f64(self.speed.0))
    }

    /// What is left of the interval, in the recording's time.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.left
    }

    /// Shows the next event now.
    pub fn skip(&mut self) {
        self.left = Duration::ZERO;
    }

    /// Pauses, or goes on.
    pub fn toggle(&mut self) {
        self.paused = !self.paused;
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Half as fast again, or the same slower.
    pub fn change(&mut self, faster: bool) {
        let times = if faster { self.speed.0 * 1.5 } else { self.speed.0 / 1.5 };
        self.speed = Speed::new(times).unwrap_or(self.speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_follow_speed_limit_and_pauses() {
        let mut pace = Pace::new(Speed::new(2.0).expect("a speed"), Some(10 * SECOND));
        pace.next(4 * SECOND);
        assert_eq!(pace.wait(), Some(2 * SECOND));
        pace.passed(SECOND);
        assert_eq!((pace.wait(), pace.left()), (Some(SECOND), 2 * SECOND));
        pace.toggle();
        pace.passed(60 * SECOND);
        assert_eq!((pace.wait(), pace.left()), (None, 2 * SECOND));
        pace.toggle();
        pace.passed(60 * SECOND);
        assert_eq!(pace.wait(), Some(Duration::ZERO));
        pace.next(3600 * SECOND);
        assert_eq!(pace.left(), 10 * SECOND);
    }

    #[test]
    fn speeds_have_bounds() {
        assert!(Speed::new(0.0).is_none() && Speed::new(f64::NAN).is_none() && Speed::new(1e9).is_none());
        let mut pace = Pace::new(Speed::REAL, None);
        for _ in 0..1000 {
            pace.change(true);
        }
        pace.next(SECOND);
        assert!(pace.wait().is_some_and(|wait| wait > Duration::ZERO));
    }
}

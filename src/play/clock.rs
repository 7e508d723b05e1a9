//! The player's clock: when an event is due, and what time of the recording it is. Pure: the caller brings the
//! instants.
//!
//! The clock is anchored at the start and at each pause, seek and change of speed, and never at an event. So what
//! shows an event late does not delay the events after it.

use std::time::{Duration, Instant};

/// A playback speed: how many seconds of the recording pass in a second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// The speed at which it was recorded.
    pub const REAL: Self = Self(1.0);

    /// A speed from a hundredth to ten thousand times.
    #[must_use]
    pub fn new(times: f64) -> Option<Self> {
        (0.01..=10_000.0).contains(&times).then_some(Self(times))
    }

    /// The factor.
    #[must_use]
    pub fn times(self) -> f64 {
        self.0
    }
}

/// Where playback is, and how it goes on. Times are durations since the start of the recording.
#[derive(Debug, Clone)]
pub struct Clock {
    speed: Speed,
    /// What pauses between two events are cut to while `skips` is set.
    limit: Duration,
    skips: bool,
    paused: bool,
    /// The time at `since`.
    base: Duration,
    since: Instant,
    /// When the pause before the next event began.
    last: Duration,
    skipped: Duration,
}

impl Clock {
    /// A clock that stands at 0 and runs from `now`. With a `limit`, pauses are cut to it; without one,
    /// [`Clock::toggle_skip`] cuts them to `or_else`.
    #[must_use]
    pub fn new(speed: Speed, limit: Option<Duration>, or_else: Duration, now: Instant) -> Self {
        Self {
            speed,
            limit: limit.unwrap_or(or_else),
            skips: limit.is_some(),
            paused: false,
            base: Duration::ZERO,
            since: now,
            last: Duration::ZERO,
            skipped: Duration::ZERO,
        }
    }

    /// The time that the clock shows. It goes on beyond an event that is due and was not taken.
    #[must_use]
    pub fn time(&self, now: Instant) -> Duration {
        if self.paused {
            return self.base;
        }
        let passed = now.saturating_duration_since(self.since);
        self.base.saturating_add(times(passed, self.speed.0))
    }

    /// When the next event, which happened at `event`, is due: at its own time, or where the pause before it is cut.
    #[must_use]
    pub fn due(&self, event: Duration) -> Duration {
        let pause = event.saturating_sub(self.last);
        self.last + if self.skips { pause.min(self.limit) } else { pause }
    }

    /// How long to wait for the next event; zero where it is due, `None` while playback is paused.
    #[must_use]
    pub fn wait(&self, event: Duration, now: Instant) -> Option<Duration> {
        let left = self.due(event).saturating_sub(self.time(now));
        (!self.paused).then(|| times(left, 1.0 / self.speed.0))
    }

    /// Takes the next event as shown: the rest of the pause before it is skipped.
    pub fn shown(&mut self, event: Duration) {
        let skip = event.saturating_sub(self.due(event));
        self.base += skip;
        self.skipped += skip;
        self.last = self.last.max(event);
    }

    /// Sets the clock to a time.
    pub fn set(&mut self, time: Duration, now: Instant) {
        (self.base, self.since, self.last) = (time, now, time);
    }

    /// Sets the clock back to when the next event is due, if it is later than that: nobody was late, there was nothing
    /// to show or nobody to show it to.
    pub fn hold_back(&mut self, event: Duration, now: Instant) {
        let due = self.due(event);
        if self.time(now) > due {
            (self.base, self.since) = (due, now);
        }
    }

    /// Pauses, or goes on.
    pub fn pause(&mut self, paused: bool, now: Instant) {
        self.anchor(now);
        self.paused = paused;
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Goes half as fast again, or slower by the same factor.
    pub fn change_speed(&mut self, faster: bool, now: Instant) {
        self.anchor(now);
        let times = if faster { self.speed.0 * 1.5 } else { self.speed.0 / 1.5 };
        self.speed = Speed::new(times).unwrap_or(self.speed);
    }

    /// The speed.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Cuts pauses to the limit from now on, or no longer. `next` is when the next event happened.
    pub fn toggle_skip(&mut self, next: Option<Duration>, now: Instant) {
        self.skips = !self.skips;
        if let Some(next) = next {
            self.hold_back(next, now);
        }
    }

    /// Whether pauses are cut.
    #[must_use]
    pub fn skips(&self) -> bool {
        self.skips
    }

    /// How much was cut from pauses in all.
    #[must_use]
    pub fn skipped(&self) -> Duration {
        self.skipped
    }

    fn anchor(&mut self, now: Instant) {
        (self.base, self.since) = (self.time(now), now);
    }
}

/// A duration many times; the longest where that is too long for one.
fn times(duration: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * times).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock(times: f64, limit: Option<Duration>, now: Instant) -> Clock {
        Clock::new(Speed::new(times).expect("a speed"), limit, 2 * SECOND, now)
    }

    /// Plays events at these times, in seconds; each wait takes `late` longer than it should. Returns how long it
    /// took and how many waits there were.
    fn play(clock: &mut Clock, events: &[f64], late: Duration, start: Instant) -> (Duration, u32) {
        let (mut now, mut waits) = (start, 0);
        for &event in events {
            let event = Duration::from_secs_f64(event);
            let wait = clock.wait(event, now).expect("not paused");
            if !wait.is_zero() {
                now += wait + late;
                waits += 1;
            }
            clock.shown(event);
        }
        (now - start, waits)
    }

    /// The recording `dense.cast`: 5,000 events, one each 0.2 ms.
    #[test]
    fn a_dense_recording_takes_its_own_time_although_each_wait_is_too_long() {
        let events: Vec<f64> = (1..=5000).map(|n| f64::from(n) * 0.0002).collect();
        for late in [0, 60, 1000, 20_000] {
            let late = Duration::from_micros(late);
            let start = Instant::now();
            let (took, waits) = play(&mut clock(1.0, None, start), &events, late, start);
            assert!(took >= SECOND && took <= SECOND + late + Duration::from_micros(200), "{took:?}");
            let interval = Duration::from_micros(200);
            assert!(late < interval || waits < 5000, "what is due is taken together");
        }
        let start = Instant::now();
        let (took, _) = play(&mut clock(4.0, None, start), &events, Duration::from_millis(1), start);
        assert!(took >= SECOND / 4 && took <= SECOND / 4 + Duration::from_millis(2), "{took:?}");
    }

    #[test]
    fn a_clock_that_is_late_catches_up() {
        let start = Instant::now();
        let mut clock = clock(1.0, None, start);
        // Nothing was shown for 3 s.
        assert_eq!(clock.wait(SECOND, start + 3 * SECOND), Some(Duration::ZERO));
        clock.shown(SECOND);
        assert_eq!(clock.wait(2 * SECOND, start + 3 * SECOND), Some(Duration::ZERO));
        clock.shown(2 * SECOND);
        assert_eq!(clock.wait(4 * SECOND, start + 3 * SECOND), Some(SECOND));
    }

    #[test]
    fn pauses_seeks_and_speeds_set_a_new_anchor() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let mut clock = clock(2.0, None, start);
        assert_eq!(clock.wait(4 * SECOND, at(0)), Some(2 * SECOND));
        clock.pause(true, at(1));
        assert_eq!((clock.wait(4 * SECOND, at(60)), clock.time(at(60))), (None, 2 * SECOND));
        clock.pause(false, at(60));
        assert_eq!(clock.wait(4 * SECOND, at(60)), Some(SECOND));
        clock.set(100 * SECOND, at(70));
        assert_eq!(clock.time(at(71)), 102 * SECOND);
        clock.change_speed(false, at(71));
        assert_eq!(clock.time(at(71)), 102 * SECOND);
        let third = clock.time(at(74)).as_secs_f64();
        assert!((third - 106.0).abs() < 1e-6, "{third}");
    }

    #[test]
    fn pauses_are_cut_and_what_was_cut_is_counted() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let mut cut = clock(1.0, Some(10 * SECOND), start);
        assert_eq!(cut.wait(3600 * SECOND, start), Some(10 * SECOND));
        cut.shown(3600 * SECOND);
        assert_eq!((cut.skipped(), cut.time(at(11))), (3590 * SECOND, 3601 * SECOND));
        // In the middle of a pause: what is beyond the limit already is not made up for.
        let mut whole = clock(1.0, None, start);
        whole.toggle_skip(Some(3600 * SECOND), at(30));
        assert_eq!(whole.wait(3600 * SECOND, at(30)), Some(Duration::ZERO));
        whole.shown(3600 * SECOND);
        assert_eq!(whole.wait(3601 * SECOND, at(30)), Some(SECOND));
        whole.toggle_skip(None, at(30));
        assert_eq!(whole.wait(7200 * SECOND, at(30)), Some(3600 * SECOND));
    }

    #[test]
    fn time_without_anything_to_show_is_not_made_up_for() {
        let start = Instant::now();
        let mut clock = clock(1.0, None, start);
        clock.hold_back(5 * SECOND, start + 60 * SECOND);
        assert_eq!(clock.wait(5 * SECOND, start + 60 * SECOND), Some(Duration::ZERO));
        clock.shown(5 * SECOND);
        assert_eq!(clock.wait(6 * SECOND, start + 60 * SECOND), Some(SECOND));
    }

    #[test]
    fn speeds_have_bounds() {
        assert!(Speed::new(0.0).is_none() && Speed::new(f64::NAN).is_none() && Speed::new(1e9).is_none());
        let start = Instant::now();
        let mut clock = clock(1.0, None, start);
        for _ in 0..1000 {
            clock.change_speed(true, start);
        }
        assert!(clock.wait(SECOND, start).is_some_and(|wait| wait > Duration::ZERO));
    }

    proptest! {
        /// However many events there are and however late each is shown, the last one is shown at its own time.
        #[test]
        fn the_last_event_is_shown_at_its_time_by_the_speed(
            mut times in prop::collection::vec(0.0_f64..600.0, 1..200),
            speed in 0.1_f64..100.0,
            late in 0_u64..50_000,
        ) {
            times.sort_by(f64::total_cmp);
            let last = times[times.len() - 1];
            let (start, late) = (Instant::now(), Duration::from_micros(late));
            let (took, _) = play(&mut clock(speed, None, start), &times, late, start);
            let exact = last / speed;
            let took = took.as_secs_f64();
            prop_assert!(took >= exact - 1e-6 && took <= exact + late.as_secs_f64() + 1e-6, "{took} for {exact}");
        }

        /// The same with pauses cut: the sum of the cut pauses by the speed.
        #[test]
        fn with_a_limit_it_takes_the_sum_of_the_cut_pauses(
            pauses in prop::collection::vec(0.0_f64..20.0, 1..100),
            limit in 0.1_f64..10.0,
            late in 0_u64..50_000,
        ) {
            let mut sum = 0.0;
            let times: Vec<f64> = pauses.iter().map(|pause| { sum += pause; sum }).collect();
            let exact: f64 = pauses.iter().map(|pause| pause.min(limit)).sum();
            let (start, late) = (Instant::now(), Duration::from_micros(late));
            let limit = Some(Duration::from_secs_f64(limit));
            let (took, _) = play(&mut clock(1.0, limit, start), &times, late, start);
            let took = took.as_secs_f64();
            prop_assert!(took >= exact - 1e-4 && took <= exact + late.as_secs_f64() + 1e-4, "{took} for {exact}");
        }
    }
}

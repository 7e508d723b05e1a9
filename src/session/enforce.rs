//! The mode's state machine: what a recording failure means for the session. Pure.

use std::time::Duration;

use crate::policy::Mode;

/// A warning is shown at most once in this time.
pub const WARN_AGAIN: Duration = Duration::from_secs(60);

/// How far the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Running,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    GoOn,
    /// Don't execute the command: message A.
    Refuse,
    /// End the session: message B.
    Terminate,
}

/// One session's mode and what has happened to its recording.
#[derive(Debug)]
pub struct Enforcer {
    mode: Mode,
    phase: Phase,
    failing: bool,
    owes_warning: bool,
    warned: Option<Duration>,
}

impl Enforcer {
    /// A session that is about to start.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode, phase: Phase::Starting, failing: false, owes_warning: false, warned: None }
    }

    /// Whether the recording fails at the moment.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// The command is being executed.
    pub fn running(&mut self) {
        self.phase = Phase::Running;
    }

    /// The recording failed, stalled, or was waited for long enough.
    pub fn failed(&mut self) -> Verdict {
        let new = !std::mem::replace(&mut self.failing, true);
        match (self.mode, self.phase) {
            (Mode::Strict, Phase::Starting) => Verdict::Refuse,
            (Mode::Strict, Phase::Running) => Verdict::Terminate,
            (Mode::BestEffort, _) => {
                self.owes_warning |= new;
                Verdict::GoOn
            }
        }
    }

    /// The recording goes on. A warning that was due but could not be shown yet, as the alternate
    /// screen was held, is still owed; one that had to wait for its minute is not.
    pub fn recovered(&mut self, now: Duration) {
        self.failing = false;
        self.owes_warning = self.warning_at(now).is_some_and(|at| at <= now);
    }

    /// When message C is to be shown next, if it is; `now` counts from any fixed moment.
    #[must_use]
    pub fn warning_at(&self, now: Duration) -> Option<Duration> {
        self.owes_warning.then(|| self.warned.map_or(now, |warned| (warned + WARN_AGAIN).max(now)))
    }

    /// Message C was shown.
    pub fn warned(&mut self, now: Duration) {
        self.owes_warning = false;
        self.warned = Some(now);
    }

    /// Up to which position output may be shown: what was accepted in strict, what was read in best effort.
    #[must_use]
    pub fn may_show(&self, read: u64, accepted: u64) -> u64 {
        match self.mode {
            Mode::Strict => accepted,
            Mode::BestEffort => read,
        }
    }

    /// The mode.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn strict_refuses_at_the_start_and_terminates_later() {
        let mut enforcer = Enforcer::new(Mode::Strict);
        assert_eq!(enforcer.failed(), Verdict::Refuse);
        let mut enforcer = Enforcer::new(Mode::Strict);
        enforcer.running();
        assert_eq!(enforcer.failed(), Verdict::Terminate);
        assert_eq!(enforcer.warning_at(SECOND), None, "strict never warns");
    }

    #[test]
    fn best_effort_warns_once_for_each_failure() {
        let mut enforcer = Enforcer::new(Mode::BestEffort);
        enforcer.running();
        assert_eq!(enforcer.failed(), Verdict::GoOn);
        assert_eq!(enforcer.warning_at(SECOND), Some(SECOND));
        enforcer.warned(SECOND);
        assert_eq!(enforcer.failed(), Verdict::GoOn);
        assert_eq!(enforcer.warning_at(SECOND * 200), None, "the same failure");
        enforcer.recovered(SECOND * 2);
        enforcer.failed();
        assert_eq!(enforcer.warning_at(SECOND * 200), Some(SECOND * 200));
    }

    #[test]
    fn best_effort_never_warns_twice_within_a_minute() {
        let mut enforcer = Enforcer::new(Mode::BestEffort);
        enforcer.running();
        enforcer.failed();
        enforcer.warned(SECOND);
        enforcer.recovered(SECOND * 2);
        enforcer.failed();
        assert_eq!(enforcer.warning_at(SECOND * 5), Some(SECOND * 61), "still failing then: said then");
        enforcer.recovered(SECOND * 6);
        assert_eq!(enforcer.warning_at(SECOND * 61), None, "over before it could be said");
    }

    #[test]
    fn a_warning_that_could_not_be_shown_in_time_is_still_owed() {
        let mut enforcer = Enforcer::new(Mode::BestEffort);
        enforcer.running();
        enforcer.failed();
        enforcer.recovered(SECOND);
        assert_eq!(enforcer.warning_at(SECOND * 9), Some(SECOND * 9));
    }

    #[test]
    fn strict_shows_what_was_accepted_and_best_effort_what_was_read() {
        assert_eq!(Enforcer::new(Mode::Strict).may_show(9, 4), 4);
        assert_eq!(Enforcer::new(Mode::BestEffort).may_show(9, 4), 9);
    }
}

//! How fast output comes, and what that is worth: in a flood system calls are saved, at a prompt time is. Pure, but
//! for the clock that a short spin needs.

use std::time::Duration;

use crate::policy::Mode;
use crate::spin::{self, Spin};

/// A read of so many bytes was likely not the last one.
const FULL: usize = 1024;
/// A read of so many bytes got all that a terminal holds for its reader, and there is likely more behind it.
const WHOLE: usize = 4095;
/// How many reads a flood has between two looks at everything else, where there is always something to read.
const READS: u8 = 8;
/// How many looks come after a read that found nothing before the next one without a look.
const LOOKS: u8 = 32;
/// How much a flood appends before the recording side is woken: it does its work in larger pieces then.
const TELL_AFTER: u64 = 64 * 1024;
/// And how long it appends at most.
const TELL_WITHIN: Duration = Duration::from_millis(8);
/// How long the recording side is left asleep where nobody waits for it: what the terminal was given has arrived by then, and
/// whoever looks at it does not share the processors with the recording.
const LINGER: Duration = Duration::from_millis(1);
/// A flood is over when nothing came for so long, milliseconds; strict shows its end so much later.
const PAUSE: u8 = 1;
/// A long flood has had so many reads.
const LONG: u8 = 32;
/// It has at most so many looks for its own bytes alone between two at everything else, and for so long.
const NARROW_LOOKS: u8 = 8;
const NARROW_FOR: Duration = Duration::from_millis(1);
/// It is over when nothing came for so long, milliseconds, where nobody waits for the recording of its end: the recording side
/// is woken less often.
const LONG_PAUSE: u8 = 4;
/// Or after so many small reads: one is often what a whole read has left.
const SMALL_READS: u8 = 4;

/// What comes after what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// More output at once.
    Flood,
    /// Little at a time, or nothing until a key is pressed.
    Prompt,
    /// Nothing, or nothing that can be read now.
    End,
}

/// The pace of a session's output.
#[derive(Debug)]
pub(super) struct Tempo {
    /// Nothing is shown before it is recorded.
    strict: bool,
    flood: bool,
    /// How many large reads it had, and how many small ones since the last of those.
    large: u8,
    small: u8,
    /// How many looks were for its bytes alone, and when the last one was at everything.
    narrow: u8,
    looked: Duration,
    /// When the recording side was told last.
    told: Duration,
    /// Since when it has not been told of what is there, outside of a flood.
    lingers: Option<Duration>,
    /// The last read was a whole one.
    whole: bool,
    reads: u8,
    looks: u8,
    spin: Spin,
}

impl Tempo {
    pub(super) fn new(mode: Mode) -> Self {
        let strict = mode == Mode::Strict;
        Self {
            strict,
            flood: false,
            large: 0,
            small: 0,
            narrow: 0,
            looked: Duration::ZERO,
            told: Duration::ZERO,
            lingers: None,
            whole: false,
            reads: 0,
            looks: 0,
            spin: Spin::new(),
        }
    }

    /// So many bytes were read at once.
    pub(super) fn read(&mut self, bytes: usize) {
        self.whole = bytes >= WHOLE;
        if bytes >= FULL {
            self.flood = true;
            self.large = self.large.saturating_add(1);
            self.small = 0;
            return;
        }
        self.small += 1;
        if !self.is_long() || self.small >= SMALL_READS {
            self.ends();
        }
    }

    /// There was nothing to read.
    pub(super) fn dry(&mut self) {
        self.looks = LOOKS;
    }

    /// Nothing came for a while.
    pub(super) fn ends(&mut self) {
        (self.flood, self.large, self.small) = (false, 0, 0);
    }

    /// Whether there is likely more to come at once.
    pub(super) fn is_flood(&self) -> bool {
        self.flood
    }

    fn is_long(&self) -> bool {
        self.large >= LONG
    }

    /// How long more is waited for in a flood, milliseconds.
    pub(super) fn pause(&self) -> u8 {
        if self.is_long() && !self.strict { LONG_PAUSE } else { PAUSE }
    }

    /// Whether the look in a flood that follows `now` is at everything, not only for more of it. Times count from any fixed
    /// moment.
    pub(super) fn looks_around(&mut self, now: Duration) -> bool {
        let around =
            !self.is_long() || self.narrow >= NARROW_LOOKS || now.saturating_sub(self.looked) >= NARROW_FOR;
        if around {
            (self.narrow, self.looked) = (0, now);
        } else {
            self.narrow += 1;
        }
        around
    }

    /// Whether the recording side is to be told that there are `untold` bytes; `flow` is what comes next.
    pub(super) fn tells(&mut self, flow: Flow, untold: u64, now: Duration) -> bool {
        let waits = match flow {
            Flow::Flood => now.saturating_sub(self.told) < TELL_WITHIN,
            Flow::Prompt if !self.strict && untold > 0 => {
                now.saturating_sub(*self.lingers.get_or_insert(now)) < LINGER
            }
            Flow::Prompt | Flow::End => false,
        };
        if waits && untold < TELL_AFTER {
            return false;
        }
        (self.told, self.lingers) = (now, None);
        true
    }

    /// Whether the recording side is to be told of something soon, if nothing else happens.
    pub(super) fn lingers(&self) -> bool {
        self.lingers.is_some()
    }

    /// Whether the next read is made without a look at everything else first.
    pub(super) fn reads_on(&mut self) -> bool {
        if self.looks > 0 {
            // The command is slower than we are.
            self.looks -= 1;
            return false;
        }
        self.reads = if self.whole { (self.reads + 1) % READS } else { 0 };
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

    /// The same just after a session's start or end, `since` which it may take longer.
    pub(super) fn spin_once(&mut self, since: Duration, condition: impl FnMut() -> bool) {
        self.spin.once(since, condition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn long_flood(mode: Mode) -> Tempo {
        let mut tempo = Tempo::new(mode);
        (0..LONG).for_each(|_| tempo.read(FULL));
        assert!(tempo.is_flood() && tempo.is_long());
        tempo
    }

    #[test]
    fn a_long_flood_outlasts_a_few_small_reads() {
        let mut tempo = long_flood(Mode::Strict);
        for _ in 1..SMALL_READS {
            tempo.read(1);
            assert!(tempo.is_flood());
        }
        tempo.read(FULL);
        (0..SMALL_READS).for_each(|_| tempo.read(1));
        assert!(!tempo.is_flood());
        let mut tempo = Tempo::new(Mode::BestEffort);
        tempo.read(FULL);
        tempo.read(1);
        assert!(!tempo.is_flood(), "a short one is over");
    }

    #[test]
    fn everything_is_looked_at_after_some_looks_or_some_time_and_at_once_where_it_is_no_long_flood() {
        let mut tempo = long_flood(Mode::Strict);
        assert!(tempo.looks_around(MILLI), "long ago");
        for _ in 0..NARROW_LOOKS {
            assert!(!tempo.looks_around(MILLI));
        }
        assert!(tempo.looks_around(MILLI), "often enough");
        assert!(!tempo.looks_around(MILLI));
        assert!(tempo.looks_around(MILLI + NARROW_FOR), "long enough");
        tempo.ends();
        assert!(tempo.looks_around(MILLI) && tempo.looks_around(MILLI));
    }

    #[test]
    fn more_is_read_without_a_look_after_a_whole_read_but_not_after_one_that_found_nothing() {
        let mut tempo = long_flood(Mode::Strict);
        assert!(!tempo.reads_on(), "that may have been all");
        tempo.read(WHOLE);
        for _ in 1..READS {
            assert!(tempo.reads_on());
        }
        assert!(!tempo.reads_on(), "others want to be looked at");
        assert!(tempo.reads_on());
        tempo.dry();
        for _ in 0..LOOKS {
            assert!(!tempo.reads_on());
        }
        assert!(tempo.reads_on());
    }

    #[test]
    fn the_recording_side_is_told_of_much_of_what_waits_and_when_the_flood_is_over() {
        let mut tempo = long_flood(Mode::BestEffort);
        assert!(tempo.tells(Flow::Flood, TELL_AFTER, MILLI));
        assert!(!tempo.tells(Flow::Flood, TELL_AFTER - 1, MILLI));
        assert!(tempo.tells(Flow::Flood, 1, MILLI + TELL_WITHIN));
        assert!(!tempo.tells(Flow::Flood, 1, MILLI + TELL_WITHIN));
        assert!(tempo.tells(Flow::End, 1, MILLI + TELL_WITHIN));
    }

    #[test]
    fn at_a_prompt_the_recording_side_is_told_at_once_where_it_is_waited_for_and_a_moment_later_else() {
        assert!(Tempo::new(Mode::Strict).tells(Flow::Prompt, 1, MILLI));
        let mut tempo = Tempo::new(Mode::BestEffort);
        assert!(tempo.tells(Flow::Prompt, 0, MILLI) && !tempo.lingers(), "there is nothing to tell");
        assert!(!tempo.tells(Flow::Prompt, 1, MILLI) && tempo.lingers());
        assert!(!tempo.tells(Flow::Prompt, 2, MILLI + LINGER / 2), "counted from the first");
        assert!(tempo.tells(Flow::Prompt, 2, MILLI + LINGER) && !tempo.lingers());
        assert!(!tempo.tells(Flow::Prompt, 1, MILLI));
        assert!(tempo.tells(Flow::Prompt, TELL_AFTER, MILLI), "that is much");
        assert!(!tempo.tells(Flow::Prompt, 1, MILLI));
        assert!(
            tempo.tells(Flow::End, 1, MILLI) && !tempo.lingers(),
            "nothing comes that could be told of with it"
        );
    }
}

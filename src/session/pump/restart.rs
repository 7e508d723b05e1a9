//! A new recording side for one that has died, so that a best-effort session is recorded again.

use std::time::{Duration, Instant};

use super::Pump;
use crate::clock::boottime_micros;
use crate::recording::control::channel;
use crate::recording::side::{self, Resume};
use crate::session::{Recorder, buffer};
use crate::spin::Spin;
use crate::sys::{self, Forked};

/// How long after its death, and after each one that could not be started.
const PAUSE: Duration = Duration::from_secs(1);

/// What a new recording side is started with.
#[derive(Debug)]
pub(super) struct Restart {
    plan: side::Plan,
    buffer: usize,
    /// How many files the session has.
    pub(super) segments: u32,
    /// When the next one is due, and when the last one died.
    at: Option<Instant>,
    died: u64,
}

impl Restart {
    pub(super) fn new(plan: side::Plan, buffer: usize) -> Self {
        Self { plan, buffer, segments: 0, at: None, died: 0 }
    }
}

impl Pump {
    /// Starts a new recording side where the last one has died and it is time. What the old ring still holds is
    /// lost, and told as a gap.
    pub(super) fn restart_recorder(&mut self) {
        let Some(restart) = self.restart.as_mut().filter(|_| self.recorder.gone && !self.closed) else {
            return;
        };
        let now = Instant::now();
        let due = *restart.at.get_or_insert_with(|| {
            restart.died = boottime_micros();
            now + PAUSE
        });
        // The terminal is shown from the ring: it must have all of the old one first.
        if now < due || self.finishing.is_some() || self.recorder.ring.unshown() > 0 {
            return;
        }
        restart.at = Some(now + PAUSE);
        let (Ok((mut producer, consumer, _)), Ok((ours, theirs))) = (buffer(restart.buffer), channel())
        else {
            return;
        };
        let old = &self.recorder.ring;
        producer.go_on_after(old);
        let (stream, recorded) = old.accepted_stream();
        let mut plan = restart.plan.clone();
        plan.resume = Some(Resume {
            segments: restart.segments.max(1),
            stream,
            recorded,
            came: old.stream(),
            typed: old.typed(),
            since: restart.died,
        });
        let spin = Spin::new();
        let pid = match sys::fork() {
            Ok(Forked::Child) => side::run(plan, consumer, theirs, spin),
            Ok(Forked::Parent(pid)) => pid,
            Err(_) => return,
        };
        restart.at = None;
        if let Some(running) = &mut self.running {
            running.spare(pid);
        }
        let path = self.recorder.path.clone();
        self.recorder = Recorder { ring: producer, channel: ours, pid, path, gone: false };
        self.reported = true;
        self.stall.forgive();
        self.full = None;
    }

    /// When a new recording side is due, if one is.
    pub(super) fn restart_in(&self) -> Option<Duration> {
        let restart = self.restart.as_ref().filter(|_| self.recorder.gone && !self.closed)?;
        let left = restart.at.map_or(PAUSE, |at| at.saturating_duration_since(Instant::now()));
        (self.finishing.is_none() && self.recorder.ring.unshown() == 0).then_some(left)
    }
}

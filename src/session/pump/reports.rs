//! What the recording side reports, what its silence means, and what follows from a failure.

use std::time::{Duration, Instant};

use super::{Pump, Step};
use crate::oplog::Happening;
use crate::recording::control::{Order, Received, Report};
use crate::recording::name::segment_path;
use crate::recording::{Cause, Fault, Operation};
use crate::session::enforce::Verdict;

impl Pump {
    pub(super) fn reports(&mut self) -> Step {
        while !self.recorder.gone && self.reported {
            match self.recorder.channel.receive() {
                Received::Nothing => self.reported = false,
                Received::Message(Report::Started(segment)) => {
                    if let Some(restart) = &mut self.restart {
                        restart.segments = restart.segments.max(segment);
                    }
                    let first = &self.recorder.path;
                    let path = if segment > 1 { segment_path(first, segment) } else { first.clone() };
                    self.outcome.files.push(path);
                }
                Received::Message(Report::Recovered { bytes, lost, micros }) => {
                    self.enforcer.recovered(self.begun.elapsed());
                    self.failing_since = None;
                    let seconds = Duration::from_micros(micros).as_secs_f64();
                    self.log.tell(&Happening::Recovery { bytes, lost, seconds });
                }
                Received::Message(Report::Dropped(lost)) => {
                    let error = Cause::BufferFull.code();
                    self.log.tell(&Happening::Gap { error, lost });
                }
                Received::Message(Report::Failed(fault)) => {
                    if let Step::Terminate = self.failed(fault) {
                        return Step::Terminate;
                    }
                }
                Received::Message(Report::Closed { lost, fault }) => {
                    self.closed = true;
                    self.outcome.lost = Some(lost);
                    if let Some(fault) = fault
                        && let Step::Terminate = self.failed(fault)
                    {
                        return Step::Terminate;
                    }
                }
                Received::HungUp => {
                    self.recorder.gone = true;
                    if !self.closed {
                        let fault = Fault { during: Operation::Run, cause: Cause::RecorderGone };
                        return self.failed(fault);
                    }
                }
            }
        }
        Step::GoOn
    }

    pub(super) fn failed(&mut self, fault: Fault) -> Step {
        self.failing_since.get_or_insert_with(Instant::now);
        if self.outcome.faults.last() != Some(&fault) {
            self.outcome.faults.push(fault);
        }
        self.log.tell(&Happening::failure(fault));
        if fault.is_spoiled_file() {
            self.outcome.spoiled.extend(self.outcome.files.pop());
        }
        match self.enforcer.failed() {
            Verdict::GoOn => Step::GoOn,
            Verdict::Refuse | Verdict::Terminate => Step::Terminate,
        }
    }

    pub(super) fn watch_for_stall(&mut self, now: Duration) -> Step {
        let outstanding = self.outstanding();
        let progress = self.recorder.ring.accepted().wrapping_add(self.recorder.ring.released());
        let stalled = self.stall.look(now, outstanding, progress);
        if stalled < self.stall_timeout {
            return Step::GoOn;
        }
        self.stall.forgive();
        if self.ended_by.is_none() && self.recorder.is_stopped() {
            return Step::GoOn;
        }
        self.recorder.channel.send(&Order::Stalled);
        let during = if self.finishing.is_some() { Operation::Close } else { Operation::Write };
        self.failed(Fault { during, cause: Cause::Stalled })
    }

    /// Whether the recording side owes progress that nothing explains the lack of.
    pub(super) fn outstanding(&self) -> bool {
        let closing = self.finishing.is_some() && !self.closed;
        (self.recorder.ring.is_owed() || closing) && !self.enforcer.is_failing() && !self.recorder.gone
    }
}

//! What the recording side does when the recording fails, goes on, or ends.

use std::path::Path;

use super::{Failing, KILLED, MOST_LEFT, Recorder, Resume, Stop};
use crate::clock::boottime_micros;
use crate::recording::control::Report;
use crate::recording::name::{file_name_of, segment_path};
use crate::recording::transcript::OpenGap;
use crate::recording::watch::Seen;
use crate::recording::{
    Cause, Continues, Ending, Fault, Operation, Reason, RecordingFile, StreamBytes, seconds,
};

impl Recorder {
    pub(super) fn fail(&mut self, fault: Fault) {
        // After a failed sync nothing that was written since the last one can be trusted.
        let unsynced = fault.during == Operation::Sync && fault.cause != Cause::Stalled;
        // Nor what is in a file that others have taken or changed.
        let kept = if unsynced {
            Some(self.durability.synced())
        } else {
            fault.is_spoiled_file().then_some(self.file_from)
        };
        let doubtful = kept.map_or(0, |kept| self.written.recorded - kept.recorded);
        let newly_lost = kept.is_some() && !std::mem::replace(&mut self.file_lost, true);
        if newly_lost {
            self.spoiled += doubtful;
        }
        if let Some(failing) = &mut self.failing {
            failing.doubtful = failing.doubtful.max(doubtful);
            if newly_lost && fault.is_spoiled_file() {
                // That the file is none any more is news, also of a recording that fails.
                self.channel.send(&Report::Failed(fault));
            }
        } else {
            let since = boottime_micros();
            self.failing =
                Some(Failing { fault, since, stream: self.written.stream, doubtful, marked: false });
            self.channel.send(&Report::Failed(fault));
        }
    }

    /// Tries to go on after a failure: with a file, then with the lines that waited and a marker,
    /// then with the gap record and the ring's next frames.
    pub(super) fn recover(&mut self) {
        if self.durability.is_busy() {
            // What hangs in a sync would take every write in, and bring none to the disk.
            return;
        }
        // Events were not looked at while it failed.
        let place = self.file.as_ref().filter(|_| !self.file_lost).map_or(Ok(()), RecordingFile::check_place);
        if let Err(fault) = place {
            self.fail(fault);
        }
        let Some(mut failing) = self.failing else { return };
        if self.file_lost {
            // One that is elsewhere now is let go: its disk may have to be, too.
            let left = self.let_go();
            let room = MOST_LEFT.saturating_sub(self.left.len());
            self.left.extend(left.map(|file| file.shared()).into_iter().take(room));
            (self.watch, self.file_lost) = (None, false);
        }
        if self.file.is_none()
            && let Err(fault) = self.open()
        {
            // Another number may be free.
            self.segments += u32::from(fault.is_existing_file() && self.segments > 0);
            return;
        }
        if !failing.marked {
            failing.marked = true;
            self.failing = Some(failing);
            self.transcript.marker(&gap_marker(failing.fault));
        }
        if let Err(fault) = self.write_batch() {
            self.fail(fault);
            return;
        }
        self.transcript.open_gap(OpenGap {
            fault: failing.fault,
            bytes: self.consumer.stream().saturating_sub(failing.stream),
            doubtful: failing.doubtful,
            micros: boottime_micros().saturating_sub(failing.since),
        });
        self.failing = None;
        let told = self.consumer.stream();
        if !self.record_claim() {
            self.transcript.tell_gap(0);
            self.write();
        }
        if let Some(again) = &mut self.failing {
            // The gap that was told is on its way to the file: another one counts from there.
            again.stream = told.max(again.stream);
        }
        if self.failing.is_none() {
            let gap = self.transcript.take_told();
            let (bytes, lost) = gap.map_or((0, 0), |gap| (gap.bytes, gap.lost));
            let micros = boottime_micros().saturating_sub(failing.since);
            self.channel.send(&Report::Recovered { bytes, lost, micros });
        }
    }

    /// Lets the file go, which the next one continues; it is given back if it is still at its path.
    fn let_go(&mut self) -> Option<RecordingFile> {
        let file = self.file.take()?;
        let (bytes, hash) = file.accepted();
        self.previous = Some(Continues {
            segment: self.segments,
            file: file_name_of(file.path()),
            bytes: Some(bytes),
            blake3: Some(hash.to_hex().to_string()),
            time: seconds(self.written.time),
            output: self.written.stream,
        });
        file.check_place().is_ok().then_some(file)
    }

    /// Ends without what was not written.
    pub(super) fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Abort => {
                if let Some(file) = self.file.take() {
                    file.discard();
                }
            }
            Stop::Terminate(ending) => {
                let cause = self.failing.map_or_else(|| "stalled".to_owned(), |failing| failing.fault.code());
                self.transcript.abandon(self.written.time);
                self.finish(ending, Some(&format!("Session terminated: the recording failed ({cause})")));
            }
        }
    }

    /// Ends in good order: with all that the ring holds, as far as the disk lets.
    pub(super) fn close(&mut self) {
        if self.watch.is_none() {
            // It ends before there was a watch.
            self.look_at_file(Seen::Moved);
        }
        if self.failing.is_some() && self.plan.retry {
            if self.file_lost {
                // A sync of the file that was taken would keep the next one from being opened. What it comes to is of no
                // account: of that file nothing counts.
                let _ = self.durability.wait();
            }
            self.recover();
        }
        while self.failing.is_none() && self.record_claim() {
            self.report_dropped();
        }
        if self.failing.is_none() {
            self.transcript.release_held();
            // A header alone has time until the end, where no closing records would have to be taken back.
            let settles = !self.plan.retry || self.written != self.durability.synced();
            if self.write()
                && settles
                && let Some(file) = &self.file
                && let Err(fault) = self.durability.settle(file, self.written)
            {
                self.fail(fault);
            }
        }
        if self.failing.is_some() && !self.plan.retry && !self.hung_up {
            // What a failure means the terminal side decides, also at the very end.
            while self.stop.is_none() && !self.hung_up {
                self.sleep(None);
            }
            if let Some(stop) = self.stop {
                return self.stop(stop);
            }
        }
        let ending = self.finish.unwrap_or(Ending { reason: Reason::TerminalSideDied, status: KILLED });
        if let Some(failing) = self.failing {
            self.transcript.abandon(self.written.time);
            self.transcript.marker(&gap_marker(failing.fault));
            let lost = self.consumer.stream().saturating_sub(self.written.stream);
            self.transcript.open_gap(OpenGap {
                fault: failing.fault,
                bytes: self.consumer.stream().saturating_sub(failing.stream),
                doubtful: failing.doubtful,
                micros: boottime_micros().saturating_sub(failing.since),
            });
            self.transcript.tell_gap(lost);
        }
        let marker =
            (ending.reason == Reason::TerminalSideDied).then_some("Session ended: recmode was killed");
        self.finish(ending, marker);
    }

    /// Writes the closing lines, closes the file and reports.
    pub(super) fn finish(&mut self, ending: Ending, marker: Option<&str>) {
        let recorded = self.written.recorded.saturating_sub(self.spoiled);
        let time = boottime_micros().saturating_sub(self.plan.started);
        let streams = self.plan.header.session.streams.map(|_| {
            let [stdin, stdout, stderr] = self.consumer.through();
            StreamBytes { stdin, stdout, stderr }
        });
        self.transcript.closing(time, marker, streams, ending, recorded);
        let result = match self.file.take() {
            Some(mut file) => {
                let written = file.append_closing(&mut self.transcript.batch.bytes);
                let synced = self.durability.finish(&file);
                let signed = match (&self.plan.sign_key, written) {
                    // What is not finished is not signed.
                    (Some(key), Ok(())) => file.sign(key, self.plan.owners),
                    _ => Ok(()),
                };
                written.and(synced).and(signed).and(file.close())
            }
            None => Err(Fault { during: Operation::Close, cause: Cause::Vanished }),
        };
        let lost = self.consumer.stream().saturating_sub(recorded);
        // A failure that lasts was told when it began.
        let fault = result.err().filter(|_| self.failing.is_none());
        self.channel.send(&Report::Closed { lost, fault });
    }
}

/// What the first file of a recording side continues that takes the place of one that died `time` microseconds after the
/// session's start: how much is in the file of that one nobody knows.
pub(super) fn after_a_death(first: &Path, resume: Resume, time: u64) -> Continues {
    Continues {
        segment: resume.segments,
        file: file_name_of(&segment_path(first, resume.segments)),
        bytes: None,
        blake3: None,
        time: seconds(time),
        output: resume.stream,
    }
}

/// What a player shows where a gap is.
fn gap_marker(fault: Fault) -> String {
    format!("Gap: the recording failed ({})", fault.code())
}

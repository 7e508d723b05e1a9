//! The recording side: the process that owns the recording and nothing of the user's.
//!
//! It claims frames from the ring, encodes, writes, and reports. What a failure means is decided
//! by the terminal side; here is only known whether trying again is wanted. When the terminal side
//! is gone it records what the ring still holds and closes the recording.

mod failure;
mod plan;

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};

pub use plan::{Plan, Resume};

use crate::apart;
use crate::clock::boottime_micros;
use crate::oplog::{Happening, LogSocket};
use crate::recording::chain::EVERY_BYTES;
use crate::recording::control::{Channel, Order, Received, Report};
use crate::recording::name::{file_name_of, segment_path};
use crate::recording::sync::Durability;
use crate::recording::transcript::{Transcript, WRITE};
use crate::recording::watch::{Seen, Watch};
use crate::recording::{Batch, Cause, Continues, Ending, Fault, Format, Operation, RecordingFile, Unit};
use crate::ring::Consumer;
use crate::spin::{self, Spin};
use crate::sys;
use crate::wait::wait;

/// How long a session lives before what only a longer one needs is set up: a watch over the file, and a thread that syncs it.
const SETTLE: Duration = Duration::from_millis(10);
/// How long the rest of a character is waited for.
const HOLD: Duration = Duration::from_millis(20);
/// How often a failing disk is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often is looked for orders, and after the file, while there is no pause.
const LISTEN: Duration = Duration::from_millis(100);
/// How long after a write it is checked at the latest.
const CHECK: Duration = Duration::from_secs(5);
/// Locks of files that were left that are held at most: a disk may fail all the time.
const MOST_LEFT: usize = 64;
/// What takes longer than this may have been counted as a stall.
const SLOW: Duration = Duration::from_millis(500);
/// What a session exits with whose terminal side was killed.
const KILLED: u8 = 128 + 9;

/// A failure that lasts.
#[derive(Debug, Clone, Copy)]
struct Failing {
    fault: Fault,
    since: u64,
    stream: u64,
    /// Bytes before `stream` that a failed sync leaves in doubt.
    doubtful: u64,
    marked: bool,
}

struct Recorder {
    plan: Plan,
    consumer: Consumer,
    spin: Spin,
    channel: Channel<Report, Order>,
    transcript: Transcript,
    /// The file, unless it could not be created yet or is no longer ours.
    file: Option<RecordingFile>,
    watch: Option<Watch>,
    /// When there is to be one.
    watch_at: Option<Instant>,
    /// The file can't be gone on with.
    file_lost: bool,
    /// What was recorded before the file that is written now, and what of that and of the files
    /// before is in no file any more: bytes of output.
    file_from: Unit,
    spoiled: u64,
    /// How many files were created.
    segments: u32,
    /// The last file that was left, which the next one continues.
    previous: Option<Continues>,
    /// Files that were left for others, with their locks: their session goes on.
    left: Vec<Arc<File>>,
    /// The last unit that a file holds.
    written: Unit,
    durability: Durability,
    /// When a check is due.
    check_at: Option<Instant>,
    /// Where the ring was claimed up to.
    claimed: u64,
    /// When the last write was done.
    progress: u64,
    failing: Option<Failing>,
    /// What the terminal side said that is not done yet.
    stalled: bool,
    finish: Option<Ending>,
    stop: Option<Stop>,
    hung_up: bool,
}

/// What ends the recording side at once.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Abort,
    Terminate(Ending),
}

/// Runs the recording side in a process of its own, which was just forked, until the session is over.
pub fn run(plan: Plan, consumer: Consumer, channel: Channel<Report, Order>, spin: Spin) -> ! {
    let [own, other] = consumer.wakes();
    let keep = [own.as_fd().as_raw_fd(), other.as_fd().as_raw_fd(), channel.as_raw_fd()];
    apart::live_apart(&keep, c"recmode-rec");
    let Ok(durability) = Durability::new(plan.sync, plan.stall_timeout) else {
        // Out of descriptors: the terminal side sees the hang-up, and decides.
        sys::exit_now(1)
    };
    let mut recorder = Recorder {
        transcript: Transcript::new(plan.format, plan.header.session.streams.is_none()),
        progress: plan.started,
        plan,
        consumer,
        spin,
        channel,
        file: None,
        watch: None,
        watch_at: None,
        file_lost: false,
        file_from: Unit::default(),
        spoiled: 0,
        segments: 0,
        previous: None,
        left: Vec::new(),
        claimed: 0,
        written: Unit::default(),
        durability,
        check_at: None,
        failing: None,
        stalled: false,
        finish: None,
        stop: None,
        hung_up: false,
    };
    if let Some(resume) = recorder.plan.resume {
        recorder.take_over(resume);
    }
    recorder.serve();
    recorder.finish_log();
    sys::exit_now(0)
}

impl Recorder {
    /// Goes on where another has died: what it had not written yet is lost, and told as a gap.
    fn take_over(&mut self, resume: Resume) {
        let Resume { segments, stream, recorded, came, typed, since } = resume;
        self.segments = segments;
        let time = since.saturating_sub(self.plan.started);
        self.written = Unit { end: 0, stream: came, recorded, time };
        self.transcript.encoder().rewind(time);
        self.file_from = self.written;
        self.previous = Some(failure::after_a_death(&self.plan.path, resume, time));
        self.transcript.resume(came, recorded, typed);
        self.failing = Some(Failing {
            fault: Fault { during: Operation::Run, cause: Cause::RecorderGone },
            since,
            stream: came,
            doubtful: came.saturating_sub(stream),
            marked: false,
        });
    }

    fn serve(&mut self) {
        if self.plan.resume.is_some() {
            self.recover();
        } else if let Err(fault) = self.open() {
            self.fail(fault);
        }
        let mut retry_at = Instant::now() + RETRY;
        let mut listen_at = Instant::now();
        let mut held_since: Option<Instant> = None;
        loop {
            if let Some(stop) = self.stop {
                return self.stop(stop);
            }
            if self.watch_at.is_some_and(|at| at <= Instant::now()) {
                self.begin_watch();
            }
            if let Err(fault) = self.durability.turn(self.file.as_ref(), self.written) {
                self.fail(fault);
            }
            if self.failing.is_none()
                && let Err(fault) = self.check_chain()
            {
                self.fail(fault);
            }
            let timeout = if self.failing.is_some() {
                held_since = None;
                if self.hung_up || (self.finish.is_some() && self.plan.retry) {
                    return self.close();
                }
                if self.plan.retry && retry_at <= Instant::now() {
                    self.recover();
                    retry_at = Instant::now() + RETRY;
                    continue;
                }
                self.plan.retry.then(|| retry_at.saturating_duration_since(Instant::now()))
            } else if self.record_claim() {
                self.report_dropped();
                let now = Instant::now();
                retry_at = now + RETRY;
                // Output without a pause must not keep orders waiting, nor hide what others do to the file.
                if now >= listen_at {
                    listen_at = now + LISTEN;
                    self.take_orders();
                    self.look_at_file(Seen::Moved);
                }
                continue;
            } else if self.hung_up || self.finish.is_some() {
                return self.close();
            } else if self.transcript.held_position().is_some() {
                let since = *held_since.get_or_insert_with(Instant::now);
                let left = HOLD.saturating_sub(since.elapsed());
                if left.is_zero() {
                    held_since = None;
                    self.transcript.release_held();
                    self.write();
                    continue;
                }
                Some(left)
            } else {
                held_since = None;
                None
            };
            let look = self.watch.as_ref().and_then(Watch::look_after);
            let watch = self.watch_at.map(|at| at.saturating_duration_since(Instant::now()));
            let check = self.check_at.map(|at| at.saturating_duration_since(Instant::now()));
            let check = check.filter(|_| self.failing.is_none());
            let timeout =
                [timeout, self.durability.deadline(), look, watch, check].into_iter().flatten().min();
            self.sleep(timeout);
        }
    }

    /// Waits for frames, orders, the end of a sync, or what others do to the file.
    fn sleep(&mut self, timeout: Option<Duration>) {
        let failing = self.failing.is_some();
        // Our own writes are among them, and can't be told from those of others: it costs a look. Now, as somebody may wait
        // for what comes next, or nothing comes for long.
        self.look_at_file(self.take_events());
        if self.failing.is_some() != failing {
            return;
        }
        self.consumer.announce_sleep();
        // A failing recording leaves its frames in the ring.
        let (mut ordered, mut woken, mut seen) = (false, false, Seen::Nothing);
        if failing || self.consumer.is_empty() {
            let timeout = timeout.map_or(PollTimeout::NONE, |left| {
                // Rounded up, so that the time is over after the wait.
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            });
            let channel = self.channel.as_fd();
            let events = self.watch.as_ref().and_then(Watch::events);
            let mounts = self.watch.as_ref().and_then(Watch::mounts);
            // The channel stands in for what there is not.
            let mut fds = [
                PollFd::new(channel, PollFlags::POLLIN),
                PollFd::new(self.durability.as_fd(), PollFlags::POLLIN),
                PollFd::new(events.unwrap_or(channel), PollFlags::POLLIN),
                PollFd::new(mounts.unwrap_or(channel), PollFlags::POLLPRI),
                PollFd::new(self.consumer.wake().as_fd(), PollFlags::POLLIN),
            ];
            let fds = if failing { &mut fds[..4] } else { &mut fds[..] };
            let count = wait(fds, timeout);
            // Where poll fails, as with a limit on descriptors below their number, only a look tells.
            ordered = count
                .map_or_else(|errno| errno != Errno::EINTR, |count| count > 0 && fds[0].any() != Some(false));
            let ready = |index: usize| fds[index].any() == Some(true);
            if ready(3) || count == Ok(0) {
                seen = Seen::Moved;
            } else if ready(2) {
                seen = self.take_events();
            }
            woken = !failing && ready(4);
        }
        self.consumer.settle(woken);
        // Woken before there is anything: it comes at once.
        if woken && self.consumer.is_empty() {
            // What it will need is brought near meanwhile.
            self.look_at_file(Seen::Written);
            let consumer = &self.consumer;
            self.spin.until(spin::ECHO, || !consumer.is_empty());
        }
        if ordered {
            self.take_orders();
        }
        self.look_at_file(seen);
    }

    /// What happened to the file since this was asked last.
    fn take_events(&self) -> Seen {
        self.watch.as_ref().map_or(Seen::Nothing, Watch::take_events)
    }

    /// Watches the file from now on, and looks what happened to it before.
    fn begin_watch(&mut self) {
        self.watch_at = None;
        self.watch = self.file.as_ref().map(|file| Watch::new(file.path()));
        self.look_at_file(Seen::Moved);
    }

    /// Looks whether the file is still ours, as far as what was seen makes it doubtful. Where the recording fails already, that
    /// is done before it goes on.
    fn look_at_file(&mut self, seen: Seen) {
        let Some(file) = &self.file else { return };
        if seen == Seen::Nothing || self.failing.is_some() {
            return;
        }
        let checked = file.check();
        let checked = if seen == Seen::Moved { checked.and_then(|()| file.check_place()) } else { checked };
        if let Err(fault) = checked {
            self.fail(fault);
        }
    }

    fn take_orders(&mut self) {
        loop {
            match self.channel.receive() {
                Received::Message(Order::Abort) => self.stop = Some(Stop::Abort),
                Received::Message(Order::Terminate(ending)) => self.stop = Some(Stop::Terminate(ending)),
                Received::Message(Order::Finish(ending)) => self.finish = Some(ending),
                Received::Message(Order::Stalled) => self.stalled = true,
                Received::Nothing => break,
                Received::HungUp => {
                    self.hung_up = true;
                    break;
                }
            }
        }
        if std::mem::take(&mut self.stalled) && self.failing.is_none() && self.stop.is_none() {
            // It is over, as this process runs; but it was noticed, and must be told.
            let fault = Fault { during: Operation::Write, cause: Cause::Stalled };
            self.failing = Some(Failing {
                fault,
                since: self.progress,
                stream: self.written.stream,
                doubtful: 0,
                marked: false,
            });
            self.recover();
        }
    }

    /// Tells the machine's log that the terminal side died; where there is a file, its process does.
    fn finish_log(&self) {
        let died = self.hung_up && self.finish.is_none() && self.stop.is_none();
        if died
            && self.plan.log.is_none()
            && let Some(socket) = LogSocket::connect()
        {
            let now = jiff::Timestamp::now().as_second();
            socket.send(now, &self.plan.identity, &Happening::terminal_side_died());
        }
    }

    /// Creates the next file with its header.
    fn open(&mut self) -> Result<(), Fault> {
        if let Some(errno) = self.plan.unreachable {
            return Err(Fault { during: Operation::CreateDirectory, cause: Cause::Errno(errno) });
        }
        let mut header = self.plan.header.clone();
        let mut path = self.plan.path.clone();
        if self.segments > 0 {
            let segment = self.segments + 1;
            path = segment_path(&path, segment);
            header.session.segment = Some(segment);
            header.session.continues.clone_from(&self.previous);
            (header.term.cols, header.term.rows) = self.consumer.window_size();
            header.session.first = Some(file_name_of(&self.plan.path));
            if self.plan.format == Format::AsciicastV3 {
                // Times count from the last event that was written.
                header.timestamp += i64::try_from(self.written.time / 1_000_000).unwrap_or(0);
            }
        }
        let begun = Instant::now();
        let mut file = RecordingFile::create(&path, self.plan.owners, self.plan.sign_key.is_some())?;
        let mut first = Batch::default();
        self.transcript.encoder().header(&header, &mut first.bytes);
        first.end_unit(self.written.stream, self.written.recorded, self.written.time);
        let (_, written) = file.append(&mut first);
        // Not each time again, where a disk that syncs nothing may have files made all the time.
        let sync_at = (self.segments == 0).then(|| begun + SETTLE);
        let kept = written.and_then(|()| self.durability.new_file(&file, self.written, sync_at));
        if let Err(fault) = kept {
            file.discard();
            return Err(fault);
        }
        self.file = Some(file);
        self.segments += 1;
        self.file_from = self.written;
        self.progress_made(begun);
        if matches!(self.stop, Some(Stop::Abort)) {
            return Ok(());
        }
        self.channel.send(&Report::Started(self.segments));
        (self.watch, self.watch_at) = (None, Some(begun + SETTLE));
        // The session starts meanwhile.
        if let Some(file) = &mut self.file {
            file.prepare();
        }
        Ok(())
    }

    /// Encodes and writes the next frames, as many as are worth a write. False when there are none.
    fn record_claim(&mut self) -> bool {
        let size = self.consumer.window_size();
        let before = self.claimed;
        if self.unchecked() >= EVERY_BYTES && !self.consumer.is_empty() {
            // With what comes: a write of its own would cost as much as that.
            self.transcript.check();
            self.check_at = None;
        }
        while self.transcript.batch.bytes.len() < WRITE {
            let Some(claim) = self.consumer.claim() else { break };
            if claim.start > self.claimed {
                self.transcript.frames_were_dropped();
            }
            for (frame, position, payload) in claim.frames() {
                self.transcript.frame(frame, position, payload, size);
            }
            self.claimed = claim.end;
        }
        if self.claimed == before {
            return false;
        }
        self.write();
        // The batch holds its own copy of what could not be written.
        self.consumer.release(self.claimed);
        true
    }

    /// Reports a gap that was told without a failure.
    fn report_dropped(&mut self) {
        if self.failing.is_none()
            && let Some(gap) = self.transcript.take_told()
        {
            self.channel.send(&Report::Dropped(gap.lost));
        }
    }

    /// Writes what is encoded: then it is accepted, else the failure is reported.
    fn write(&mut self) -> bool {
        match self.write_batch() {
            Ok(()) => {
                let position = self.transcript.held_position().unwrap_or(self.claimed);
                let recorded = self.written.recorded.saturating_sub(self.spoiled);
                self.consumer.accept(position, self.written.stream, recorded);
                true
            }
            Err(fault) => {
                self.fail(fault);
                false
            }
        }
    }

    fn write_batch(&mut self) -> Result<(), Fault> {
        let batch = &mut self.transcript.batch;
        if batch.bytes.is_empty() {
            return Ok(());
        }
        let Some(file) = &mut self.file else {
            return Err(Fault { during: Operation::Watch, cause: Cause::Vanished });
        };
        let begun = Instant::now();
        let (unit, result) = file.append(batch);
        if let Some(unit) = unit {
            self.written = unit;
            self.durability.wrote(file, unit)?;
        }
        if result.is_ok() {
            self.progress_made(begun);
        }
        result
    }

    /// Writes a check where nothing was written that one could go before.
    fn check_chain(&mut self) -> Result<(), Fault> {
        if self.unchecked() == 0 {
            self.check_at = None;
            return Ok(());
        }
        let at = *self.check_at.get_or_insert_with(|| Instant::now() + CHECK);
        if at > Instant::now() {
            return Ok(());
        }
        self.check_at = None;
        self.transcript.check();
        self.write_batch()
    }

    fn unchecked(&self) -> u64 {
        self.file.as_ref().map_or(0, RecordingFile::unchecked)
    }

    fn progress_made(&mut self, begun: Instant) {
        if begun.elapsed() >= SLOW {
            self.take_orders();
        }
        self.progress = boottime_micros();
    }
}

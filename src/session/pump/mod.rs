//! The pump: bytes between the user's terminal, the command and the ring, until the session ends.
//!
//! One thread, one poll, no waiting for anything else. What a failure means is the enforcer's to say.

mod ending;
mod input;
mod output;
mod relay;
mod restart;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout};

use self::ending::{END_PATIENCE, HANG_UP_PATIENCE};
use self::input::Inflow;
use self::output::FULL_PATIENCE;
use self::relay::POLLED;
pub(super) use self::relay::Relay;
use self::restart::Restart;
use super::command::Running;
use super::enforce::{Enforcer, Verdict};
use super::hang_up::LOOK;
use super::input_mask::InputMask;
use super::outer::Outer;
use super::program_modes::ProgramModes;
use super::signals::Signals;
use super::{LEAST_BUFFER, Log, Outcome, Plan, Recorder, Watched};
use crate::oplog::Happening;
use crate::policy::Mode;
use crate::recording::control::{Order, Received, Report};
use crate::recording::name::segment_path;
use crate::recording::{Cause, Ending, Fault, Operation};
use crate::stall::StallWatch;
use crate::wait::wait;

/// How far reading may be ahead of showing: the memory in use, and in strict what is on its way.
const WINDOW: u64 = 256 * 1024;
/// What is read at most after the command ended: more than a terminal's buffers hold, so that all
/// of the command's own output is in it, and a background job can't keep the session open.
const DRAIN: usize = 256 * 1024;
/// How often is looked whether a session in the background came to the foreground: nothing says so.
const BACKGROUND_LOOK: Duration = Duration::from_millis(500);

/// A session that runs.
pub(super) struct Pump {
    outer: Outer,
    signals: Signals,
    recorder: Recorder,
    enforcer: Enforcer,
    log: Log,
    running: Option<Running>,
    /// The streams of a session without a terminal.
    relay: Option<Relay>,
    /// For a best-effort session, whose recording goes on whatever happens to it.
    restart: Option<Restart>,
    modes: ProgramModes,
    outcome: Outcome,
    begun: Instant,
    started: u64,
    fixed_size: bool,
    stall_timeout: Duration,

    stall: StallWatch,
    mask: Option<InputMask>,
    keys: Inflow,
    stream: Inflow,
    output_open: bool,
    foreground: bool,
    /// The terminal took less than it was given.
    output_blocked: bool,
    /// Since when the buffer is full, and how far the recorder was then.
    full: Option<(Instant, u64)>,
    /// Bytes that may still be read after the command ended; `None` while it runs.
    drain: Option<usize>,
    /// What recmode was told to end by.
    ended_by: Option<(Ending, Instant)>,
    finishing: Option<Instant>,
    /// Since when the recording has failed, if it does.
    failing_since: Option<Instant>,
    /// The recording side may have said something.
    reported: bool,
    closed: bool,
}

/// Whether the loop goes on.
enum Step {
    GoOn,
    Over,
    Terminate,
}

impl Pump {
    pub(super) fn new(
        outer: Outer,
        signals: Signals,
        watched: Watched,
        running: Option<Running>,
        relay: Option<Relay>,
        plan: &Plan,
        outcome: Outcome,
    ) -> Self {
        let Watched { recorder, enforcer, log } = watched;
        let foreground = outer.in_foreground();
        let failing_since = enforcer.is_failing().then(Instant::now);
        let restart = (enforcer.mode() == Mode::BestEffort)
            .then(|| Restart::new(plan.recording.clone(), plan.buffer.max(LEAST_BUFFER)));
        let (keys, stream) = (Inflow::new(outer.keyboard().is_some()), Inflow::new(outer.input_is_stream()));
        Self {
            outer,
            signals,
            recorder,
            enforcer,
            log,
            running,
            relay,
            restart,
            modes: ProgramModes::default(),
            outcome,
            begun: Instant::now(),
            started: plan.recording.started,
            fixed_size: plan.size.is_some(),
            stall_timeout: plan.recording.stall_timeout,
            stall: StallWatch::new(Duration::ZERO, plan.recording.stall_timeout),
            mask: plan.capture_input.then(InputMask::default),
            keys,
            stream,
            output_open: true,
            foreground,
            output_blocked: false,
            full: None,
            drain: None,
            ended_by: None,
            finishing: None,
            failing_since,
            reported: true,
            closed: false,
        }
    }

    /// Runs the session to its end and leaves the terminal as it was.
    pub(super) fn run(mut self) -> Outcome {
        if self.running.is_none() {
            self.drain = Some(0);
        }
        loop {
            let step = match self.reports() {
                Step::GoOn => self.turn(),
                step => step,
            };
            match step {
                Step::GoOn => {}
                Step::Over => {
                    self.log_end(self.ending().reason);
                    break;
                }
                Step::Terminate => {
                    self.terminate();
                    break;
                }
            }
        }
        self.outer.leave_raw();
        self.outcome
    }

    /// One turn: show, see what is due, wait, move bytes.
    fn turn(&mut self) -> Step {
        self.show();
        let now = self.begun.elapsed();
        if let Step::Terminate = self.watch_for_stall(now) {
            return Step::Terminate;
        }
        self.show_warning(now);
        if let Some(mask) = &mut self.mask {
            let overdue = mask.overdue(now);
            self.record_input(&overdue);
        }
        self.restart_recorder();
        self.end_when_told();
        self.end_of_streams();
        if let Some(step) = self.finish() {
            return step;
        }
        self.wait_and_move(now)
    }

    fn reports(&mut self) -> Step {
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

    fn failed(&mut self, fault: Fault) -> Step {
        self.failing_since.get_or_insert_with(Instant::now);
        if self.outcome.faults.last() != Some(&fault) {
            self.outcome.faults.push(fault);
            self.log.tell(&Happening::failure(fault));
        }
        if fault.is_spoiled_file() {
            self.outcome.spoiled.extend(self.outcome.files.pop());
        }
        match self.enforcer.failed() {
            Verdict::GoOn => Step::GoOn,
            Verdict::Refuse | Verdict::Terminate => Step::Terminate,
        }
    }

    fn watch_for_stall(&mut self, now: Duration) -> Step {
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
    fn outstanding(&self) -> bool {
        let behind = self.recorder.ring.released() < self.recorder.ring.head();
        let closing = self.finishing.is_some() && !self.closed;
        (behind || closing) && !self.enforcer.is_failing() && !self.recorder.gone
    }

    fn wait_and_move(&mut self, now: Duration) -> Step {
        self.look_for_foreground();
        let master_open = self.running.as_ref().is_some_and(|running| running.master.is_some());
        let reads = master_open && self.drain != Some(0) && self.may_read();
        let relay_reads = self.relay.is_some() && self.has_room();
        // What is to be recorded is read only as fast as that goes, or as the mode waits for it.
        let unrecorded = self.recorder.ring.head() - self.recorder.ring.released();
        let may_capture = self.mask.is_none()
            || match self.enforcer.mode() {
                Mode::Strict => unrecorded < WINDOW,
                Mode::BestEffort => self.has_room(),
            };
        let runs = self.drain.is_none() && may_capture;
        let wants_keys = runs && self.foreground && self.keys.wants();
        let wants_stream = runs && self.stream.wants();
        let strict = self.enforcer.mode() == Mode::Strict;
        let relay_waits = self.relay.as_ref().is_some_and(Relay::awaits_recorder);
        let awaits_recorder = (strict && self.recorder.ring.unshown() > 0)
            || relay_waits
            || !may_capture
            || self.full.is_some_and(|(since, _)| since.elapsed() < FULL_PATIENCE);
        // Draining is reading until there is nothing: no need to wait for more.
        let timeout = if reads && self.drain.is_some() { Duration::ZERO } else { self.next_deadline(now) };

        if awaits_recorder {
            self.recorder.ring.announce_sleep();
            if self.recorder_went_on(may_capture) {
                self.recorder.ring.settle(false);
                return Step::GoOn;
            }
        }
        let running = self.running.as_ref();
        let stdin = running.and_then(|running| running.stdin.as_ref());
        let writes_stream = stdin.is_some() && !self.stream.pending.is_empty();
        let mut to_master = PollFlags::empty();
        to_master.set(PollFlags::POLLIN, reads);
        to_master.set(PollFlags::POLLOUT, master_open && !self.keys.pending.is_empty());
        let signals = self.signals.as_fd();
        // A descriptor that nothing is wanted of is left out, as poll reports its hang-up for ever;
        // the signals' stands in for it.
        let or_signals = |fd, wanted: bool| if wanted { fd } else { signals };
        let flags = |flag, wanted: bool| if wanted { flag } else { PollFlags::empty() };
        let master = running.and_then(|running| running.master.as_ref()).map_or(signals, AsFd::as_fd);
        let pipe = stdin.map_or(signals, AsFd::as_fd);
        let keyboard = self.outer.keyboard().unwrap_or(signals);
        let stream = self.outer.stream().unwrap_or(signals);
        let blocked = self.output_blocked && self.output_open;
        let mut fds = [
            PollFd::new(signals, PollFlags::POLLIN),
            PollFd::new(or_signals(self.recorder.channel.as_fd(), !self.recorder.gone), PollFlags::POLLIN),
            PollFd::new(or_signals(self.recorder.ring.wake().as_fd(), awaits_recorder), PollFlags::POLLIN),
            PollFd::new(or_signals(master, !to_master.is_empty()), to_master),
            PollFd::new(or_signals(pipe, writes_stream), flags(PollFlags::POLLOUT, writes_stream)),
            PollFd::new(or_signals(keyboard, wants_keys), flags(PollFlags::POLLIN, wants_keys)),
            PollFd::new(or_signals(stream, wants_stream), flags(PollFlags::POLLIN, wants_stream)),
            PollFd::new(or_signals(self.outer.output(), blocked), flags(PollFlags::POLLOUT, blocked)),
        ];
        // Only a session without a terminal has more, and pays for a longer list.
        let mut longer = Vec::new();
        let fds = match &self.relay {
            None => &mut fds[..],
            Some(relay) => {
                longer.extend(fds);
                relay.poll_fds(&mut longer, signals, relay_reads);
                &mut longer[..]
            }
        };
        let count = wait(fds, timeout_of(timeout)).unwrap_or(0);
        let any = |index: usize| fds.get(index).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        let [signal, report, wake, master, to_stdin, keys, stream, _] = [0, 1, 2, 3, 4, 5, 6, 7].map(any);
        let relayed = [8, 9, 10, 11, 12, 13].map(any);
        self.reported |= !report.is_empty();
        if awaits_recorder {
            self.recorder.ring.settle(!wake.is_empty());
        }
        if count == 0 && self.drain.is_none() {
            return Step::GoOn;
        }
        if signal.contains(PollFlags::POLLIN) {
            self.signalled();
        }
        self.relay(relayed);
        let writable = PollFlags::POLLOUT | PollFlags::POLLERR | PollFlags::POLLHUP;
        if to_master.contains(PollFlags::POLLOUT) && master.intersects(writable) {
            self.write_keys();
        }
        if writes_stream && to_stdin.intersects(writable) {
            self.write_stream();
        }
        if wants_keys && !keys.is_empty() {
            self.read_keys();
        }
        if wants_stream && !stream.is_empty() {
            self.read_stream();
        }
        if reads && (self.drain.is_some() || master.intersects(PollFlags::POLLIN | PollFlags::POLLHUP)) {
            self.read_output();
        }
        Step::GoOn
    }

    /// Whether the recorder has already done what is waited for.
    fn recorder_went_on(&mut self, may_capture: bool) -> bool {
        let accepted = self.recorder.ring.accepted();
        if self.relay.as_ref().is_some_and(|relay| relay.may_go_on(accepted)) {
            self.relay([PollFlags::empty(); POLLED]);
            return true;
        }
        let limit = self.enforcer.may_show(self.recorder.ring.head(), accepted);
        (!may_capture && self.recorder.ring.head() - self.recorder.ring.released() < WINDOW)
            || (!self.output_blocked && self.recorder.ring.has_unshown(limit))
    }

    fn look_for_foreground(&mut self) {
        if !self.foreground {
            self.foreground = self.outer.in_foreground();
            if self.foreground {
                self.outer.enter_raw();
                self.resized();
            }
        }
    }

    /// How long nothing is due if nothing happens.
    fn next_deadline(&self, now: Duration) -> Duration {
        let mut next = Duration::MAX;
        if self.outstanding() {
            next = next.min(self.stall.tick());
        }
        if let Some(at) = self.enforcer.warning_at(now)
            && at > now
        {
            next = next.min(at.saturating_sub(now));
        }
        if let Some(left) = self.restart_in() {
            next = next.min(left);
        }
        if let Some(until) = self.mask.as_ref().and_then(InputMask::deadline) {
            next = next.min(until.saturating_sub(now));
        }
        if let Some((_, since)) = self.ended_by
            && since.elapsed() < HANG_UP_PATIENCE
        {
            next = next.min(HANG_UP_PATIENCE.saturating_sub(since.elapsed()));
            if self.running.as_ref().is_some_and(Running::is_hanging_up) {
                next = next.min(LOOK);
            }
        }
        if let Some(since) = self.finishing {
            let left = END_PATIENCE.saturating_sub(since.elapsed());
            next = next.min(if left.is_zero() { self.stall.tick() } else { left });
        } else if self.drain == Some(0) {
            next = Duration::ZERO;
        }
        if let Some((since, _)) = self.full.filter(|(since, _)| since.elapsed() < FULL_PATIENCE) {
            next = next.min(FULL_PATIENCE.saturating_sub(since.elapsed()));
        }
        if !self.foreground && self.keys.open {
            next = next.min(BACKGROUND_LOOK);
        }
        next
    }
}

/// A poll timeout that is over no earlier than `duration`.
fn timeout_of(duration: Duration) -> PollTimeout {
    if duration.is_zero() {
        return PollTimeout::ZERO;
    }
    if duration == Duration::MAX {
        return PollTimeout::NONE;
    }
    PollTimeout::try_from(duration + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
}

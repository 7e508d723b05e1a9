//! The pump: bytes between the user's terminal, the command and the ring, until the session ends.
//!
//! One thread, one poll, no waiting for anything else. What a failure means is the enforcer's to say.

mod disconnect;
mod ending;
mod input;
mod output;
mod relay;
mod reports;
mod restart;
mod suspend;
mod tempo;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFlags, PollTimeout};

use self::disconnect::Disconnect;
use self::ending::{END_PATIENCE, HANG_UP_PATIENCE};
use self::input::Inflow;
use self::output::FULL_PATIENCE;
pub(super) use self::relay::Relay;
use self::relay::{NOTHING_POLLED, POLLED};
use self::restart::Restart;
use self::tempo::{Flow, Tempo};
use super::command::Running;
use super::enforce::Enforcer;
use super::hang_up::LOOK;
use super::input_mask::InputMask;
use super::outer::Outer;
use super::program_modes::ProgramModes;
use super::signals::Signals;
use super::{AfterSession, LEAST_BUFFER, Log, Outcome, Plan, Recorder, Watched};
use crate::policy::Mode;
use crate::recording::{Cause, Ending, Fault, Operation};
use crate::ring::MAX_PAYLOAD;
use crate::stall::StallWatch;
use crate::wait::PollList;

/// How far reading may be ahead of showing: the memory in use, and in strict what is on its way.
const WINDOW: u64 = 256 * 1024;
/// What is read at most after the command ended: more than a terminal's buffers hold, so that all
/// of the command's own output is in it, and a background job can't keep the session open.
const DRAIN: usize = 256 * 1024;
/// How often is looked whether a session in the background came to the foreground, or one that shares its terminal is
/// there still: nothing says so.
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
    /// When it was looked last whether it is.
    looked: Duration,
    /// The terminal took less than it was given.
    output_blocked: bool,
    tempo: Tempo,
    /// Since when the buffer is full, and how far the recorder was then.
    full: Option<(Instant, u64)>,
    /// Bytes that may still be read after the command ended; `None` while it runs.
    drain: Option<usize>,
    after_session: AfterSession,
    /// The last signal that ends most programs and was passed on to the command, and when.
    passed_on: Option<(i32, Instant)>,
    /// Since when the command has ended.
    over_since: Option<Instant>,
    /// The user's terminal is gone.
    disconnect: Option<Disconnect>,
    /// Since when the command is stopped, which recmode is to be, too.
    suspends: Option<Instant>,
    /// What recmode was told to end by.
    ended_by: Option<(Ending, Instant)>,
    finishing: Option<Instant>,
    /// Since when the recording has failed, if it does.
    failing_since: Option<Instant>,
    /// A frame found no room under strict.
    refused: bool,
    /// The recording side may have said something.
    reported: bool,
    closed: bool,
}

/// What poll told of what was asked for.
#[derive(Clone, Copy)]
struct Events {
    signal: PollFlags,
    master: PollFlags,
    to_stdin: PollFlags,
    keys: PollFlags,
    stream: PollFlags,
    relayed: [PollFlags; POLLED],
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
        let (failing_since, tempo) = (enforcer.is_failing().then(Instant::now), Tempo::new(enforcer.mode()));
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
            looked: Duration::ZERO,
            output_blocked: false,
            tempo,
            full: None,
            drain: None,
            after_session: plan.after_session,
            passed_on: None,
            over_since: None,
            disconnect: None,
            suspends: None,
            ended_by: None,
            finishing: None,
            failing_since,
            refused: false,
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
        if std::mem::take(&mut self.refused) {
            return self.failed(Fault { during: Operation::Run, cause: Cause::BufferFull });
        }
        self.show_warning(now);
        if let Some(mask) = &mut self.mask {
            let overdue = mask.overdue(now);
            self.record_input(&overdue);
        }
        self.restart_recorder();
        self.suspend_when_due();
        if let Some(running) = &mut self.running {
            running.tell_again();
        }
        self.end_when_told();
        self.end_of_streams();
        if let Some(step) = self.finish() {
            return step;
        }
        self.wait_and_move(now)
    }

    fn wait_and_move(&mut self, now: Duration) -> Step {
        self.look_at_terminal(now);
        let master_open = self.running.as_ref().is_some_and(|running| running.master.is_some());
        let reads = master_open && self.drain != Some(0) && self.may_read();
        let flood = reads && self.tempo.is_flood();
        self.tell_recorder(reads, now);
        if flood && self.drain.is_none() && !self.output_blocked && self.tempo.reads_on() {
            self.read_output();
            return Step::GoOn;
        }
        let relay_reads = self.relay.as_ref().is_some_and(|relay| !relay.has_files()) && self.has_room();
        // What is to be recorded is read only as fast as that goes, or as the mode waits for it.
        let unrecorded = self.recorder.ring.head() - self.recorder.ring.released();
        let strict = self.enforcer.mode() == Mode::Strict;
        let may_capture = self.mask.is_none() || if strict { unrecorded < WINDOW } else { self.has_room() };
        // What waits to be masked comes all at once.
        let masked = self.mask.as_ref().map_or(0, InputMask::waiting);
        // In a flood there is mostly nothing to see but more of it.
        let around = !flood || self.drain.is_some() || self.tempo.looks_around(now);
        let runs = self.drain.is_none() && may_capture && masked < WINDOW && around;
        let wants_keys = runs && self.foreground && self.keys.wants();
        let wants_stream = runs && self.stream.wants();
        let relay_waits = self.relay.as_ref().is_some_and(Relay::awaits_recorder);
        let unshown = strict && self.recorder.ring.unshown() > 0;
        let awaits_recorder = unshown
            || relay_waits
            || !may_capture
            || self.full.is_some_and(|(since, _)| since.elapsed() < FULL_PATIENCE);
        let timeout = self.timeout(reads, flood, now);
        let sleeps = awaits_recorder && !flood && timeout != PollTimeout::ZERO;
        if sleeps {
            if unshown && self.spin_for_recorder() {
                return Step::GoOn;
            }
            self.recorder.ring.announce_sleep();
            if self.recorder_went_on(may_capture) {
                self.recorder.ring.settle(false);
                return Step::GoOn;
            }
        }
        let running = self.running.as_ref();
        let stdin = running.and_then(|running| running.stdin.as_ref());
        let writes_stream = around && stdin.is_some() && !self.stream.pending.is_empty();
        let mut to_master = PollFlags::empty();
        to_master.set(PollFlags::POLLIN, reads);
        to_master.set(PollFlags::POLLOUT, master_open && !self.keys.pending.is_empty());
        let blocked = self.output_blocked && self.output_open;
        let mut fds = PollList::<{ 8 + POLLED }>::new(self.signals.as_fd());
        let mut add = |wanted: bool, fd, flags| fds.add(if wanted { fd } else { None }, flags);
        let recorder = &self.recorder;
        let signal = add(around, Some(self.signals.as_fd()), PollFlags::POLLIN);
        let report = add(around && !recorder.gone, Some(recorder.channel.as_fd()), PollFlags::POLLIN);
        let wake = add(sleeps, Some(recorder.ring.wake().as_fd()), PollFlags::POLLIN);
        let master = running.and_then(|running| running.master.as_ref()).map(AsFd::as_fd);
        let master = add(!to_master.is_empty(), master, to_master);
        let to_stdin = add(writes_stream, stdin.map(AsFd::as_fd), PollFlags::POLLOUT);
        let keys = add(wants_keys, self.outer.keyboard(), PollFlags::POLLIN);
        let stream = add(wants_stream, self.outer.stream(), PollFlags::POLLIN);
        let output = add(blocked, Some(self.outer.output()), PollFlags::POLLOUT);
        let relayed = self.relay.as_ref().map(|relay| relay.poll_fds(&mut fds, relay_reads));
        if timeout != PollTimeout::ZERO && !flood {
            let since = self.finishing.map_or(now, |since| since.elapsed());
            self.tempo.spin_once(since, || fds.wait(PollTimeout::ZERO).is_ok_and(|count| count > 0));
        }
        let count = fds.wait(timeout).unwrap_or(0);
        let any = |slot| fds.events(slot);
        let [output, report, wake] = [output, report, wake].map(any);
        let [signal, master, to_stdin, keys, stream] = [signal, master, to_stdin, keys, stream].map(any);
        let relayed = relayed.map_or(NOTHING_POLLED, |slots| slots.map(any));
        self.output_blocked &= output.is_empty();
        self.reported |= !report.is_empty();
        if sleeps {
            self.recorder.ring.settle(!wake.is_empty());
        }
        if count == 0 {
            if timeout != PollTimeout::ZERO {
                self.tempo.ends();
            }
            if self.drain.is_none() {
                return Step::GoOn;
            }
        }
        self.move_by(Events { signal, master, to_stdin, keys, stream, relayed }, reads);
        Step::GoOn
    }

    /// Tells the recording side what there is for it, if it is time to; `reads` is whether more may be read.
    fn tell_recorder(&mut self, reads: bool, now: Duration) {
        let flow = if reads && self.tempo.is_flood() {
            Flow::Flood
        } else if reads && self.drain.is_none() {
            Flow::Prompt
        } else {
            Flow::End
        };
        if self.tempo.tells(flow, self.recorder.ring.untold(), now) {
            self.recorder.ring.tell();
        }
    }

    /// Moves what can be moved by what poll told; `reads` is whether output is wanted.
    fn move_by(&mut self, events: Events, reads: bool) {
        let Events { signal, master, to_stdin, keys, stream, relayed } = events;
        if signal.contains(PollFlags::POLLIN) {
            self.signalled();
        }
        self.relay(relayed);
        let writable = PollFlags::POLLOUT | PollFlags::POLLERR | PollFlags::POLLHUP;
        if !self.keys.pending.is_empty() && master.intersects(writable) {
            self.write_keys();
        }
        if to_stdin.intersects(writable) {
            self.write_stream();
        }
        if !keys.is_empty() {
            self.read_keys();
        }
        if !stream.is_empty() {
            self.read_stream();
        }
        if reads && (self.drain.is_some() || master.intersects(PollFlags::POLLIN | PollFlags::POLLHUP)) {
            self.read_output();
        }
    }

    /// Whether the recorder has already done what is waited for.
    fn recorder_went_on(&mut self, may_capture: bool) -> bool {
        let accepted = self.recorder.ring.accepted();
        let ring = &mut self.recorder.ring;
        if self
            .relay
            .as_ref()
            .is_some_and(|relay| relay.may_go_on(accepted) || (relay.has_files() && ring.has_room()))
        {
            self.relay(NOTHING_POLLED);
            return true;
        }
        (!may_capture && self.recorder.ring.head() - self.recorder.ring.released() < WINDOW)
            || self.has_more_to_show()
    }

    /// Waits a moment for the recorder to accept what is to be shown, without going to sleep.
    fn spin_for_recorder(&mut self) -> bool {
        let (ring, enforcer) = (&mut self.recorder.ring, &self.enforcer);
        // More takes longer.
        let little = ring.unshown() <= MAX_PAYLOAD as u64;
        let accepted = || ring.has_unshown(enforcer.may_show(ring.head(), ring.accepted()));
        little && !self.output_blocked && self.tempo.spin(accepted)
    }

    /// Looks who has the terminal, where nothing tells.
    fn look_at_terminal(&mut self, now: Duration) {
        let shared = self.outer.is_shared() && now >= self.looked + BACKGROUND_LOOK;
        if self.foreground && !shared {
            return;
        }
        self.looked = now;
        let before = std::mem::replace(&mut self.foreground, self.outer.in_foreground());
        if !self.foreground {
            self.outer.leave_raw();
            return;
        }
        self.outer.enter_raw();
        if !before {
            self.resized();
        }
    }

    /// How long a poll waits; `reads` is whether output is wanted, and `flood` whether it comes fast.
    fn timeout(&mut self, reads: bool, flood: bool, now: Duration) -> PollTimeout {
        if (reads && self.drain.is_some()) || self.has_more_to_show() {
            // Draining is reading until there is nothing, and a turn of a flood does not show all: no need to wait.
            PollTimeout::ZERO
        } else if flood || self.tempo.lingers() {
            PollTimeout::from(self.tempo.pause())
        } else {
            timeout_of(self.next_deadline(now))
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
        if let Some(since) = self.told_to_end()
            && since.elapsed() < HANG_UP_PATIENCE
        {
            next = next.min(HANG_UP_PATIENCE.saturating_sub(since.elapsed()));
        }
        if let Some(disconnect) = self.disconnect.as_ref().filter(|_| self.drain.is_none()) {
            next = next.min(disconnect.left());
        }
        let waits = |running: &Running| running.is_hanging_up() || running.tells_again();
        if self.drain.is_none() && self.running.as_ref().is_some_and(waits) {
            next = next.min(LOOK);
        }
        if let Some(left) = self.suspends_in() {
            next = next.min(left);
        }
        if let Some(since) = self.finishing {
            let left = END_PATIENCE.saturating_sub(since.elapsed());
            next = next.min(if left.is_zero() { self.stall.tick() } else { left });
        } else if self.drain == Some(0) && !self.awaits_command() {
            next = Duration::ZERO;
        }
        if let Some((since, _)) = self.full.filter(|(since, _)| since.elapsed() < FULL_PATIENCE) {
            next = next.min(FULL_PATIENCE.saturating_sub(since.elapsed()));
        }
        if (!self.foreground && self.keys.open) || self.outer.is_shared() {
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

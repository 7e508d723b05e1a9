//! The pump: bytes between the user's terminal, the command and the ring, until the session ends.
//!
//! One thread, one poll, no waiting for anything else. What a failure means is the enforcer's to say.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, read, write};

use super::command::Running;
use super::enforce::{Enforcer, Verdict};
use super::input_mask::InputMask;
use super::messages::{LineEnd, terminating, warning};
use super::outer::Outer;
use super::program_modes::ProgramModes;
use super::signals::{Signalled, Signals};
use super::stall::{StallWatch, TICK};
use super::{Outcome, Plan, STALL_TIMEOUT, is_stopped, say};
use crate::clock::boottime_micros;
use crate::exit;
use crate::policy::Mode;
use crate::recording::control::{Channel, Order, Received, Report};
use crate::recording::{Cause, Ending, Fault, Operation, Reason};
use crate::ring::{FrameCode, MAX_PAYLOAD, Producer};
use crate::sys;

/// How far reading may be ahead of showing: the memory in use, and in strict what is on its way.
const WINDOW: u64 = 256 * 1024;
/// What is read at most after the command ended: more than a terminal's buffers hold, so that all
/// of the command's own output is in it, and a background job can't keep the session open.
const DRAIN: usize = 256 * 1024;
/// How long a best-effort session's end waits for the disk.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// How long the command has after a hang-up before it is killed.
const HANG_UP_PATIENCE: Duration = Duration::from_secs(2);
/// How long a full buffer waits for a recorder that is making progress.
const FULL_PATIENCE: Duration = Duration::from_millis(50);
/// How often is looked whether a session in the background came to the foreground: nothing says so.
const BACKGROUND_LOOK: Duration = Duration::from_millis(500);

/// A session that runs.
pub(super) struct Pump {
    outer: Outer,
    signals: Signals,
    producer: Producer,
    channel: Channel<Order, Report>,
    recorder: Pid,
    enforcer: Enforcer,
    running: Option<Running>,
    modes: ProgramModes,
    outcome: Outcome,
    begun: Instant,
    started: u64,
    fixed_size: bool,

    stall: StallWatch,
    mask: Option<InputMask>,
    /// Input on its way to the command.
    pending: Vec<u8>,
    input_open: bool,
    output_open: bool,
    foreground: bool,
    /// The terminal took less than it was given.
    output_blocked: bool,
    /// Since when the buffer is full, and how far the recorder was then.
    full: Option<(Instant, u64)>,
    /// Bytes that may still be read after the command ended; `None` while it runs.
    drain: Option<usize>,
    /// What recmode was told to end by.
    ended_by: Option<(Signal, Instant)>,
    finishing: Option<Instant>,
    closed: bool,
    recorder_gone: bool,
}

/// Whether the loop goes on.
enum Step {
    GoOn,
    Over,
    Terminate,
}

impl Pump {
    #[expect(clippy::too_many_arguments, reason = "each is made by one step of the start")]
    pub(super) fn new(
        outer: Outer,
        signals: Signals,
        producer: Producer,
        channel: Channel<Order, Report>,
        recorder: Pid,
        enforcer: Enforcer,
        running: Option<Running>,
        plan: &Plan,
        outcome: Outcome,
    ) -> Self {
        let foreground = outer.in_foreground();
        Self {
            outer,
            signals,
            producer,
            channel,
            recorder,
            enforcer,
            running,
            modes: ProgramModes::default(),
            outcome,
            begun: Instant::now(),
            started: plan.recording.started,
            fixed_size: plan.size.is_some(),
            stall: StallWatch::new(Duration::ZERO),
            mask: plan.capture_input.then(InputMask::default),
            pending: Vec::new(),
            input_open: true,
            output_open: true,
            foreground,
            output_blocked: false,
            full: None,
            drain: None,
            ended_by: None,
            finishing: None,
            closed: false,
            recorder_gone: false,
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
                Step::Over => break,
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
        self.show_warning(now);
        if let Some(mask) = &mut self.mask {
            let overdue = mask.overdue(now);
            self.record_input(&overdue);
        }
        self.end_when_told();
        if let Some(step) = self.finish() {
            return step;
        }
        if let Step::Terminate = self.watch_for_stall(now) {
            return Step::Terminate;
        }
        self.wait_and_move(now)
    }

    // What the recording side says.

    fn reports(&mut self) -> Step {
        while !self.recorder_gone {
            match self.channel.receive() {
                Received::Nothing => break,
                Received::Message(Report::Started(path)) => self.outcome.files.push(path),
                Received::Message(Report::Recovered) => self.enforcer.recovered(),
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
                    self.recorder_gone = true;
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
        if self.outcome.faults.last() != Some(&fault) {
            self.outcome.faults.push(fault);
        }
        match self.enforcer.failed() {
            Verdict::GoOn => Step::GoOn,
            Verdict::Refuse | Verdict::Terminate => Step::Terminate,
        }
    }

    fn watch_for_stall(&mut self, now: Duration) -> Step {
        let outstanding = self.outstanding();
        let progress = self.producer.accepted().wrapping_add(self.producer.released());
        let stalled = self.stall.look(now, outstanding, progress);
        if stalled < STALL_TIMEOUT {
            return Step::GoOn;
        }
        self.stall.forgive();
        if is_stopped(self.recorder) {
            return Step::GoOn;
        }
        self.channel.send(&Order::Stalled);
        let during = if self.finishing.is_some() { Operation::Close } else { Operation::Write };
        self.failed(Fault { during, cause: Cause::Stalled })
    }

    /// Whether the recording side owes progress that nothing explains the lack of.
    fn outstanding(&self) -> bool {
        let behind = self.producer.released() < self.producer.head();
        let closing = self.finishing.is_some() && !self.closed;
        (behind || closing) && !self.enforcer.is_failing() && !self.recorder_gone
    }

    // Output.

    /// Writes to the terminal what the mode lets be seen.
    fn show(&mut self) {
        let mut buffer = [0; MAX_PAYLOAD];
        self.output_blocked = false;
        loop {
            let limit = self.enforcer.may_show(self.producer.head(), self.producer.accepted());
            let n = self.producer.peek_unshown(limit, &mut buffer);
            if n == 0 {
                return;
            }
            let written = if self.output_open { self.outer.write(&buffer[..n]) } else { Ok(n) };
            match written {
                Ok(written) => {
                    self.modes.feed(&buffer[..written]);
                    self.producer.advance_shown(written);
                }
                Err(Errno::EAGAIN) => {
                    self.output_blocked = true;
                    return;
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    self.output_open = false;
                    let pipe = errno == Errno::EPIPE && !self.outer.output_is_terminal();
                    self.end_by(if pipe { Signal::SIGPIPE } else { Signal::SIGHUP });
                }
            }
        }
    }

    /// Message C, on a line of its own, where it is due and can stand.
    fn show_warning(&mut self, now: Duration) {
        if self.enforcer.warning_at(now).is_none_or(|at| at > now) {
            return;
        }
        if self.outer.output_is_terminal() {
            let behind = self.producer.unshown() > 0 && self.output_open;
            if self.modes.alternate_screen() || !self.modes.between_sequences() || behind {
                return;
            }
            let end = self.line_end();
            let before = if self.modes.at_line_start() { "" } else { end_of_line(end) };
            say(&self.outer, &format!("{before}{}", warning(end)));
            self.modes.line_was_ended();
        } else {
            say(&self.outer, &warning(LineEnd::Lf));
        }
        self.enforcer.warned(now);
    }

    fn line_end(&self) -> LineEnd {
        if self.outer.is_raw() { LineEnd::CrLf } else { LineEnd::Lf }
    }

    /// Whether more output may be read: the terminal keeps up, and the ring has room or gets it.
    fn may_read(&mut self) -> bool {
        if self.producer.unshown() >= WINDOW {
            return false;
        }
        if self.producer.has_room() {
            self.full = None;
            return true;
        }
        if self.enforcer.mode() == Mode::Strict {
            return false;
        }
        // A recorder that is only slow gets a moment, one that fails or makes no progress doesn't.
        let released = self.producer.released();
        let since = match self.full {
            Some((since, seen)) if seen == released => since,
            _ => Instant::now(),
        };
        self.full = Some((since, released));
        let hopeless = self.enforcer.is_failing() || self.recorder_gone;
        if !hopeless && since.elapsed() < FULL_PATIENCE {
            return false;
        }
        self.producer.drop_oldest()
    }

    fn read_output(&mut self) {
        let Some(master) = self.running.as_ref().and_then(|running| running.master.as_ref()) else { return };
        let mut buffer = [0; MAX_PAYLOAD];
        match read(master, &mut buffer) {
            Ok(n) if n > 0 => {
                let time = boottime_micros().saturating_sub(self.started);
                if let Some(left) = &mut self.drain {
                    *left = left.saturating_sub(n);
                }
                if let Some(mask) = &mut self.mask {
                    let shown = mask.printed(&buffer[..n]);
                    self.record_input(&shown);
                }
                self.append(FrameCode::Output, time, &buffer[..n]);
            }
            Err(Errno::EINTR) => {}
            // Nothing there; after the command ended that means that it was all.
            Ok(_) | Err(_) => {
                if let Some(left) = &mut self.drain {
                    *left = 0;
                }
            }
        }
    }

    /// Appends a frame; in best effort the oldest make way, in strict there is room by the window.
    fn append(&mut self, code: FrameCode, time: u64, payload: &[u8]) {
        while !self.producer.push(code, time, payload) {
            if self.enforcer.mode() == Mode::Strict || !self.producer.drop_oldest() {
                return;
            }
        }
    }

    // Input.

    fn read_input(&mut self) {
        let mut buffer = [0; 4096];
        match self.outer.read(&mut buffer) {
            Ok(0) => self.input_ended(),
            Ok(n) => {
                self.capture(&buffer[..n]);
                self.pending.extend_from_slice(&buffer[..n]);
                self.write_input();
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(_) => {
                self.input_open = false;
                if self.outer.input_is_terminal() {
                    self.end_by(Signal::SIGHUP);
                }
            }
        }
    }

    fn input_ended(&mut self) {
        if !self.outer.input_is_terminal() {
            self.input_open = false;
            // Closes the command's, too.
            self.write_input();
        } else if self.outer.is_raw() {
            // In raw mode only a terminal that is gone gives an end.
            self.input_open = false;
            self.end_by(Signal::SIGHUP);
        } else if let Some(character) = self.running.as_ref().and_then(Running::end_of_file_character) {
            self.pending.push(character);
        }
    }

    fn write_input(&mut self) {
        let Some(running) = &mut self.running else { return };
        let piped = running.stdin.is_some();
        let target = if piped { running.stdin.as_ref() } else { running.master.as_ref() };
        let Some(target) = target else {
            self.pending.clear();
            return;
        };
        while !self.pending.is_empty() {
            match write(target, &self.pending) {
                Ok(n) => drop(self.pending.drain(..n)),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => {
                    // The command closed its input.
                    self.pending.clear();
                    self.input_open = false;
                    break;
                }
            }
        }
        if piped && !self.input_open {
            running.stdin = None;
        }
    }

    fn capture(&mut self, bytes: &[u8]) {
        let now = self.begun.elapsed();
        let Some(mask) = &mut self.mask else { return };
        let echo = self.running.as_ref().filter(|running| running.stdin.is_none()).and_then(Running::echo);
        let recorded = match echo {
            Some(echo) => mask.typed(bytes, echo, now),
            // No terminal: nothing was typed.
            None => bytes.to_vec(),
        };
        self.record_input(&recorded);
    }

    fn record_input(&mut self, bytes: &[u8]) {
        let time = boottime_micros().saturating_sub(self.started);
        for part in bytes.chunks(MAX_PAYLOAD) {
            self.append(FrameCode::Input, time, part);
        }
    }

    // Signals, and the session's end.

    fn signalled(&mut self) {
        while let Some(signalled) = self.signals.next() {
            match signalled {
                Signalled::Child => {
                    if let Some(running) = &mut self.running {
                        running.reap();
                        if running.status().is_some() && self.drain.is_none() {
                            self.drain = Some(DRAIN);
                        }
                    }
                }
                Signalled::Resized => self.resized(),
                Signalled::Stop(signal) => {
                    self.outer.leave_raw();
                    let _ = sys::stop_self(signal);
                    self.continued();
                }
                Signalled::Continued => self.continued(),
                Signalled::End(signal) => self.end_by(signal),
            }
        }
    }

    fn continued(&mut self) {
        self.foreground = self.outer.in_foreground();
        if self.foreground {
            // Whoever stopped us may have set the terminal up for itself.
            self.outer.enter_raw_again();
            self.resized();
        }
    }

    fn resized(&mut self) {
        let size = self.outer.window_size().filter(|_| !self.fixed_size);
        let Some((size, master)) =
            size.zip(self.running.as_ref().and_then(|running| running.master.as_ref()))
        else {
            return;
        };
        if sys::window_size(master).is_ok_and(|old| old == size) {
            return;
        }
        let _ = sys::set_window_size(master, size);
        self.producer.set_window_size(size.ws_col, size.ws_row);
        let ([c0, c1], [r0, r1]) = (size.ws_col.to_le_bytes(), size.ws_row.to_le_bytes());
        let time = boottime_micros().saturating_sub(self.started);
        self.append(FrameCode::Resize, time, &[c0, c1, r0, r1]);
    }

    /// Ends the session as its terminal's going away would; a second time, or too late, with force.
    fn end_by(&mut self, signal: Signal) {
        if self.ended_by.is_some() {
            return;
        }
        self.ended_by = Some((signal, Instant::now()));
        self.input_open = false;
        if let Some(running) = &mut self.running {
            running.stdin = None;
            running.hang_up();
        }
    }

    fn end_when_told(&mut self) {
        if let Some((_, since)) = self.ended_by
            && self.drain.is_none()
            && since.elapsed() >= HANG_UP_PATIENCE
        {
            if let Some(running) = &self.running {
                running.signal(Signal::SIGKILL);
            }
            // Whether it can die or not: its caller must not wait for it.
            self.drain = Some(DRAIN);
        }
    }

    /// Once the command's output is all read: tells the recording side, and waits for it as long
    /// as the mode says.
    fn finish(&mut self) -> Option<Step> {
        if self.drain != Some(0) {
            return None;
        }
        let Some(since) = self.finishing else {
            let ending = self.ending();
            self.outcome.status = ending.status;
            if let Some(mask) = &mut self.mask {
                let rest = mask.give_up();
                self.record_input(&rest);
            }
            self.channel.send(&Order::Finish(ending));
            self.finishing = Some(Instant::now());
            return None;
        };
        let shown = !self.output_open || self.producer.unshown() == 0;
        let best_effort = self.enforcer.mode() == Mode::BestEffort;
        if best_effort && !self.closed && !self.recorder_gone && since.elapsed() >= END_PATIENCE {
            // The recording side goes on alone, and tells the gap where it is one.
            self.channel.send(&Order::Stalled);
            let fault = Fault { during: Operation::Close, cause: Cause::Stalled };
            let _ = self.failed(fault);
            self.closed = true;
        }
        if !shown || !(self.closed || self.recorder_gone) {
            return None;
        }
        // A failure at the end is told at once, whatever the screen is.
        let now = self.begun.elapsed();
        if self.enforcer.warning_at(now).is_some_and(|at| at <= now) {
            self.cut_short();
            let before = if self.modes.at_line_start() { "" } else { end_of_line(self.line_end()) };
            let before = if self.outer.output_is_terminal() { before } else { "" };
            say(&self.outer, &format!("{before}{}", warning(self.line_end())));
            self.enforcer.warned(now);
        }
        if self.ended_by.is_some() {
            self.cut_short();
        }
        Some(Step::Over)
    }

    fn ending(&self) -> Ending {
        if let Some((signal, _)) = self.ended_by {
            let reason = if signal == Signal::SIGHUP { Reason::Hangup } else { Reason::Signal };
            return Ending { reason, status: exit::signal_status(signal as i32) };
        }
        if let Some(status) = self.running.as_ref().and_then(Running::status) {
            return Ending { reason: Reason::Exit, status };
        }
        let not_found = self
            .outcome
            .not_executed
            .as_ref()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        let status = if not_found { exit::NOT_FOUND } else { exit::CANNOT_EXECUTE };
        Ending { reason: Reason::NotStarted, status }
    }

    /// Puts back what programs that were cut short have set.
    fn cut_short(&mut self) {
        if self.outer.output_is_terminal() && self.output_open {
            say(&self.outer, &self.modes.reset_sequence());
        }
    }

    /// Strict mode ends the session: nothing more is shown, message B, the terminal, the processes.
    fn terminate(&mut self) {
        let ending = Ending { reason: Reason::Strict, status: exit::ENDED_BY_STRICT };
        self.outcome.status = ending.status;
        if !self.closed {
            self.channel.send(&Order::Terminate(ending));
        }
        self.cut_short();
        let end = self.line_end();
        let before = if self.modes.at_line_start() || !self.outer.output_is_terminal() {
            ""
        } else {
            end_of_line(end)
        };
        say(&self.outer, &format!("{before}{}", terminating(end)));
        self.outer.leave_raw();
        let begun = Instant::now();
        if let Some(running) = &mut self.running {
            self.outcome.survivors = running.end_all(self.signals.as_fd());
        }
        // What the recording side can still write it has written by now, or a moment later.
        while !self.closed && !self.recorder_gone {
            let left = Duration::from_secs(1).saturating_sub(begun.elapsed());
            let mut fds = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, timeout_of(left)).is_ok_and(|n| n == 0) {
                return;
            }
            match self.channel.receive() {
                Received::Message(Report::Closed { lost, .. }) => {
                    self.closed = true;
                    self.outcome.lost = Some(lost);
                }
                Received::HungUp => self.recorder_gone = true,
                Received::Message(_) | Received::Nothing => {}
            }
        }
    }

    // The wait.

    fn wait_and_move(&mut self, now: Duration) -> Step {
        self.look_for_foreground();
        let master_open = self.running.as_ref().is_some_and(|running| running.master.is_some());
        let reads = master_open && self.drain != Some(0) && self.may_read();
        let wants_input = self.input_open
            && self.pending.is_empty()
            && self.drain.is_none()
            && (self.foreground || !self.outer.input_is_terminal());
        let writes_input = !self.pending.is_empty() && master_open;
        let strict = self.enforcer.mode() == Mode::Strict;
        let awaits_recorder = (strict && self.producer.unshown() > 0) || self.full.is_some();
        // Draining is reading until there is nothing: no need to wait for more.
        let timeout = if reads && self.drain.is_some() { Duration::ZERO } else { self.next_deadline(now) };

        if awaits_recorder {
            self.producer.announce_sleep();
            let limit = self.enforcer.may_show(self.producer.head(), self.producer.accepted());
            if !self.output_blocked && self.producer.has_unshown(limit) {
                self.producer.settle();
                return Step::GoOn;
            }
        }
        let (mut to_master, mut to_pipe) = (PollFlags::empty(), PollFlags::empty());
        if reads {
            to_master |= PollFlags::POLLIN;
        }
        let running = self.running.as_ref();
        let stdin = running.and_then(|running| running.stdin.as_ref());
        if writes_input {
            if stdin.is_some() { to_pipe |= PollFlags::POLLOUT } else { to_master |= PollFlags::POLLOUT }
        }
        let signals = self.signals.as_fd();
        // A descriptor that nothing is wanted of is left out, as poll reports its hang-up for ever;
        // the signals' stands in for it.
        let or_signals = |fd, wanted: bool| if wanted { fd } else { signals };
        let flags = |flag, wanted: bool| if wanted { flag } else { PollFlags::empty() };
        let master = running.and_then(|running| running.master.as_ref()).map_or(signals, AsFd::as_fd);
        let pipe = stdin.map_or(signals, AsFd::as_fd);
        let blocked = self.output_blocked && self.output_open;
        let mut fds = [
            PollFd::new(signals, PollFlags::POLLIN),
            PollFd::new(or_signals(self.channel.as_fd(), !self.recorder_gone), PollFlags::POLLIN),
            PollFd::new(or_signals(self.producer.wake().as_fd(), awaits_recorder), PollFlags::POLLIN),
            PollFd::new(or_signals(master, !to_master.is_empty()), to_master),
            PollFd::new(or_signals(pipe, !to_pipe.is_empty()), to_pipe),
            PollFd::new(or_signals(self.outer.input(), wants_input), flags(PollFlags::POLLIN, wants_input)),
            PollFd::new(or_signals(self.outer.output(), blocked), flags(PollFlags::POLLOUT, blocked)),
        ];
        let count = poll(&mut fds, timeout_of(timeout)).unwrap_or(0);
        let any = |index: usize| fds[index].revents().unwrap_or(PollFlags::empty());
        let [signal, _, _, from_master, to_stdin, input, _] = [0, 1, 2, 3, 4, 5, 6].map(any);
        if awaits_recorder {
            self.producer.settle();
        }
        if count == 0 && self.drain.is_none() {
            return Step::GoOn;
        }
        if signal.contains(PollFlags::POLLIN) {
            self.signalled();
        }
        if writes_input
            && (from_master | to_stdin)
                .intersects(PollFlags::POLLOUT | PollFlags::POLLERR | PollFlags::POLLHUP)
        {
            self.write_input();
        }
        if wants_input && !input.is_empty() {
            self.read_input();
        }
        if reads && (self.drain.is_some() || from_master.intersects(PollFlags::POLLIN | PollFlags::POLLHUP)) {
            self.read_output();
        }
        Step::GoOn
    }

    fn look_for_foreground(&mut self) {
        if !self.foreground && self.outer.input_is_terminal() {
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
            next = next.min(TICK);
        }
        if let Some(at) = self.enforcer.warning_at(now)
            && at > now
        {
            next = next.min(at.saturating_sub(now));
        }
        if let Some(until) = self.mask.as_ref().and_then(InputMask::deadline) {
            next = next.min(until.saturating_sub(now));
        }
        if let Some((_, since)) = self.ended_by
            && self.drain.is_none()
        {
            next = next.min(HANG_UP_PATIENCE.saturating_sub(since.elapsed()));
        }
        if let Some(since) = self.finishing {
            let left = END_PATIENCE.saturating_sub(since.elapsed());
            next = next.min(if left.is_zero() { TICK } else { left });
        } else if self.drain == Some(0) {
            next = Duration::ZERO;
        }
        if let Some((since, _)) = self.full {
            next = next.min(FULL_PATIENCE.saturating_sub(since.elapsed()));
        }
        if !self.foreground && self.input_open && self.outer.input_is_terminal() {
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

fn end_of_line(end: LineEnd) -> &'static str {
    if end == LineEnd::CrLf { "\r\n" } else { "\n" }
}

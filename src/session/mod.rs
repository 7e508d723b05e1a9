//! The terminal side of a session: the process that the caller waits for.
//!
//! It owns the user's terminal, the PTY, the command and the signals. It never opens, writes,
//! syncs or closes anything on a disk: that is the recording side's, a process of its own, so that
//! a disk that hangs can't hold this one.

mod cgroup;
mod command;
mod enforce;
mod environment;
mod hang_up;
mod input_mask;
mod messages;
mod outer;
mod place;
mod processes;
mod program_modes;
mod pump;
mod sftp;
mod signals;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::Winsize;
use nix::unistd::Pid;
use std::os::fd::AsFd;

pub use enforce::{Enforcer, Verdict};
pub use messages::{LineEnd, refused, terminating, warning};
pub use outer::{Outer, restore_on_panic};
pub use processes::{Survivor, can_be_listed};
pub use program_modes::ProgramModes;
pub use signals::{Signalled, Signals};

use crate::clock::boottime_micros;
use crate::exit;
use crate::oplog::{Happening, Identity, LogFile, LogSocket};
use crate::policy::{Mode, SessionKind};
use crate::recording::control::{Channel, Order, Received, Report, channel};
use crate::recording::{Cause, Fault, Operation, Reason, side};
use crate::ring::{Consumer, Producer, ring};
use crate::spin::Spin;
use crate::stall::StallWatch;
use crate::sys::{self, Forked};
use command::Program;
use outer::Streams;
use place::Place;
use processes::Process;
use pump::Pump;

/// The least buffer: what is on its way between the processes while nothing is wrong.
const LEAST_BUFFER: usize = 1024 * 1024;
/// How long is waited for what a start that failed has left to be removed.
const ABANDON: Duration = Duration::from_millis(500);
/// How long a best-effort session's start waits for the disk.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// What to run and how to record it.
#[derive(Debug)]
pub struct Plan {
    /// The recording side's part; the window size in its header is filled in here.
    pub recording: side::Plan,
    /// The mode to enforce.
    pub mode: Mode,
    /// The kind of session, for message A.
    pub kind: SessionKind,
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// The name that the command is called by, where that is not its own.
    pub argv0: Option<OsString>,
    /// The command's environment, but for the session's id and the names of its terminal.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the user's terminal is to be opened by nobody else meanwhile, where it is this process's own.
    pub exclusive: bool,
    /// Whether the streams of a session without a terminal are sftp's, and the files in it are recorded.
    pub sftp: bool,
    /// A fixed size for the session's terminal: columns, rows.
    pub size: Option<(u16, u16)>,
    /// Whether input is recorded.
    pub capture_input: bool,
    /// Bytes of output that are kept while the disk fails.
    pub buffer: usize,
    /// What is shown on the terminal before the command, once the recording has begun.
    pub banner: Option<String>,
    /// What becomes of processes that outlive the session.
    pub after_session: AfterSession,
}

/// What becomes of processes that outlive the session. Strict's own termination ends them in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterSession {
    /// They live on.
    Leave,
    /// They are ended when the session is over.
    End,
}

impl AfterSession {
    /// Both, in the order in which help lists them.
    pub const ALL: [Self; 2] = [Self::Leave, Self::End];

    /// Its name on the command line and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::End => "end",
        }
    }
}

/// How a session went.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The exit status for the caller.
    pub status: u8,
    /// The files that were created, in order.
    pub files: Vec<PathBuf>,
    /// Those that others removed or changed.
    pub spoiled: Vec<PathBuf>,
    /// Bytes of output that no file holds; `None` where the recording was not closed when the
    /// session ended.
    pub lost: Option<u64>,
    /// The failures, in order.
    pub faults: Vec<Fault>,
    /// Processes that should have been ended with the session and could not be, as they run as another user.
    pub survivors: Vec<Survivor>,
    /// Why the command could not be executed.
    pub not_executed: Option<io::Error>,
    /// Why the output could not be written.
    pub output_error: Option<io::Error>,
    /// Whether the session was refused since the file exists.
    pub file_exists: bool,
    /// Bytes that the buffer had, where there was no memory for the wanted ones.
    pub smaller_buffer: Option<usize>,
}

/// The operator's log, from the terminal side.
struct Log {
    identity: Identity,
    file: Option<LogFile>,
    /// The machine's log, where there is no file.
    socket: Option<LogSocket>,
}

impl Log {
    /// The log file's process, or the machine's log.
    fn open(identity: Identity, file: Option<&Path>) -> Self {
        let file = file.and_then(|path| LogFile::start(path, &identity).ok());
        let socket = if file.is_some() { None } else { LogSocket::connect() };
        Self { identity, file, socket }
    }

    fn tell(&self, happening: &Happening) {
        let now = jiff::Timestamp::now();
        if let Some(file) = &self.file {
            file.tell(&now.to_string(), &self.identity, happening);
        } else if let Some(socket) = &self.socket {
            socket.send(now.as_second(), &self.identity, happening);
        }
    }
}

/// The terminal side's hold on the recording side.
struct Recorder {
    ring: Producer,
    channel: Channel<Order, Report>,
    pid: Pid,
    /// The recording's first file.
    path: PathBuf,
    /// The process is gone.
    gone: bool,
}

impl Recorder {
    /// Has it leave nothing, as there is no session. Waits a moment for that; a disk that hangs is not waited for.
    fn abandon(&self) {
        self.channel.send(&Order::Abort);
        let begun = Instant::now();
        while let Some(left) = ABANDON.checked_sub(begun.elapsed()) {
            match self.channel.receive() {
                Received::HungUp => return,
                Received::Message(_) => {}
                Received::Nothing => {
                    let mut fds = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
                    let _ = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
                }
            }
        }
    }

    /// Whether it is stopped by a signal: time in which it can't work is no stall.
    fn is_stopped(&self) -> bool {
        Process::read(self.pid.as_raw()).is_some_and(|process| process.is_stopped())
    }
}

/// What a session under a mode needs to see to.
struct Watched {
    recorder: Recorder,
    enforcer: Enforcer,
    log: Log,
}

/// What the start of the recording came to.
enum Started {
    Go,
    Refuse,
    FileExists,
    Signalled(u8),
}

/// Runs a session to its end.
///
/// # Errors
/// Where the means of a session can't be had: descriptors, memory, a process, a terminal.
pub fn run(mut plan: Plan) -> io::Result<Outcome> {
    let signals = Signals::take()?;
    let capture = plan.recording.header.session.streams;
    let (mut outer, streams) = match capture {
        None => (Outer::open()?, None),
        Some(capture) => (Outer::none()?, Some((Streams::take()?, capture))),
    };
    if plan.exclusive {
        outer.exclude_others();
    }
    // Only now: nothing of /proc/self/fd could be opened afresh any more.
    nix::sys::prctl::set_dumpable(false)?;
    let size = initial_size(plan.size, &outer);
    plan.recording.header.term.cols = size.ws_col;
    plan.recording.header.term.rows = size.ws_row;
    plan.recording.started = boottime_micros();

    let (producer, consumer, smaller_buffer) = buffer(plan.buffer.max(LEAST_BUFFER))?;
    let (ours, theirs) = channel()?;
    let path = plan.recording.path.clone();
    let (identity, log_file) = (plan.recording.identity.clone(), plan.recording.log.clone());
    // Before a processor is chosen for one of the two.
    let spin = Spin::new();
    let recorder = match sys::fork()? {
        Forked::Child => side::run(plan.recording, consumer, theirs, spin),
        Forked::Parent(pid) => pid,
    };
    sys::begin_elsewhere(recorder);
    drop(theirs);
    drop(consumer);
    let recorder = Recorder { ring: producer, channel: ours, pid: recorder, path, gone: false };
    recorder.ring.set_window_size(size.ws_col, size.ws_row);
    let log = Log::open(identity, log_file.as_deref());
    // While the recording starts.
    let ours = [Some(recorder.pid), log.file.as_ref().map(LogFile::pid)];
    let place = match Place::make(&plan, size, &outer, streams, ours) {
        Ok(place) => place,
        Err(error) => {
            recorder.abandon();
            return Err(error);
        }
    };
    let mut outcome = Outcome { smaller_buffer, ..Outcome::default() };
    let mut enforcer = Enforcer::new(plan.mode);
    let started =
        await_start(plan.recording.stall_timeout, &recorder, &signals, spin, &mut enforcer, &mut outcome);
    for fault in &outcome.faults {
        log.tell(&Happening::failure(*fault));
    }
    match started {
        Started::Go => log.tell(&Happening::Start),
        Started::Refuse => {
            log.tell(&Happening::Refused);
            say(&outer, &refused(plan.kind));
            recorder.abandon();
            outcome.status = exit::RECORD_TROUBLE;
            return Ok(outcome);
        }
        Started::FileExists => {
            recorder.abandon();
            outcome.file_exists = true;
            outcome.status = exit::RECORD_TROUBLE;
            return Ok(outcome);
        }
        Started::Signalled(status) => {
            recorder.abandon();
            outcome.status = status;
            log.tell(&Happening::End { reason: Reason::Signal, status, lost: None, seconds: None });
            return Ok(outcome);
        }
    }
    if enforcer.is_failing() {
        say(&outer, &format!("{}\n", warning(LineEnd::Lf)));
        enforcer.warned(Duration::ZERO);
    }

    if let Some(banner) =
        plan.banner.as_deref().filter(|_| outer.output_is_terminal() && !enforcer.is_failing())
    {
        say(&outer, banner);
    }

    let session = OsStr::new(&plan.recording.header.session.session);
    let inner = place.terminal();
    let env = environment::of_command(&plan.env, session, outer.name(), inner.as_deref());
    let program = Program { words: &plan.command, argv0: plan.argv0.as_deref(), env: &env };
    let started = place.start(&program, signals.mask_before(), outer.input_is_stream(), plan.sftp);
    let (running, relay) = match started {
        Ok((running, relay)) => (Some(running), relay),
        // The command may be fine: there are no means to start any.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
            recorder.abandon();
            let (reason, status) = (Reason::NotStarted, exit::RECORD_TROUBLE);
            log.tell(&Happening::End { reason, status, lost: None, seconds: None });
            (outcome.status, outcome.not_executed) = (status, Some(error));
            outcome.files.clear();
            return Ok(outcome);
        }
        Err(error) => {
            outcome.not_executed = Some(error);
            (None, None)
        }
    };
    enforcer.running();
    outer.enter_raw();
    Ok(Pump::new(outer, signals, Watched { recorder, enforcer, log }, running, relay, &plan, outcome).run())
}

/// A ring of so many bytes or, where there is no memory for it, of as many as there is memory for.
fn buffer(wanted: usize) -> io::Result<(Producer, Consumer, Option<usize>)> {
    let mut bytes = wanted;
    loop {
        match ring(bytes) {
            Ok((producer, consumer)) => return Ok((producer, consumer, (bytes < wanted).then_some(bytes))),
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory && bytes > LEAST_BUFFER => {
                bytes = (bytes / 2).max(LEAST_BUFFER);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The size of the session's terminal: the given one, the user's terminal's, or 80x24.
fn initial_size(given: Option<(u16, u16)>, outer: &Outer) -> Winsize {
    match (given, outer.window_size()) {
        (Some((ws_col, ws_row)), _) => Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 },
        (None, Some(size)) => size,
        (None, None) => Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 },
    }
}

/// Waits until the recording has started, or the mode says not to wait any longer.
fn await_start(
    stall_timeout: Duration,
    recorder: &Recorder,
    signals: &Signals,
    mut spin: Spin,
    enforcer: &mut Enforcer,
    outcome: &mut Outcome,
) -> Started {
    let patience = match enforcer.mode() {
        Mode::Strict => stall_timeout,
        Mode::BestEffort => START_PATIENCE.min(stall_timeout),
    };
    let begun = Instant::now();
    let mut watch = StallWatch::new(Duration::ZERO, patience);
    let mut looked = false;
    loop {
        let fault = match recorder.channel.receive() {
            Received::Message(Report::Started(_)) => {
                outcome.files.push(recorder.path.clone());
                return Started::Go;
            }
            Received::Message(Report::Failed(fault)) if fault.is_existing_file() => {
                outcome.faults.push(fault);
                return Started::FileExists;
            }
            Received::Message(Report::Failed(fault)) => Some(fault),
            Received::HungUp => Some(Fault { during: Operation::Run, cause: Cause::RecorderGone }),
            Received::Message(_) | Received::Nothing => {
                // The first time it is most likely just starting, and no time has passed that could count.
                let runs = !std::mem::replace(&mut looked, true) || !recorder.is_stopped();
                let waited = watch.look(begun.elapsed(), runs, 0);
                (waited >= patience).then(|| {
                    recorder.channel.send(&Order::Stalled);
                    Fault { during: Operation::Create, cause: Cause::Stalled }
                })
            }
        };
        if let Some(fault) = fault {
            outcome.faults.push(fault);
            return match enforcer.failed() {
                Verdict::GoOn => Started::Go,
                Verdict::Refuse | Verdict::Terminate => Started::Refuse,
            };
        }
        let mut fds = [
            PollFd::new(recorder.channel.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        spin.once(begun.elapsed(), || poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0));
        let _ = poll(&mut fds, PollTimeout::try_from(watch.tick()).unwrap_or(PollTimeout::MAX));
        while let Some(signalled) = signals.next() {
            match signalled {
                Signalled::End(signal) => return Started::Signalled(exit::signal_status(signal)),
                Signalled::Stop(signal) => {
                    let _ = sys::stop_self(signal);
                }
                Signalled::Child | Signalled::Resized | Signalled::Continued => {}
            }
        }
    }
}

/// Writes a message where the session's output goes, if that is a terminal, else to stderr. What takes
/// nothing for a second goes without it: nobody's slowness may keep a session from being ended.
fn say(outer: &Outer, text: &str) {
    let stderr = io::stderr();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (written, fd) = if outer.output_is_terminal() {
            (outer.write(rest), outer.output())
        } else {
            (outer::write_polled(stderr.as_fd(), rest), stderr.as_fd())
        };
        match written {
            Ok(n) => rest = &rest[n..],
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
                if poll(&mut fds, PollTimeout::from(1000_u16)) == Ok(0) {
                    return;
                }
            }
            Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

//! The user's terminal and its signals: bytes out that never wait, keys and signals in.
//!
//! What the terminal does not take at once stays in a queue, and is sent as it takes more. So keys and signals are heard
//! also while the terminal is blocked, and none is dropped.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::time::TimeSpec;

use super::{Keys, PlayError, Typed};
use crate::session::{Outer, ProgramModes, Signalled, Signals};
use crate::sys;

/// The Escape key is one if nothing follows it for so long.
const ESCAPE: Duration = Duration::from_millis(50);

/// A terminal that takes nothing for so long is left as it is when a signal ends or stops the player.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came in.
pub(super) struct Heard {
    pub(super) keys: Vec<Typed>,
    pub(super) signals: Vec<Signalled>,
}

pub(super) struct Tty {
    outer: Outer,
    signals: Signals,
    keys: Keys,
    /// When the last byte of `keys` was typed.
    typed: Instant,
    /// What was set on the terminal.
    modes: ProgramModes,
    /// What the terminal has not taken yet, from `sent` on.
    queue: Vec<u8>,
    sent: usize,
    /// Signals that came when nobody could heed them.
    held: Vec<Signalled>,
}

impl Tty {
    /// Takes the signals and the standard streams.
    pub(super) fn open() -> Result<Self, PlayError> {
        let signals = Signals::take().map_err(PlayError::Terminal)?;
        let outer = Outer::open().map_err(PlayError::Terminal)?;
        let (keys, modes) = (Keys::default(), ProgramModes::default());
        Ok(Self {
            outer,
            signals,
            keys,
            typed: Instant::now(),
            modes,
            queue: Vec::new(),
            sent: 0,
            held: Vec::new(),
        })
    }

    /// Enters raw mode, also again after a stop; in the background the terminal is another's.
    pub(super) fn enter_raw(&mut self) {
        if self.outer.in_foreground() {
            self.outer.enter_raw_again();
        }
    }

    pub(super) fn leave_raw(&mut self) {
        self.outer.leave_raw();
    }

    /// Whether output goes to a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.outer.output_is_terminal()
    }

    /// Whether somebody sees the output and can type.
    pub(super) fn is_interactive(&self) -> bool {
        self.is_terminal() && self.outer.is_raw() && self.outer.keyboard().is_some()
    }

    /// The size of the terminal in columns and rows, where output goes to one that has a size.
    pub(super) fn size(&self) -> Option<(usize, usize)> {
        let size = self.outer.window_size().filter(|_| self.is_terminal())?;
        (size.ws_col > 0 && size.ws_row > 0).then(|| (usize::from(size.ws_col), usize::from(size.ws_row)))
    }

    /// Whether the last thing that was written ended a line, or nothing was written.
    pub(super) fn at_line_start(&self) -> bool {
        self.modes.at_line_start()
    }

    /// Whether the terminal has not taken all that was written.
    pub(super) fn is_blocked(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Writes as much as the terminal takes, and keeps the rest for later.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), PlayError> {
        self.modes.feed(bytes);
        self.queue.extend_from_slice(bytes);
        self.send()
    }

    fn send(&mut self) -> Result<(), PlayError> {
        while self.sent < self.queue.len() {
            match self.outer.write(&self.queue[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EPIPE) => return Err(PlayError::Closed),
                Err(error) => return Err(PlayError::Terminal(error.into())),
            }
        }
        self.queue.clear();
        self.sent = 0;
        Ok(())
    }

    /// Waits until the terminal has taken all, until a signal comes that ends the player, or for a second where `hurry`.
    /// The next [`Tty::wait`] returns the signals that came.
    pub(super) fn finish(&mut self, hurry: bool) -> Result<(), PlayError> {
        let until = Instant::now() + PATIENCE;
        let mut held = std::mem::take(&mut self.held);
        while self.is_blocked() {
            let left = until.saturating_duration_since(Instant::now());
            if hurry && left.is_zero() {
                break;
            }
            let heard = self.wait(hurry.then_some(left), &[])?;
            held.extend(heard.signals);
            if held.iter().copied().any(ends) {
                break;
            }
        }
        self.held = held;
        Ok(())
    }

    /// Waits for a key, a signal, one of `others`, or for this long; sends on meanwhile. Without a limit it waits for as
    /// long as nothing comes.
    pub(super) fn wait(
        &mut self,
        limit: Option<Duration>,
        others: &[BorrowedFd<'_>],
    ) -> Result<Heard, PlayError> {
        let escape = self.keys.may_be_escape().then(|| ESCAPE.saturating_sub(self.typed.elapsed()));
        let held = (!self.held.is_empty()).then_some(Duration::ZERO);
        let timeout = [limit, escape, held].into_iter().flatten().min();
        let mut typed = Vec::new();
        let signals = self.signals.as_fd();
        let keyboard = self.outer.keyboard().filter(|_| self.outer.is_raw());
        let mut fds = vec![PollFd::new(signals, PollFlags::POLLIN)];
        fds.extend(keyboard.map(|keyboard| PollFd::new(keyboard, PollFlags::POLLIN)));
        if self.is_blocked() {
            fds.push(PollFd::new(self.outer.output(), PollFlags::POLLOUT));
        }
        fds.extend(others.iter().map(|&other| PollFd::new(other, PollFlags::POLLIN)));
        // To the nanosecond: what is rounded adds up over many waits.
        match ppoll(&mut fds, timeout.map(TimeSpec::from_duration), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(PlayError::Terminal(error.into())),
        }
        let mut heard = Heard { keys: Vec::new(), signals: std::mem::take(&mut self.held) };
        if let Some(keyboard) = keyboard.filter(|_| fds[1].any() == Some(true)) {
            let mut buffer = [0; 256];
            match nix::unistd::read(keyboard, &mut buffer) {
                // The terminal has gone.
                Ok(0) | Err(Errno::EIO) => heard.signals.push(Signalled::End(Signal::SIGHUP as i32)),
                Ok(read) => typed.extend_from_slice(&buffer[..read]),
                Err(_) => {}
            }
        }
        if !typed.is_empty() {
            heard.keys = self.keys.read(&typed);
            self.typed = Instant::now();
        } else if self.keys.may_be_escape() && self.typed.elapsed() >= ESCAPE {
            heard.keys.extend(self.keys.give_up());
        }
        heard.signals.extend(std::iter::from_fn(|| self.signals.next()));
        let sent = self.send();
        // A terminal that has gone fails, too; the signal is the reason.
        if !heard.signals.iter().copied().any(ends) {
            sent?;
        }
        Ok(heard)
    }

    /// Stops this process by a signal, with the terminal as a shell expects it; returns when it is continued, or at
    /// once where nobody could continue it. `left` is what is written on the screen before that.
    pub(super) fn stop(&mut self, signal: Signal, left: &str) -> Result<(), PlayError> {
        self.put_back(left)?;
        self.finish(true)?;
        self.leave_raw();
        sys::stop_self(signal).map_err(PlayError::Terminal)?;
        self.enter_raw();
        Ok(())
    }

    /// Undoes what was set on the terminal, and writes `left` on its screen.
    pub(super) fn put_back(&mut self, left: &str) -> Result<(), PlayError> {
        if !self.is_terminal() {
            return Ok(());
        }
        let reset = self.modes.reset_sequence();
        self.write(format!("{reset}{left}").as_bytes())?;
        self.modes = ProgramModes::default();
        Ok(())
    }
}

fn ends(signal: Signalled) -> bool {
    matches!(signal, Signalled::End(_))
}

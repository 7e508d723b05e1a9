//! Input: keys to the session's terminal, a stream to the command's pipe, and both into the ring where
//! they are recorded.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::unistd::{read, write};

use super::Pump;
use crate::clock::boottime_micros;
use crate::policy::Mode;
use crate::ring::{FrameCode, MAX_PAYLOAD};
use crate::session::command::Running;

/// Input of one sort on its way to the command.
#[derive(Debug)]
pub(super) struct Inflow {
    /// It may still come.
    pub(super) open: bool,
    /// What was read and not written yet.
    pub(super) pending: Vec<u8>,
}

impl Inflow {
    pub(super) fn new(open: bool) -> Self {
        Self { open, pending: Vec::new() }
    }

    /// Whether more is to be read.
    pub(super) fn wants(&self) -> bool {
        self.open && self.pending.is_empty()
    }
}

impl Pump {
    pub(super) fn read_keys(&mut self) {
        if !self.outer.in_foreground() {
            // Reading would stop this process, or fail as if the terminal were gone.
            self.foreground = false;
            self.outer.leave_raw();
            return;
        }
        let Some(keyboard) = self.outer.keyboard() else { return };
        let mut buffer = [0; 4096];
        match read(keyboard, &mut buffer) {
            Ok(n) if n > 0 => {
                self.capture(&buffer[..n]);
                self.keys.pending.extend_from_slice(&buffer[..n]);
                self.write_keys();
                // What is typed is answered at once, as a rule, and strict waits for the answer to be recorded.
                if self.enforcer.mode() == Mode::Strict && self.tempo.may_spin() {
                    self.recorder.ring.foretell();
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Ok(_) if !self.outer.is_raw() => {
                // The end of a line-wise terminal's input; more may follow it.
                if let Some(character) = self.running.as_ref().and_then(Running::end_of_file_character) {
                    self.keys.pending.push(character);
                    self.write_keys();
                }
            }
            // A terminal that is gone.
            Ok(_) | Err(_) => {
                self.disconnected();
            }
        }
    }

    pub(super) fn write_keys(&mut self) {
        let Some(master) = self.running.as_ref().and_then(|running| running.master.as_ref()) else {
            self.keys.pending.clear();
            return;
        };
        if flush(master.as_fd(), &mut self.keys.pending).is_err() {
            self.keys.pending.clear();
        }
    }

    pub(super) fn read_stream(&mut self) {
        let Some(stream) = self.outer.stream() else { return };
        let mut buffer = [0; MAX_PAYLOAD];
        match read(stream, &mut buffer) {
            Ok(n) if n > 0 => {
                if self.mask.is_some() {
                    self.record_input(&buffer[..n]);
                }
                self.stream.pending.extend_from_slice(&buffer[..n]);
            }
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            Ok(_) | Err(_) => self.stream.open = false,
        }
        self.write_stream();
    }

    pub(super) fn write_stream(&mut self) {
        let Some(running) = &mut self.running else { return };
        if let Some(stdin) = &running.stdin
            && flush(stdin.as_fd(), &mut self.stream.pending).is_err()
        {
            // The command closed its input.
            self.stream.pending.clear();
            self.stream.open = false;
        }
        if !self.stream.open && self.stream.pending.is_empty() {
            running.stdin = None;
        }
    }

    fn capture(&mut self, bytes: &[u8]) {
        let Some(mask) = &mut self.mask else { return };
        let Some(echo) = self.running.as_ref().and_then(Running::echo) else { return };
        let recorded = mask.typed(bytes, echo, self.begun.elapsed());
        self.record_input(&recorded);
    }

    pub(super) fn record_input(&mut self, bytes: &[u8]) {
        let time = boottime_micros().saturating_sub(self.started);
        for part in bytes.chunks(MAX_PAYLOAD) {
            self.append(FrameCode::Input, time, part);
        }
    }
}

/// Writes what a descriptor takes without waiting.
fn flush(fd: BorrowedFd<'_>, pending: &mut Vec<u8>) -> nix::Result<()> {
    let mut written = 0;
    let result = loop {
        if written == pending.len() {
            break Ok(());
        }
        match write(fd, &pending[written..]) {
            Ok(n) => written += n,
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => break Ok(()),
            Err(errno) => break Err(errno),
        }
    };
    pending.drain(..written);
    result
}

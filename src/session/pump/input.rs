//! Input: from the user to the command, and into the ring where it is recorded.

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::write;

use super::Pump;
use crate::clock::boottime_micros;
use crate::ring::{FrameCode, MAX_PAYLOAD};
use crate::session::command::Running;

impl Pump {
    pub(super) fn read_input(&mut self) {
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

    pub(super) fn input_ended(&mut self) {
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

    pub(super) fn write_input(&mut self) {
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

    pub(super) fn capture(&mut self, bytes: &[u8]) {
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

    pub(super) fn record_input(&mut self, bytes: &[u8]) {
        let time = boottime_micros().saturating_sub(self.started);
        for part in bytes.chunks(MAX_PAYLOAD) {
            self.append(FrameCode::Input, time, part);
        }
    }
}

//! A session without a terminal: bytes between the user's streams and the command's, untouched and
//! each stream by itself, counted, and recorded where that is wanted.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{SpliceFFlags, splice};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;

use super::Pump;
use crate::clock::boottime_micros;
use crate::policy::Mode;
use crate::recording::StreamCapture;
use crate::ring::{FrameCode, MAX_PAYLOAD};
use crate::session::command::Pipes;
use crate::session::outer::{Sink, Streams};
use crate::session::sftp;
use crate::wait::{PollList, Slot};

/// What one call moves at most.
const MOVE: usize = 1024 * 1024;

/// What is copied at a time where the kernel can't move it, and where the files in it are looked for.
const COPY: usize = 64 * 1024;
const LOOK: usize = 256 * 1024;

/// Descriptors that a relay polls: two a lane.
pub(super) const POLLED: usize = 6;

/// What poll found where nothing was polled.
pub(super) const NOTHING_POLLED: [PollFlags; POLLED] = [PollFlags::empty(); POLLED];

/// The three streams of a command, each on its way.
#[derive(Debug)]
pub struct Relay {
    lanes: [Lane; 3],
    capture: StreamCapture,
    sftp: Option<Sftp>,
}

/// The files of a transfer by sftp.
#[derive(Debug, Default)]
struct Sftp {
    transfer: sftp::Transfer,
    /// Those that were opened or closed, and are not in the ring yet.
    told: VecDeque<sftp::File>,
}

/// One stream: from where, to where, and what is on its way.
#[derive(Debug)]
struct Lane {
    frames: FrameCode,
    /// Both are gone when the stream has ended: whoever waits for its end sees it then.
    ends: Option<(OwnedFd, Sink)>,
    /// The kernel moves the bytes; not where they are recorded, nor between what it can't.
    splices: bool,
    /// What is read at a time: no more than a frame where it is recorded.
    buffer: usize,
    /// The memory for what was read, had at the first read, and the part of it that is to be written yet.
    memory: Vec<u8>,
    pending: Range<usize>,
    /// How far the recording has to be before what is pending may go out.
    gate: u64,
    /// The far end took less than there is.
    blocked: bool,
}

/// What became of a move.
enum Moved {
    /// Go on as it is.
    Fine,
    /// The stream has ended, or nobody wants it any more.
    Over,
    /// Writing failed.
    Failed(Errno),
}

impl Relay {
    /// The relay between the user's streams and a command's, which are those of an sftp server if `sftp`.
    pub fn new(streams: Streams, pipes: Pipes, capture: StreamCapture, sftp: bool) -> Self {
        let looks = |frames| sftp && frames != FrameCode::ErrorOutput;
        let lane = |frames, from, to: Sink| Lane {
            frames,
            splices: capture == StreamCapture::Counts && !looks(frames) && to.takes_splices(),
            ends: Some((from, to)),
            buffer: match capture {
                StreamCapture::Content => MAX_PAYLOAD,
                StreamCapture::Counts if looks(frames) => LOOK,
                StreamCapture::Counts => COPY,
            },
            memory: Vec::new(),
            pending: 0..0,
            gate: 0,
            blocked: false,
        };
        Self {
            lanes: [
                lane(FrameCode::Input, streams.stdin, pipes.stdin),
                lane(FrameCode::Output, pipes.stdout, streams.stdout),
                lane(FrameCode::ErrorOutput, pipes.stderr, streams.stderr),
            ],
            capture,
            sftp: sftp.then(Sftp::default),
        }
    }

    /// Whether all that the command wrote has gone out.
    pub(super) fn output_is_over(&self) -> bool {
        self.lanes[1..].iter().all(|lane| lane.ends.is_none())
    }

    /// Whether bytes wait for the recording to hold them.
    pub(super) fn awaits_recorder(&self) -> bool {
        self.lanes.iter().any(Lane::is_held) || self.has_files()
    }

    /// Whether there are files that the ring has had no room for.
    pub(super) fn has_files(&self) -> bool {
        self.sftp.as_ref().is_some_and(|sftp| !sftp.told.is_empty())
    }

    /// Whether bytes that waited may go out, the recording being at `accepted`.
    pub(super) fn may_go_on(&self, accepted: u64) -> bool {
        self.lanes.iter().any(|lane| lane.is_held() && lane.gate <= accepted)
    }

    /// Whether the command has written what can go on its way at once, or is on it.
    pub(super) fn has_more(&self) -> bool {
        self.lanes[1..].iter().any(|lane| match &lane.ends {
            Some((from, _)) => !lane.blocked && (!lane.pending.is_empty() || is_readable(from.as_fd())),
            None => false,
        })
    }

    /// Ends the command's standard input.
    pub(super) fn close_input(&mut self) {
        self.lanes[0].ends = None;
    }

    /// Ends every stream.
    pub(super) fn close(&mut self) {
        for lane in &mut self.lanes {
            lane.ends = None;
        }
    }

    /// Adds what to poll to `list`; `reads` is whether more may be read.
    pub(super) fn poll_fds<'fd, const N: usize>(
        &'fd self,
        list: &mut PollList<'fd, N>,
        reads: bool,
    ) -> [Slot; POLLED] {
        let mut slots = [Slot::NONE; POLLED];
        for (lane, slots) in self.lanes.iter().zip(slots.chunks_exact_mut(2)) {
            let Some((from, to)) = &lane.ends else { continue };
            let wants = reads && lane.pending.is_empty() && !lane.blocked;
            slots[0] = list.add(wants.then(|| from.as_fd()), PollFlags::POLLIN);
            // Without POLLOUT, too: that nobody reads it any more is always told.
            let flags = if lane.blocked { PollFlags::POLLOUT } else { PollFlags::empty() };
            slots[1] = list.add(Some(to.as_fd()), flags);
        }
        slots
    }
}

impl Lane {
    /// Whether there are bytes that only the recording is waited for with; not those that the far end
    /// does not take.
    fn is_held(&self) -> bool {
        !self.pending.is_empty() && self.gate > 0 && !self.blocked
    }

    /// Moves on what can be moved without waiting; what was read goes through `record` first.
    fn step(&mut self, events: [PollFlags; 2], record: &mut dyn FnMut(&[u8]) -> u64) -> (u64, Moved) {
        let [from_events, to_events] = events;
        let Some((from, to)) = &self.ends else { return (0, Moved::Fine) };
        let gone = PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL;
        if to_events.intersects(gone) && !to_events.contains(PollFlags::POLLOUT) {
            return (0, Moved::Over);
        }
        if to_events.contains(PollFlags::POLLOUT) {
            self.blocked = false;
        }
        let readable = from_events.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR);
        if self.splices {
            if !readable && !to_events.contains(PollFlags::POLLOUT) {
                return (0, Moved::Fine);
            }
            let flags = SpliceFFlags::SPLICE_F_NONBLOCK | SpliceFFlags::SPLICE_F_MOVE;
            match splice(from, None, to, None, MOVE, flags) {
                Ok(0) => return (0, Moved::Over),
                Ok(n) => return (n as u64, Moved::Fine),
                Err(Errno::EAGAIN) => {
                    self.blocked = is_readable(from.as_fd());
                    return (0, Moved::Fine);
                }
                Err(Errno::EINTR) => return (0, Moved::Fine),
                // Not between these; nothing was moved.
                Err(Errno::EINVAL | Errno::ENOSYS) => self.splices = false,
                Err(errno) => return (0, Moved::Failed(errno)),
            }
        }
        if readable && self.pending.is_empty() {
            if self.memory.is_empty() {
                self.memory = vec![0; self.buffer];
            }
            let got = read(from, &mut self.memory);
            self.pending = 0..got.unwrap_or(0);
            match got {
                Ok(0) => return (0, Moved::Over),
                Ok(_) => self.gate = record(&self.memory[self.pending.clone()]),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return (0, Moved::Over),
            }
        }
        (0, Moved::Fine)
    }

    /// Writes what was read, as far as it may and is taken.
    fn flush(&mut self, accepted: u64) -> (u64, Moved) {
        let Some((_, to)) = &self.ends else { return (0, Moved::Fine) };
        let mut moved = 0;
        while !self.pending.is_empty() && self.gate <= accepted && !self.blocked {
            match to.write(&self.memory[self.pending.clone()]) {
                Ok(n) => {
                    self.pending.start += n;
                    moved += n as u64;
                }
                Err(Errno::EAGAIN) => self.blocked = true,
                Err(Errno::EINTR) => {}
                Err(errno) => return (moved, Moved::Failed(errno)),
            }
        }
        if self.pending.is_empty() {
            self.gate = 0;
        }
        (moved, Moved::Fine)
    }
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

impl Pump {
    /// Moves the streams of a session without a terminal on, by what poll found.
    pub(super) fn relay(&mut self, events: [PollFlags; POLLED]) {
        let Some(mut relay) = self.relay.take() else { return };
        for (n, lane) in relay.lanes.iter_mut().enumerate() {
            let capture = relay.capture;
            let frames = lane.frames;
            let mut sftp = relay.sftp.as_mut();
            let (spliced, step) = lane.step([events[2 * n], events[2 * n + 1]], &mut |bytes| {
                match (sftp.as_deref_mut(), frames) {
                    (Some(sftp), FrameCode::Input) => sftp.transfer.by_client(bytes),
                    (Some(sftp), FrameCode::Output) => sftp.transfer.by_server(bytes, &mut sftp.told),
                    _ => {}
                }
                if capture == StreamCapture::Counts {
                    return 0;
                }
                let time = boottime_micros().saturating_sub(self.started);
                self.append(frames, time, bytes);
                self.recorder.ring.all_shown();
                // In best effort nothing waits for the disk.
                if self.enforcer.mode() == Mode::Strict { self.recorder.ring.head() } else { 0 }
            });
            let (written, flushed) = lane.flush(self.recorder.ring.accepted());
            self.recorder.ring.count_through(n, spliced + written);
            if n > 0 {
                self.printed(spliced + written);
                let moved = usize::try_from(spliced + written).unwrap_or(usize::MAX);
                self.drain = self.drain.map(|left| left.saturating_sub(moved));
            }
            for moved in [step, flushed] {
                match moved {
                    Moved::Fine => {}
                    Moved::Over => lane.ends = None,
                    Moved::Failed(errno) => {
                        lane.ends = None;
                        if n > 0 && errno != Errno::EPIPE && errno != Errno::ECONNRESET {
                            self.outcome.output_error.get_or_insert_with(|| io::Error::from(errno));
                        }
                    }
                }
            }
        }
        self.relay = Some(relay);
        self.record_files();
    }

    /// Records the files that a client of sftp opened and closed, as far as there is room; whether that is all of them.
    fn record_files(&mut self) -> bool {
        while let Some(file) = self.relay.as_mut().and_then(|relay| relay.sftp.as_mut()?.told.pop_front()) {
            let time = boottime_micros().saturating_sub(self.started);
            if self.enforcer.mode() == Mode::BestEffort {
                self.append(FrameCode::Sftp, time, &file.to_bytes());
            } else if !self.recorder.ring.push(FrameCode::Sftp, time, &file.to_bytes()) {
                if let Some(sftp) = self.relay.as_mut().and_then(|relay| relay.sftp.as_mut()) {
                    sftp.told.push_front(file);
                }
                return false;
            }
            self.recorder.ring.all_shown();
        }
        true
    }

    /// Records the files that are left at the end, closed or not; whether that is all of them.
    pub(super) fn record_last_files(&mut self) -> bool {
        if let Some(sftp) = self.relay.as_mut().and_then(|relay| relay.sftp.as_mut()) {
            sftp.told.extend(sftp.transfer.finish());
        }
        self.record_files()
    }
}
